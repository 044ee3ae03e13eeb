//! The functions beside coils and registers: diagnostics, files, FIFO, identification and UMAS.

use super::codes::*;
use super::pdu::Decoding;
use super::sides::{Asked, Span};
use crate::bytes::{Short, printable};
use crate::model::{Attribute, Claim, Kind, Object, OddityCode};
use crate::tables::{self, Code, modbus};

impl Decoding<'_, '_> {
    /// V1.1b3, 6.8: sub-function and data words, the same in request and response.
    pub(super) fn diagnostics(&mut self, kind: &'static str, asked: &mut Asked) -> Result<(), Short> {
        let at = self.cursor.offset();
        let sub_function = self.cursor.u16_be("sub-function")?;
        asked.sub_function = Some(sub_function);
        self.name_operation(DIAGNOSTICS, sub_function);
        if let Some(other) = self.asked.as_ref().and_then(|asked| asked.sub_function).filter(|one| *one != sub_function)
        {
            self.odd(OddityCode::Mismatch, at, format!("sub-function {other} of the request, found {sub_function}"));
        }
        // One word, but Return Query Data echoes as many as it is sent.
        let octets = if sub_function == 0 { self.length.saturating_sub(3) & !1 } else { 2 };
        let (data, short) = self.available(octets, "data");
        let values = self.push_registers(data);
        let text = self.message.push_text(tables::name(modbus::DIAGNOSTICS, sub_function.into()));
        self.object(Object {
            kind,
            type_number: Some(sub_function.into()),
            count: 1,
            values,
            text,
            ..Object::default()
        });
        short
    }

    /// One object of so many 16-bit words, or of one octet where `words` is 0.
    pub(super) fn words(&mut self, kind: &'static str, words: usize, field: &'static str) -> Result<(), Short> {
        let (octets, short) = self.available(if words == 0 { 1 } else { words * 2 }, field);
        let values = match octets {
            [octet] if words == 0 => self.message.push_values([f64::from(*octet)]),
            _ => self.push_registers(octets),
        };
        self.object(Object { kind, count: 1, values, ..Object::default() });
        short
    }

    /// V1.1b3, 6.10: byte count, status, event count, message count, then an octet each event, the latest first.
    pub(super) fn event_log(&mut self, kind: &'static str) -> Result<(), Short> {
        let byte_count = usize::from(self.cursor.u8("byte count")?);
        let (octets, short) = self.available(byte_count, "event log");
        let (words, events) = octets.split_at(octets.len().min(6));
        let mut values = self.push_registers(words);
        values.end = self.message.push_values(events.iter().copied().map(f64::from)).end;
        self.object(Object { kind, count: 1, values, ..Object::default() });
        short
    }

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

    /// V1.1b3, 6.14: byte count, then reference type, file, record and length of each sub-request.
    pub(super) fn file_requests(&mut self, kind: &'static str, asked: &mut Asked) -> Result<(), Short> {
        let end = self.counted_end()?;
        while self.cursor.offset() < end {
            let record = self.record()?;
            asked.records.push(record);
            let Span { start, count, index } = record;
            self.object(Object { kind, start: Some(start), count, index, ..Object::default() });
        }
        Ok(())
    }

    /// V1.1b3, 6.15: as above, each with its data; the response repeats the request.
    pub(super) fn file_writes(&mut self, kind: &'static str) -> Result<(), Short> {
        let end = self.counted_end()?;
        while self.cursor.offset() < end {
            let Span { start, count, index } = self.record()?;
            let (octets, short) = self.available(count as usize * 2, "record data");
            let values = self.push_registers(octets);
            self.object(Object { kind, start: Some(start), count, index, values, ..Object::default() });
            short?;
        }
        Ok(())
    }

    /// V1.1b3, 6.14: byte count, then length, reference type and data of each sub-response.
    pub(super) fn file_responses(&mut self, kind: &'static str) -> Result<(), Short> {
        let end = self.counted_end()?;
        let records = self.asked.as_mut().map(|asked| std::mem::take(&mut asked.records)).unwrap_or_default();
        let mut records = records.into_iter();
        while self.cursor.offset() < end {
            let at = self.cursor.offset();
            // Counts the reference type too.
            let length = usize::from(self.cursor.u8("file response length")?);
            self.reference_type()?;
            let (octets, short) = self.available(length.saturating_sub(1), "record data");
            let values = self.push_registers(octets);
            let count = length.saturating_sub(1) as u32 / 2;
            let record = records.next();
            if let Some(record) = record.filter(|record| record.count != count) {
                let text = format!("the {} registers asked for, found {count}", record.count);
                self.odd(OddityCode::Mismatch, at, text);
            }
            let (start, index) = (record.map(|record| record.start), record.and_then(|record| record.index));
            self.object(Object { kind, start, count, index, values, ..Object::default() });
            short?;
        }
        Ok(())
    }

    fn counted_end(&mut self) -> Result<usize, Short> {
        let byte_count = usize::from(self.cursor.u8("byte count")?);
        let end = self.cursor.offset() + byte_count;
        let announced = self.length.saturating_sub(2);
        if byte_count > announced {
            let text = format!("a byte count of {announced} or less, found {byte_count}");
            self.odd(OddityCode::BadLength, self.cursor.offset() - 1, text);
        }
        Ok(end)
    }

    fn record(&mut self) -> Result<Span, Short> {
        self.reference_type()?;
        let file = self.cursor.u16_be("file number")?;
        let start = self.cursor.u16_be("record number")?;
        let count = self.cursor.u16_be("record length")?;
        Ok(Span { start: start.into(), count: count.into(), index: Some(file.into()) })
    }

    fn reference_type(&mut self) -> Result<(), Short> {
        let at = self.cursor.offset();
        let reference_type = self.cursor.u8("reference type")?;
        if reference_type != 6 {
            self.odd(OddityCode::InvalidValue, at, format!("reference type 6, found {reference_type}"));
        }
        Ok(())
    }

    /// V1.1b3, 6.18: byte count, FIFO count, registers.
    pub(super) fn fifo(&mut self, kind: &'static str) -> Result<(), Short> {
        let at = self.cursor.offset();
        let byte_count = self.cursor.u16_be("byte count")?;
        let fifo_count = self.cursor.u16_be("FIFO count")?;
        if u32::from(byte_count) != 2 + u32::from(fifo_count) * 2 {
            let text = format!("a byte count for {fifo_count} registers and their count, found {byte_count}");
            self.odd(OddityCode::BadLength, at, text);
        }
        let (octets, short) = self.available(usize::from(byte_count).saturating_sub(2), "FIFO values");
        let values = self.push_registers(octets);
        let start = self.asked.as_ref().and_then(|asked| asked.span).map(|span| span.start);
        self.object(Object { kind, start, count: 1, values, ..Object::default() });
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
        let read_code = self.cursor.u8("Read Device ID code")?;
        let object_id = self.cursor.u8("object id");
        self.object(Object {
            kind,
            type_number: Some(mei_type.into()),
            variation: Some(read_code.into()),
            index: object_id.ok().map(u32::from),
            count: 1,
            ..Object::default()
        });
        object_id.map(drop)
    }

    /// V1.1b3, 6.21: read code, conformity level, more follows, next object id, then the objects.
    pub(super) fn encapsulated_response(&mut self, kind: &'static str) -> Result<(), Short> {
        let mei_type = self.cursor.u8("MEI type")?;
        self.name_operation(ENCAPSULATED_INTERFACE, mei_type.into());
        if mei_type != READ_DEVICE_IDENTIFICATION {
            return self.encapsulated_other(mei_type);
        }
        let read_code = self.cursor.u8("Read Device ID code")?;
        for field in ["conformity level", "more follows", "next object id"] {
            self.cursor.u8(field)?;
        }
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

    fn encapsulated_other(&mut self, mei_type: u8) -> Result<(), Short> {
        self.object(Object {
            kind: "encapsulated-interface",
            type_number: Some(mei_type.into()),
            count: 1,
            ..Object::default()
        });
        self.cursor.take(self.cursor.left(), "MEI data").map(drop)
    }

    /// Session key, sub-function, data.
    pub(super) fn umas_request(&mut self, kind: &'static str, asked: &mut Asked) -> Result<(), Short> {
        self.cursor.u8("session key")?;
        let sub_function = self.cursor.u8("UMAS function")?;
        asked.sub_function = Some(sub_function.into());
        self.umas_object(kind, sub_function.into(), None);
        self.cursor.take(self.cursor.left(), "UMAS data").map(drop)
    }

    /// Session key, status, data. The sub-function is known by the request alone.
    pub(super) fn umas_response(&mut self, kind: &'static str) -> Result<(), Short> {
        self.cursor.u8("session key")?;
        let at = self.cursor.offset();
        let status = self.cursor.u8("UMAS status")?;
        match status {
            UMAS_OK => {}
            UMAS_ERROR => {
                self.message.kind = Kind::Error;
                self.message.status_name = tables::name(modbus::UMAS_STATUS, status.into());
            }
            other => self.odd(OddityCode::InvalidValue, at, format!("UMAS status 0xfd or 0xfe, found 0x{other:02x}")),
        }
        let sub_function = self.asked.as_ref().and_then(|asked| asked.sub_function);
        match sub_function {
            Some(sub_function) => self.umas_object(kind, sub_function, Some(status)),
            None => self.object(Object { kind, count: 1, status: Some(status.into()), ..Object::default() }),
        }
        let data = self.cursor.take(self.cursor.left(), "UMAS data")?;
        if sub_function == Some(UMAS_READ_ID.into()) && status == UMAS_OK {
            if let Some(model) = umas_model(data) {
                self.claim(Attribute::Model, model);
            }
        }
        Ok(())
    }

    fn umas_object(&mut self, kind: &'static str, sub_function: u16, status: Option<u8>) {
        self.name_operation(UMAS, sub_function);
        let text = self.message.push_text(tables::name(modbus::UMAS_FUNCTIONS, sub_function.into()));
        self.object(Object {
            kind,
            type_number: Some(sub_function.into()),
            count: 1,
            text,
            status: status.map(u16::from),
            ..Object::default()
        });
    }

    fn claim(&mut self, attribute: Attribute, value: String) {
        self.claims.push(Claim { about_sender: true, unit: self.message.source_unit, address: None, attribute, value });
    }
}

/// Identity, versions and codes in 22 octets, then the model's name behind its length: seen on a real Quantum; so only
/// what is wholly printable is believed.
fn umas_model(data: &[u8]) -> Option<String> {
    let (&length, rest) = data.get(22..)?.split_first()?;
    let name = rest.get(..usize::from(length))?;
    let is_name = (4..=32).contains(&length) && name.iter().all(|octet| matches!(octet, b' '..=b'~'));
    is_name.then(|| printable(name))
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
