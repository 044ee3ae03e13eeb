//! The functions beside coils and registers: diagnostics, files and FIFO.

use super::codes::*;
use super::pdu::Decoding;
use super::sides::{Asked, Span};
use crate::bytes::Short;
use crate::model::{Object, OddityCode};
use crate::tables::{self, modbus};

/// The last record of a file (V1.1b3, 6.14).
const LAST_RECORD: u16 = 9999;
/// Registers that a queue returns at most (V1.1b3, 6.18).
const MOST_QUEUED: u16 = 31;

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
        if sub_function == RESTART_COMMUNICATIONS && !matches!(data, [] | [_] | [0x00 | 0xFF, 0x00]) {
            let text = format!("0x0000, or 0xff00 to clear the event log, found 0x{:02x}{:02x}", data[0], data[1]);
            self.odd(OddityCode::InvalidValue, at + 2, text);
        }
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
    pub(super) fn file_writes(&mut self, kind: &'static str, asked: &mut Asked) -> Result<(), Short> {
        let end = self.counted_end()?;
        while self.cursor.offset() < end {
            let record = self.record()?;
            asked.records.push(record);
            let Span { start, count, index } = record;
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
        let at = self.cursor.offset();
        let file = self.cursor.u16_be("file number")?;
        let start = self.cursor.u16_be("record number")?;
        if file == 0 || start > LAST_RECORD {
            let text = format!("file 1 or above and record 0 to {LAST_RECORD}, found {file} and {start}");
            self.odd(OddityCode::InvalidValue, at, text);
        }
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
        if fifo_count > MOST_QUEUED {
            self.odd(
                OddityCode::InvalidValue,
                at + 2,
                format!("a FIFO count of 0 to {MOST_QUEUED}, found {fifo_count}"),
            );
        }
        let (octets, short) = self.available(usize::from(byte_count).saturating_sub(2), "FIFO values");
        let values = self.push_registers(octets);
        let start = self.asked.as_ref().and_then(|asked| asked.span).map(|span| span.start);
        self.object(Object { kind, start, count: 1, values, ..Object::default() });
        short
    }
}
