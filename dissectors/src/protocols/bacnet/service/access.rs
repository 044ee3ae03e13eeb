//! Object access services (clause 15).

use super::{
    Decoded, device_claim, instance_claim, object, priority_into, property, property_reference, property_values,
    text_of, value_into,
};
use crate::model::Object;
use crate::protocols::bacnet::draft::Draft;
use crate::protocols::bacnet::tag::{ObjectId, Reader, Value};
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
pub fn read_range_ack(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let at = property_reference(r, draft)?;
    let flags = Value::BitString(r.context(3, "result flags")?);
    let count = r.unsigned(4, "item count")?;
    let text = text_of(&flags, draft);
    let mut numbers = vec![f64::from(count)];
    let items = r.skip_constructed(5, "item data");
    if let (Ok(()), Some(sequence)) = (&items, r.optional_unsigned(6, "first sequence number")?) {
        numbers.push(f64::from(sequence));
    }
    let values = draft.message.push_values(numbers);
    let object = &mut draft.message.objects[at];
    (object.values, object.text) = (values, text);
    items
}

/// WriteProperty (15.9.1.1): the property, `[3] { value }, [4] priority`.
pub fn write_property(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let at = property_reference(r, draft)?;
    value_into(r, 3, at, draft)?;
    priority_into(r, 4, at, draft)
}

/// WritePropertyMultiple (15.10.1.1): `([0] object, [1] { property values })*`.
pub fn write_property_multiple(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    while !r.is_empty() {
        let id = r.object(0, "object identifier")?;
        r.open(1, "list of properties")?;
        property_values(id, 1, r, draft)?;
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
pub fn write_group(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let group = r.unsigned(0, "group number")?;
    draft.object(Object { kind: "control-group", start: Some(group), count: 1, ..Object::default() }, offset)?;
    let at = draft.message.objects.len() - 1;
    priority_into(r, 1, at, draft)?;
    value_into(r, 2, at, draft)?;
    r.skip(3, "inhibit delay")
}
