//! The objects of a fragment: headers and the points behind them (IEEE 1815-2012, 4.2.2 and annex A).
//!
//! ```text
//! group | variation | qualifier | range | [prefix] point | [prefix] point …
//! ```

use super::attributes;
use super::files;
use super::header::{Fault, Header, Prefix, Range, number_of};
use super::layout::{Form, Reading};
use super::notes::Notes;
use super::points::{point, push_point, push_run};
use crate::bytes::{Cursor, Short};
use crate::model::{Message, OddityCode};

/// Name of the layer in oddities.
pub(super) const LAYER: &str = "dnp3-application";

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
    /// Milliseconds since 1970 that relative times after it count from (group 51).
    pub(super) common_time: Option<u64>,
}

impl Context {
    /// Whether points follow the headers of a group. Secure authentication puts its objects around those of any
    /// request, in its aggressive mode (clause 7).
    const fn carries_data(self, group: u8) -> bool {
        self.data || group == 120 || group == 50 && self.time_first
    }
}

/// Decodes objects until the end, or until one that cannot be followed; those before it stay.
pub(super) fn decode(cursor: &mut Cursor<'_>, mut context: Context, message: &mut Message, notes: &mut Notes) {
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
        if let Some(last) = message.objects.last().filter(|last| last.type_number == Some(51)) {
            context.common_time = message.values_of(last).last().map(|time| *time as u64);
        }
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
        (Prefix::None, true) => match header.layout.form {
            Form::Packed(bits) => packed(&header, bits, cursor, message),
            Form::Octets(octets) => in_order(&header, octets, cursor, context, message),
            Form::TypeLengthValue => device_attributes(&header, cursor, context, message, notes),
            Form::Registration => registrations(&header, cursor, context, message),
            Form::Unknown if header.count() == 0 => Ok(()),
            Form::Unknown => Err(header.fault(OddityCode::UndecodedObject, "the size of its points is not known")),
        },
        (Prefix::Index(size), data) => indexed(&header, size, data, cursor, context, message, notes),
        // A size stands only before octets, whatever the function is.
        (Prefix::Size(size), _) => sized(&header, size, cursor, context, message, notes),
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
    let numbers = octets.iter().flat_map(|octet| (0..8 / bits).map(move |place| octet >> (place * bits) & mask));
    if whole > 0 {
        push_run(header, whole as u32, numbers.take(whole as usize).map(f64::from), message);
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
    let octets = cursor.take(whole as usize * size, "points")?;
    for (place, octets) in (0..).zip(octets.chunks_exact(size.max(1))) {
        point(header, header.index(place), octets, context, message);
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
    for _ in 0..header.count() {
        if message.objects.len() >= Message::MAX_OBJECTS {
            break;
        }
        let index = Some(number_of(cursor, prefix, "index")?);
        match header.layout.form {
            _ if !data => push_point(header, index, Reading::default(), message),
            Form::Octets(size) => point(header, index, cursor.take(size, "point")?, context, message),
            // A packed point with an index has an octet of its own (the standard has no such pair).
            Form::Packed(bits) => {
                let number = cursor.u8("point")? & ((1 << bits) - 1);
                push_point(header, index, Reading { number: Some(number.into()), ..Reading::default() }, message);
            }
            Form::TypeLengthValue => attributes::decode(header.object(index, 1), cursor, context, message, notes)?,
            Form::Registration => point(header, index, registration(cursor)?, context, message),
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
    notes: &mut Notes,
) -> Result<(), Fault> {
    for place in 0..header.count() {
        if message.objects.len() >= Message::MAX_OBJECTS {
            break;
        }
        let size = number_of(cursor, prefix, "size")? as usize;
        let (start, rest) = (cursor.offset(), cursor.rest());
        if header.group == 70
            && let Some(expected) = files::misplaced(header.variation, rest.get(..size).unwrap_or(rest))
        {
            notes.oddity(OddityCode::InvalidValue, LAYER, start, expected);
        }
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

fn registrations(
    header: &Header,
    cursor: &mut Cursor<'_>,
    context: Context,
    message: &mut Message,
) -> Result<(), Fault> {
    for place in 0..header.count() {
        point(header, header.index(place), registration(cursor)?, context, message);
    }
    Ok(())
}

/// A private registration object tells its length behind its vendor code and its identifier (annex A, group 83).
fn registration<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Short> {
    const FIELDS: usize = 8;
    let length = cursor.rest().get(6..FIELDS).map_or(0, |field| usize::from(field[0]) | usize::from(field[1]) << 8);
    cursor.take(FIELDS + length, "private registration object")
}
