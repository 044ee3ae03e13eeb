//! Remote device management services (clause 16).

use std::ops::Range;

use super::{Decoded, instance_claim, named, object, property, text_of, vendor_claims};
use crate::model::{Attribute, Object, OddityCode};
use crate::protocols::bacnet::draft::Draft;
use crate::protocols::bacnet::tag::{Malformed, Reader};
use crate::protocols::bacnet::value::{ObjectId, Type, Value};
use crate::tables;

/// The device that a message is sent to, which has no object identifier on the wire.
fn receiver(text: Range<u32>, values: Range<u32>) -> Object {
    Object { kind: "device", count: 1, text, values, ..Object::default() }
}

/// DeviceCommunicationControl (16.1.1): `[0] minutes, [1] enable or disable, [2] password`.
pub fn communication_control(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let minutes = r.optional_unsigned(0, "time duration")?;
    let offset = r.offset();
    let state = r.unsigned(1, "enable-disable")?;
    let text = named(tables::bacnet::COMMUNICATION_STATES, state, draft);
    let values = draft.message.push_values(minutes.map(f64::from));
    draft.object(receiver(text, values), offset)?;
    password(r, 2, draft)
}

/// ReinitializeDevice (16.4.1): `[0] state, [1] password`.
pub fn reinitialize_device(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let state = r.unsigned(0, "reinitialized state of device")?;
    let code = tables::find(tables::bacnet::REINITIALIZED_STATES, state);
    if let Some(operation) = code.and_then(|code| code.operation) {
        draft.message.operation = operation;
    }
    let text = named(tables::bacnet::REINITIALIZED_STATES, state, draft);
    draft.object(receiver(text, 0..0), offset)?;
    password(r, 1, draft)
}

/// A password is never kept: words of the message, of no object, tell that there was one.
fn password(r: &mut Reader<'_>, number: u8, draft: &mut Draft) -> Decoded {
    if r.has(number) {
        draft.message.push_text(", password given");
    }
    r.skip(number, "password")
}

/// Private transfer (16.2.1, 16.3.1): `[0] vendor, [1] service, [2] { parameters or result }`.
pub fn private_transfer(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    vendor_service(0, r, draft)?;
    // Proprietary: the production asks for tagged data, and vendors send what they like.
    r.skip_all();
    Ok(())
}

/// The service of a vendor: the vendor with this tag, the service's number with the next.
pub fn vendor_service(number: u8, r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let vendor = r.unsigned(number, "vendor id")?;
    let start = Some(r.unsigned(number + 1, "service number")?);
    let text = draft.message.push_text(tables::name(tables::bacnet::VENDORS, vendor));
    let kind = "vendor-service";
    draft.object(Object { kind, type_number: Some(vendor), start, count: 1, text, ..Object::default() }, offset)
}

/// Text message (16.5.1, 16.6.1): `[0] source device, [1] { class }, [2] priority, [3] message`.
pub fn text_message(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
pub fn time_synchronization(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let date = r.application(Type::Date, "date")?;
    let time = r.application(Type::Time, "time")?;
    let start = draft.message.text.len() as u32;
    date.write_text(&mut draft.message.text);
    draft.message.text.push(' ');
    time.write_text(&mut draft.message.text);
    let text = start..draft.message.text.len() as u32;
    draft.object(receiver(text, 0..0), offset)
}

/// `[0] low limit, [1] high limit`, both or none, of device instances (16.9.1, 16.10.1).
pub fn device_range(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
pub fn i_am(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
pub fn who_has(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
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
pub fn i_have(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let device = r.application_object("device identifier")?;
    draft.object(object(device), offset)?;
    instance_claim(device, draft);
    let offset = r.offset();
    let id = r.application_object("object identifier")?;
    draft.object(object(id), offset)?;
    let at = draft.message.objects.len() - 1;
    let name = r.application(Type::CharacterString, "object name")?;
    draft.message.objects[at].text = text_of(&name, draft);
    // A device found by the name of its own device object.
    if id == device {
        let name = draft.message.text_of(&draft.message.objects[at]).to_string();
        draft.claim(Attribute::Name, &name);
    }
    Ok(())
}

/// Who-Am-I (16.11.1): `vendor id, model name, serial number`, of a device that has no instance yet.
pub fn who_am_i(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let vendor = r.application_number("vendor id")?;
    vendor_claims(vendor, draft);
    for (field, attribute) in [("model name", Attribute::Model), ("serial number", Attribute::Serial)] {
        let mut words = String::new();
        r.value(field)?.write_text(&mut words);
        draft.claim(attribute, &words);
    }
    Ok(())
}

/// You-Are (16.11.3): `vendor id, model name, serial number, device identifier, MAC address`: what a device that asked
/// Who-Am-I shall be. It is about another device than the sender, whose address it does not have.
pub fn you_are(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let vendor = r.application_number("vendor id")?;
    let start = draft.message.text.len() as u32;
    r.application(Type::CharacterString, "model name")?.write_text(&mut draft.message.text);
    draft.message.text.push_str(", serial number ");
    r.application(Type::CharacterString, "serial number")?.write_text(&mut draft.message.text);
    let text = start..draft.message.text.len() as u32;
    let values = draft.message.push_values([f64::from(vendor)]);
    let about = match r.has_application(Type::ObjectIdentifier) {
        true => object(r.application_object("device identifier")?),
        false => Object { kind: "device", count: 1, ..Object::default() },
    };
    draft.object(Object { values, text, ..about }, offset)?;
    if r.has_application(Type::OctetString) {
        r.value("device MAC address")?;
    }
    Ok(())
}
