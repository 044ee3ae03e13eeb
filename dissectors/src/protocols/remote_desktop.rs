//! Remote-support products that speak in forms of their own: TeamViewer, RustDesk, Radmin. (AnyDesk and others use TLS,
//! and are told by its names.)

use crate::activity::Field;
use crate::bytes::printable;
use crate::model::{Operation, Protocol};
use crate::protocols::presence::{Presence, either};
use crate::session::{Direction, Probe, Recognition};

/// The port of TeamViewer.
const TEAMVIEWER: u16 = 5938;
/// The ports where RustDesk looks for its servers (the identifier is told on the first).
const RUSTDESK: [u16; 2] = [21_116, 21_117];
/// What a client of Radmin says first: version, an octet follows, sum, request.
const RADMIN_HELLO: &[u8] = &[1, 0, 0, 0, 1, 0, 0, 0, 8, 8];

fn presence(protocol: Protocol, client: Direction) -> Presence {
    Presence::new(protocol, "connect", Operation::Session, client)
}

/// Tells from the first octets whether a stream is one of them.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let has_port = probe.ports.contains(&TEAMVIEWER);
    either(probe, |bytes, direction| match bytes {
        // Command and flags of what a client says first; on its own port any command of both generations.
        [0x17, 0x24, 0x0a, 0x20, ..] => Some(presence(Protocol::Teamviewer, direction)),
        [0x17, 0x24, ..] | [0x11, 0x30, ..] if has_port && bytes.len() >= 8 => {
            let client = probe.opener.or(probe.direction_to(TEAMVIEWER)).unwrap_or(direction);
            Some(presence(Protocol::Teamviewer, client))
        }
        RADMIN_HELLO => Some(presence(Protocol::Radmin, direction)),
        _ => None,
    })
}

/// Tells from a datagram whether it is one of them.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    either(probe, |bytes, direction| match bytes {
        // A counter and a time, then the same mark as in the stream.
        [0, _, _, _, _, _, _, _, _, _, _, 0x17, 0x24, ..] => Some(presence(Protocol::Teamviewer, direction)),
        _ => rustdesk(bytes, probe.ports)
            .map(|identifier| presence(Protocol::Rustdesk, direction).with(Field::ServiceName, identifier)),
    })
}

/// The identifier that a client registers: field 6 of the message, in it field 1 with the identifier.
fn rustdesk(bytes: &[u8], ports: [u16; 2]) -> Option<String> {
    let &[0x32, length, 0x0a, size @ 6..=16, ref rest @ ..] = bytes else { return None };
    let identifier = rest.get(..usize::from(size))?;
    let fits = usize::from(length) + 2 == bytes.len() && identifier.iter().all(u8::is_ascii_alphanumeric);
    (fits && ports.iter().any(|port| RUSTDESK.contains(port))).then(|| printable(identifier))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::presence::tests::heard;

    #[test]
    fn each_product_has_its_mark() {
        let stream = |bytes: &[u8], port| heard(probe_stream, bytes, b"", [40_000, port]).is_some();
        assert!(stream(b"\x17\x24\x0a\x20\x00\x00\x00\x00", 443));
        assert!(stream(b"\x11\x30\x36\x00\x18\x00\x00\x00", TEAMVIEWER));
        assert!(!stream(b"\x11\x30\x36\x00\x18\x00\x00\x00", 443));
        assert!(stream(RADMIN_HELLO, 4899));
        assert!(!stream(b"\x01\x00\x00\x00\x01\x00\x00\x00\x08\x09", 4899));
        let datagram = |bytes: &[u8], port| heard(probe_datagram, bytes, b"", [40_000, port]);
        assert!(datagram(b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x17\x24\x55", 36_037).is_some());
        let registered = datagram(b"\x32\x0d\x0a\x09123456789\x10\x01", 21_116).unwrap();
        assert_eq!(registered.fields, [(Field::ServiceName, "123456789".to_string())]);
        assert!(datagram(b"\x32\x0d\x0a\x09123456789\x10\x01", 5_000).is_none());
        assert!(datagram(b"\x32\x0e\x0a\x09123456789\x10\x01", 21_116).is_none());
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
            let _ = heard(probe_stream, &bytes, &bytes, [1, TEAMVIEWER]);
            let _ = heard(probe_datagram, &bytes, &bytes, [1, 21_116]);
        }
    }
}
