//! The services' parameters (clauses 13 to 17; productions of clause 21) as objects, values and claims.

use std::fmt::Write as _;
use std::ops::Range;

use super::draft::Draft;
use super::tag::{Element, Malformed, ObjectId, Reader, Value};
use crate::model::{Attribute, Object, OddityCode};
use crate::tables;

/// Octets of text kept of one property.
const MAX_TEXT: usize = 1024;

/// Numbers kept of one property.
const MAX_VALUES: usize = 256;

/// Which parameters the data has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Those of the request.
    Request,
    /// Those of the acknowledgement.
    Ack,
}

type Decoded = Result<(), Malformed>;

/// Decodes the data of a service, by its name in the tables. A service that is not listed keeps its header alone.
pub fn decode(name: &str, role: Role, data: &[u8], draft: &mut Draft) -> Decoded {
    let mut reader = Reader::new(data);
    let r = &mut reader;
    match (name, role) {
        ("read_property", Role::Request) => property_reference(r, draft).map(drop)?,
        ("read_property", Role::Ack) => read_property_ack(r, draft)?,
        ("read_property_multiple", Role::Request) => read_property_multiple(r, draft)?,
        ("read_property_multiple", Role::Ack) => read_property_multiple_ack(r, draft)?,
        ("read_range", Role::Request) => read_range(r, draft)?,
        ("read_range", Role::Ack) => read_range_ack(r, draft)?,
        ("write_property", Role::Request) => write_property(r, draft)?,
        ("write_property_multiple", Role::Request) => write_property_multiple(r, draft)?,
        ("add_list_element" | "remove_list_element", Role::Request) => list_element(r, draft)?,
        ("create_object", Role::Request) => create_object(r, draft)?,
        ("create_object", Role::Ack) | ("delete_object", Role::Request) => {
            let id = r.application_object("object identifier")?;
            draft.object(object(id), r.offset())?;
        }
        ("subscribe_cov" | "subscribe_cov_property", Role::Request) => subscribe_cov(r, draft)?,
        ("subscribe_cov_property_multiple", Role::Request) => subscribe_cov_multiple(r, draft)?,
        ("confirmed_cov_notification" | "unconfirmed_cov_notification", Role::Request) => cov_notification(r, draft)?,
        ("confirmed_cov_notification_multiple" | "unconfirmed_cov_notification_multiple", Role::Request) => {
            cov_notification_multiple(r, draft)?;
        }
        ("confirmed_event_notification" | "unconfirmed_event_notification", Role::Request) => {
            event_notification(r, draft)?;
        }
        ("acknowledge_alarm", Role::Request) => acknowledge_alarm(r, draft)?,
        ("get_alarm_summary", Role::Ack) => alarm_summary(r, draft)?,
        ("get_event_information", Role::Request) => {
            if r.has(0) {
                let id = r.object(0, "last received object identifier")?;
                draft.object(object(id), r.offset())?;
            }
        }
        ("get_event_information", Role::Ack) => event_information(r, draft)?,
        ("life_safety_operation", Role::Request) => life_safety_operation(r, draft)?,
        ("atomic_read_file" | "atomic_write_file", Role::Request) => file_access(r, draft)?,
        ("atomic_read_file", Role::Ack) => read_file_ack(r, draft)?,
        ("atomic_write_file", Role::Ack) => write_file_ack(r, draft)?,
        ("device_communication_control", Role::Request) => communication_control(r, draft)?,
        ("reinitialize_device", Role::Request) => reinitialize_device(r, draft)?,
        ("confirmed_private_transfer", _) | ("unconfirmed_private_transfer", Role::Request) => {
            private_transfer(r, draft)?;
        }
        ("confirmed_text_message" | "unconfirmed_text_message", Role::Request) => text_message(r, draft)?,
        ("time_synchronization" | "utc_time_synchronization", Role::Request) => time_synchronization(r, draft)?,
        ("who_is", Role::Request) => device_range(r, draft)?,
        ("i_am", Role::Request) => i_am(r, draft)?,
        ("who_has", Role::Request) => who_has(r, draft)?,
        ("i_have", Role::Request) => i_have(r, draft)?,
        ("who_am_i", Role::Request) => who_am_i(r, draft)?,
        ("write_group", Role::Request) => write_group(r, draft)?,
        // Virtual terminals, authentication (secrets), audit and unknown services.
        _ => return Ok(()),
    }
    no_more(&reader)
}

/// Nothing may follow the last parameter.
pub fn no_more(reader: &Reader<'_>) -> Decoded {
    if reader.is_empty() {
        return Ok(());
    }
    // A parameter that ends within its tag is cut rather than one too many.
    reader.clone().tag("parameter")?;
    let expected = format!("the end of the parameters, found {} octets more", reader.left());
    Err(Malformed::new(OddityCode::TrailingOctets, reader.offset(), expected))
}

/// What follows the error type of a service's own error: the element that failed, where it is a property.
pub fn failed_element(name: &str, r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    if name != "write_property_multiple" {
        return Ok(());
    }
    r.open(1, "first failed write attempt")?;
    let index = property_reference(r, draft)?;
    draft.message.objects[index].status = draft.message.status;
    r.close(1, "first failed write attempt")
}

// Objects and properties

/// An object of the table's kind, or of the kind `object` with its number.
fn object(id: ObjectId) -> Object {
    let (kind, type_number) = match id.type_name() {
        "" => ("object", Some(u32::from(id.object_type))),
        name => (name, None),
    };
    Object { kind, type_number, start: Some(id.instance), count: 1, ..Object::default() }
}

fn property(id: ObjectId, property: u32, index: Option<u32>) -> Object {
    let property_name = tables::name(tables::bacnet::PROPERTIES, property);
    Object { property: Some(property), property_name, index, ..object(id) }
}

/// `[0] object, [1] property, [2] array index OPTIONAL`: pushed as one object, whose index is returned.
fn property_reference(r: &mut Reader<'_>, draft: &mut Draft) -> Result<usize, Malformed> {
    let offset = r.offset();
    let id = r.object(0, "object identifier")?;
    draft.object(object(id), offset)?;
    let at = draft.message.objects.len() - 1;
    let identifier = r.unsigned(1, "property identifier")?;
    draft.message.objects[at] = property(id, identifier, None);
    draft.message.objects[at].index = r.optional_unsigned(2, "property array index")?;
    Ok(at)
}

/// Numbers and words of a property's value, up to the closing tag `number`, whose opening tag was read.
///
/// What was read before something malformed is kept, so the ranges come with the result.
fn value_until_closed(
    r: &mut Reader<'_>,
    number: u8,
    draft: &mut Draft,
) -> (Range<u32>, Range<u32>, Result<(), Malformed>) {
    let message = &mut draft.message;
    let (first_value, first_text) = (message.values.len(), message.text.len());
    let mut is_constructed = false;
    let result = r.until_closed(number, "property value", |element| match element {
        Element::Value(value) => {
            if let Some(value) = value.number() {
                if message.values.len() - first_value < MAX_VALUES {
                    message.values.push(value);
                }
            } else if message.text.len() - first_text < MAX_TEXT {
                let before = message.text.len();
                if before > first_text {
                    message.text.push_str(", ");
                }
                value.write_text(&mut message.text);
            }
        }
        Element::Untyped if is_constructed => {}
        Element::Untyped => {
            is_constructed = true;
            if message.text.len() > first_text {
                message.text.push_str(", ");
            }
            message.text.push_str("(constructed)");
        }
    });
    (first_value as u32..message.values.len() as u32, first_text as u32..message.text.len() as u32, result)
}

/// Reads a value with the tag `number` into the object at `at`.
fn value_into(r: &mut Reader<'_>, number: u8, at: usize, draft: &mut Draft) -> Decoded {
    r.open(number, "property value")?;
    let (values, text, result) = value_until_closed(r, number, draft);
    let object = &mut draft.message.objects[at];
    (object.values, object.text) = (values, text);
    result
}

fn priority_into(r: &mut Reader<'_>, number: u8, at: usize, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let Some(priority) = r.optional_unsigned(number, "priority")? else { return Ok(()) };
    draft.message.objects[at].priority = Some(u8::try_from(priority).unwrap_or(u8::MAX));
    if !(1..=16).contains(&priority) {
        let expected = format!("priority 1 to 16, found {priority}");
        draft.malformed("apdu", 0, Malformed::new(OddityCode::InvalidValue, offset, expected));
    }
    Ok(())
}

/// Words as the text of an object.
fn text_of(value: &Value<'_>, draft: &mut Draft) -> Range<u32> {
    let start = draft.message.text.len() as u32;
    value.write_text(&mut draft.message.text);
    start..draft.message.text.len() as u32
}

/// What a device says of itself with a property of its device object.
fn device_claim(at: usize, draft: &mut Draft) {
    let object = &draft.message.objects[at];
    if object.kind != "device" || object.status.is_some() {
        return;
    }
    let attribute = match object.property_name {
        "object-identifier" => Attribute::Instance,
        "object-name" => Attribute::Name,
        "vendor-name" => Attribute::Vendor,
        "vendor-identifier" => Attribute::VendorId,
        "model-name" => Attribute::Model,
        "firmware-revision" => Attribute::Firmware,
        "application-software-version" => Attribute::Application,
        "location" => Attribute::Location,
        "description" => Attribute::Description,
        "serial-number" => Attribute::Serial,
        "protocol-revision" => Attribute::ProtocolRevision,
        "system-status" => Attribute::State,
        _ => return,
    };
    let text = draft.message.text_of(object).to_string();
    let number = draft.message.values_of(object).first().copied();
    match (attribute, number) {
        (Attribute::State, Some(number)) => {
            draft.claim(attribute, tables::name(tables::bacnet::DEVICE_STATUSES, number as u32));
        }
        // A device asked for the device object 4194303 answers with its own identifier.
        (Attribute::Instance, _) => draft.claim(attribute, text.strip_prefix("device ").unwrap_or("")),
        (_, Some(number)) => draft.claim(attribute, &number.to_string()),
        (_, None) => draft.claim(attribute, &text),
    }
}

/// The device object that a device has is its own (12.11).
fn instance_claim(id: ObjectId, draft: &mut Draft) {
    if id.is_device() && id.instance != ObjectId::UNSPECIFIED {
        draft.claim(Attribute::Instance, &id.instance.to_string());
    }
}

fn vendor_claims(vendor: u32, draft: &mut Draft) {
    draft.claim(Attribute::VendorId, &vendor.to_string());
    draft.claim(Attribute::Vendor, tables::name(tables::bacnet::VENDORS, vendor));
}

// Object access services (clause 15)

/// ReadProperty-ACK (15.5.1.2).
fn read_property_ack(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let id = r.clone().object(0, "object identifier")?;
    let at = property_reference(r, draft)?;
    let result = value_into(r, 3, at, draft);
    instance_claim(id, draft);
    result?;
    device_claim(at, draft);
    Ok(())
}

/// ReadPropertyMultiple (15.7.1.1): `([0] object, [1] { ([0] property, [1] index)* })*`.
fn read_property_multiple(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
fn read_property_multiple_ack(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
fn read_range(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let at = property_reference(r, draft)?;
    match [3, 6, 7].into_iter().find(|number| r.opens(*number)) {
        Some(number) => value_into(r, number, at, draft),
        None => Ok(()),
    }
}

/// ReadRange-ACK (15.8.1.2): the property, `[3] flags, [4] item count, [5] { items }, [6] first sequence number`.
fn read_range_ack(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
fn write_property(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let at = property_reference(r, draft)?;
    value_into(r, 3, at, draft)?;
    priority_into(r, 4, at, draft)
}

/// WritePropertyMultiple (15.10.1.1): `([0] object, [1] { property values })*`.
fn write_property_multiple(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    while !r.is_empty() {
        let id = r.object(0, "object identifier")?;
        r.open(1, "list of properties")?;
        property_values(id, 1, r, draft)?;
    }
    Ok(())
}

/// BACnetPropertyValue, many: `([0] property, [1] index, [2] { value }, [3] priority)*`, and the closing tag.
///
/// In the notifications of several objects [3] is the time of the change instead.
fn property_values(id: ObjectId, closing: u8, r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    while !r.closes(closing) {
        let offset = r.offset();
        let identifier = r.unsigned(0, "property identifier")?;
        let index = r.optional_unsigned(1, "property array index")?;
        draft.object(property(id, identifier, index), offset)?;
        let at = draft.message.objects.len() - 1;
        value_into(r, 2, at, draft)?;
        if draft.message.name.ends_with("cov_notification_multiple") {
            r.skip(3, "time of change")?;
        } else {
            priority_into(r, 3, at, draft)?;
        }
    }
    r.close(closing, "list of values")
}

/// AddListElement, RemoveListElement (15.1.1.1, 15.2.1.1): the property, `[3] { elements }`.
fn list_element(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let at = property_reference(r, draft)?;
    value_into(r, 3, at, draft)
}

/// CreateObject (15.3.1.1): `[0] { [0] type | [1] object }, [1] { initial values }`.
fn create_object(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
fn write_group(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let group = r.unsigned(0, "group number")?;
    draft.object(Object { kind: "control-group", start: Some(group), count: 1, ..Object::default() }, offset)?;
    let at = draft.message.objects.len() - 1;
    priority_into(r, 1, at, draft)?;
    value_into(r, 2, at, draft)?;
    r.skip(3, "inhibit delay")
}

// Alarm and event services (clause 13)

/// SubscribeCOV and SubscribeCOVProperty (13.14.1, 13.15.1):
/// `[0] process, [1] object, [2] confirmed, [3] lifetime, [4] { [0] property, [1] index }, [5] increment`.
fn subscribe_cov(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
fn subscribe_cov_multiple(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
fn cov_notification(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
fn cov_notification_multiple(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
fn event_notification(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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

/// Name of a code, or its number.
fn push_code(table: &'static [tables::Code], code: u32, text: &mut String) {
    match tables::name(table, code) {
        "" => drop(write!(text, "{code}")),
        name => text.push_str(name),
    }
}

/// AcknowledgeAlarm (13.5.1): `[0] process, [1] object, [2] state, [3] { timestamp }, [4] source, [5] { time }`.
fn acknowledge_alarm(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
fn alarm_summary(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
fn event_information(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
fn life_safety_operation(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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

// File access services (clause 14)

/// AtomicReadFile, AtomicWriteFile (14.1.1, 14.2.1): `file, [0] { stream access } | [1] { record access }`.
///
/// The numbers are the start and the count of octets or records; the data itself is not kept.
fn file_access(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let id = r.application_object("file identifier")?;
    draft.object(object(id), offset)?;
    let at = draft.message.objects.len() - 1;
    access_method(r, at, draft)
}

/// AtomicReadFile-ACK (14.1.1.2): `end of file, [0] { stream access } | [1] { record access }`.
fn read_file_ack(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    r.value("end of file")?;
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
fn write_file_ack(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let (number, words) = if r.has(1) { (1, "record") } else { (0, "stream") };
    let octets = r.context(number, "start")?;
    // Signed; a start of -1 (append) is answered with where it was (14.2.2).
    let start = octets.iter().take(4).fold(0u32, |value, octet| value << 8 | u32::from(*octet));
    let (values, text) = (draft.message.push_values([f64::from(start)]), draft.message.push_text(words));
    draft.object(Object { kind: "file", count: 1, values, text, ..Object::default() }, offset)
}

// Remote device management services (clause 16)

/// The device that a message is sent to, which has no object identifier on the wire.
fn receiver(text: Range<u32>, values: Range<u32>) -> Object {
    Object { kind: "device", count: 1, text, values, ..Object::default() }
}

/// DeviceCommunicationControl (16.1.1): `[0] minutes, [1] enable or disable, [2] password`. The password is not kept.
fn communication_control(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let minutes = r.optional_unsigned(0, "time duration")?;
    let offset = r.offset();
    let state = r.unsigned(1, "enable-disable")?;
    let mut words = String::new();
    push_code(tables::bacnet::COMMUNICATION_STATES, state, &mut words);
    let text = draft.message.push_text(&words);
    let values = draft.message.push_values(minutes.map(f64::from));
    draft.object(receiver(text, values), offset)?;
    r.skip(2, "password")
}

/// ReinitializeDevice (16.4.1): `[0] state, [1] password`. The password is not kept.
fn reinitialize_device(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let state = r.unsigned(0, "reinitialized state of device")?;
    let mut words = String::new();
    push_code(tables::bacnet::REINITIALIZED_STATES, state, &mut words);
    let text = draft.message.push_text(&words);
    draft.object(receiver(text, 0..0), offset)?;
    r.skip(1, "password")
}

/// Private transfer (16.2.1, 16.3.1): `[0] vendor, [1] service, [2] { parameters or result }`.
fn private_transfer(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let vendor = r.unsigned(0, "vendor id")?;
    let service = r.unsigned(1, "service number")?;
    let text = draft.message.push_text(tables::name(tables::bacnet::VENDORS, vendor));
    let type_number = Some(vendor);
    draft.object(
        Object { kind: "vendor-service", type_number, start: Some(service), count: 1, text, ..Object::default() },
        offset,
    )?;
    // Proprietary: the production asks for tagged data, and vendors send what they like.
    r.skip_all();
    Ok(())
}

/// Text message (16.5.1, 16.6.1): `[0] source device, [1] { class }, [2] priority, [3] message`.
fn text_message(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let device = r.object(0, "text message source device")?;
    draft.object(object(device), offset)?;
    let at = draft.message.objects.len() - 1;
    r.skip_constructed(1, "message class")?;
    r.unsigned(2, "message priority")?;
    let words = Value::CharacterString(r.context(3, "message")?);
    draft.message.objects[at].text = text_of(&words, draft);
    Ok(())
}

/// TimeSynchronization, UTCTimeSynchronization (16.7.1, 16.8.1): `date, time`.
fn time_synchronization(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let date = r.value("date")?;
    let time = r.value("time")?;
    let start = draft.message.text.len() as u32;
    date.write_text(&mut draft.message.text);
    draft.message.text.push(' ');
    time.write_text(&mut draft.message.text);
    let text = start..draft.message.text.len() as u32;
    draft.object(receiver(text, 0..0), offset)
}

/// `[0] low limit, [1] high limit`, both or none, of device instances (16.9.1, 16.10.1).
fn device_range(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let Some(low) = r.optional_unsigned(0, "device instance range low limit")? else { return Ok(()) };
    let high = r.unsigned(1, "device instance range high limit")?;
    let count = high.saturating_sub(low).saturating_add(1);
    draft.object(Object { kind: "device", start: Some(low), count, ..Object::default() }, offset)?;
    if high < low || high > ObjectId::UNSPECIFIED {
        let expected = format!("limits within 0 to {} in order, found {low} and {high}", ObjectId::UNSPECIFIED);
        return Err(Malformed::new(OddityCode::InvalidValue, offset, expected));
    }
    Ok(())
}

/// I-Am (16.10.3): `device, max APDU length accepted, segmentation supported, vendor id`, as properties of the device.
fn i_am(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let id = r.application_object("I-Am device identifier")?;
    draft.object(object(id), offset)?;
    instance_claim(id, draft);
    for name in ["max-apdu-length-accepted", "segmentation-supported", "vendor-identifier"] {
        let offset = r.offset();
        let number = r.application_number(name)?;
        let code = tables::bacnet::PROPERTIES.iter().find(|code| code.name == name).map_or(0, |code| code.code);
        let values = draft.message.push_values([f64::from(number)]);
        draft.object(Object { values, ..property(id, code, None) }, offset)?;
        if name == "vendor-identifier" {
            vendor_claims(number, draft);
        }
    }
    Ok(())
}

/// Who-Has (16.9.1): `limits, [2] object | [3] object name`.
fn who_has(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    device_range(r, draft)?;
    let offset = r.offset();
    if r.has(2) {
        let id = r.object(2, "object identifier")?;
        return draft.object(object(id), offset);
    }
    let name = Value::CharacterString(r.context(3, "object name")?);
    let text = text_of(&name, draft);
    draft.object(Object { kind: "object", count: 1, text, ..Object::default() }, offset)
}

/// I-Have (16.9.3): `device, object, object name`.
fn i_have(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let device = r.application_object("device identifier")?;
    draft.object(object(device), offset)?;
    instance_claim(device, draft);
    let offset = r.offset();
    let id = r.application_object("object identifier")?;
    draft.object(object(id), offset)?;
    let at = draft.message.objects.len() - 1;
    let name = r.value("object name")?;
    draft.message.objects[at].text = text_of(&name, draft);
    Ok(())
}

/// Who-Am-I (16.11.1): `vendor id, model name, serial number`, of a device that has no instance yet.
fn who_am_i(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let vendor = r.application_number("vendor id")?;
    vendor_claims(vendor, draft);
    for (field, attribute) in [("model name", Attribute::Model), ("serial number", Attribute::Serial)] {
        let mut words = String::new();
        r.value(field)?.write_text(&mut words);
        draft.claim(attribute, &words);
    }
    Ok(())
}
