//! The services' parameters (clauses 13 to 17; productions of clause 21) as objects, values and claims.

mod access;
mod alarm;
mod audit;
mod cov;
mod failure;
mod file;
mod management;
mod terminal;

pub use failure::failed_element;
use management::vendor_service;

use std::ops::Range;

use super::draft::Draft;
use super::production::{self, Production, Writer, push_code};
use super::tag::{Malformed, Reader};
use super::value::{ObjectId, Type, Value};
use crate::model::{Attribute, Object, OddityCode};
use crate::tables;

/// Text of a value that is a secret: it is never kept, and neither is its length.
const SECRET: &str = "(secret)";

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
        ("read_property", Role::Ack) => access::read_property_ack(r, draft)?,
        ("read_property_multiple", Role::Request) => access::read_property_multiple(r, draft)?,
        ("read_property_multiple", Role::Ack) => access::read_property_multiple_ack(r, draft)?,
        ("read_range", Role::Request) => access::read_range(r, draft)?,
        ("read_range", Role::Ack) => access::read_range_ack(r, draft)?,
        ("write_property", Role::Request) => access::write_property(r, draft)?,
        ("write_property_multiple", Role::Request) => access::write_property_multiple(r, draft)?,
        ("add_list_element" | "remove_list_element", Role::Request) => access::list_element(r, draft)?,
        ("create_object", Role::Request) => access::create_object(r, draft)?,
        ("create_object", Role::Ack) | ("delete_object", Role::Request) => {
            let id = r.application_object("object identifier")?;
            draft.object(object(id), r.offset())?;
        }
        ("subscribe_cov" | "subscribe_cov_property", Role::Request) => cov::subscribe(r, draft)?,
        ("subscribe_cov_property_multiple", Role::Request) => cov::subscribe_multiple(r, draft)?,
        ("confirmed_cov_notification" | "unconfirmed_cov_notification", Role::Request) => {
            cov::notification(r, draft)?;
        }
        ("confirmed_cov_notification_multiple" | "unconfirmed_cov_notification_multiple", Role::Request) => {
            cov::notification_multiple(r, draft)?;
        }
        ("confirmed_event_notification" | "unconfirmed_event_notification", Role::Request) => {
            alarm::event_notification(r, draft)?;
        }
        ("acknowledge_alarm", Role::Request) => alarm::acknowledge_alarm(r, draft)?,
        ("get_alarm_summary", Role::Ack) => alarm::alarm_summary(r, draft)?,
        ("get_enrollment_summary", Role::Request) => alarm::get_enrollment_summary(r, draft)?,
        ("get_enrollment_summary", Role::Ack) => alarm::enrollment_summary(r, draft)?,
        ("get_event_information", Role::Request) => {
            if r.has(0) {
                let id = r.object(0, "last received object identifier")?;
                draft.object(object(id), r.offset())?;
            }
        }
        ("get_event_information", Role::Ack) => alarm::event_information(r, draft)?,
        ("life_safety_operation", Role::Request) => alarm::life_safety_operation(r, draft)?,
        ("atomic_read_file" | "atomic_write_file", Role::Request) => file::file_access(r, draft)?,
        ("atomic_read_file", Role::Ack) => file::read_file_ack(r, draft)?,
        ("atomic_write_file", Role::Ack) => file::write_file_ack(r, draft)?,
        ("device_communication_control", Role::Request) => management::communication_control(r, draft)?,
        ("reinitialize_device", Role::Request) => management::reinitialize_device(r, draft)?,
        ("confirmed_private_transfer", _) | ("unconfirmed_private_transfer", Role::Request) => {
            management::private_transfer(r, draft)?;
        }
        ("confirmed_text_message" | "unconfirmed_text_message", Role::Request) => management::text_message(r, draft)?,
        ("time_synchronization" | "utc_time_synchronization", Role::Request) => {
            management::time_synchronization(r, draft)?
        }
        ("who_is", Role::Request) => management::device_range(r, draft)?,
        ("i_am", Role::Request) => management::i_am(r, draft)?,
        ("who_has", Role::Request) => management::who_has(r, draft)?,
        ("i_have", Role::Request) => management::i_have(r, draft)?,
        ("who_am_i", Role::Request) => management::who_am_i(r, draft)?,
        ("you_are", Role::Request) => management::you_are(r, draft)?,
        ("write_group", Role::Request) => access::write_group(r, draft)?,
        ("vt_open", role) => terminal::open(role, r, draft)?,
        ("vt_close", Role::Request) => terminal::close(r, draft)?,
        ("vt_data", Role::Request) => terminal::data(r, draft)?,
        ("vt_data", Role::Ack) => terminal::data_ack(r)?,
        ("confirmed_audit_notification" | "unconfirmed_audit_notification", Role::Request) => {
            audit::notification(r, draft)?;
        }
        ("audit_log_query", Role::Request) => audit::log_query(r, draft)?,
        ("audit_log_query", Role::Ack) => audit::log_query_ack(r, draft)?,
        // Without parameters. None may follow: see below.
        ("get_alarm_summary", Role::Request) => {}
        // Authentication (secrets), services that the standard dropped, and unknown ones.
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

/// Reads a value with the tag `number` into the object at `at`.
///
/// What was read before something malformed is kept.
fn value_into(r: &mut Reader<'_>, number: u8, at: usize, draft: &mut Draft) -> Decoded {
    r.open(number, "property value")?;
    let object = &draft.message.objects[at];
    let kind =
        object.property.and_then(|code| tables::find(tables::bacnet::PROPERTIES, code)).map_or("", |code| code.kind);
    // What a card reader has read (12.37) is what opens the door.
    let is_credential = object.kind == "credential-data-input" && object.property_name == "present-value";
    if kind == "secret" || is_credential {
        draft.message.objects[at].text = draft.message.push_text(SECRET);
        return r.until_closed(number, "property value", |_| {});
    }
    content_into(r, number, production::named(kind), at, draft)
}

/// Reads data of this production, up to the closing tag `number`, into the object at `at`.
fn content_into(
    r: &mut Reader<'_>,
    number: u8,
    production: &'static Production,
    at: usize,
    draft: &mut Draft,
) -> Decoded {
    let message = &mut *draft.message;
    let (first_value, first_text) = (message.values.len() as u32, message.text.len() as u32);
    let needs_words = r.needs_words();
    let mut writer = Writer::new(&mut message.values, &mut message.text, production, needs_words);
    let result = r.until_closed(number, "property value", |element| writer.push(element));
    let object = &mut message.objects[at];
    object.values = first_value..message.values.len() as u32;
    object.text = first_text..message.text.len() as u32;
    result
}

/// Passes a time stamp (clause 21, BACnetTimeStamp) with the tag `number`: `[0] time | [1] sequence | [2] { date, time }`.
fn time_stamp(r: &mut Reader<'_>, number: u8, field: &'static str) -> Decoded {
    r.open(number, field)?;
    time_stamp_choice(r, field)?;
    r.close(number, field)
}

fn time_stamp_choice(r: &mut Reader<'_>, field: &'static str) -> Decoded {
    if r.has(0) {
        return r.typed(0, Type::Time, field).map(drop);
    }
    if r.has(1) {
        return r.typed(1, Type::Unsigned, field).map(drop);
    }
    r.open(2, field)?;
    r.value(field)?;
    r.value(field)?;
    r.close(2, field)
}

fn priority_into(r: &mut Reader<'_>, number: u8, at: usize, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let Some(priority) = r.optional_unsigned(number, "priority")? else { return Ok(()) };
    draft.message.objects[at].priority = Some(u8::try_from(priority).unwrap_or(u8::MAX));
    if !(1..=16).contains(&priority) {
        let expected = format!("priority 1 to 16, found {priority}");
        draft.malformed("apdu", draft.base, Malformed::new(OddityCode::InvalidValue, offset, expected));
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

/// The name of a code, or its number, as the words of an object.
fn named(table: &'static [tables::Code], code: u32, draft: &mut Draft) -> Range<u32> {
    let start = draft.message.text.len() as u32;
    push_code(table, code, &mut draft.message.text);
    start..draft.message.text.len() as u32
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
            r.optional_typed(3, Type::Time, "time of change")?;
        } else {
            priority_into(r, 3, at, draft)?;
        }
    }
    r.close(closing, "list of values")
}
