//! Object access services (clause 15).

use super::{
    Decoded, content_into, device_claim, instance_claim, object, priority_into, property, property_reference,
    property_values, text_of, value_into,
};
use crate::model::Object;
use crate::protocols::bacnet::draft::Draft;
use crate::protocols::bacnet::production::{PLAIN, Writer};
use crate::protocols::bacnet::tag::{Element, Reader};
use crate::protocols::bacnet::value::{ObjectId, Type};
use crate::tables;

/// ReadProperty-ACK (15.5.1.2).
pub fn read_property_ack(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let id = r.clone().object(0, "object identifier")?;
    let at = property_reference(r, draft)?;
    let result = value_into(r, 3, at, draft);
    instance_claim(id, draft);
    result?;
    device_claim(at, draft);
    Ok(())
}

/// ReadPropertyMultiple (15.7.1.1): `([0] object, [1] { ([0] property, [1] index)* })*`.
pub fn read_property_multiple(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    while !r.is_empty() {
        let id = r.object(0, "object identifier")?;
        r.open(1, "list of property references")?;
        while !r.closes(1) {
            let offset = r.offset();
            let identifier = r.unsigned(0, "property identifier")?;
            let index = r.optional_unsigned(1, "property array index")?;
            draft.object(property(id, identifier, index), offset)?;
        }
        r.close(1, "list of property references")?;
    }
    Ok(())
}

/// ReadPropertyMultiple-ACK (15.7.1.2):
/// `([0] object, [1] { ([2] property, [3] index, [4] { value } | [5] { error })* })*`.
pub fn read_property_multiple_ack(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    while !r.is_empty() {
        let id = r.object(0, "object identifier")?;
        instance_claim(id, draft);
        r.open(1, "list of results")?;
        while !r.closes(1) {
            let offset = r.offset();
            let identifier = r.unsigned(2, "property identifier")?;
            let index = r.optional_unsigned(3, "property array index")?;
            draft.object(property(id, identifier, index), offset)?;
            let at = draft.message.objects.len() - 1;
            if r.opens(5) {
                r.open(5, "property access error")?;
                let class = r.application_number("error class")?;
                let code = r.application_number("error code")?;
                r.close(5, "property access error")?;
                let words = match tables::name(tables::bacnet::ERROR_CLASSES, class) {
                    "" => format!("error {}", tables::name(tables::bacnet::ERROR_CODES, code)),
                    class => format!("error {class} {}", tables::name(tables::bacnet::ERROR_CODES, code)),
                };
                let text = draft.message.push_text(words.trim_end());
                let object = &mut draft.message.objects[at];
                object.status = Some(u16::try_from(code).unwrap_or(u16::MAX));
                object.text = text;
            } else {
                value_into(r, 4, at, draft)?;
                device_claim(at, draft);
            }
        }
        r.close(1, "list of results")?;
    }
    Ok(())
}

/// ReadRange (15.8.1.1): the property, then `[3] { index, count } | [6] { sequence, count } | [7] { date, time, count }`.
pub fn read_range(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let at = property_reference(r, draft)?;
    match [3, 6, 7].into_iter().find(|number| r.opens(*number)) {
        Some(number) => value_into(r, number, at, draft),
        None => Ok(()),
    }
}

/// ReadRange-ACK (15.8.1.2): the property, `[3] flags, [4] item count, [5] { items }, [6] first sequence number`.
///
/// The numbers are the count, the first sequence number where there is one, and then those of the items; the words are
/// the flags (first item, last item, more items) and the items.
pub fn read_range_ack(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let at = property_reference(r, draft)?;
    let flags = r.typed(3, Type::BitString, "result flags")?;
    let count = r.unsigned(4, "item count")?;
    let first = draft.message.push_values([f64::from(count)]).start;
    let text = text_of(&flags, draft);
    draft.message.objects[at].values = first..draft.message.values.len() as u32;
    draft.message.objects[at].text = text.clone();
    if count > 0 {
        draft.message.text.push_str(": ");
    }
    let items = value_into(r, 5, at, draft);
    draft.message.objects[at].text.start = text.start;
    draft.message.objects[at].values.start = first;
    items?;
    if let Some(sequence) = r.optional_unsigned(6, "first sequence number")? {
        draft.message.values.insert(first as usize + 1, f64::from(sequence));
        draft.message.objects[at].values.end += 1;
    }
    Ok(())
}

/// WriteProperty (15.9.1.1): the property, `[3] { value }, [4] priority`.
pub fn write_property(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let at = property_reference(r, draft)?;
    value_into(r, 3, at, draft)?;
    program_request(at, draft);
    priority_into(r, 4, at, draft)
}

/// A write of program-change starts or stops a program (12.22.5).
fn program_request(at: usize, draft: &mut Draft) {
    let object = &draft.message.objects[at];
    if object.kind != "program" || object.property_name != "program-change" {
        return;
    }
    let Some(request) = draft.message.values_of(object).first() else { return };
    let code = tables::find(tables::bacnet::PROGRAM_REQUESTS, *request as u32);
    if let Some(operation) = code.and_then(|code| code.operation) {
        draft.message.operation = operation;
    }
}

/// WritePropertyMultiple (15.10.1.1): `([0] object, [1] { property values })*`.
pub fn write_property_multiple(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    while !r.is_empty() {
        let id = r.object(0, "object identifier")?;
        r.open(1, "list of properties")?;
        let first = draft.message.objects.len();
        let written = property_values(id, 1, r, draft);
        (first..draft.message.objects.len()).for_each(|at| program_request(at, draft));
        written?;
    }
    Ok(())
}

/// AddListElement, RemoveListElement (15.1.1.1, 15.2.1.1): the property, `[3] { elements }`.
pub fn list_element(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let at = property_reference(r, draft)?;
    value_into(r, 3, at, draft)
}

/// CreateObject (15.3.1.1): `[0] { [0] type | [1] object }, [1] { initial values }`.
pub fn create_object(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    r.open(0, "object specifier")?;
    let id = if r.has(0) {
        let object_type = r.unsigned(0, "object type")?;
        let id = ObjectId { object_type: u16::try_from(object_type).unwrap_or(u16::MAX), instance: 0 };
        // The server chooses the instance.
        draft.object(Object { start: None, ..object(id) }, offset)?;
        id
    } else {
        let id = r.object(1, "object identifier")?;
        draft.object(object(id), offset)?;
        id
    };
    r.close(0, "object specifier")?;
    if r.opens(1) {
        r.open(1, "list of initial values")?;
        property_values(id, 1, r, draft)?;
    }
    Ok(())
}

/// WriteGroup (15.11.1.1): `[0] group, [1] priority, [2] { changes }, [3] inhibit delay`.
///
/// Each change (BACnetGroupChannelValue) is an object of the group: `[0] channel, [1] overriding priority, value`.
pub fn write_group(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let group = r.unsigned(0, "group number")?;
    let group = Object { kind: "control-group", start: Some(group), count: 1, ..Object::default() };
    draft.object(group.clone(), offset)?;
    let first = draft.message.objects.len() - 1;
    priority_into(r, 1, first, draft)?;
    let priority = draft.message.objects[first].priority;
    r.open(2, "change list")?;
    let mut is_first = true;
    while !r.closes(2) {
        let offset = r.offset();
        let index = Some(r.unsigned(0, "channel")?);
        if !std::mem::replace(&mut is_first, false) {
            draft.object(group.clone(), offset)?;
        }
        let at = draft.message.objects.len() - 1;
        draft.message.objects[at].index = index;
        draft.message.objects[at].priority = priority;
        priority_into(r, 1, at, draft)?;
        channel_value(r, at, draft)?;
    }
    r.close(2, "change list")?;
    r.optional_typed(3, Type::Boolean, "inhibit delay").map(drop)
}

/// BACnetChannelValue: a primitive with its application tag, or a lighting or colour command with a context tag.
fn channel_value(r: &mut Reader<'_>, at: usize, draft: &mut Draft) -> Decoded {
    /// `[0] lighting command, [1] xy-color, [2] color command`.
    const COMMANDS: [u8; 3] = [0, 1, 2];
    let (first_value, first_text) = (draft.message.values.len() as u32, draft.message.text.len() as u32);
    if let Some(number) = COMMANDS.into_iter().find(|number| r.opens(*number)) {
        return command(r, number, at, draft);
    }
    let value = r.value("channel value")?;
    let message = &mut draft.message;
    Writer::new(&mut message.values, &mut message.text, &PLAIN, false).push(Element::Value(value));
    message.objects[at].values = first_value..message.values.len() as u32;
    message.objects[at].text = first_text..message.text.len() as u32;
    Ok(())
}

fn command(r: &mut Reader<'_>, number: u8, at: usize, draft: &mut Draft) -> Decoded {
    r.open(number, "channel value")?;
    content_into(r, number, &PLAIN, at, draft)
}
