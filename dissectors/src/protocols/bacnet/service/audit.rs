//! Audit services (13.19 to 13.21): what devices tell of the operations that they asked for or were asked for.

use super::{Decoded, named, object, property, text_of, time_stamp, value_into};
use crate::model::Object;
use crate::protocols::bacnet::draft::Draft;
use crate::protocols::bacnet::tag::Reader;
use crate::protocols::bacnet::value::{ObjectId, Type, Value};
use crate::tables;

/// Audit notification (13.20.1, 13.21.1): `[0] { notification* }`.
pub fn notification(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    r.open(0, "list of notifications")?;
    while !r.closes(0) {
        entry(r, draft)?;
    }
    r.close(0, "list of notifications")
}

/// BACnetAuditNotification: `[0] { source time }, [1] { target time }, [2] { source device }, [3] source object,
/// [4] operation, [5] source comment, [6] target comment, [7] invoke id, [8] user, [9] role, [10] { target device },
/// [11] target object, [12] { property, index }, [13] priority, [14] { target value }, [15] { current value },
/// [16] { error }`.
///
/// It makes one object: the target, with the operation and the comments as words of the message, and the value that
/// was written as its own.
fn entry(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    for (number, field) in [(0, "source time stamp"), (1, "target time stamp")] {
        if r.opens(number) {
            time_stamp(r, number, field)?;
        }
    }
    r.constructed(2, "source device")?;
    r.optional_typed(3, Type::ObjectIdentifier, "source object")?;
    let operation = r.unsigned(4, "operation")?;
    let text = named(tables::bacnet::AUDIT_OPERATIONS, operation, draft);
    let mut end = text.end;
    for (number, field) in [(5, "source comment"), (6, "target comment")] {
        if let Some(comment) = r.optional_typed(number, Type::CharacterString, field)? {
            draft.message.text.push_str(": ");
            end = text_of(&comment, draft).end;
        }
    }
    for (number, field) in [(7, "invoke id"), (8, "source user id"), (9, "source user role")] {
        r.optional_unsigned(number, field)?;
    }
    let device = recipient(r, 10, "target device")?;
    let target = match r.optional_typed(11, Type::ObjectIdentifier, "target object")? {
        Some(Value::ObjectIdentifier(id)) => Some(id),
        _ => device,
    };
    let about = target.map_or(Object { kind: "device", count: 1, ..Object::default() }, object);
    draft.object(Object { text: text.start..end, ..about }, offset)?;
    let at = draft.message.objects.len() - 1;
    if r.opens(12) {
        r.open(12, "target property")?;
        let identifier = r.unsigned(0, "property identifier")?;
        let index = r.optional_unsigned(1, "property array index")?;
        r.close(12, "target property")?;
        if let Some(id) = target {
            let text = draft.message.objects[at].text.clone();
            draft.message.objects[at] = Object { text, ..property(id, identifier, index) };
        }
    }
    let priority = r.optional_unsigned(13, "target priority")?;
    draft.message.objects[at].priority = priority.and_then(|priority| u8::try_from(priority).ok());
    if r.opens(14) {
        // The words say which operation it was; a value's words would take their place.
        let text = draft.message.objects[at].text.clone();
        let result = value_into(r, 14, at, draft);
        draft.message.objects[at].text = text;
        result?;
    }
    r.skip_constructed(15, "current value")?;
    if r.opens(16) {
        r.open(16, "result")?;
        r.application_number("error class")?;
        let code = r.application_number("error code")?;
        r.close(16, "result")?;
        draft.message.objects[at].status = Some(u16::try_from(code).unwrap_or(u16::MAX));
    }
    Ok(())
}

/// BACnetRecipient with this tag: `[0] device | [1] { network, MAC }`; the device, where it is named.
fn recipient(r: &mut Reader<'_>, number: u8, field: &'static str) -> Result<Option<ObjectId>, super::Malformed> {
    r.open(number, field)?;
    let device = if r.has(0) { Some(r.object(0, field)?) } else { None };
    r.until_closed(number, field, |_| {})?;
    Ok(device)
}

/// AuditLogQuery (13.19.1): `[0] audit log, [1] { by target } | [2] { by source }, [3] first sequence, [4] count`.
pub fn log_query(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let log = r.object(0, "audit log")?;
    draft.object(object(log), offset)?;
    r.constructed(if r.opens(2) { 2 } else { 1 }, "query parameters")?;
    r.optional_typed(3, Type::Unsigned, "start at sequence number")?;
    r.unsigned(4, "requested count").map(drop)
}

/// AuditLogQuery-ACK (13.19.1.2): `[0] audit log, [1] { record* }, [2] no more items`.
pub fn log_query_ack(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let log = r.object(0, "audit log")?;
    draft.object(object(log), offset)?;
    r.constructed(1, "records")?;
    r.typed(2, Type::Boolean, "no more items").map(drop)
}
