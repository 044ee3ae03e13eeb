//! The remote desktop's datagrams (MS-RDPEUDP): that a client asks for them, and whether a server answers.

use crate::model::{Operation, Protocol};
use crate::protocols::presence::{Presence, either};
use crate::session::{Probe, Recognition};

/// Octets of the first datagrams at least: they are filled up to find the longest that gets through (3.1.5.1.1).
const LEAST: usize = 1_000;
/// Octets at their end that are only filled up.
const FILLED: usize = 64;
/// Flags (2.2.2.1): a connection is opened, something is acknowledged.
const SYN: u16 = 0x0001;
const ACK: u16 = 0x0004;
/// Data follow; they mend what was lost; what was acknowledged last is told.
const DATA: u16 = 0x0008;
const FEC: u16 = 0x0010;
const ACK_OF_ACKS: u16 = 0x0100;
/// The port of the remote desktop.
const PORT: u16 = 3389;

/// True for data of a connection that was opened before: behind what it acknowledges their number, which is that of the
/// first octets in them too, and a record of TLS or DTLS (2.2.2.4).
fn carries_record(bytes: &[u8], flags: u16) -> bool {
    let vector = bytes.get(8..10).map_or(0, |size| usize::from(u16::from_be_bytes([size[0], size[1]])));
    let numbers = 8 + (2 + vector).next_multiple_of(4) + if flags & ACK_OF_ACKS != 0 { 4 } else { 0 };
    let Some([a, b, c, d, e, f, g, h, 0x14..=0x17, 0x03 | 0xfe, ..]) = bytes.get(numbers..) else { return false };
    flags & (SYN | ACK | DATA | FEC) == ACK | DATA && [a, b, c, d] == [e, f, g, h]
}

/// Tells from a datagram whether it opens such a connection, or is of one that is open.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    either(probe, |bytes, direction| {
        let &[a, b, c, d, _, _, high, low, ..] = bytes else { return None };
        let (flags, filled) = (u16::from_be_bytes([high, low]), &bytes[bytes.len().saturating_sub(FILLED)..]);
        let is_filled = bytes.len() >= LEAST && filled.iter().all(|octet| *octet == 0);
        // A client has nothing to acknowledge yet.
        let opens = [a, b, c, d] == [0xff; 4] && flags & (SYN | ACK) == SYN;
        if carries_record(bytes, flags) {
            let client = probe.direction_to(PORT).unwrap_or(direction);
            return Some(Presence::new(Protocol::RdpUdp, "connect", Operation::Session, client));
        }
        (is_filled && opens).then(|| Presence::new(Protocol::RdpUdp, "connect", Operation::Session, direction))
    })
}
