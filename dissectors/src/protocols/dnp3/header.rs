//! Object headers: group, variation, qualifier and range (IEEE 1815-2012, 4.2.2.7).

use super::layout::Layout;
use super::notes::Notes;
use super::objects::LAYER;
use crate::bytes::{Cursor, Short};
use crate::model::{Message, Object, OddityCode};
use crate::tables::{self, Code, dnp3 as codes};

/// Why the rest of a fragment cannot be followed.
pub(super) struct Fault {
    pub(super) code: OddityCode,
    pub(super) offset: usize,
    pub(super) expected: String,
}

impl From<Short> for Fault {
    fn from(short: Short) -> Self {
        Fault { code: OddityCode::BadLength, offset: short.offset, expected: short.to_string() }
    }
}

/// Which points an object header names: the range specifier of the qualifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// Range specifiers 0 to 2, and 3 to 5 (addresses, obsolete): from the first to the last, both included.
    Points { start: u32, stop: u32 },
    /// 6: all of them.
    All,
    /// 7 to 9, and B: so many.
    Count(u32),
}

/// What stands before each point: the prefix code of the qualifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    None,
    /// Codes 1 to 3: its index, in so many octets.
    Index(usize),
    /// Codes 4 to 6: its size, in so many octets.
    Size(usize),
}

/// An object header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Its place in the fragment.
    pub(super) offset: usize,
    /// Objects of the message before it.
    pub(super) objects_before: usize,
    pub(super) group: u8,
    pub(super) variation: u8,
    pub(super) prefix: Prefix,
    pub(super) range: Range,
    /// How its points are carried.
    pub(super) layout: Layout,
    entry: Option<&'static Code>,
}

impl Header {
    /// Reads it; a reserved prefix code or range specifier leaves no way to go on, but group and variation stay.
    pub(super) fn read(cursor: &mut Cursor<'_>, message: &mut Message, notes: &mut Notes) -> Result<Self, Fault> {
        let offset = cursor.offset();
        let group = cursor.u8("group")?;
        let variation = cursor.u8("variation")?;
        let listed = listed(group, variation);
        let mut header = Header {
            offset,
            objects_before: message.objects.len(),
            group,
            variation,
            prefix: Prefix::None,
            range: Range::All,
            layout: Layout::of(group, variation, listed),
            entry: listed.or_else(|| entry(group, 0)),
        };
        header.qualify(cursor, notes).inspect_err(|_| header.push_all(message))?;
        Ok(header)
    }

    fn qualify(&mut self, cursor: &mut Cursor<'_>, notes: &mut Notes) -> Result<(), Fault> {
        let offset = cursor.offset();
        let qualifier = cursor.u8("qualifier")?;
        let reserved = |expected: &str| Fault {
            code: OddityCode::UndecodedObject,
            offset,
            expected: format!("{expected}, found qualifier {qualifier:#04x}"),
        };
        if qualifier & 0x80 != 0 {
            let expected = format!("qualifier with bit 7 clear, found {qualifier:#04x}");
            notes.oddity(OddityCode::InvalidValue, LAYER, offset, expected);
        }
        self.prefix = match qualifier >> 4 & 7 {
            0 => Prefix::None,
            1 => Prefix::Index(1),
            2 => Prefix::Index(2),
            3 => Prefix::Index(4),
            4 => Prefix::Size(1),
            5 => Prefix::Size(2),
            6 => Prefix::Size(4),
            _ => return Err(reserved("prefix code 0 to 6")),
        };
        self.range = match qualifier & 0x0F {
            0 | 3 => Self::points(cursor, 1)?,
            1 | 4 => Self::points(cursor, 2)?,
            2 | 5 => Self::points(cursor, 4)?,
            6 => Range::All,
            7 | 0xB => Range::Count(number_of(cursor, 1, "count")?),
            8 => Range::Count(number_of(cursor, 2, "count")?),
            9 => Range::Count(number_of(cursor, 4, "count")?),
            _ => return Err(reserved("range specifier 0 to 9 or B")),
        };
        Ok(())
    }

    fn points(cursor: &mut Cursor<'_>, size: usize) -> Result<Range, Short> {
        Ok(Range::Points { start: number_of(cursor, size, "start")?, stop: number_of(cursor, size, "stop")? })
    }

    /// Number of points or objects behind the header.
    pub(super) fn count(&self) -> u64 {
        match self.range {
            Range::Points { start, stop } => (u64::from(stop) + 1).saturating_sub(u64::from(start)),
            Range::Count(count) => u64::from(count),
            Range::All => 0,
        }
    }

    /// Index of the point at a place in the range; none where the header tells no indices.
    pub(super) fn index(&self, place: u64) -> Option<u32> {
        match self.range {
            Range::Points { start, .. } => u32::try_from(u64::from(start) + place).ok(),
            Range::Count(_) | Range::All => None,
        }
    }

    /// The object of one point, with neither numbers nor words yet.
    pub(super) fn object(&self, index: Option<u32>, count: u32) -> Object {
        let (start, index, property_name) = match self.group {
            // The range of a device attribute is the set that it belongs to (annex A, group 0).
            0 => (index, Some(u32::from(self.variation)), tables::name(codes::ATTRIBUTES, self.variation.into())),
            60 if (1..=4).contains(&self.variation) => (Some(u32::from(self.variation) - 1), None, ""),
            _ => (index, None, ""),
        };
        Object {
            kind: self.entry.map_or("group", |entry| entry.kind),
            type_number: Some(u32::from(self.group)),
            variation: Some(u16::from(self.variation)),
            start,
            count,
            index,
            property_name,
            ..Object::default()
        }
    }

    /// Pushes all that the header names as one object.
    pub(super) fn push_all(&self, message: &mut Message) {
        let count = match self.group {
            60 => u32::from(self.variation != 0), // One class, however many of its events are asked for.
            _ => u32::try_from(self.count()).unwrap_or(u32::MAX),
        };
        let object = self.object(self.index(0), count);
        message.objects.push(object);
    }

    pub(super) fn fault(&self, code: OddityCode, what: impl std::fmt::Display) -> Fault {
        let expected = format!("g{}v{}: {what}", self.group, self.variation);
        Fault { code, offset: self.offset, expected }
    }
}

pub(super) fn number_of(cursor: &mut Cursor<'_>, size: usize, field: &'static str) -> Result<u32, Short> {
    cursor.uint_le(size, field).map(|number| number as u32)
}

/// The entry of a variation; that of any variation of the group where it is not listed.
pub(super) fn entry(group: u8, variation: u8) -> Option<&'static Code> {
    listed(group, variation).or_else(|| listed(group, 0))
}

fn listed(group: u8, variation: u8) -> Option<&'static Code> {
    tables::find(codes::OBJECTS, u32::from(group) << 8 | u32::from(variation))
}
