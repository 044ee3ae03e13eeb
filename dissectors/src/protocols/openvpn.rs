//! OpenVPN over UDP and TCP: the packets that start a session, and how its control channel is protected.

use crate::activity::Field;
use crate::model::{Operation, Protocol};
use crate::protocols::presence::{Presence, either};
use crate::session::{Direction, Probe, Recognition};

/// The port of OpenVPN.
const PORT: u16 = 1194;
/// Octets of a reset: opcode, session, number of acknowledgements, packet identifier.
const RESET: usize = 14;
/// Octets that protection adds to it before the acknowledgements: packet identifier and time.
const REPLAY: usize = 8;
/// Octets of the digests in use: MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512.
const DIGESTS: [usize; 6] = [16, 20, 28, 32, 48, 64];
/// Octets of what protects an encrypted reset: packet identifier, time, tag.
const WRAPPED: usize = REPLAY + 32;
/// Octets of a client's key at least, behind a wrapped reset of the third form: the key, its length.
const CLIENT_KEY: usize = 290;

/// Opcodes in the upper five bits; the key's number in the lower ones is 0 at the start.
mod opcode {
    pub(super) const CLIENT_V1: u8 = 1 << 3;
    pub(super) const SERVER_V1: u8 = 2 << 3;
    pub(super) const CLIENT_V2: u8 = 7 << 3;
    pub(super) const SERVER_V2: u8 = 8 << 3;
    pub(super) const CLIENT_V3: u8 = 10 << 3;
}

/// The protection of a reset.
fn protection(bytes: &[u8]) -> Option<&'static str> {
    let (first, tail) = (*bytes.first()?, bytes.get(9..)?);
    let known = [opcode::CLIENT_V1, opcode::SERVER_V1, opcode::CLIENT_V2, opcode::SERVER_V2, opcode::CLIENT_V3];
    if !known.contains(&first) || bytes.get(1..9)?.iter().all(|octet| *octet == 0) {
        return None;
    }
    // A client has nothing to acknowledge yet; its first packet has the number 0.
    let starts = tail.ends_with(&[0; 5]);
    let is_first = |at: usize| tail.get(at..at + 4) == Some(&[0, 0, 0, 1]);
    match bytes.len() {
        RESET if starts => Some("none"),
        // A server acknowledges the client's packet 0 of its session.
        length if length == RESET + 12 && first == opcode::SERVER_V2 && tail.starts_with(&[1, 0, 0, 0, 0]) => {
            Some("none")
        }
        length if starts && DIGESTS.iter().any(|size| length == RESET + REPLAY + size && is_first(*size)) => {
            Some("tls-auth")
        }
        length if first == opcode::CLIENT_V3 && length >= RESET + WRAPPED + CLIENT_KEY => Some("tls-crypt-v2"),
        length if length == RESET + WRAPPED && first == opcode::CLIENT_V2 && is_first(0) => Some("tls-crypt"),
        _ => None,
    }
}

/// True for a server's reset, however it is protected.
fn is_server(bytes: &[u8]) -> bool {
    bytes.len() >= RESET && matches!(bytes.first(), Some(&(opcode::SERVER_V1 | opcode::SERVER_V2)))
}

fn presence(bytes: &[u8], direction: Direction) -> Option<Presence> {
    let client = if is_server(bytes) { direction.opposite() } else { direction };
    let presence = Presence::new(Protocol::Openvpn, "tunnel", Operation::Session, client);
    Some(presence.with(Field::OpenvpnProtection, protection(bytes)?))
}

/// Tells from a datagram whether it starts such a session.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let encrypted = |bytes: &[u8]| matches!(protection(bytes), Some("tls-crypt" | "tls-crypt-v2"));
    // Of an encrypted reset little can be told: elsewhere than on its port the server's answer is waited for.
    if !probe.ports.contains(&PORT) && (encrypted(probe.forward) || encrypted(probe.backward)) {
        if probe.forward.is_empty() || probe.backward.is_empty() {
            return Recognition::Undecided;
        }
        if !is_server(probe.forward) && !is_server(probe.backward) {
            return Recognition::No;
        }
    }
    either(probe, presence)
}

/// The same of a stream, in which each packet has its length before it.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    either(probe, |bytes, direction| {
        let (length, packet) = bytes.split_first_chunk::<2>()?;
        presence(packet.get(..usize::from(u16::from_be_bytes(*length)))?, direction)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Status;
    use crate::protocols::presence::tests::heard;

    const SESSION: &[u8] = &[0xaa, 0xe0, 0x65, 0x12, 0x39, 0x2a, 0x3d, 0x71];

    fn reset(opcode: u8, rest: &[u8]) -> Vec<u8> {
        [&[opcode], SESSION, rest].concat()
    }

    #[test]
    fn the_protection_is_told_by_the_form_of_the_reset() {
        let time = [0, 0, 0, 1, 0x62, 0x5a, 0x9e, 0x97];
        let cases: &[(Vec<u8>, Option<&str>)] = &[
            (reset(0x38, &[0; 5]), Some("none")),
            (reset(0x38, &[&[7; 20], &time[..], &[0; 5]].concat()), Some("tls-auth")),
            (reset(0x38, &[&[7; 32], &time[..], &[0; 5]].concat()), Some("tls-auth")),
            (reset(0x38, &[&time[..], &[7; 37]].concat()), Some("tls-crypt")),
            (reset(0x50, &[&time[..], &[7; 400]].concat()), Some("tls-crypt-v2")),
            (reset(0x40, &[&[1, 0, 0, 0, 0], SESSION, &[0; 4]].concat()), Some("none")),
            (reset(0x38, &[0; 6]), None),
            (reset(0x38, &[1; 5]), None),
            (reset(0x39, &[0; 5]), None),
            (vec![0x38; 3], None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(protection(bytes), *expected, "{bytes:02x?}");
        }
    }

    #[test]
    fn it_is_recognised_on_any_port_where_it_can_be_told() {
        let (plain, answer) = (reset(0x38, &[0; 5]), reset(0x40, &[9; 45]));
        let wrapped = reset(0x38, &[&[0, 0, 0, 1, 0x62, 0x5a, 0x9e, 0x97][..], &[7; 37]].concat());
        let status = |forward: &[u8], backward: &[u8], port| {
            heard(probe_datagram, forward, backward, [40_000, port]).map(|activity| activity.status)
        };
        assert_eq!(status(&plain, b"", 7), Some(Status::NoResponse));
        assert_eq!(status(&plain, &answer, 7), Some(Status::Ok));
        assert_eq!((status(&wrapped, b"", 7), status(&wrapped, &answer, 7)), (None, Some(Status::Ok)));
        assert_eq!((status(&wrapped, &[1; 54], 7), status(&wrapped, b"", PORT)), (None, Some(Status::NoResponse)));
        let stream = [&[0, 14], &plain[..]].concat();
        assert!(heard(probe_stream, &stream, b"", [40_000, 443]).is_some());
        assert!(heard(probe_stream, &stream[..9], b"", [40_000, 443]).is_none());
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80), first in 0u8..12) {
            let _ = heard(probe_datagram, &bytes, &bytes, [1, 1194]);
            let _ = heard(probe_stream, &bytes, &bytes, [1, 2]);
            let _ = protection(&[&[first << 3], &bytes[..]].concat());
        }
    }
}
