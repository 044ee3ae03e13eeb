//! What one point says: its number, its status, its words (IEEE 1815-2012, annex A).

use std::fmt::Write as _;

use super::header::Header;
use super::objects::Context;
use crate::bytes::{Cursor, Short, printable};
use crate::model::{Message, Object};
use crate::tables::{self, dnp3 as codes};

/// Numbers of one message that are kept: the packed points of a fragment of the usual 2048 octets.
const MAX_VALUES: usize = 2048 * 8;

/// Decodes one point from the octets that are its own (fewer than it should have, where the fragment is cut).
pub(super) fn point(header: &Header, index: Option<u32>, octets: &[u8], context: Context, message: &mut Message) {
    match header.group {
        12 if header.variation < 3 => control(header, index, octets, context, message),
        41 => {
            let status = octets.last().copied().filter(|_| context.response).map(u16::from);
            let number = number(header.group, header.variation, octets);
            push_own(header, index, Point { number, status, words: "" }, message);
        }
        70 => file(header, index, octets, context, message),
        90 | 91 | 110 | 111 => {
            push_own(header, index, Point { words: &printable(octets), ..Point::default() }, message);
        }
        120 => {
            // The error code follows challenge sequence, user number and association (annex A, g120v7).
            let status = octets.get(8).copied().filter(|_| header.variation == 7).map(u16::from);
            push_own(header, index, Point { status, ..Point::default() }, message);
        }
        _ => push_point(header, index, number(header.group, header.variation, octets), message),
    }
}

/// Adds a point to the object before it where that ends just below its index, and else as an object of its own.
pub(super) fn push_point(header: &Header, index: Option<u32>, number: Option<f64>, message: &mut Message) {
    let number = number.filter(|_| message.values.len() < MAX_VALUES);
    let follows = |object: &Object| object.start.and_then(|start| start.checked_add(object.count)) == index;
    let values = message.push_values(number);
    match message.objects.get_mut(header.objects_before..).and_then(<[Object]>::last_mut) {
        Some(object) if follows(object) => {
            object.count += 1;
            object.values.end = values.end;
        }
        _ => message.objects.push(Object { values, ..header.object(index, 1) }),
    }
}

/// What one point says beside its index.
#[derive(Clone, Copy, Debug, Default)]
struct Point<'a> {
    number: Option<f64>,
    status: Option<u16>,
    words: &'a str,
}

/// Adds a point as an object of its own: it has words or a status.
fn push_own(header: &Header, index: Option<u32>, point: Point<'_>, message: &mut Message) {
    if message.objects.len() >= Message::MAX_OBJECTS {
        return;
    }
    let values = message.push_values(point.number);
    let text = message.push_text(point.words);
    let object = Object { values, text, status: point.status, ..header.object(index, 1) };
    message.objects.push(object);
}

/// Control relay output block and pattern control block (annex A, group 12).
fn control(header: &Header, index: Option<u32>, octets: &[u8], context: Context, message: &mut Message) {
    let mut words = String::new();
    let mut cursor = Cursor::new(octets);
    let code = cursor.u8("control code").ok();
    let mut fields = || -> Result<u8, Short> {
        let code = code.unwrap_or(0);
        let count = cursor.u8("count")?;
        let on_time = cursor.u32_le("on-time")?;
        let off_time = cursor.u32_le("off-time")?;
        let operation = tables::name(codes::CONTROL_OPERATIONS, u32::from(code & 0x0F));
        let trip_close = tables::name(codes::TRIP_CLOSE, u32::from(code >> 6));
        match operation {
            "" => write!(words, "operation_{}", code & 0x0F),
            _ => write!(words, "{operation}"),
        }
        .ok();
        write!(words, " trip={trip_close} count={count} on={on_time}ms off={off_time}ms").ok();
        for (bit, name) in [(0x10, " queue"), (0x20, " clear")] {
            words.push_str(if code & bit != 0 { name } else { "" });
        }
        cursor.u8("status")
    };
    // Bit 7 of the status is reserved.
    let status = fields().ok().filter(|_| context.response).map(|status| u16::from(status & 0x7F));
    push_own(header, index, Point { number: code.map(f64::from), status, words: &words }, message);
}

/// File control objects (annex A, group 70): the name of the file, or the status of what was asked. Names and passwords of
/// users (variation 2) and the file's octets stay out.
fn file(header: &Header, index: Option<u32>, octets: &[u8], context: Context, message: &mut Message) {
    // A name is told by its offset and size, the first two fields.
    let named = || -> Option<&[u8]> {
        let mut cursor = Cursor::new(octets);
        let start = usize::from(cursor.u16_le("name offset").ok()?);
        let size = usize::from(cursor.u16_le("name size").ok()?);
        octets.get(start..start + size)
    };
    let status_at = |offset: usize| octets.get(offset).copied().filter(|_| context.response).map(u16::from);
    let (name, status) = match header.variation {
        3 | 7 => (named(), None),
        4 => (None, status_at(12)), // after handle, file size, block size and request identifier
        6 => (None, status_at(8)),  // after handle and block number
        8 => (Some(octets), None),
        _ => (None, None),
    };
    let words = name.map(printable).unwrap_or_default();
    push_own(header, index, Point { number: None, status, words: &words }, message);
}

/// How a point's number is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    /// Bit 7 of the flags.
    State,
    /// Bits 6 and 7 of the flags.
    DoubleBit,
    U8,
    U16,
    U32,
    I16,
    I32,
    F32,
    F64,
    /// Milliseconds since 1970, 48 bits.
    Time,
}

/// Where the number of a point is, and how it is coded. Flags precede a number; the time follows it.
const fn coding(group: u8, variation: u8) -> Option<(usize, Coding)> {
    use Coding::*;
    Some(match (group, variation) {
        (1 | 10, 2) | (2, 1..=3) | (11 | 13, 1..=2) => (0, State),
        (3, 2) | (4, 1..=3) => (0, DoubleBit),
        (20, 1 | 3) | (21..=23, 1 | 3 | 5 | 7) => (1, U32),
        (20, 2 | 4) | (21..=23, 2 | 4 | 6 | 8) => (1, U16),
        (20, 5 | 7) | (21, 9 | 11) => (0, U32),
        (20, 6 | 8) | (21, 10 | 12) => (0, U16),
        (30 | 40, 1) | (31..=33 | 42 | 43, 1 | 3) => (1, I32),
        (30 | 40, 2) | (31..=33 | 42 | 43, 2 | 4) => (1, I16),
        (30, 3) | (31, 5) | (41, 1) => (0, I32),
        (30, 4) | (31, 6) | (41, 2) => (0, I16),
        (30, 5) | (31, 7) | (32 | 33 | 42 | 43, 5 | 7) | (40, 3) => (1, F32),
        (30, 6) | (31, 8) | (32 | 33 | 42 | 43, 6 | 8) | (40, 4) => (1, F64),
        (41, 3) | (34, 3) => (0, F32),
        (41, 4) => (0, F64),
        (34, 1) | (52, _) => (0, U16),
        (34, 2) => (0, U32),
        (50 | 51, _) => (0, Time),
        (102, 1) => (0, U8),
        // Flags, then the association that is counted.
        (121, 1) | (122, 1..=2) => (3, U32),
        _ => return None,
    })
}

/// The number of a point, out of the octets of this point.
fn number(group: u8, variation: u8, octets: &[u8]) -> Option<f64> {
    let (offset, coding) = coding(group, variation)?;
    let mut cursor = Cursor::new(octets.get(offset..)?);
    match coding {
        Coding::State => cursor.u8("flags").map(|flags| f64::from(flags >> 7)),
        Coding::DoubleBit => cursor.u8("flags").map(|flags| f64::from(flags >> 6)),
        Coding::U8 => cursor.u8("value").map(f64::from),
        Coding::U16 => cursor.u16_le("value").map(f64::from),
        Coding::U32 => cursor.u32_le("value").map(f64::from),
        Coding::I16 => cursor.i16_le("value").map(f64::from),
        Coding::I32 => cursor.i32_le("value").map(f64::from),
        Coding::F32 => cursor.f32_le("value").map(f64::from),
        Coding::F64 => cursor.f64_le("value"),
        Coding::Time => cursor.uint_le(6, "time").map(|time| time as f64),
    }
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table has the sizes, `coding` the places: neither may be changed alone.
    #[test]
    fn every_number_lies_within_its_point() {
        for entry in codes::OBJECTS {
            let (group, variation) = ((entry.code >> 8) as u8, entry.code as u8);
            assert!(!entry.kind.is_empty(), "g{group}v{variation}");
            match (entry.size, coding(group, variation)) {
                (Some(bits @ 1..8), coded) => assert!(8 % bits == 0 && coded.is_none(), "g{group}v{variation}"),
                (Some(bits), coded) => {
                    let octets = vec![0; bits as usize / 8];
                    assert_eq!(bits % 8, 0, "g{group}v{variation}");
                    assert_eq!(number(group, variation, &octets).is_some(), coded.is_some(), "g{group}v{variation}");
                }
                (None, coded) => assert!(coded.is_none() || variation == 0, "g{group}v{variation}"),
            }
        }
    }

    #[test]
    fn all_measurements_and_times_have_a_number() {
        for entry in codes::OBJECTS.iter().filter(|entry| entry.size.is_some_and(|bits| bits >= 8)) {
            let (group, variation) = ((entry.code >> 8) as u8, entry.code as u8);
            let without = matches!(group, 12 | 81 | 101 | 120);
            assert_eq!(coding(group, variation).is_none(), without, "g{group}v{variation}");
        }
    }
}
