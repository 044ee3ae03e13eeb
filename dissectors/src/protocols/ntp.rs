//! NTP, versions 1 to 4 (RFC 1059, RFC 1119, RFC 1305, RFC 5905), its control messages (RFC 9327) and ntpd's private
//! ones: who gives time to whom, and what that is taken from.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::{Attribute, Operation, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, ntp};

/// UDP port.
const PORT: u16 = 123;
/// Octets of a message without extensions, and of the headers of control and private messages.
const HEADER: usize = 48;
const CONTROL_HEADER: usize = 12;
const PRIVATE_HEADER: usize = 8;
/// Requests that wait for their answer in one flow.
const MAX_OPEN: usize = 8;

mod mode {
    pub const VERSION_1: u8 = 0;
    pub const CLIENT: u8 = 3;
    pub const SERVER: u8 = 4;
    pub const CONTROL: u8 = 6;
    pub const PRIVATE: u8 = 7;
}

/// Tells from a datagram whether it is NTP.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.datagram();
    let Some((version, mode)) = version_and_mode(bytes) else { return Recognition::No };
    let fits = match mode {
        mode::CONTROL => bytes.len() >= CONTROL_HEADER,
        mode::PRIVATE => bytes.len() >= PRIVATE_HEADER,
        mode::VERSION_1 => version == 1 && bytes.len() >= HEADER,
        _ => bytes.len() >= HEADER,
    };
    if probe.ports.contains(&PORT) && (1..=4).contains(&version) && fits {
        Recognition::Yes(Box::<Ntp>::default())
    } else {
        Recognition::No
    }
}

/// Leap indicator, version and mode share the first octet.
fn version_and_mode(bytes: &[u8]) -> Option<(u8, u8)> {
    bytes.first().map(|first| (first >> 3 & 0x07, first & 0x07))
}

#[derive(Clone)]
struct Open {
    /// The transmit timestamp, which the answer has as origin.
    transmitted: u64,
    client: Direction,
    frame: u64,
    activity: Activity,
}

holds!(Open { activity });

/// A conversation.
#[derive(Clone, Default)]
struct Ntp {
    open: VecDeque<Open>,
}

impl Ntp {
    /// `LI VN mode | stratum | poll | precision | root delay | root dispersion | reference id | 4 timestamps`.
    fn time(&mut self, bytes: &[u8], way: Direction, out: &mut Output) -> Result<(), Short> {
        let mut cursor = Cursor::new(bytes);
        let (first, stratum) = (cursor.u8("LI, VN and mode")?, cursor.u8("stratum")?);
        let (version, mode) = (first >> 3 & 0x07, first & 0x07);
        cursor.take(10, "poll to root dispersion")?;
        let reference: [u8; 4] = cursor.u32_be("reference ID")?.to_be_bytes();
        cursor.take(8, "reference timestamp")?;
        let origin = cursor.u64_be("origin timestamp")?;
        cursor.take(8, "receive timestamp")?;
        let transmitted = cursor.u64_be("transmit timestamp")?;
        // Who answers in version 1 says it by the origin alone.
        let answers = mode == mode::SERVER || (mode == mode::VERSION_1 && origin != 0);
        let asks = mode == mode::CLIENT || (mode == mode::VERSION_1 && origin == 0);
        let client = if answers { way.opposite() } else { way };
        let code = tables::find(ntp::MODES, u32::from(mode));
        let operation = code.and_then(|code| code.operation).unwrap_or(Operation::Unknown);
        let action = if asks || answers { "time" } else { code.map_or("unknown", |code| code.name) };
        let mut activity = Activity::new(client, action, operation);
        activity.put(Field::NtpVersion, version.to_string());
        activity.put(Field::NtpMode, mode.to_string());
        if asks {
            if self.open.len() >= MAX_OPEN {
                self.give_up(out);
            }
            self.open.push_back(Open { transmitted, client, frame: out.frame, activity });
            return Ok(());
        }
        let reference = reference_id(stratum, reference);
        activity.put(Field::NtpStratum, stratum.to_string());
        if answers {
            let place = self.open.iter().position(|open| open.transmitted == origin && open.client == client);
            activity.request_frame = place.and_then(|place| self.open.remove(place)).map(|open| open.frame);
            // The reference of a stratum of 0 is a reason to go away (RFC 5905, 7.4).
            activity = match stratum {
                0 => activity.ended(Status::Error, &*reference),
                _ => activity.ended(Status::Ok, "").with(Field::NtpReference, &*reference),
            };
        } else {
            activity.put(Field::NtpReference, &*reference);
        }
        let gives_time = (1..16).contains(&stratum);
        out.activity(activity);
        if gives_time {
            out.sender_is(Attribute::RoleHint, "time-server");
        }
        Ok(())
    }

    fn give_up(&mut self, out: &mut Output) {
        if let Some(open) = self.open.pop_front() {
            out.activity(Activity { request_frame: Some(open.frame), ..open.activity.ended(Status::NoResponse, "") });
        }
    }
}

/// What a clock is set by: letters of a kind of clock, or the address of another server (RFC 5905, 7.3).
fn reference_id(stratum: u8, octets: [u8; 4]) -> String {
    match stratum {
        0 | 1 => printable(&octets),
        _ => Ipv4Addr::from(octets).to_string(),
    }
}

/// `LI VN mode | R E M opcode | sequence | status | association | offset | count | data` (RFC 9327, 2).
fn control(bytes: &[u8], way: Direction, out: &mut Output) -> Result<(), Short> {
    const RESPONSE: u8 = 0x80;
    const ERROR: u8 = 0x40;
    let mut cursor = Cursor::new(bytes);
    let (first, flags) = (cursor.u8("LI, VN and mode")?, cursor.u8("R, E, M and opcode")?);
    cursor.u16_be("sequence")?;
    let status = cursor.u16_be("status")?;
    cursor.take(4, "association and offset")?;
    let count = usize::from(cursor.u16_be("count")?);
    let data = cursor.take(count.min(cursor.left()), "data")?;
    let is_response = flags & RESPONSE != 0;
    let mut activity = mode_activity(tables::find(ntp::CONTROL, u32::from(flags & 0x1f)), is_response, way, first);
    if is_response {
        let failed = flags & ERROR != 0;
        activity = if failed {
            activity.ended(Status::Error, (status >> 8).to_string())
        } else {
            activity.ended(Status::Ok, "")
        };
    }
    out.activity(activity);
    if is_response {
        variables(data, out);
    }
    Ok(())
}

/// `name="value"`, separated by commas: what a server says of itself (RFC 9327, 4).
fn variables(data: &[u8], out: &mut Output) {
    let text = printable(data);
    for (name, value) in text.split(", ").filter_map(|variable| variable.split_once('=')) {
        let attribute = match name.trim_matches(|c: char| !c.is_ascii_alphanumeric()) {
            "version" => Attribute::Software,
            "system" => Attribute::OperatingSystem,
            "processor" => Attribute::Hardware,
            _ => continue,
        };
        out.sender_is(attribute, value.trim_matches('"'));
    }
}

/// `R M VN mode | A sequence | implementation | request code | …`.
fn private(bytes: &[u8], way: Direction, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(bytes);
    let first = cursor.u8("R, M, VN and mode")?;
    cursor.take(2, "sequence and implementation")?;
    let code = cursor.u8("request code")?;
    let error = cursor.u16_be("error and number of items")? >> 12;
    let is_response = first & 0x80 != 0;
    let mut activity = mode_activity(tables::find(ntp::PRIVATE, u32::from(code)), is_response, way, first);
    if is_response {
        let status = if error == 0 { Status::Ok } else { Status::Error };
        activity = activity.ended(status, if error == 0 { String::new() } else { error.to_string() });
    }
    out.activity(activity);
    Ok(())
}

fn mode_activity(code: Option<&tables::Code>, is_response: bool, way: Direction, first: u8) -> Activity {
    let (action, operation) =
        code.map_or(("unknown", Operation::Unknown), |code| (code.name, code.operation.unwrap_or(Operation::Unknown)));
    let client = if is_response { way.opposite() } else { way };
    Activity::new(client, action, operation)
        .with(Field::NtpVersion, (first >> 3 & 0x07).to_string())
        .with(Field::NtpMode, (first & 0x07).to_string())
}

impl Session for Ntp {
    fn protocol(&self) -> Protocol {
        Protocol::Ntp
    }

    fn frame(&mut self, _: Direction, _: &[u8]) -> Framing {
        Framing::NotMine
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let Chunk { bytes, direction, .. } = chunk;
        // A message that is cut short says nothing.
        let _ = match version_and_mode(bytes) {
            Some((_, mode::CONTROL)) => control(bytes, direction, out),
            Some((_, mode::PRIVATE)) => private(bytes, direction, out),
            Some(_) => self.time(bytes, direction, out),
            None => Ok(()),
        };
    }

    fn close(&mut self, out: &mut Output) {
        while !self.open.is_empty() {
            self.give_up(out);
        }
    }

    fn held(&self) -> usize {
        self.open.holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, told};

    /// A message of 48 octets: first octet, stratum, reference, origin and transmit timestamps.
    fn message(first: u8, stratum: u8, reference: &[u8; 4], origin: u64, transmitted: u64) -> Vec<u8> {
        let parts: [&[u8]; 7] = [
            &[first, stratum, 6, 0xec],
            &[0; 8], // root delay and dispersion
            reference,
            &[0; 8],
            &origin.to_be_bytes(),
            &[0; 8],
            &transmitted.to_be_bytes(),
        ];
        parts.concat()
    }

    fn hear(datagrams: &[(Direction, &[u8])]) -> Output {
        let (mut ntp, mut out) = (Ntp::default(), Output::default());
        for (frame, (direction, bytes)) in (1..).zip(datagrams) {
            out.frame = frame;
            ntp.decode(Chunk { bytes, wire_length: bytes.len(), direction: *direction }, &mut out);
        }
        ntp.close(&mut out);
        out
    }

    #[test]
    fn a_request_and_its_answer_are_one_activity() {
        use Direction::{Backward, Forward};
        let asked = message(0x23, 0, b"\0\0\0\0", 0, 77);
        let other = message(0x23, 0, b"\0\0\0\0", 0, 78);
        let answer = message(0x24, 1, b"GPS\0", 77, 99);
        let out = hear(&[(Forward, &asked), (Forward, &other), (Backward, &answer)]);
        let expected = ["time ntp.version=4 ntp.mode=4 ntp.stratum=1 ntp.ref_id=GPS", "time ntp.version=4 ntp.mode=3"];
        assert_eq!(told(&out), expected);
        let ends: Vec<_> = out.activities.iter().map(|activity| (activity.status, activity.request_frame)).collect();
        assert_eq!(ends, [(Status::Ok, Some(1)), (Status::NoResponse, Some(2))]);
        assert_eq!(claimed(&out), ["role_hint=time-server"]);
    }

    #[test]
    fn each_mode() {
        let variables = b"version=\"ntpd 4.2.8p15\", processor=\"armv7l\", system=\"Linux/5.10\", leap=0";
        let control = [&[0x16, 0x82, 0, 1, 6, 0x15, 0, 0, 0, 0, 0, variables.len() as u8], &variables[..]].concat();
        let cases: [(&[u8], &str, Status, &str); 6] = [
            (&message(0x1c, 0, b"RATE", 5, 6), "time ntp.version=3 ntp.mode=4 ntp.stratum=0", Status::Error, "RATE"),
            (
                &message(0x25, 3, &[10, 0, 0, 1], 0, 6),
                "broadcast ntp.version=4 ntp.mode=5 ntp.stratum=3 ntp.ref_id=10.0.0.1",
                Status::OneWay,
                "",
            ),
            (&control, "read_variables ntp.version=2 ntp.mode=6", Status::Ok, ""),
            (&[0x17, 0, 3, 0x2a, 0, 0, 0, 0], "mon_getlist_1 ntp.version=2 ntp.mode=7", Status::OneWay, ""),
            (&[0x97, 0, 3, 0x2a, 0x40, 0, 0, 0], "mon_getlist_1 ntp.version=2 ntp.mode=7", Status::Error, "4"),
            (&[0x17, 0, 3, 0x63, 0, 0, 0, 0], "unknown ntp.version=2 ntp.mode=7", Status::OneWay, ""),
        ];
        for (bytes, expected, status, code) in cases {
            let out = hear(&[(Direction::Forward, bytes)]);
            assert_eq!(told(&out), [expected]);
            assert_eq!((out.activities[0].status, &*out.activities[0].code), (status, code), "{expected}");
            for length in 0..bytes.len() {
                hear(&[(Direction::Forward, &bytes[..length])]);
            }
        }
        let claims = ["software=ntpd 4.2.8p15", "hardware=armv7l", "operating_system=Linux/5.10"];
        assert_eq!(claimed(&hear(&[(Direction::Backward, &control)])), claims);
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..120)) {
            hear(&[(Direction::Forward, &bytes), (Direction::Backward, &bytes)]);
        }
    }
}
