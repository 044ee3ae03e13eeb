//! Syslog over UDP and TCP: which host and program logs, how grave it is. Not what is logged.

use crate::activity::{Activity, Field};
use crate::bytes::printable;
use crate::model::{Operation, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, syslog};
use crate::text::{frame_line, word};

/// The port, of UDP and, by custom, of TCP.
const PORT: u16 = 514;
/// Ports of TCP by custom.
const STREAM_PORTS: [u16; 2] = [514, 601];
/// Octets of a message that are read.
const READ: usize = 512;
/// Octets of a program's name at most (RFC 3164, 4.1.3), and some more, for many are longer.
const MAX_TAG: usize = 48;
const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Tells from a datagram whether it is a message: on its port by its priority, elsewhere by its time too.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = if probe.forward.is_empty() { probe.backward } else { probe.forward };
    match message(bytes) {
        Some(message) if message.is_dated || probe.ports.contains(&PORT) => Recognition::Yes(Box::new(Syslog)),
        _ => Recognition::No,
    }
}

/// Tells the same from the first octets of a stream.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    let is_own = probe.ports.iter().any(|port| STREAM_PORTS.contains(port));
    let is_start = |bytes: &[u8]| matches!(bytes, [] | [b'<'] | [b'<', b'0'..=b'9', ..]);
    let start = match counted(bytes) {
        Counted::Of(start, _) => start,
        Counted::Short if is_own => return Recognition::Undecided,
        Counted::Short => return Recognition::No,
        Counted::Not => 0,
    };
    match message(&bytes[start..]) {
        Some(message) if message.is_dated || is_own => Recognition::Yes(Box::new(Syslog)),
        None if is_own && is_start(&bytes[start..]) && bytes.len() - start < 5 => Recognition::Undecided,
        _ => Recognition::No,
    }
}

enum Counted {
    /// A message of so many octets behind so many (RFC 6587, 3.4.1).
    Of(usize, usize),
    Short,
    Not,
}

fn counted(bytes: &[u8]) -> Counted {
    let digits = bytes.iter().take(6).take_while(|octet| octet.is_ascii_digit()).count();
    let number = bytes[..digits].iter().fold(0, |number, octet| number * 10 + usize::from(octet - b'0'));
    match bytes.get(digits) {
        None if digits < 6 && digits > 0 => Counted::Short,
        Some(b' ') if digits > 0 && number > 0 => Counted::Of(digits + 1, number),
        _ => Counted::Not,
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Message<'a> {
    priority: u32,
    /// A time as one of both standards has it.
    is_dated: bool,
    host: &'a [u8],
    application: &'a [u8],
}

fn message(bytes: &[u8]) -> Option<Message<'_>> {
    let bytes = &bytes[..bytes.len().min(READ)];
    let rest = bytes.strip_prefix(b"<")?;
    let digits = rest.iter().take(3).take_while(|octet| octet.is_ascii_digit()).count();
    let text = rest.get(digits..)?.strip_prefix(b">")?;
    let priority: u32 = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    if priority > 191 {
        return None;
    }
    let (version, behind) = word(text);
    let (time, after) = word(behind);
    let is_time = matches!(time, b"-") || matches!(time, [b'1' | b'2', _, _, _, b'-', _, _, b'-', ..]);
    if version == b"1" && is_time {
        let (host, rest) = word(after);
        return Some(Message { priority, is_dated: true, host: known(host), application: known(word(rest).0) });
    }
    let (is_dated, rest) = undated(text);
    let (first, behind) = word(rest);
    let (host, rest) = match tag(first) {
        Some(_) => (&[][..], rest),
        None if is_dated && first.iter().all(|octet| octet.is_ascii_alphanumeric() || b".-_:".contains(octet)) => {
            (first, behind)
        }
        None if is_dated => (&[][..], behind),
        None => (&[][..], rest),
    };
    Some(Message { priority, is_dated, host, application: tag(word(rest).0).unwrap_or_default() })
}

/// A field's value; none for the nil value (RFC 5424, 6).
fn known(value: &[u8]) -> &[u8] {
    if value == b"-" { &[] } else { value }
}

/// What follows the time `Oct 11 22:14:15`, and whether there was one (RFC 3164, 4.1.2).
fn undated(text: &[u8]) -> (bool, &[u8]) {
    let text = text.trim_ascii_start();
    let (month, rest) = word(text);
    let (day, rest) = word(rest);
    let (time, rest) = word(rest);
    let is_day = matches!(day, [b'0'..=b'9'] | [b'0'..=b'3', b'0'..=b'9']);
    let is_time = matches!(time, [b'0'..=b'2', b'0'..=b'9', b':', b'0'..=b'5', b'0'..=b'9', b':', b'0'..=b'6', ..]);
    if MONTHS.contains(&month) && is_day && is_time { (true, rest) } else { (false, text) }
}

/// The program's name in `sshd[7]:`.
fn tag(word: &[u8]) -> Option<&[u8]> {
    let end = word.iter().position(|octet| matches!(octet, b'[' | b':'))?;
    let is_name = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_./%".contains(octet);
    ((1..=MAX_TAG).contains(&end) && word[..end].iter().all(is_name)).then_some(&word[..end])
}

#[derive(Clone)]
struct Syslog;

impl Session for Syslog {
    fn protocol(&self) -> Protocol {
        Protocol::Syslog
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        match counted(bytes) {
            Counted::Of(start, length) => Framing::Head { keep: start + length.min(READ), length: start + length },
            Counted::Short => Framing::NeedMore,
            Counted::Not => frame_line(bytes),
        }
    }

    fn resync(&self, _: Direction, bytes: &[u8]) -> Option<usize> {
        message(bytes).map(|_| 0)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let start = match counted(chunk.bytes) {
            Counted::Of(start, _) => start,
            _ => 0,
        };
        let Some(message) = message(chunk.bytes.get(start..).unwrap_or_default()) else { return };
        out.activity(
            Activity::new(chunk.direction, "log", Operation::Report)
                .with(Field::SyslogFacility, tables::name(syslog::FACILITIES, message.priority >> 3))
                .with(Field::SyslogSeverity, tables::name(syslog::SEVERITIES, message.priority & 7))
                .with(Field::SyslogHost, printable(message.host))
                .with(Field::SyslogApplication, printable(message.application)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::heard::{C, cut_everywhere, datagrams, stream, takes_any, truncated};

    const DATED: &[u8] = b"<34>Oct 11 22:14:15 plc-7 su[7]: 's3cret' failed";

    #[test]
    fn messages() {
        let cases: [(&[u8], &str); 8] = [
            (DATED, "auth,crit,plc-7,su"),
            (
                b"<165>1 2003-10-11T22:14:15.003Z hmi.example evntslog - ID47 [a b=\"s3cret\"] s3cret",
                "local4,notice,hmi.example,evntslog",
            ),
            (b"<165>1 - - - - - - s3cret", "local4,notice"),
            (b"<13>s3cret text without anything", "user,notice"),
            (b"<189>%LINK-3-UPDOWN: s3cret", "local7,notice,%LINK-3-UPDOWN"),
            (b"<30>Feb  5 17:32:18 dhcpd: s3cret", "daemon,info,dhcpd"),
            (b"<191>x", "local7,debug"),
            (b"<0>Feb 5 17:32:18 192.168.0.1 s3cret s3cret", "kern,emerg,192.168.0.1"),
        ];
        for (bytes, told) in cases {
            let heard = datagrams(probe_datagram, [40_000, 514], &[(C, bytes)]);
            let values: Vec<_> = heard.activities[0].fields.iter().map(|(_, value)| &**value).collect();
            assert_eq!(values.join(","), told);
            assert!(!heard.tells("s3cret"));
            truncated(probe_datagram, [40_000, 514], &[(C, bytes)]);
        }
    }

    #[test]
    fn it_is_recognised_by_priority_and_port_or_time() {
        let cases: [(&[u8], u16, bool); 6] = [
            (DATED, 5514, true),
            (b"<13>text", 5514, false),
            (b"<13>text", 514, true),
            (b"<192>text", 514, false),
            (b"<?xml>", 514, false),
            (b"<1x>", 514, false),
        ];
        for (bytes, port, is_syslog) in cases {
            assert_eq!(datagrams(probe_datagram, [40_000, port], &[(C, bytes)]).service == "syslog", is_syslog);
        }
    }

    #[test]
    fn streams_count_octets_or_end_lines() {
        let counted = [b"48 ", DATED, b"10 <13>a\nbc\nd"].concat();
        let lines = [DATED, b"\n<13>two\n"].concat();
        for (bytes, count) in [(counted, 2), (lines, 2)] {
            let heard = stream(probe_stream, [40_000, 514], &[(C, &bytes)]);
            assert_eq!(heard.activities.len(), count);
            cut_everywhere(probe_stream, [40_000, 514], &[(C, &bytes)]);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            takes_any(probe_stream, [1, 514], &[(C, b"<13>")], &bytes);
            takes_any(probe_datagram, [1, 514], &[(C, DATED)], &bytes);
        }
    }
}
