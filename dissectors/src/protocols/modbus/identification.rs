//! What a device says of itself: Report Server ID (17) and the encapsulated interface transport (43).

use super::codes::*;
use super::pdu::Decoding;
use super::sides::Asked;
use crate::bytes::{Short, printable};
use crate::model::{Attribute, Claim, Object, OddityCode};
use crate::tables::{self, Code, modbus};

impl Decoding<'_, '_> {
    /// V1.1b3, 6.13: byte count, server id (whose length the device decides), run indicator, additional data.
    pub(super) fn server_id(&mut self, kind: &'static str) -> Result<(), Short> {
        let byte_count = usize::from(self.cursor.u8("byte count")?);
        let (octets, short) = self.available(byte_count, "server id");
        let is_indicator = |octet: &u8| matches!(octet, 0x00 | 0xFF);
        let (indicator, words) = match octets {
            [_, indicator, additional @ ..] if is_indicator(indicator) => (Some(*indicator), additional),
            [words @ .., indicator] if short.is_ok() && is_indicator(indicator) => (Some(*indicator), words),
            _ => (None, octets),
        };
        let words = longest_text(words);
        let text = self.message.push_text(&words);
        let values = self.message.push_values(indicator.map(|indicator| f64::from(u8::from(indicator != 0))));
        self.object(Object { kind, count: 1, values, text, ..Object::default() });
        if !words.is_empty() {
            self.claim(Attribute::Description, words);
        }
        if let Some(indicator) = indicator {
            self.claim(Attribute::State, if indicator == 0 { "run indicator off" } else { "run indicator on" }.into());
        }
        short
    }

    /// V1.1b3, 6.19 to 6.21: MEI type; of type 14 the read code and the first object id.
    pub(super) fn encapsulated_request(&mut self, kind: &'static str, asked: &mut Asked) -> Result<(), Short> {
        let mei_type = self.cursor.u8("MEI type")?;
        asked.sub_function = Some(mei_type.into());
        self.name_operation(ENCAPSULATED_INTERFACE, mei_type.into());
        if mei_type != READ_DEVICE_IDENTIFICATION {
            return self.encapsulated_other(mei_type);
        }
        let read_code = self.read_device_id_code()?;
        let object_id = self.cursor.u8("object id");
        let text = self.message.push_text(tables::name(modbus::READ_DEVICE_ID_CODES, read_code.into()));
        self.object(Object {
            kind,
            type_number: Some(mei_type.into()),
            variation: Some(read_code.into()),
            index: object_id.ok().map(u32::from),
            count: 1,
            text,
            ..Object::default()
        });
        object_id.map(drop)
    }

    /// V1.1b3, 6.21: read code, conformity level, more follows, next object id, then the objects.
    pub(super) fn encapsulated_response(&mut self, kind: &'static str) -> Result<(), Short> {
        let at = self.cursor.offset();
        let mei_type = self.cursor.u8("MEI type")?;
        self.name_operation(ENCAPSULATED_INTERFACE, mei_type.into());
        let asked = self.asked.as_ref().and_then(|asked| asked.sub_function);
        if let Some(asked) = asked.filter(|asked| *asked != u16::from(mei_type)) {
            self.odd(OddityCode::Mismatch, at, format!("MEI type {asked} of the request, found {mei_type}"));
        }
        if mei_type != READ_DEVICE_IDENTIFICATION {
            return self.encapsulated_other(mei_type);
        }
        let read_code = self.read_device_id_code()?;
        self.conformity(kind, read_code)?;
        for _ in 0..self.cursor.u8("number of objects")? {
            let object_id = self.cursor.u8("object id")?;
            let length = self.cursor.u8("object length")?;
            let (octets, short) = self.available(length.into(), "object value");
            let known = tables::find(modbus::DEVICE_IDENTIFICATION, object_id.into());
            let words = printable(octets);
            let text = self.message.push_text(&words);
            self.object(Object {
                kind,
                type_number: Some(mei_type.into()),
                variation: Some(read_code.into()),
                index: Some(object_id.into()),
                property_name: known.map_or("", |known| known.name),
                count: 1,
                text,
                ..Object::default()
            });
            // A cut value would be stated wrongly.
            if let Some(attribute) = known.and_then(attribute_of).filter(|_| short.is_ok() && !words.is_empty()) {
                self.claim(attribute, words);
            }
            short?;
        }
        Ok(())
    }

    fn read_device_id_code(&mut self) -> Result<u8, Short> {
        let at = self.cursor.offset();
        let code = self.cursor.u8("Read Device ID code")?;
        if tables::find(modbus::READ_DEVICE_ID_CODES, code.into()).is_none() {
            self.odd(OddityCode::InvalidValue, at, format!("a Read Device ID code of 1 to 4, found {code}"));
        }
        Ok(code)
    }

    /// Which objects the device has, and whether another request has to fetch the rest of them.
    fn conformity(&mut self, kind: &'static str, read_code: u8) -> Result<(), Short> {
        let at = self.cursor.offset();
        let level = self.cursor.u8("conformity level")?;
        let more_follows = self.cursor.u8("more follows")?;
        let next = self.cursor.u8("next object id")?;
        let known = tables::find(modbus::CONFORMITY_LEVELS, level.into());
        if known.is_none() {
            let text = format!("conformity level 1 to 3 or 129 to 131, found {level}");
            self.odd(OddityCode::InvalidValue, at, text);
        }
        if !matches!(more_follows, 0x00 | 0xFF) {
            self.odd(
                OddityCode::InvalidValue,
                at + 1,
                format!("more follows 0x00 or 0xff, found 0x{more_follows:02x}"),
            );
        }
        let object = Object {
            kind,
            type_number: Some(READ_DEVICE_IDENTIFICATION.into()),
            variation: Some(read_code.into()),
            count: 1,
            ..Object::default()
        };
        let values = self.message.push_values([level.into()]);
        let text = self.message.push_text(known.map_or("", |known| known.name));
        self.object(Object { property_name: "conformity_level", values, text, ..object.clone() });
        if more_follows == 0xFF {
            self.object(Object { property_name: "more_follows", index: Some(next.into()), ..object });
        }
        Ok(())
    }

    fn encapsulated_other(&mut self, mei_type: u8) -> Result<(), Short> {
        self.object(Object {
            kind: "encapsulated-interface",
            type_number: Some(mei_type.into()),
            count: 1,
            ..Object::default()
        });
        self.cursor.take(self.cursor.left(), "MEI data").map(drop)
    }

    pub(super) fn claim(&mut self, attribute: Attribute, value: String) {
        self.claims.push(Claim { about_sender: true, unit: self.message.source_unit, address: None, attribute, value });
    }
}

/// The attribute that the table names for an identification object.
fn attribute_of(known: &Code) -> Option<Attribute> {
    Attribute::ALL.iter().copied().find(|attribute| attribute.name() == known.kind)
}

/// The longest run of printable ASCII, where it is long enough to be words (4 octets).
fn longest_text(octets: &[u8]) -> String {
    let runs = octets.split(|octet| !matches!(octet, b' '..=b'~'));
    // The first of equal ones, so that padding in front does not matter.
    let longest = runs.fold(&[][..], |longest, run| if run.len() > longest.len() { run } else { longest });
    if longest.len() >= 4 { printable(longest) } else { String::new() }
}
