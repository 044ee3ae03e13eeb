//! The data link layer (IEEE 1815-2012, clause 9): frame header, CRCs, data blocks.
//!
//! ```text
//! 05 64 | length | control | destination | source | CRC | up to 16 octets | CRC | up to 16 octets | CRC …
//! ```

use std::fmt::{self, Display, Formatter};

use crate::bytes::Cursor;

/// Name of the layer in oddities.
pub(super) const LAYER: &str = "dnp3-link";

/// Offset of the CRC in the header.
pub(super) const HEADER_CRC: usize = 8;

/// The two start octets of every frame.
pub(super) const START: [u8; 2] = [0x05, 0x64];

/// Octets of the header with its CRC.
pub(super) const HEADER: usize = 10;

/// User data octets of one block; only the last block of a frame is shorter.
const BLOCK: usize = 16;

/// LENGTH counts control, destination, source and user data, so 5 is the least.
const LENGTH_OF_HEADER: u8 = 5;

/// This and all above are no device's own address.
const RESERVED: u16 = 0xFFF0;

/// Destination of a frame for whichever outstation it reaches, which answers with its own address.
pub(super) const SELF_ADDRESS: u16 = 0xFFFC;

const DIR: u8 = 0x80;
const PRM: u8 = 0x40;
const FUNCTION: u8 = 0x0F;

/// What stands at the start of some octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// A header whose CRC is right.
    Frame(Header),
    /// A header whose CRC is wrong, and no other start in it: nothing in it can be relied on.
    Damaged(Checksums),
    /// Too few octets, none of them wrong.
    NeedMore,
    /// No frame.
    Nothing,
}

/// A CRC as it should be, and as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Checksums {
    computed: u16,
    found: u16,
}

impl Display for Checksums {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "CRC {:#06x}, found {:#06x}", self.computed, self.found)
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// LENGTH.
    length: u8,
    /// CONTROL.
    control: u8,
    /// DESTINATION address.
    pub(super) destination: u16,
    /// SOURCE address.
    pub(super) source: u16,
}

impl Header {
    /// Reads the header at the start of the octets.
    pub(super) fn at_start(octets: &[u8]) -> Start {
        let known = octets.len().min(START.len());
        if octets[..known] != START[..known] || octets.get(2).is_some_and(|length| *length < LENGTH_OF_HEADER) {
            return Start::Nothing;
        }
        let Some(header) = octets.get(..HEADER) else { return Start::NeedMore };
        if let Some(checksums) = wrong_crc(header) {
            let another = memchr::memmem::find(&header[1..], &START).is_some();
            return if another { Start::Nothing } else { Start::Damaged(checksums) };
        }
        Self::fields(header).map_or(Start::Nothing, Start::Frame)
    }

    fn fields(header: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(header);
        cursor.take(START.len(), "start").ok()?;
        Some(Header {
            length: cursor.u8("length").ok()?,
            control: cursor.u8("control").ok()?,
            destination: cursor.u16_le("destination").ok()?,
            source: cursor.u16_le("source").ok()?,
        })
    }

    /// DIR: true where the frame says that a master sent it.
    pub(super) const fn is_from_master(self) -> bool {
        self.control & DIR != 0
    }

    /// PRM: true for a primary station's frame, which starts a link transaction.
    pub(super) const fn is_primary(self) -> bool {
        self.control & PRM != 0
    }

    /// The link function code.
    pub(super) const fn function(self) -> u8 {
        self.control & FUNCTION
    }

    /// The function with PRM as bit 6, since the codes of both sides overlap.
    pub(super) const fn code(self) -> u8 {
        self.control & (PRM | FUNCTION)
    }

    /// The address that no device may have (65520 to 65535), with its offset in the frame: any as a source; as a
    /// destination those that are neither broadcasts nor the address of whoever is reached (9.2.5.3).
    pub(super) fn reserved(self) -> Option<(usize, u16)> {
        let destination = (RESERVED..SELF_ADDRESS).contains(&self.destination).then_some((4, self.destination));
        destination.or((self.source >= RESERVED).then_some((6, self.source)))
    }

    /// True for broadcast destinations: nobody answers.
    pub(super) const fn is_broadcast(self) -> bool {
        self.destination >= 0xFFFD
    }

    /// User data octets, the blocks' CRCs not counted.
    pub(super) const fn user_octets(self) -> usize {
        (self.length - LENGTH_OF_HEADER) as usize
    }

    /// Octets of the whole frame on the wire.
    pub(super) const fn frame_octets(self) -> usize {
        let user = self.user_octets();
        HEADER + user + user.div_ceil(BLOCK) * 2
    }
}

/// How much of a frame's user data could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// All, with right CRCs.
    Whole,
    /// The octets that there are; the frame goes on.
    Cut,
    /// The block whose CRC is at this offset of the frame is damaged: the receiver discards the frame.
    Damaged(usize, Checksums),
}

/// Copies the user data of the frame at the start of `octets` without their CRCs.
pub(super) fn user_data(header: Header, octets: &[u8], user_data: &mut Vec<u8>) -> Body {
    user_data.clear();
    let mut offset = HEADER;
    let mut damaged = None;
    while user_data.len() < header.user_octets() {
        let length = (header.user_octets() - user_data.len()).min(BLOCK);
        let rest = octets.get(offset..).unwrap_or(&[]);
        user_data.extend_from_slice(&rest[..length.min(rest.len())]);
        let Some(block) = rest.get(..length + 2) else { return damaged.unwrap_or(Body::Cut) };
        if let Some(checksums) = wrong_crc(block) {
            damaged = damaged.or(Some(Body::Damaged(offset + length, checksums)));
        }
        offset += block.len();
    }
    damaged.unwrap_or(Body::Whole)
}

/// Offset of the first frame header with a right CRC. A start that the end of the octets cuts counts only where
/// there is none, and only as the very last octets: nothing but what is before it is given up.
pub(super) fn find(octets: &[u8]) -> Option<usize> {
    let starts = || memchr::memmem::find_iter(octets, &START);
    starts()
        .find(|at| matches!(Header::at_start(&octets[*at..]), Start::Frame(_)))
        .or_else(|| starts().find(|at| Header::at_start(&octets[*at..]) == Start::NeedMore))
        .or_else(|| octets.ends_with(&START[..1]).then(|| octets.len() - 1))
}

/// The last two octets are the CRC of those before them, low octet first; none where it is right.
fn wrong_crc(block: &[u8]) -> Option<Checksums> {
    let (octets, crc) = block.split_last_chunk::<2>()?;
    let checksums = Checksums { computed: crc_of(octets), found: u16::from_le_bytes(*crc) };
    (checksums.computed != checksums.found).then_some(checksums)
}

/// The CRC of header and blocks: polynomial 0x3D65, reflected, inverted.
pub(super) fn crc_of(octets: &[u8]) -> u16 {
    !octets.iter().fold(0, |crc: u16, octet| (crc >> 8) ^ CRC_OF_OCTET[usize::from(crc as u8 ^ octet)])
}

const CRC_OF_OCTET: [u16; 256] = {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let mut crc = octet as u16;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xA6BC } else { crc >> 1 };
            bit += 1;
        }
        table[octet] = crc;
        octet += 1;
    }
    table
};
