//! Alarm and event services (clause 13).

use super::{Decoded, content_into, instance_claim, named, object, push_code, text_of, time_stamp, time_stamp_choice};
use crate::model::Object;
use crate::protocols::bacnet::draft::Draft;
use crate::protocols::bacnet::production;
use crate::protocols::bacnet::tag::Reader;
use crate::protocols::bacnet::value::{Type, Value};
use crate::tables;

/// Event notification (13.8.1, 13.9.1): `[0] process, [1] device, [2] object, [3] { timestamp }, [4] class,
/// [5] priority, [6] event type, [7] message, [8] notify type, [9] ack required, [10] from, [11] to, [12] { values }`.
///
/// The object's numbers are notification class and priority (0 to 255, another than that of a write); its words say
/// what happened. A second object of the same identifier has the numbers and words of the notification parameters.
pub fn event_notification(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    r.unsigned(0, "process identifier")?;
    let device = r.object(1, "initiating device identifier")?;
    instance_claim(device, draft);
    let offset = r.offset();
    let id = r.object(2, "event object identifier")?;
    draft.object(object(id), offset)?;
    let at = draft.message.objects.len() - 1;
    time_stamp(r, 3, "time stamp")?;
    let class = r.unsigned(4, "notification class")?;
    let priority = r.unsigned(5, "priority")?;
    draft.message.objects[at].values = draft.message.push_values([class, priority].map(f64::from));

    let event_type = r.unsigned(6, "event type")?;
    let text = if r.has(7) { r.context(7, "message text")? } else { &[] };
    let notify_type = r.unsigned(8, "notify type")?;
    r.optional_typed(9, Type::Boolean, "ack required")?;
    let from = r.optional_unsigned(10, "from state")?;
    let to = r.optional_unsigned(11, "to state")?;
    let start = draft.message.text.len() as u32;
    for (table, code, mark) in [
        (tables::bacnet::NOTIFY_TYPES, Some(notify_type), ""),
        (tables::bacnet::EVENT_TYPES, Some(event_type), " "),
        (tables::bacnet::EVENT_STATES, from, ", from "),
        (tables::bacnet::EVENT_STATES, to, ", to "),
    ] {
        if let Some(code) = code {
            draft.message.text.push_str(mark);
            push_code(table, code, &mut draft.message.text);
        }
    }
    if !text.is_empty() {
        draft.message.text.push_str(": ");
        Value::CharacterString(text).write_text(&mut draft.message.text);
    }
    draft.message.objects[at].text = start..draft.message.text.len() as u32;
    if !r.opens(12) {
        return Ok(());
    }
    let offset = r.offset();
    r.open(12, "event values")?;
    draft.object(object(id), offset)?;
    content_into(r, 12, production::named("notification-parameters"), at + 1, draft)
}

/// AcknowledgeAlarm (13.5.1): `[0] process, [1] object, [2] state, [3] { timestamp }, [4] source, [5] { time }`.
pub fn acknowledge_alarm(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    r.unsigned(0, "acknowledging process identifier")?;
    let offset = r.offset();
    let id = r.object(1, "event object identifier")?;
    draft.object(object(id), offset)?;
    let at = draft.message.objects.len() - 1;
    let state = r.unsigned(2, "event state acknowledged")?;
    draft.message.objects[at].values = draft.message.push_values([f64::from(state)]);
    time_stamp(r, 3, "time stamp")?;
    let source = Value::CharacterString(r.context(4, "acknowledgement source")?);
    let text = named(tables::bacnet::EVENT_STATES, state, draft);
    draft.message.text.push_str(", by ");
    draft.message.objects[at].text = text.start..text_of(&source, draft).end;
    time_stamp(r, 5, "time of acknowledgement")
}

/// GetAlarmSummary-ACK (13.10.1.2): `(object, alarm state, acknowledged transitions)*`.
pub fn alarm_summary(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    while !r.is_empty() {
        let offset = r.offset();
        let id = r.application_object("object identifier")?;
        let state = r.application_number("alarm state")?;
        let values = draft.message.push_values([f64::from(state)]);
        let transitions = r.value("acknowledged transitions")?;
        let text = text_of(&transitions, draft);
        draft.object(Object { values, text, ..object(id) }, offset)?;
    }
    Ok(())
}

/// GetEventInformation-ACK (13.12.1.2): `[0] { ([0] object, [1] state, [2] acknowledged, [3] { timestamps },
/// [4] notify type, [5] enabled, [6] { priorities })* }, [1] more`.
pub fn event_information(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    r.open(0, "list of event summaries")?;
    while !r.closes(0) {
        let offset = r.offset();
        let id = r.object(0, "object identifier")?;
        let state = r.unsigned(1, "event state")?;
        let values = draft.message.push_values([f64::from(state)]);
        draft.object(Object { values, ..object(id) }, offset)?;
        let at = draft.message.objects.len() - 1;
        let acknowledged = r.typed(2, Type::BitString, "acknowledged transitions")?;
        draft.message.objects[at].text = text_of(&acknowledged, draft);
        r.open(3, "event time stamps")?;
        for _ in TRANSITIONS {
            time_stamp_choice(r, "event time stamp")?;
        }
        r.close(3, "event time stamps")?;
        r.unsigned(4, "notify type")?;
        r.typed(5, Type::BitString, "event enable")?;
        r.open(6, "event priorities")?;
        for transition in TRANSITIONS {
            r.application_number(transition)?;
        }
        r.close(6, "event priorities")?;
    }
    r.close(0, "list of event summaries")?;
    r.typed(1, Type::Boolean, "more events").map(drop)
}

/// What an object with events tells of each time (BACnetEventTransitionBits).
const TRANSITIONS: [&str; 3] = ["to off-normal", "to fault", "to normal"];

/// GetEnrollmentSummary (13.11.1): `[0] acknowledged, [1] { recipient process }, [2] event state, [3] event type,
/// [4] { [0] lowest, [1] highest priority }, [5] class`: filters of the device's alarms, and no object.
pub fn get_enrollment_summary(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let filter = r.unsigned(0, "acknowledgement filter")?;
    let values = draft.message.push_values([f64::from(filter)]);
    draft.object(Object { kind: "event-enrollment", values, ..Object::default() }, offset)?;
    r.skip_constructed(1, "enrollment filter")?;
    r.optional_unsigned(2, "event state filter")?;
    r.optional_unsigned(3, "event type filter")?;
    if r.opens(4) {
        r.open(4, "priority filter")?;
        r.unsigned(0, "lowest priority")?;
        r.unsigned(1, "highest priority")?;
        r.close(4, "priority filter")?;
    }
    r.optional_unsigned(5, "notification class filter").map(drop)
}

/// GetEnrollmentSummary-ACK (13.11.1.2): `(object, event type, event state, priority, notification class)*`.
///
/// The numbers are the event state, the priority and the class.
pub fn enrollment_summary(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    while !r.is_empty() {
        let offset = r.offset();
        let id = r.application_object("object identifier")?;
        let event_type = r.application_number("event type")?;
        let state = r.application_number("event state")?;
        let priority = r.application_number("priority")?;
        // The class is optional, and the object identifier of the next summary is no number.
        let class =
            if r.has_application(Type::Unsigned) { Some(r.application_number("notification class")?) } else { None };
        let text = named(tables::bacnet::EVENT_TYPES, event_type, draft);
        let values = draft.message.push_values([state, priority].into_iter().chain(class).map(f64::from));
        draft.object(Object { values, text, ..object(id) }, offset)?;
    }
    Ok(())
}

/// LifeSafetyOperation (13.13.1): `[0] process, [1] source, [2] operation, [3] object`.
pub fn life_safety_operation(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    r.unsigned(0, "requesting process identifier")?;
    r.context(1, "requesting source")?;
    let offset = r.offset();
    let operation = r.unsigned(2, "request")?;
    let text = named(tables::bacnet::LIFE_SAFETY_OPERATIONS, operation, draft);
    let values = draft.message.push_values([f64::from(operation)]);
    // Without an object all life safety objects of the device are meant.
    let all = Object { kind: "life-safety-object", ..Object::default() };
    let about = if r.has(3) { object(r.object(3, "object identifier")?) } else { all };
    draft.object(Object { values, text, ..about }, offset)
}
