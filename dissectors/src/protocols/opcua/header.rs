//! What every chunk starts with (OPC 10000-6, 6.7.2 and 7.1.2).
//!
//! ```text
//! message type (3) | F, C or A | size (4)                                      every message
//! secure channel id (4) | token id (4)                                         MSG, CLO
//! secure channel id (4) | policy URI | sender's certificate | receiver's thumbprint      OPN
//! sequence number (4) | request id (4)                                         MSG, CLO, OPN
//! ```

use super::reader::{Read, Reader};

/// Octets of the header that every message has.
pub(super) const HEADER: usize = 8;
/// Octets that a message may have: beyond it nobody sends (the largest buffers of products are 16 MB).
const MAX_SIZE: u32 = 16 << 20;
/// Octets of a URI (7.1.2.3, 6.7.2.3).
const MAX_URI: u32 = 4096;

/// First letters of the message types.
pub(super) mod letter {
    pub(in crate::protocols::opcua) const ACKNOWLEDGE: u8 = b'A';
    pub(in crate::protocols::opcua) const CLOSE: u8 = b'C';
    pub(in crate::protocols::opcua) const ERROR: u8 = b'E';
    pub(in crate::protocols::opcua) const HELLO: u8 = b'H';
    pub(in crate::protocols::opcua) const MESSAGE: u8 = b'M';
    pub(in crate::protocols::opcua) const OPEN: u8 = b'O';
    pub(in crate::protocols::opcua) const REVERSE: u8 = b'R';
}

/// Types of messages, with the least and the most octets that one of them has.
const TYPES: [(&[u8; 3], u32, u32); 7] = [
    (b"HEL", 32, 32 + MAX_URI),
    (b"ACK", 28, 28),
    (b"ERR", 16, 16 + MAX_URI),
    (b"RHE", 16, 16 + 2 * MAX_URI),
    (b"OPN", 32, MAX_SIZE),
    (b"CLO", 24, MAX_SIZE),
    (b"MSG", 24, MAX_SIZE),
];

/// What the octets at the start of a message say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// A message of this kind, whole or chunk, with so many octets.
    Message(Chunk),
    /// Too few to tell.
    NeedMore,
    /// No message.
    Nothing,
}

/// Type of a message, and what part of it a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// First letter of its type.
    pub(super) letter: u8,
    /// `F` final, `C` more follow, `A` given up.
    pub(super) part: u8,
    /// Octets in all.
    pub(super) size: usize,
}

/// Reads the header of a message.
pub(super) fn start(bytes: &[u8]) -> Start {
    let name = bytes.get(..3).unwrap_or(bytes);
    let Some((kind, least, most)) = TYPES.iter().find(|(kind, ..)| kind.starts_with(name)) else {
        return Start::Nothing;
    };
    let [letter, ..] = **kind;
    let part = bytes.get(3).copied();
    let may_be_parts = letter == letter::MESSAGE;
    match part {
        Some(b'F') | None => {}
        Some(b'C' | b'A') if may_be_parts => {}
        _ => return Start::Nothing,
    }
    match (part, bytes.get(4..HEADER)) {
        (Some(part), Some(&[a, b, c, d])) => {
            let size = u32::from_le_bytes([a, b, c, d]);
            if !(*least..=*most).contains(&size) {
                return Start::Nothing;
            }
            Start::Message(Chunk { letter, part, size: size as usize })
        }
        _ => Start::NeedMore,
    }
}

/// The header of an asymmetric chunk (6.7.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asymmetric<'a> {
    /// URI of the security policy.
    pub(super) policy: &'a [u8],
    /// Certificate of the sender, maybe with those of its issuers.
    pub(super) certificate: &'a [u8],
}

/// Reads it; the cursor is behind the secure channel's id.
pub(super) fn asymmetric<'a>(reader: &mut Reader<'a>) -> Read<Asymmetric<'a>> {
    let policy = reader.string("security policy URI")?;
    let certificate = reader.string("sender certificate")?;
    reader.octets("receiver certificate thumbprint")?;
    Ok(Asymmetric { policy, certificate })
}

/// Sequence number and request id (6.7.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    /// Counts the chunks of one direction.
    pub(super) number: u32,
    /// Tells which request is answered.
    pub(super) request: u32,
}

/// Reads them.
pub(super) fn sequence(reader: &mut Reader<'_>) -> Read<Sequence> {
    Ok(Sequence { number: reader.u32("sequence number")?, request: reader.u32("request id")? })
}
