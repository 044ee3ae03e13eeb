//! Object headers and the points behind them (IEEE 1815-2012, 4.2.2 and annex A).
//!
//! ```text
//! group | variation | qualifier | range | [prefix] point | [prefix] point …
//! ```

use std::fmt::Write as _;

use super::attributes;
use super::notes::Notes;
use crate::bytes::{Cursor, Short, printable};
use crate::model::{Message, Object, OddityCode};
use crate::tables::{self, Code, dnp3 as codes};

/// Name of the layer in oddities.
pub(super) const LAYER: &str = "dnp3-application";

/// Numbers of one message that are kept: the packed points of a fragment of the usual 2048 octets.
const MAX_VALUES: usize = 2048 * 8;

/// What the fragment says about the objects in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    /// True where the function's objects carry points; false where headers alone name them (read, freeze …).
    pub(super) data: bool,
    /// True where a time with its point precedes headers without points (freeze at time).
    pub(super) time_first: bool,
    /// True for an outstation's fragments: only there is a control status an answer.
    pub(super) response: bool,
    /// True where the end of the fragment is not there: an object that is too long is then no fault.
    pub(super) cut: bool,
}

impl Context {
    /// Whether points follow the headers of a group. Secure authentication puts its objects around those of any
    /// request, in its aggressive mode (clause 7).
    const fn carries_data(self, group: u8) -> bool {
        self.data || group == 120 || group == 50 && self.time_first
    }
}

/// Decodes objects until the end, or until one that cannot be followed; those before it stay.
pub(super) fn decode(cursor: &mut Cursor<'_>, context: Context, message: &mut Message, notes: &mut Notes) {
    while !cursor.is_empty() {
        if message.objects.len() >= Message::MAX_OBJECTS {
            let expected = format!("at most {} objects, more octets follow", Message::MAX_OBJECTS);
            return notes.oddity(OddityCode::UndecodedObject, LAYER, cursor.offset(), expected);
        }
        if let Err(fault) = object(cursor, context, message, notes) {
            if !(context.cut && fault.code == OddityCode::BadLength) {
                notes.oddity(fault.code, LAYER, fault.offset, fault.expected);
            }
            return;
        }
    }
}

/// The entry of a variation; that of any variation of the group where it is not listed.
pub(super) fn entry(group: u8, variation: u8) -> Option<&'static Code> {
    let listed = |variation: u8| tables::find(codes::OBJECTS, u32::from(group) << 8 | u32::from(variation));
    listed(variation).or_else(|| listed(0))
}

/// Why the rest of a fragment cannot be followed.
struct Fault {
    code: OddityCode,
    offset: usize,
    expected: String,
}

impl From<Short> for Fault {
    fn from(short: Short) -> Self {
        Fault { code: OddityCode::BadLength, offset: short.offset, expected: short.to_string() }
    }
}

/// Which points an object header names: the range specifier of the qualifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    /// Range specifiers 0 to 2, and 3 to 5 (addresses, obsolete): from the first to the last, both included.
    Points { start: u32, stop: u32 },
    /// 6: all of them.
    All,
    /// 7 to 9, and B: so many.
    Count(u32),
}

/// What stands before each point: the prefix code of the qualifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefix {
    None,
    /// Codes 1 to 3: its index, in so many octets.
    Index(usize),
    /// Codes 4 to 6: its size, in so many octets.
    Size(usize),
}

/// An object header.
#[derive(Clone, Copy, Debug)]
struct Header {
    /// Its place in the fragment.
    offset: usize,
    /// Objects of the message before it.
    objects_before: usize,
    group: u8,
    variation: u8,
    prefix: Prefix,
    range: Range,
}

impl Header {
    /// Reads it; a reserved prefix code or range specifier leaves no way to go on, but group and variation stay.
    fn read(cursor: &mut Cursor<'_>, message: &mut Message, notes: &mut Notes) -> Result<Self, Fault> {
        let offset = cursor.offset();
        let group = cursor.u8("group")?;
        let variation = cursor.u8("variation")?;
        let mut header = Header {
            offset,
            objects_before: message.objects.len(),
            group,
            variation,
            prefix: Prefix::None,
            range: Range::All,
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
    fn count(&self) -> u64 {
        match self.range {
            Range::Points { start, stop } => (u64::from(stop) + 1).saturating_sub(u64::from(start)),
            Range::Count(count) => u64::from(count),
            Range::All => 0,
        }
    }

    /// Index of the point at a place in the range; none where the header tells no indices.
    fn index(&self, place: u64) -> Option<u32> {
        match self.range {
            Range::Points { start, .. } => u32::try_from(u64::from(start) + place).ok(),
            Range::Count(_) | Range::All => None,
        }
    }

    /// The object of one point, with neither numbers nor words yet.
    fn object(&self, index: Option<u32>, count: u32) -> Object {
        let entry = entry(self.group, self.variation);
        let (start, index, property_name) = match self.group {
            // The range of a device attribute is the set that it belongs to (annex A, group 0).
            0 => (index, Some(u32::from(self.variation)), tables::name(codes::ATTRIBUTES, self.variation.into())),
            60 if (1..=4).contains(&self.variation) => (Some(u32::from(self.variation) - 1), None, ""),
            _ => (index, None, ""),
        };
        Object {
            kind: entry.map_or("group", |entry| entry.kind),
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
    fn push_all(&self, message: &mut Message) {
        let count = match self.group {
            60 => u32::from(self.variation != 0), // One class, however many of its events are asked for.
            _ => u32::try_from(self.count()).unwrap_or(u32::MAX),
        };
        let object = self.object(self.index(0), count);
        message.objects.push(object);
    }

    fn fault(&self, code: OddityCode, what: impl std::fmt::Display) -> Fault {
        let expected = format!("g{}v{}: {what}", self.group, self.variation);
        Fault { code, offset: self.offset, expected }
    }
}

fn number_of(cursor: &mut Cursor<'_>, size: usize, field: &'static str) -> Result<u32, Short> {
    cursor.uint_le(size, field).map(|number| number as u32)
}

/// How the points of a variation are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// So many bits each, without padding between them.
    Packed(u32),
    /// So many octets each.
    Octets(usize),
    /// Type, length, value (device attributes).
    TypeLengthValue,
    /// Told by a size prefix only, or not known.
    Unknown,
}

fn form(group: u8, variation: u8) -> Form {
    match (group, variation) {
        (0, _) => Form::TypeLengthValue,
        // The variation is the length of the string (annex A, groups 110 to 113); 0 stands in requests only.
        (110..=113, 1..) => Form::Octets(usize::from(variation)),
        _ => match tables::find(codes::OBJECTS, u32::from(group) << 8 | u32::from(variation)).and_then(|o| o.size) {
            Some(bits @ 1..8) => Form::Packed(bits),
            Some(bits) => Form::Octets(bits as usize / 8),
            None => Form::Unknown,
        },
    }
}

/// Decodes one object header and its points.
fn object(cursor: &mut Cursor<'_>, context: Context, message: &mut Message, notes: &mut Notes) -> Result<(), Fault> {
    let header = Header::read(cursor, message, notes)?;
    if let Range::Points { start, stop } = header.range
        && stop < start
    {
        header.push_all(message);
        return Err(header.fault(OddityCode::InvalidValue, format_args!("a stop of at least {start}, found {stop}")));
    }
    let carries_data = context.carries_data(header.group) && header.range != Range::All;
    let points = match (header.prefix, carries_data) {
        (Prefix::None, false) => {
            header.push_all(message);
            return Ok(());
        }
        (Prefix::None, true) => match form(header.group, header.variation) {
            Form::Packed(bits) => packed(&header, bits, cursor, message),
            Form::Octets(octets) => in_order(&header, octets, cursor, context, message),
            Form::TypeLengthValue => device_attributes(&header, cursor, context, message, notes),
            Form::Unknown if header.count() == 0 => Ok(()),
            Form::Unknown => Err(header.fault(OddityCode::UndecodedObject, "the size of its points is not known")),
        },
        (Prefix::Index(size), data) => indexed(&header, size, data, cursor, context, message, notes),
        // A size stands only before octets, whatever the function is.
        (Prefix::Size(size), _) => sized(&header, size, cursor, context, message),
    };
    if message.objects.len() == header.objects_before {
        header.push_all(message); // What was meant is known, even where no point of it is there.
    }
    points
}

/// Packed points: the first is the lowest bit; the last octet is padded.
fn packed(header: &Header, bits: u32, cursor: &mut Cursor<'_>, message: &mut Message) -> Result<(), Fault> {
    let needed = (header.count() * u64::from(bits)).div_ceil(8);
    let octets = cursor.take(needed.min(cursor.left() as u64) as usize, "points")?;
    let whole = header.count().min(octets.len() as u64 * u64::from(8 / bits));
    let mask = (1 << bits) - 1;
    let per_octet = u64::from(8 / bits);
    for place in 0..whole {
        let octet = octets[(place / per_octet) as usize];
        let number = octet >> ((place % per_octet) as u32 * bits) & mask;
        push_point(header, header.index(place), Some(f64::from(number)), message);
    }
    if whole < header.count() {
        return Err(too_many(header, needed, octets.len()));
    }
    Ok(())
}

/// Points of one size, one after the other.
fn in_order(
    header: &Header,
    size: usize,
    cursor: &mut Cursor<'_>,
    context: Context,
    message: &mut Message,
) -> Result<(), Fault> {
    let left = cursor.left();
    let needed = header.count() * size as u64;
    let whole = header.count().min((left / size.max(1)) as u64);
    for place in 0..whole {
        point(header, header.index(place), cursor.take(size, "point")?, context, message);
    }
    if whole < header.count() {
        return Err(too_many(header, needed, left));
    }
    Ok(())
}

fn too_many(header: &Header, needed: u64, left: usize) -> Fault {
    let count = header.count();
    header.fault(OddityCode::BadLength, format_args!("{count} points need {needed} octets, {left} are left"))
}

/// Points that each follow their index; indices alone where the function carries no data.
fn indexed(
    header: &Header,
    prefix: usize,
    data: bool,
    cursor: &mut Cursor<'_>,
    context: Context,
    message: &mut Message,
    notes: &mut Notes,
) -> Result<(), Fault> {
    let form = form(header.group, header.variation);
    for _ in 0..header.count() {
        if message.objects.len() >= Message::MAX_OBJECTS {
            break;
        }
        let index = Some(number_of(cursor, prefix, "index")?);
        match form {
            _ if !data => push_point(header, index, None, message),
            Form::Octets(size) => point(header, index, cursor.take(size, "point")?, context, message),
            // A packed point with an index has an octet of its own (the standard has no such pair).
            Form::Packed(bits) => {
                let number = cursor.u8("point")? & ((1 << bits) - 1);
                push_point(header, index, Some(f64::from(number)), message);
            }
            Form::TypeLengthValue => attributes::decode(header.object(index, 1), cursor, context, message, notes)?,
            Form::Unknown => {
                return Err(header.fault(OddityCode::UndecodedObject, "the size of its points is not known"));
            }
        }
    }
    Ok(())
}

/// Objects that each follow their size (free format).
fn sized(
    header: &Header,
    prefix: usize,
    cursor: &mut Cursor<'_>,
    context: Context,
    message: &mut Message,
) -> Result<(), Fault> {
    for place in 0..header.count() {
        if message.objects.len() >= Message::MAX_OBJECTS {
            break;
        }
        let size = number_of(cursor, prefix, "size")? as usize;
        match cursor.take(size, "object") {
            Ok(octets) => point(header, header.index(place), octets, context, message),
            Err(short) => {
                point(header, header.index(place), cursor.rest(), context, message);
                return Err(short.into());
            }
        }
    }
    Ok(())
}

fn device_attributes(
    header: &Header,
    cursor: &mut Cursor<'_>,
    context: Context,
    message: &mut Message,
    notes: &mut Notes,
) -> Result<(), Fault> {
    for place in 0..header.count() {
        if message.objects.len() >= Message::MAX_OBJECTS {
            break;
        }
        attributes::decode(header.object(header.index(place), 1), cursor, context, message, notes)?;
    }
    Ok(())
}

/// Decodes one point from the octets that are its own (fewer than it should have, where the fragment is cut).
fn point(header: &Header, index: Option<u32>, octets: &[u8], context: Context, message: &mut Message) {
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
fn push_point(header: &Header, index: Option<u32>, number: Option<f64>, message: &mut Message) {
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
