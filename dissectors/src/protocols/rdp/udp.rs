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

/// Tells from a datagram whether it opens such a connection.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    either(probe, |bytes, direction| {
        let &[a, b, c, d, _, _, high, low, ..] = bytes else { return None };
        let (flags, filled) = (u16::from_be_bytes([high, low]), &bytes[bytes.len().saturating_sub(FILLED)..]);
        let is_filled = bytes.len() >= LEAST && filled.iter().all(|octet| *octet == 0);
        // A client has nothing to acknowledge yet.
        let opens = [a, b, c, d] == [0xff; 4] && flags & (SYN | ACK) == SYN;
        (is_filled && opens).then(|| Presence::new(Protocol::RdpUdp, "connect", Operation::Session, direction))
    })
}
