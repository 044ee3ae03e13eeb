//! What one point says: its number, its status, its words (IEEE 1815-2012, annex A).
//!
//! Every object has one number for each of its points, in order. Times of events are words: milliseconds since 1970,
//! one for each point in order. A status is the flags of a point that is not plainly online, or the outcome of a
//! command.

use std::fmt::Write as _;

use super::files;
use super::header::Header;
use super::layout::Reading;
use super::objects::Context;
use super::security;
use super::words::{Words, push_printable};
use crate::bytes::{Cursor, Short};
use crate::model::{Message, Object};
use crate::tables::{self, dnp3 as codes};

/// Numbers of one message that are kept: the packed points of a fragment of the usual 2048 octets.
const MAX_VALUES: usize = 2048 * 8;

/// Decodes one point from the octets that are its own (fewer than it should have, where the fragment is cut).
#[inline]
pub(super) fn point(header: &Header, index: Option<u32>, octets: &[u8], context: Context, message: &mut Message) {
    let answer = |status: Option<u8>| status.filter(|_| context.response);
    match (header.group, header.variation) {
        (12, 1 | 2) => {
            let code = octets.first().copied().map(f64::from);
            push_own(header, index, code, message, |text| answer(control(octets, text)));
        }
        (41, _) => {
            push_own(header, index, header.layout.number(octets), message, |_| answer(octets.last().copied()));
        }
        (50, 2 | 4) => push_own(header, index, header.layout.number(octets), message, |text| interval(octets, text)),
        (70, variation) => {
            push_own(header, index, None, message, |text| answer(files::describe(variation, octets, text)));
        }
        (83, _) => push_own(header, index, None, message, |text| registration(octets, text)),
        (90 | 110 | 111, _) => push_own(header, index, None, message, |text| {
            push_printable(octets, text);
            None
        }),
        (91, _) => push_own(header, index, None, message, |text| operation_status(octets, text)),
        (120, variation) => {
            push_own(header, index, None, message, |text| security::describe(variation, octets, text));
        }
        _ => push_point(header, index, header.layout.read(octets, context.common_time), message),
    }
}

/// Adds a point to the object before it where that ends just below its index and has its status, and else as an
/// object of its own.
#[inline]
pub(super) fn push_point(header: &Header, index: Option<u32>, reading: Reading, message: &mut Message) {
    let Message { objects, values, text, .. } = message;
    let follows = |object: &Object| {
        object.status == reading.status && object.start.and_then(|start| start.checked_add(object.count)) == index
    };
    if !objects.get(header.objects_before..).and_then(<[Object]>::last).is_some_and(follows) {
        if objects.len() >= Message::MAX_OBJECTS {
            return;
        }
        let (values, text) = (values.len() as u32, text.len() as u32);
        let object = header.object(index, 0);
        objects.push(Object { values: values..values, text: text..text, status: reading.status, ..object });
    }
    let Some(object) = objects.last_mut() else { return };
    object.count += 1;
    if values.len() < MAX_VALUES {
        values.extend(reading.number);
        object.values.end = values.len() as u32;
    }
    if let Some(time) = reading.time {
        let before = if object.text.is_empty() { "time=" } else { " " };
        write!(text, "{before}{time}").ok();
        object.text.end = text.len() as u32;
    }
}

/// Adds the points of a header, as many as there are numbers, as one object.
pub(super) fn push_run(header: &Header, count: u32, numbers: impl Iterator<Item = f64>, message: &mut Message) {
    let room = MAX_VALUES.saturating_sub(message.values.len());
    let values = message.push_values(numbers.take(room));
    message.objects.push(Object { values, ..header.object(header.index(0), count) });
}

/// Adds a point as an object of its own: it has words or a status.
fn push_own(
    header: &Header,
    index: Option<u32>,
    number: Option<f64>,
    message: &mut Message,
    describe: impl FnOnce(&mut String) -> Option<u8>,
) {
    if message.objects.len() >= Message::MAX_OBJECTS {
        return;
    }
    let values = message.push_values(number);
    let start = message.text.len() as u32;
    let status = describe(&mut message.text).map(u16::from);
    let text = start..message.text.len() as u32;
    message.objects.push(Object { values, text, status, ..header.object(index, 1) });
}

/// Control relay output block and pattern control block (annex A, group 12). Gives the status.
fn control(octets: &[u8], text: &mut String) -> Option<u8> {
    let mut cursor = Cursor::new(octets);
    let mut fields = || -> Result<u8, Short> {
        let code = cursor.u8("control code")?;
        let count = cursor.u8("count")?;
        let on_time = cursor.u32_le("on-time")?;
        let off_time = cursor.u32_le("off-time")?;
        let mut words = Words::new(text);
        match tables::name(codes::CONTROL_OPERATIONS, u32::from(code & 0x0F)) {
            "" => words.pair("operation", code & 0x0F),
            operation => words.word(operation),
        }
        words.code("trip", codes::TRIP_CLOSE, code >> 6);
        words.pair("count", count);
        words.pair("on", format_args!("{on_time}ms"));
        words.pair("off", format_args!("{off_time}ms"));
        for (bit, name) in [(0x10, "queue"), (0x20, "clear")] {
            if code & bit != 0 {
                words.word(name);
            }
        }
        cursor.u8("status")
    };
    fields().ok().map(|status| status & 0x7F) // Bit 7 of the status is reserved.
}

/// How often something starts again (g50v2 in milliseconds, g50v4 in the unit that it says).
fn interval(octets: &[u8], text: &mut String) -> Option<u8> {
    let mut cursor = Cursor::new(octets.get(6..)?);
    let interval = cursor.u32_le("interval").ok()?;
    let unit = cursor.u8("units").map_or("milliseconds", |unit| tables::name(codes::INTERVAL_UNITS, unit.into()));
    let mut words = Words::new(text);
    words.pair("interval", interval);
    words.word(unit);
    None
}

/// Whose private object it is (g83v1 and v2); its data stay out.
fn registration(octets: &[u8], text: &mut String) -> Option<u8> {
    let mut cursor = Cursor::new(octets);
    let vendor = cursor.take(4, "vendor code").ok()?;
    let identifier = cursor.u16_le("object identifier").ok()?;
    let mut words = Words::new(text);
    words.pair("object", identifier);
    words.typed("vendor", vendor);
    None
}

/// The status of a requested operation (g91v1): how long it takes, its status, and what the device says of it.
fn operation_status(octets: &[u8], text: &mut String) -> Option<u8> {
    let mut cursor = Cursor::new(octets);
    let delay = cursor.u32_le("time delay").ok()?;
    let status = cursor.u8("status code").ok()?;
    let mut words = Words::new(text);
    words.pair("delay", format_args!("{delay}ms"));
    if !cursor.is_empty() {
        words.typed("text", cursor.rest());
    }
    Some(status)
}
