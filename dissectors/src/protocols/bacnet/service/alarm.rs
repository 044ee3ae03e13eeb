//! Alarm and event services (clause 13).

use super::{Decoded, instance_claim, object, property, property_values, push_code, text_of};
use crate::model::Object;
use crate::protocols::bacnet::draft::Draft;
use crate::protocols::bacnet::tag::{Reader, Value};
use crate::tables;

/// SubscribeCOV and SubscribeCOVProperty (13.14.1, 13.15.1):
/// `[0] process, [1] object, [2] confirmed, [3] lifetime, [4] { [0] property, [1] index }, [5] increment`.
pub fn subscribe_cov(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let process = r.unsigned(0, "subscriber process identifier")?;
    let offset = r.offset();
    let id = r.object(1, "monitored object identifier")?;
    draft.object(object(id), offset)?;
    let at = draft.message.objects.len() - 1;
    let confirmed = r.optional_unsigned(2, "issue confirmed notifications")?;
    let lifetime = r.optional_unsigned(3, "lifetime")?;
    let text = draft.message.push_text(subscription(confirmed, lifetime));
    let values = draft.message.push_values([process].into_iter().chain(lifetime).map(f64::from));
    let object = &mut draft.message.objects[at];
    (object.values, object.text) = (values, text);
    if r.opens(4) {
        r.open(4, "monitored property")?;
        let identifier = r.unsigned(0, "property identifier")?;
        let index = r.optional_unsigned(1, "property array index")?;
        r.close(4, "monitored property")?;
        let named = property(id, identifier, index);
        let object = &mut draft.message.objects[at];
        (object.property, object.property_name, object.index) = (named.property, named.property_name, named.index);
        r.skip(5, "COV increment")?;
    }
    Ok(())
}

/// A subscription without both parameters is a cancellation (13.14.1.3).
fn subscription(confirmed: Option<u32>, lifetime: Option<u32>) -> &'static str {
    match (confirmed, lifetime) {
        (None, None) => "cancel",
        (Some(0) | None, _) => "unconfirmed",
        (Some(_), _) => "confirmed",
    }
}

/// SubscribeCOVPropertyMultiple (13.16.1): `[0] process, [1] confirmed, [2] lifetime, [3] maximum delay,
/// [4] { ([0] object, [1] { ([0] { [0] property, [1] index }, [1] increment, [2] timestamped)* })* }`.
pub fn subscribe_cov_multiple(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let process = r.unsigned(0, "subscriber process identifier")?;
    let confirmed = r.optional_unsigned(1, "issue confirmed notifications")?;
    let lifetime = r.optional_unsigned(2, "lifetime")?;
    r.skip(3, "maximum notification delay")?;
    let text = draft.message.push_text(subscription(confirmed, lifetime));
    let values = draft.message.push_values([process].into_iter().chain(lifetime).map(f64::from));
    r.open(4, "list of COV subscription specifications")?;
    while !r.closes(4) {
        let id = r.object(0, "monitored object identifier")?;
        r.open(1, "list of COV references")?;
        while !r.closes(1) {
            let offset = r.offset();
            r.open(0, "monitored property")?;
            let identifier = r.unsigned(0, "property identifier")?;
            let index = r.optional_unsigned(1, "property array index")?;
            r.close(0, "monitored property")?;
            r.skip(1, "COV increment")?;
            r.skip(2, "timestamped")?;
            let (values, text) = (values.clone(), text.clone());
            draft.object(Object { values, text, ..property(id, identifier, index) }, offset)?;
        }
        r.close(1, "list of COV references")?;
    }
    r.close(4, "list of COV subscription specifications")
}

/// COV notification (13.6.1, 13.7.1): `[0] process, [1] device, [2] object, [3] time remaining, [4] { values }`.
pub fn cov_notification(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    r.unsigned(0, "subscriber process identifier")?;
    let device = r.object(1, "initiating device identifier")?;
    instance_claim(device, draft);
    let id = r.object(2, "monitored object identifier")?;
    r.unsigned(3, "time remaining")?;
    r.open(4, "list of values")?;
    property_values(id, 4, r, draft)
}

/// COV notification of several objects (13.17.1, 13.18.1): `[0] process, [1] device, [2] time remaining,
/// [3] { timestamp }, [4] { ([0] object, [1] { values })* }`.
pub fn cov_notification_multiple(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    r.unsigned(0, "subscriber process identifier")?;
    let device = r.object(1, "initiating device identifier")?;
    instance_claim(device, draft);
    r.unsigned(2, "time remaining")?;
    r.skip_constructed(3, "timestamp")?;
    r.open(4, "list of COV notifications")?;
    while !r.closes(4) {
        let id = r.object(0, "monitored object identifier")?;
        r.open(1, "list of values")?;
        property_values(id, 1, r, draft)?;
    }
    r.close(4, "list of COV notifications")
}

/// Event notification (13.8.1, 13.9.1): `[0] process, [1] device, [2] object, [3] { timestamp }, [4] class,
/// [5] priority, [6] event type, [7] message, [8] notify type, [9] ack required, [10] from, [11] to, [12] { values }`.
///
/// The object's numbers are notification class and priority (0 to 255, another than that of a write); its words say
/// what happened.
pub fn event_notification(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    r.unsigned(0, "process identifier")?;
    let device = r.object(1, "initiating device identifier")?;
    instance_claim(device, draft);
    let offset = r.offset();
    let id = r.object(2, "event object identifier")?;
    draft.object(object(id), offset)?;
    let at = draft.message.objects.len() - 1;
    r.skip_constructed(3, "timestamp")?;
    let class = r.unsigned(4, "notification class")?;
    let priority = r.unsigned(5, "priority")?;
    draft.message.objects[at].values = draft.message.push_values([class, priority].map(f64::from));

    let event_type = r.unsigned(6, "event type")?;
    let text = if r.has(7) { r.context(7, "message text")? } else { &[] };
    let notify_type = r.unsigned(8, "notify type")?;
    r.skip(9, "ack required")?;
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
    r.skip_constructed(12, "event values")
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
    r.skip_constructed(3, "timestamp")?;
    let source = Value::CharacterString(r.context(4, "acknowledgement source")?);
    draft.message.objects[at].text = text_of(&source, draft);
    r.skip_constructed(5, "time of acknowledgement")
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
        r.context(2, "acknowledged transitions")?;
        r.skip_constructed(3, "event timestamps")?;
        r.context(4, "notify type")?;
        r.context(5, "event enable")?;
        r.skip_constructed(6, "event priorities")?;
    }
    r.close(0, "list of event summaries")?;
    r.skip(1, "more events")
}

/// LifeSafetyOperation (13.13.1): `[0] process, [1] source, [2] operation, [3] object`.
pub fn life_safety_operation(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    r.unsigned(0, "requesting process identifier")?;
    r.context(1, "requesting source")?;
    let offset = r.offset();
    let operation = r.unsigned(2, "request")?;
    let mut words = String::new();
    push_code(tables::bacnet::LIFE_SAFETY_OPERATIONS, operation, &mut words);
    let text = draft.message.push_text(&words);
    let values = draft.message.push_values([f64::from(operation)]);
    // Without an object all life safety objects of the device are meant.
    let all = Object { kind: "life-safety-object", ..Object::default() };
    let about = if r.has(3) { object(r.object(3, "object identifier")?) } else { all };
    draft.object(Object { values, text, ..about }, offset)
}
