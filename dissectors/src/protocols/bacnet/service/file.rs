//! File access services (clause 14).

use super::{Decoded, object};
use crate::model::Object;
use crate::protocols::bacnet::draft::Draft;
use crate::protocols::bacnet::tag::{Element, Reader};
use crate::protocols::bacnet::value::{Type, Value};

/// AtomicReadFile, AtomicWriteFile (14.1.1, 14.2.1): `file, [0] { stream access } | [1] { record access }`.
///
/// The numbers are the start and the count of octets or records; the data itself is not kept.
pub fn file_access(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let id = r.application_object("file identifier")?;
    draft.object(object(id), offset)?;
    let at = draft.message.objects.len() - 1;
    access_method(r, at, draft)
}

/// AtomicReadFile-ACK (14.1.1.2): `end of file, [0] { stream access } | [1] { record access }`.
pub fn read_file_ack(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    r.application(Type::Boolean, "end of file")?;
    // The answer does not name the file.
    draft.object(Object { kind: "file", count: 1, ..Object::default() }, offset)?;
    let at = draft.message.objects.len() - 1;
    access_method(r, at, draft)
}

fn access_method(r: &mut Reader<'_>, at: usize, draft: &mut Draft) -> Decoded {
    let (number, words) = if r.opens(1) { (1, "record") } else { (0, "stream") };
    r.open(number, "access method")?;
    let mut numbers = Vec::new();
    let result = r.until_closed(number, "access method", |element| match element {
        Element::Value(Value::OctetString(data)) if number == 0 => numbers.push(data.len() as f64),
        Element::Value(value) if numbers.len() < 2 => numbers.extend(value.number()),
        _ => {}
    });
    let (values, text) = (draft.message.push_values(numbers), draft.message.push_text(words));
    let object = &mut draft.message.objects[at];
    (object.values, object.text) = (values, text);
    result
}

/// AtomicWriteFile-ACK (14.2.1.2): `[0] start position | [1] start record`.
pub fn write_file_ack(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let (number, words) = if r.has(1) { (1, "record") } else { (0, "stream") };
    // Signed; a start of -1 (append) is answered with where it was (14.2.2).
    let start = r.typed(number, Type::Signed, "start")?.number();
    let (values, text) = (draft.message.push_values(start), draft.message.push_text(words));
    draft.object(Object { kind: "file", count: 1, values, text, ..Object::default() }, offset)
}
