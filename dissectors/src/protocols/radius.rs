//! RADIUS: which user asks for access where, and with what outcome. Of passwords only that there is one.

use std::collections::VecDeque;

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::{Operation, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, radius};

/// Ports of access, accounting (and their older ones) and changes.
const PORTS: [u16; 5] = [1812, 1813, 1645, 1646, 3799];
/// Octets of the header (RFC 2865, 3).
const HEADER: usize = 20;
/// Octets of a packet at most.
const MAX_LENGTH: usize = 4096;
/// Requests that wait for their answer.
const MAX_OPEN: usize = 64;

/// Types of attributes that are read.
mod attribute {
    pub const USER_NAME: u8 = 1;
    pub const USER_PASSWORD: u8 = 2;
    pub const CHAP_PASSWORD: u8 = 3;
    pub const NAS_IP_ADDRESS: u8 = 4;
    pub const NAS_PORT: u8 = 5;
    pub const CALLING_STATION: u8 = 31;
    pub const NAS_IDENTIFIER: u8 = 32;
    pub const EAP_MESSAGE: u8 = 79;
}

/// Tells from a datagram whether it is RADIUS: its attributes fill it to the octet.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = if probe.forward.is_empty() { probe.backward } else { probe.forward };
    match packet(bytes) {
        Ok(Some(packet)) => {
            let is_request = packet.attributes.iter().any(|(kind, _)| *kind == attribute::USER_NAME);
            if probe.ports.iter().any(|port| PORTS.contains(port)) || (packet.code == 1 && is_request) {
                Recognition::Yes(Box::new(Radius { open: VecDeque::new() }))
            } else {
                Recognition::No
            }
        }
        _ => Recognition::No,
    }
}

struct Packet<'a> {
    code: u8,
    id: u8,
    attributes: Vec<(u8, &'a [u8])>,
}

fn packet(bytes: &[u8]) -> Result<Option<Packet<'_>>, Short> {
    let mut cursor = Cursor::new(bytes);
    let (code, id) = (cursor.u8("code")?, cursor.u8("identifier")?);
    if tables::find(radius::CODES, u32::from(code)).is_none() {
        return Ok(None);
    }
    let length = usize::from(cursor.u16_be("length")?);
    if !(HEADER..=MAX_LENGTH).contains(&length) || length > bytes.len() {
        return Ok(None);
    }
    cursor.take(16, "authenticator")?;
    let mut rest = Cursor::new(&bytes[HEADER..length]);
    let mut attributes = Vec::new();
    while !rest.is_empty() {
        let (kind, length) = (rest.u8("type")?, usize::from(rest.u8("length")?));
        let Some(length) = length.checked_sub(2) else { return Ok(None) };
        attributes.push((kind, rest.take(length, "value")?));
    }
    Ok(Some(Packet { code, id, attributes }))
}

#[derive(Clone)]
struct Open {
    id: u8,
    direction: Direction,
    frame: u64,
    activity: Activity,
}

holds!(Open { activity });

/// A conversation.
#[derive(Clone)]
struct Radius {
    open: VecDeque<Open>,
}

impl Radius {
    fn give_up(&mut self, out: &mut Output) {
        if let Some(open) = self.open.pop_front() {
            out.activity(Activity { request_frame: Some(open.frame), ..open.activity.ended(Status::NoResponse, "") });
        }
    }
}

fn request(packet: &Packet<'_>, action: &'static str, operation: Operation, client: Direction) -> Activity {
    let mut activity = Activity::new(client, action, operation);
    let mut secret = None;
    for (kind, value) in &packet.attributes {
        match (*kind, *value) {
            (attribute::USER_NAME, value) => activity.put(Field::UserName, printable(value)),
            (attribute::NAS_IP_ADDRESS, [a, b, c, d]) => activity.put(Field::RadiusServer, format!("{a}.{b}.{c}.{d}")),
            (attribute::NAS_IDENTIFIER, value) => activity.put(Field::RadiusServer, printable(value)),
            (attribute::NAS_PORT, value) => {
                let port = value.iter().take(4).fold(0u32, |port, octet| port << 8 | u32::from(*octet));
                activity.put(Field::RadiusPort, port.to_string());
            }
            (attribute::CALLING_STATION, value) => activity.put(Field::RadiusStation, printable(value)),
            (attribute::USER_PASSWORD, _) => secret = secret.or(Some("password")),
            (attribute::CHAP_PASSWORD, _) => secret = secret.or(Some("chap")),
            (attribute::EAP_MESSAGE, _) => secret = secret.or(Some("eap")),
            _ => {}
        }
    }
    if let Some(secret) = secret {
        activity.put_secret(secret, None);
    }
    activity
}

impl Session for Radius {
    fn protocol(&self) -> Protocol {
        Protocol::Radius
    }

    fn frame(&mut self, _: Direction, _: &[u8]) -> Framing {
        Framing::NotMine
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let Ok(Some(packet)) = packet(chunk.bytes) else { return };
        let Some(code) = tables::find(radius::CODES, u32::from(packet.code)) else { return };
        if let Some(operation) = code.operation {
            if self.open.len() >= MAX_OPEN {
                self.give_up(out);
            }
            let is_again = |open: &Open| (open.id, open.direction) == (packet.id, chunk.direction);
            if !self.open.iter().any(is_again) {
                let activity = request(&packet, code.name, operation, chunk.direction);
                self.open.push_back(Open { id: packet.id, direction: chunk.direction, frame: out.frame, activity });
            }
            return;
        }
        let client = chunk.direction.opposite();
        let open = self.open.iter().position(|open| (open.id, open.direction) == (packet.id, client));
        let is_refused = matches!(code.name, "access_reject" | "disconnect_nak" | "coa_nak");
        let status = if is_refused { Status::Error } else { Status::Ok };
        if let Some(open) = open.and_then(|place| self.open.remove(place)) {
            out.activity(Activity { request_frame: Some(open.frame), ..open.activity.ended(status, code.name) });
        }
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
    use crate::protocols::heard::{C, S, datagrams, takes_any, truncated};

    const PORTS: [u16; 2] = [40_000, 1812];

    fn packet(code: u8, attributes: &[u8]) -> Vec<u8> {
        [&[code, 7, 0, (HEADER + attributes.len()) as u8], &b"authenticator..."[..], attributes].concat()
    }

    #[test]
    fn who_asks_where_and_how_it_ended() {
        let asked = packet(
            1,
            b"\x01\x05eva\x04\x06\x0a\x00\x00\x01\x05\x06\x00\x00\x00\x07\x1f\x0a00-11-22\x02\x12s3crets3crets3..",
        );
        let told = "user.name=eva radius.nas=10.0.0.1 radius.nas_port=7 radius.calling_station=00-11-22 credential.kind=password";
        let cases: [(u8, &str); 4] = [
            (2, "access_request ok access_accept"),
            (3, "access_request error access_reject"),
            (11, "access_request ok access_challenge"),
            (99, "access_request no_response "),
        ];
        for (code, outcome) in cases {
            let answer = packet(code, b"");
            let sent: [(Direction, &[u8]); 3] = [(C, &asked), (C, &asked), (S, &answer)];
            let heard = datagrams(probe_datagram, PORTS, &sent);
            assert_eq!(heard.lines(), [format!("{outcome} {told}")]);
            assert!(!heard.tells("s3cret"));
            truncated(probe_datagram, PORTS, &sent);
        }
    }

    #[test]
    fn attributes_fill_the_packet() {
        for attributes in [&b"\x01\x06eva"[..], b"\x01\x01", b"\x01"] {
            assert_eq!(datagrams(probe_datagram, PORTS, &[(C, &packet(1, attributes))]).service, "");
        }
        assert_eq!(datagrams(probe_datagram, [1, 2], &[(C, &packet(1, b"\x01\x05eva"))]).service, "radius");
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..100)) {
            takes_any(probe_datagram, PORTS, &[(C, &packet(1, &bytes))], &bytes);
        }
    }
}
