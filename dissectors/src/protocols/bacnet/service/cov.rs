//! Change of value: subscriptions and notifications (13.6, 13.7, 13.14 to 13.18).

use super::{Decoded, instance_claim, object, property, property_values};
use crate::model::Object;
use crate::protocols::bacnet::draft::Draft;
use crate::protocols::bacnet::tag::Reader;
use crate::protocols::bacnet::value::Type;

/// SubscribeCOV and SubscribeCOVProperty (13.14.1, 13.15.1):
/// `[0] process, [1] object, [2] confirmed, [3] lifetime, [4] { [0] property, [1] index }, [5] increment`.
pub fn subscribe(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
        r.optional_typed(5, Type::Real, "COV increment")?;
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
pub fn subscribe_multiple(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let process = r.unsigned(0, "subscriber process identifier")?;
    let confirmed = r.optional_unsigned(1, "issue confirmed notifications")?;
    let lifetime = r.optional_unsigned(2, "lifetime")?;
    r.optional_unsigned(3, "maximum notification delay")?;
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
            r.optional_typed(1, Type::Real, "COV increment")?;
            r.optional_typed(2, Type::Boolean, "timestamped")?;
            let (values, text) = (values.clone(), text.clone());
            draft.object(Object { values, text, ..property(id, identifier, index) }, offset)?;
        }
        r.close(1, "list of COV references")?;
    }
    r.close(4, "list of COV subscription specifications")
}

/// COV notification (13.6.1, 13.7.1): `[0] process, [1] device, [2] object, [3] time remaining, [4] { values }`.
pub fn notification(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
pub fn notification_multiple(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    r.unsigned(0, "subscriber process identifier")?;
    let device = r.object(1, "initiating device identifier")?;
    instance_claim(device, draft);
    r.unsigned(2, "time remaining")?;
    if r.opens(3) {
        r.open(3, "timestamp")?;
        r.value("date")?;
        r.value("time")?;
        r.close(3, "timestamp")?;
    }
    r.open(4, "list of COV notifications")?;
    while !r.closes(4) {
        let id = r.object(0, "monitored object identifier")?;
        r.open(1, "list of values")?;
        property_values(id, 1, r, draft)?;
    }
    r.close(4, "list of COV notifications")
}
