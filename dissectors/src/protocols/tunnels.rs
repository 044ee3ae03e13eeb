//! Control connections of tunnels: L2TP (RFC 2661) over UDP, PPTP (RFC 2637) over TCP. Both ends say their name and
//! their maker.

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, printable};
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::{Attribute, Claim, Operation, Protocol, Unit};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};

/// The port of L2TP.
const L2TP_PORT: u16 = 1701;
/// What tells a control message of PPTP (RFC 2637, 1.5).
const MAGIC: [u8; 4] = [0x1a, 0x2b, 0x3c, 0x4d];
/// Octets of a name in PPTP.
const NAME: usize = 64;
/// Octets of a control message of PPTP at most.
const MAX_MESSAGE: usize = 1024;
/// Messages after which nothing more is waited for.
const MAX_MESSAGES: u8 = 16;
/// Attributes read of a message of L2TP.
const MAX_ATTRIBUTES: usize = 32;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Request,
    Reply,
    Stop,
    Other,
}

/// What a control message says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    kind: Kind,
    name: String,
    vendor: String,
}

holds!(Message { name, vendor });

/// A control message of L2TP (RFC 2661, 3.1 and 4.4): one with a length, whose first attribute is its type.
fn l2tp(bytes: &[u8]) -> Option<Message> {
    let &[high, low, up, down, _, _, _, _, _, _, _, _, ref rest @ ..] = bytes else { return None };
    let length = usize::from(u16::from_be_bytes([up, down]));
    if high & 0xc8 != 0xc8 || low & 0x0f != 2 || length != bytes.len() {
        return None;
    }
    let mut cursor = Cursor::new(rest);
    let mut message = Message { kind: Kind::Other, name: String::new(), vendor: String::new() };
    for number in 0..MAX_ATTRIBUTES {
        let Ok(head) = cursor.u16_be("flags and length") else { break };
        let length = usize::from(head & 0x03ff).checked_sub(6)?;
        let (Ok(vendor), Ok(kind)) = (cursor.u16_be("vendor"), cursor.u16_be("attribute")) else { break };
        let Ok(value) = cursor.take(length, "value") else { break };
        match (number, vendor, kind, value) {
            (0, 0, 0, &[0, kind @ 1..=16]) => {
                message.kind = match kind {
                    1 => Kind::Request,
                    2 => Kind::Reply,
                    4 => Kind::Stop,
                    _ => Kind::Other,
                }
            }
            (0, ..) => return None,
            // A hidden value is encrypted.
            (_, 0, 7, value) if head & 0x4000 == 0 => message.name = printable(value),
            (_, 0, 8, value) if head & 0x4000 == 0 => message.vendor = printable(value),
            _ => {}
        }
    }
    (!rest.is_empty()).then_some(message)
}

/// A control message of PPTP (RFC 2637, 2): length, type 1, magic cookie, its kind.
fn pptp(bytes: &[u8]) -> Option<Message> {
    let mut cursor = Cursor::new(bytes);
    cursor.take(2, "length").ok()?;
    let start = cursor.take(6, "type and cookie").ok()?;
    let kind = cursor.u16_be("kind").ok().filter(|kind| (1..=15).contains(kind))?;
    if start != [[0, 1].as_slice(), &MAGIC].concat() {
        return None;
    }
    let mut message = Message { kind: Kind::Other, name: String::new(), vendor: String::new() };
    message.kind = match kind {
        1 => Kind::Request,
        2 => Kind::Reply,
        3 => Kind::Stop,
        _ => Kind::Other,
    };
    if matches!(message.kind, Kind::Request | Kind::Reply) && cursor.take(18, "version to revision").is_ok() {
        let mut text = || {
            let octets = cursor.take(NAME, "name").unwrap_or_default();
            printable(octets.split(|octet| *octet == 0).next().unwrap_or_default())
        };
        (message.name, message.vendor) = (text(), text());
    }
    Some(message)
}

/// Tells from a datagram whether it is a control message of L2TP.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let has_port = probe.ports.contains(&L2TP_PORT);
    let is_control = |bytes: &[u8]| l2tp(bytes).is_some_and(|message| has_port || message.kind == Kind::Request);
    match is_control(probe.forward) || is_control(probe.backward) {
        true => Recognition::Yes(Box::new(Control::new(Protocol::L2tp, probe.first))),
        false => Recognition::No,
    }
}

/// Tells from the first octets whether a stream is PPTP.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    match pptp(probe.forward).is_some() || pptp(probe.backward).is_some() {
        true => Recognition::Yes(Box::new(Control::new(Protocol::Pptp, probe.first))),
        false => Recognition::No,
    }
}

/// A control connection.
#[derive(Clone, Debug)]
struct Control {
    protocol: Protocol,
    client: Direction,
    first_frame: Option<u64>,
    said: [Option<Message>; 2],
    stopped: bool,
    messages: u8,
    told: bool,
}

impl Control {
    fn new(protocol: Protocol, client: Direction) -> Self {
        Control { protocol, client, first_frame: None, said: [None, None], stopped: false, messages: 0, told: false }
    }

    fn side(&self, direction: Direction) -> Option<&Message> {
        self.said[direction as usize].as_ref()
    }
}

impl Session for Control {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        match *bytes {
            [high, low, 0, 1, a, b, c, d, ..] if [a, b, c, d] == MAGIC => {
                match usize::from(u16::from_be_bytes([high, low])) {
                    length @ 10..=MAX_MESSAGE => Framing::Message(length),
                    _ => Framing::NotMine,
                }
            }
            _ if bytes.len() < 8 => Framing::NeedMore,
            _ => Framing::NotMine,
        }
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        self.messages = self.messages.saturating_add(1);
        let read = if self.protocol == Protocol::L2tp { l2tp } else { pptp };
        let Some(message) = read(chunk.bytes) else { return };
        self.first_frame = self.first_frame.or(Some(out.frame));
        match message.kind {
            Kind::Request => self.client = chunk.direction,
            Kind::Reply => self.client = chunk.direction.opposite(),
            Kind::Stop => self.stopped = true,
            Kind::Other => {}
        }
        if !matches!(message.kind, Kind::Request | Kind::Reply) {
            return;
        }
        for (attribute, value) in [(Attribute::Hostname, &message.name), (Attribute::Vendor, &message.vendor)] {
            if !value.is_empty() {
                let value = value.clone();
                out.claim(Claim { about_sender: true, address: None, unit: Unit::None, attribute, value });
            }
        }
        self.said[chunk.direction as usize] = Some(message);
    }

    fn close(&mut self, out: &mut Output) {
        if self.messages == 0 || std::mem::replace(&mut self.told, true) {
            return;
        }
        let mut activity = Activity::new(self.client, "tunnel", Operation::Session);
        activity.request_frame = self.first_frame;
        let [asked, answered] = [self.side(self.client), self.side(self.client.opposite())];
        if let Some(message) = asked {
            activity.put(Field::TunnelName, &*message.name);
            activity.put(Field::TunnelVendor, &*message.vendor);
        }
        let status = match (asked, answered) {
            (Some(_), Some(_)) => Status::Ok,
            (_, None) if self.stopped => Status::Error,
            (None, Some(_)) => Status::ResponseOnly,
            (Some(_), None) => Status::NoResponse,
            (None, None) => Status::OneWay,
        };
        out.activity(activity.ended(status, if status == Status::Error { "stopped" } else { "" }));
    }

    fn is_done(&self) -> bool {
        self.said.iter().all(Option::is_some) || self.stopped || self.messages >= MAX_MESSAGES
    }

    fn held(&self) -> usize {
        self.said.holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::presence::tests::heard;

    fn attribute(kind: u8, value: &[u8]) -> Vec<u8> {
        [&[0x80, value.len() as u8 + 6, 0, 0, 0, kind], value].concat()
    }

    fn l2tp_control(kind: u8) -> Vec<u8> {
        let attributes = [attribute(0, &[0, kind]), attribute(7, b"gate-7"), attribute(8, b"Vendor")].concat();
        [&[0xc8, 2, 0, attributes.len() as u8 + 12, 0, 0, 0, 0, 0, 0, 0, 0], &attributes[..]].concat()
    }

    fn pptp_control(kind: u8) -> Vec<u8> {
        let name = |text: &[u8]| [text, &vec![0; NAME - text.len()]].concat();
        [&[0, 156, 0, 1], &MAGIC[..], &[0, kind], &[0; 18], &name(b"gate-7"), &name(b"Vendor")].concat()
    }

    #[test]
    fn both_tell_name_and_maker() {
        type Made = fn(u8) -> Vec<u8>;
        type Recognise = fn(&Probe<'_>) -> Recognition;
        let forms: [(Recognise, Made); 2] = [(probe_datagram, l2tp_control), (probe_stream, pptp_control)];
        for (recognise, made) in forms {
            let activity = heard(recognise, &made(1), &made(2), [40_000, 1]).unwrap();
            let expected = [(Field::TunnelName, "gate-7".to_string()), (Field::TunnelVendor, "Vendor".to_string())];
            assert_eq!((activity.client, activity.status), (Direction::Forward, Status::Ok));
            assert_eq!(activity.fields, expected);
            let alone = heard(recognise, &made(1), b"", [40_000, 1]).unwrap();
            assert_eq!(alone.status, Status::NoResponse);
            let whole = made(1);
            for length in 0..whole.len() {
                let _ = heard(recognise, &whole[..length], &whole[length..], [40_000, L2TP_PORT]);
            }
        }
    }

    #[test]
    fn others_are_not_recognised() {
        assert!(heard(probe_datagram, &l2tp_control(6), b"", [40_000, 1]).is_none());
        assert!(heard(probe_datagram, b"\x40\x02\x00\x1e\x00\x01\x00\x02\x00\x21", b"", [40_000, L2TP_PORT]).is_none());
        assert!(heard(probe_stream, &pptp_control(16), b"", [40_000, 1723]).is_none());
        assert!(heard(probe_stream, b"\x00\x9c\x00\x01\x1a\x2b\x3c\x4e\x00\x01", b"", [40_000, 1723]).is_none());
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = heard(probe_datagram, &bytes, &bytes, [1, L2TP_PORT]);
            let _ = l2tp(&[&[0xc8, 2, 0, bytes.len() as u8 + 4], &bytes[..]].concat());
            let _ = pptp(&[&[0, 156, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1], &bytes[..]].concat());
        }
    }
}
