//! WireGuard: handshakes and data are known by their type, their three empty octets and their lengths.

use crate::model::{Operation, Protocol};
use crate::protocols::presence::{Presence, either};
use crate::session::{Direction, Probe, Recognition};

/// Octets of the initiation, of its response and of a cookie.
const INITIATION: usize = 148;
const RESPONSE: usize = 92;
const COOKIE: usize = 64;
/// Octets of a data message without contents; contents are filled up to a multiple of 16.
const DATA: usize = 32;

/// A message's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Initiation,
    Response,
    Cookie,
    Data,
}

fn kind(bytes: &[u8]) -> Option<Kind> {
    match (bytes, bytes.len()) {
        ([1, 0, 0, 0, ..], INITIATION) => Some(Kind::Initiation),
        ([2, 0, 0, 0, ..], RESPONSE) => Some(Kind::Response),
        ([3, 0, 0, 0, ..], COOKIE) => Some(Kind::Cookie),
        // A counter, which does not come far.
        ([4, 0, 0, 0, _, _, _, _, _, _, _, _, 0, 0, 0, 0, ..], length @ DATA..) if length % 16 == 0 => Some(Kind::Data),
        _ => None,
    }
}

/// Tells from a datagram whether it is WireGuard: a handshake, or data both ways.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let presence = |client: Direction| Presence::new(Protocol::Wireguard, "tunnel", Operation::Session, client);
    match [probe.forward, probe.backward].map(kind) {
        [Some(Kind::Data), Some(Kind::Data)] => Recognition::Yes(Box::new(presence(probe.first))),
        [Some(Kind::Data), None] if probe.backward.is_empty() => Recognition::Undecided,
        [None, Some(Kind::Data)] if probe.forward.is_empty() => Recognition::Undecided,
        _ => either(probe, |bytes, direction| match kind(bytes)? {
            Kind::Initiation => Some(presence(direction)),
            Kind::Response => Some(presence(direction.opposite())),
            Kind::Cookie | Kind::Data => None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Status;
    use crate::protocols::presence::tests::heard;

    fn message(kind: u8, length: usize) -> Vec<u8> {
        [&[kind, 0, 0, 0, 9, 9, 9, 9, 1, 0, 0, 0, 0, 0, 0, 0][..], &vec![0xaa; length - 16]].concat()
    }

    #[test]
    fn handshakes_and_data_both_ways_are_recognised() {
        type Case<'a> = (&'a [u8], &'a [u8], Option<(Direction, Status)>);
        let cases: &[Case<'_>] = &[
            (&message(1, 148), b"", Some((Direction::Forward, Status::NoResponse))),
            (&message(1, 148), &message(2, 92), Some((Direction::Forward, Status::Ok))),
            (&message(2, 92), b"", Some((Direction::Backward, Status::ResponseOnly))),
            (&message(4, 96), &message(4, 32), Some((Direction::Forward, Status::Ok))),
            (&message(4, 96), b"", None),
            (&message(4, 97), &message(4, 32), None),
            (&message(1, 147), b"", None),
            (&message(5, 148), b"", None),
            (b"\x01", b"", None),
        ];
        for (forward, backward, expected) in cases {
            let activity = heard(probe_datagram, forward, backward, [40_000, 51_820]);
            assert_eq!(activity.map(|activity| (activity.client, activity.status)), *expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = heard(probe_datagram, &bytes, &bytes, [1, 2]);
        }
    }
}
