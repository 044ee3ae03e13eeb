//! The data link layer (IEEE 1815-2012, clause 9): frame header, CRCs, data blocks.
//!
//! ```text
//! 05 64 | length | control | destination | source | CRC | up to 16 octets | CRC | up to 16 octets | CRC …
//! ```

use crate::bytes::Cursor;

/// Name of the layer in oddities.
pub(super) const LAYER: &str = "dnp3-link";

/// The two start octets of every frame.
pub(super) const START: [u8; 2] = [0x05, 0x64];

/// Octets of the header with its CRC.
pub(super) const HEADER: usize = 10;

/// User data octets of one block; only the last block of a frame is shorter.
const BLOCK: usize = 16;

/// LENGTH counts control, destination, source and user data, so 5 is the least.
const LENGTH_OF_HEADER: u8 = 5;

const DIR: u8 = 0x80;
const PRM: u8 = 0x40;
const FUNCTION: u8 = 0x0F;

/// What stands at the start of some octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// A header whose CRC is right.
    Frame(Header),
    /// Too few octets, none of them wrong.
    NeedMore,
    /// No frame.
    Nothing,
}

/// A frame's header .
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
        if !is_intact(header) {
            return Start::Nothing;
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
    /// The block at this offset of the frame has a wrong CRC: the receiver discards the frame.
    Damaged(usize),
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
        let Some(block) = rest.get(..length + 2) else { return damaged.map_or(Body::Cut, Body::Damaged) };
        if !is_intact(block) {
            damaged = damaged.or(Some(offset));
        }
        offset += block.len();
    }
    damaged.map_or(Body::Whole, Body::Damaged)
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

/// True where the last two octets are the CRC of those before them, low octet first.
fn is_intact(block: &[u8]) -> bool {
    let Some((octets, crc)) = block.split_last_chunk::<2>() else { return false };
    crc_of(octets) == u16::from_le_bytes(*crc)
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
