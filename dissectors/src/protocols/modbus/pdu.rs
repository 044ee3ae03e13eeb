//! The protocol data unit: function code and its fields (V1.1b3, 6 and 7), whatever carries it.

use super::codes::*;
use super::shape::*;
use super::sides::{Asked, Span};
use crate::bytes::{Cursor, Short};
use crate::model::{Claim, Kind, Message, Object, OddityCode, Operation};
use crate::record::Read;
use crate::tables::{self, modbus};

/// A finding in a message, before the message is pushed.
pub type Found = (OddityCode, &'static str, usize, String);

const LAYER: &str = "modbus";

/// A decoding under way. Offsets are those of the whole message, so that an oddity can be found in it.
pub struct Decoding<'a, 'm> {
    /// At the function code; its octets end with the PDU (no CRC).
    pub cursor: Cursor<'a>,
    /// Octets of the PDU as announced.
    pub length: usize,
    /// Which half of an exchange.
    pub role: Role,
    /// The request that this answers, where it was seen.
    pub asked: Option<Asked>,
    /// Receives what is decoded.
    pub message: &'m mut Message,
    /// Receives what is malformed.
    pub found: &'m mut Vec<Found>,
    /// Receives what the device says of itself.
    pub claims: &'m mut Vec<Claim>,
}

/// Reads the PDU. For a request, returns what its answer will have to be understood with.
pub fn decode(mut decoding: Decoding<'_, '_>) -> Asked {
    let mut asked = Asked::default();
    let whole = decoding.cursor.left() >= decoding.length;
    match decoding.function(&mut asked) {
        Ok(()) if whole && !decoding.cursor.is_empty() => {
            let text = format!("no octets after the fields of the function, found {}", decoding.cursor.left());
            decoding.odd(OddityCode::TrailingOctets, decoding.cursor.offset(), text);
        }
        // Octets that the capture cut are its fault, not the sender's.
        Err(short) if whole => decoding.odd(OddityCode::Truncated, short.offset, short.to_string()),
        _ => {}
    }
    decoding.message.complete &= whole;
    asked
}

/// Points of one bit, from the lowest of the first octet on.
fn bits(octets: &[u8]) -> impl Iterator<Item = f64> {
    octets.iter().flat_map(|octet| (0..8).map(move |bit| f64::from(octet >> bit & 1)))
}

fn registers(octets: &[u8]) -> impl Iterator<Item = f64> {
    octets.chunks_exact(2).map(|pair| f64::from(u16::from_be_bytes([pair[0], pair[1]])))
}

/// True where a response can be that to such a request: it has as many values, or repeats its address.
pub fn fits(asked: &Asked, response: &[u8]) -> bool {
    let (Some(span), &[function, ref fields @ ..]) = (asked.span, response) else { return true };
    match (function, fields) {
        (READ_COILS | READ_DISCRETE_INPUTS, [octets, ..]) => u32::from(*octets) == span.count.div_ceil(8),
        (READ_HOLDING_REGISTERS | READ_INPUT_REGISTERS, [octets, ..]) => u32::from(*octets) == span.count * 2,
        (
            WRITE_SINGLE_COIL | WRITE_SINGLE_REGISTER | WRITE_MULTIPLE_COILS | WRITE_MULTIPLE_REGISTERS,
            [high, low, ..],
        ) => u32::from(u16::from_be_bytes([*high, *low])) == span.start,
        _ => true,
    }
}

/// Where the values start in a PDU that is nothing but values behind a fixed start, and how they are read.
pub fn values(role: Role, function: u8) -> Option<(usize, Read)> {
    match (role, function) {
        (Role::Response, READ_COILS | READ_DISCRETE_INPUTS) => Some((2, |octets, into| into.extend(bits(octets)))),
        (Role::Response, READ_HOLDING_REGISTERS | READ_INPUT_REGISTERS) => {
            Some((2, |octets, into| into.extend(registers(octets))))
        }
        _ => None,
    }
}

impl<'a> Decoding<'a, '_> {
    pub(super) fn odd(&mut self, code: OddityCode, offset: usize, expected: String) {
        self.found.push((code, LAYER, offset, expected));
    }

    fn function(&mut self, asked: &mut Asked) -> Result<(), Short> {
        let at = self.cursor.offset();
        let code = self.cursor.u8("function code")?;
        let exception = self.role == Role::Response && code >= EXCEPTION;
        let function = if exception { code & !EXCEPTION } else { code };
        let known = tables::find(modbus::FUNCTIONS, u32::from(function));
        self.message.function = Some(u16::from(function));
        self.message.name = known.map_or("", |known| known.name);
        self.message.operation = known.and_then(|known| known.operation).unwrap_or(Operation::Unknown);
        self.message.kind = match self.role {
            Role::Request => Kind::Request,
            Role::Response if exception => Kind::Error,
            Role::Response => Kind::Response,
        };
        if self.role == Role::Request && code >= EXCEPTION {
            let text = format!("a function code of 1 to 127 in a request, found {code}");
            self.odd(OddityCode::InvalidValue, at, text);
        }
        let kind = known.map_or("", |known| known.kind);
        match self.role {
            Role::Request => self.request(function, kind, asked),
            Role::Response if exception => self.exception(function),
            Role::Response => self.response(function, kind),
        }
    }

    fn request(&mut self, function: u8, kind: &'static str, asked: &mut Asked) -> Result<(), Short> {
        match function {
            READ_COILS | READ_DISCRETE_INPUTS => self.range(kind, MOST_BITS_READ, asked).map(drop),
            READ_HOLDING_REGISTERS | READ_INPUT_REGISTERS => self.range(kind, MOST_REGISTERS_READ, asked).map(drop),
            WRITE_SINGLE_COIL => self.single_coil(kind, asked),
            WRITE_SINGLE_REGISTER => self.single_register(kind, asked),
            READ_EXCEPTION_STATUS | GET_COMM_EVENT_COUNTER | GET_COMM_EVENT_LOG | REPORT_SERVER_ID => {
                self.object(Object { kind, count: 1, ..Object::default() });
                Ok(())
            }
            DIAGNOSTICS => self.diagnostics(kind, asked),
            WRITE_MULTIPLE_COILS | WRITE_MULTIPLE_REGISTERS => self.multiple(function, kind, asked),
            READ_FILE_RECORD => self.file_requests(kind, asked),
            WRITE_FILE_RECORD => self.file_writes(kind, asked),
            MASK_WRITE_REGISTER => self.mask(kind, asked),
            READ_WRITE_MULTIPLE_REGISTERS => self.read_write(kind, asked),
            READ_FIFO_QUEUE => {
                let start = self.cursor.u16_be("FIFO pointer address")?;
                self.expect(Span { start: start.into(), count: 1, index: None }, asked);
                self.object(Object { kind, start: Some(start.into()), count: 1, ..Object::default() });
                Ok(())
            }
            ENCAPSULATED_INTERFACE => self.encapsulated_request(kind, asked),
            UMAS => self.umas_request(kind, asked),
            _ => self.opaque(),
        }
    }

    fn response(&mut self, function: u8, kind: &'static str) -> Result<(), Short> {
        match function {
            READ_COILS | READ_DISCRETE_INPUTS => self.bits(kind),
            READ_HOLDING_REGISTERS | READ_INPUT_REGISTERS | READ_WRITE_MULTIPLE_REGISTERS => self.registers(kind),
            WRITE_SINGLE_COIL => self.echoed(Self::single_coil, kind),
            WRITE_SINGLE_REGISTER => self.echoed(Self::single_register, kind),
            MASK_WRITE_REGISTER => self.echoed(Self::mask, kind),
            WRITE_MULTIPLE_COILS => {
                self.echoed(|this, kind, asked| this.range(kind, MOST_COILS_WRITTEN, asked).map(drop), kind)
            }
            WRITE_MULTIPLE_REGISTERS => {
                self.echoed(|this, kind, asked| this.range(kind, MOST_REGISTERS_WRITTEN, asked).map(drop), kind)
            }
            READ_EXCEPTION_STATUS => self.words(kind, 0, "output data"),
            DIAGNOSTICS => self.diagnostics(kind, &mut Asked::default()),
            GET_COMM_EVENT_COUNTER => self.words(kind, 2, "status and event count"),
            GET_COMM_EVENT_LOG => self.event_log(kind),
            REPORT_SERVER_ID => self.server_id(kind),
            READ_FILE_RECORD => self.file_responses(kind),
            WRITE_FILE_RECORD => self.echoed(Self::file_writes, kind),
            READ_FIFO_QUEUE => self.fifo(kind),
            ENCAPSULATED_INTERFACE => self.encapsulated_response(kind),
            UMAS => self.umas_response(kind),
            _ => self.opaque(),
        }
    }

    /// V1.1b3, 7: the function code with its highest bit set, then the exception code.
    fn exception(&mut self, function: u8) -> Result<(), Short> {
        if let Some(sub_function) = self.asked.as_ref().and_then(|asked| asked.sub_function) {
            self.name_operation(function, sub_function);
        }
        let at = self.cursor.offset();
        let code = self.cursor.u8("exception code")?;
        self.message.status = Some(code.into());
        self.message.status_name = tables::name(modbus::EXCEPTIONS, code.into());
        if code == 0 {
            self.odd(OddityCode::InvalidValue, at, "an exception code, found 0".into());
        }
        Ok(())
    }

    /// Sub-functions have operations of their own.
    pub(super) fn name_operation(&mut self, function: u8, sub_function: u16) {
        let table = match function {
            DIAGNOSTICS => modbus::DIAGNOSTICS,
            ENCAPSULATED_INTERFACE => modbus::MEI_TYPES,
            UMAS => modbus::UMAS_FUNCTIONS,
            _ => return,
        };
        if let Some(operation) = tables::find(table, sub_function.into()).and_then(|known| known.operation) {
            self.message.operation = operation;
        }
    }

    pub(super) fn object(&mut self, object: Object) {
        if self.message.objects.len() < Message::MAX_OBJECTS {
            self.message.objects.push(object);
        }
    }

    pub(super) fn expect(&self, span: Span, asked: &mut Asked) {
        if asked.span.is_none() {
            asked.span = Some(span);
        }
    }

    /// Starting address and quantity. The address is kept even where the quantity is not there.
    pub(super) fn range(&mut self, kind: &'static str, most: u16, asked: &mut Asked) -> Result<u16, Short> {
        let start = self.cursor.u16_be("starting address")?;
        let at = self.cursor.offset();
        let quantity = self.cursor.u16_be("quantity");
        let count = u32::from(quantity.unwrap_or(0));
        self.object(Object { kind, start: Some(start.into()), count, ..Object::default() });
        let quantity = quantity?;
        self.expect(Span { start: start.into(), count, index: None }, asked);
        if quantity == 0 || quantity > most {
            self.odd(OddityCode::InvalidValue, at, format!("a quantity of 1 to {most}, found {quantity}"));
        } else if u32::from(start) + count > 0x1_0000 {
            let text = format!("a range that ends at 65535 or before, found {start} and {quantity} more");
            self.odd(OddityCode::InvalidValue, at, text);
        }
        Ok(quantity)
    }

    /// V1.1b3, 6.5: address and value, the same in request and response.
    fn single_coil(&mut self, kind: &'static str, asked: &mut Asked) -> Result<(), Short> {
        let start = self.cursor.u16_be("output address")?;
        let span = Span { start: start.into(), count: 1, index: None };
        self.expect(span, asked);
        let at = self.cursor.offset();
        let value = self.cursor.u16_be("output value");
        asked.echo = value.ok().map(u32::from);
        let mut object = Object { kind, start: Some(span.start), count: 1, ..Object::default() };
        match value {
            Ok(0) => object.values = self.message.push_values([0.0]),
            Ok(COIL_ON) => object.values = self.message.push_values([1.0]),
            Ok(other) => {
                object.text = self.message.push_text(&format!("0x{other:04x}"));
                self.odd(
                    OddityCode::InvalidValue,
                    at,
                    format!("0x0000 or 0xff00 as output value, found 0x{other:04x}"),
                );
            }
            Err(_) => {}
        }
        self.object(object);
        value.map(drop)
    }

    /// V1.1b3, 6.6: address and value, the same in request and response.
    fn single_register(&mut self, kind: &'static str, asked: &mut Asked) -> Result<(), Short> {
        let start = self.cursor.u16_be("register address")?;
        let span = Span { start: start.into(), count: 1, index: None };
        self.expect(span, asked);
        let value = self.cursor.u16_be("register value");
        asked.echo = value.ok().map(u32::from);
        let values = self.message.push_values(value.ok().map(f64::from));
        self.object(Object { kind, start: Some(span.start), count: 1, values, ..Object::default() });
        value.map(drop)
    }

    /// V1.1b3, 6.16: the result is (current AND and_mask) OR (or_mask AND NOT and_mask).
    fn mask(&mut self, kind: &'static str, asked: &mut Asked) -> Result<(), Short> {
        let start = self.cursor.u16_be("reference address")?;
        let span = Span { start: start.into(), count: 1, index: None };
        self.expect(span, asked);
        let and_mask = self.cursor.u16_be("And_Mask");
        let or_mask = self.cursor.u16_be("Or_Mask");
        let mut object = Object { kind, start: Some(span.start), count: 1, ..Object::default() };
        if let (Ok(and_mask), Ok(or_mask)) = (and_mask, or_mask) {
            asked.echo = Some(u32::from(and_mask) << 16 | u32::from(or_mask));
            object.values = self.message.push_values([and_mask.into(), or_mask.into()]);
            object.text = self.message.push_text(&format!("and 0x{and_mask:04x} or 0x{or_mask:04x}"));
        }
        self.object(object);
        and_mask.and(or_mask).map(drop)
    }

    /// V1.1b3, 6.11 and 6.12: range, byte count, values.
    fn multiple(&mut self, function: u8, kind: &'static str, asked: &mut Asked) -> Result<(), Short> {
        let bits = function == WRITE_MULTIPLE_COILS;
        let quantity = self.range(kind, if bits { MOST_COILS_WRITTEN } else { MOST_REGISTERS_WRITTEN }, asked)?;
        self.written(bits, quantity)
    }

    /// Byte count and values of a write whose object is the last one pushed.
    fn written(&mut self, bits: bool, quantity: u16) -> Result<(), Short> {
        let at = self.cursor.offset();
        let byte_count = self.cursor.u8("byte count")?;
        let due = if bits { u32::from(quantity).div_ceil(8) } else { u32::from(quantity) * 2 };
        if u32::from(byte_count) != due {
            let text = format!("a byte count of {due} for a quantity of {quantity}, found {byte_count}");
            self.odd(OddityCode::BadLength, at, text);
        }
        let (octets, short) = self.available(byte_count.into(), "values");
        let values = if bits { self.push_bits(octets, quantity.into()) } else { self.push_registers(octets) };
        if let Some(object) = self.message.objects.last_mut() {
            object.values = values;
        }
        short
    }

    /// The octets of a counted field that are there, and what is wrong if they are not all.
    pub(super) fn available(&mut self, count: usize, field: &'static str) -> (&'a [u8], Result<(), Short>) {
        match self.cursor.take(count, field) {
            Ok(octets) => (octets, Ok(())),
            Err(short) => (self.cursor.take(self.cursor.left(), field).unwrap_or(&[]), Err(short)),
        }
    }

    fn push_bits(&mut self, octets: &[u8], most: usize) -> std::ops::Range<u32> {
        self.message.push_values(bits(octets).take(most))
    }

    pub(super) fn push_registers(&mut self, octets: &[u8]) -> std::ops::Range<u32> {
        self.message.push_values(registers(octets))
    }

    /// V1.1b3, 6.17: the range read, the range written, byte count, values.
    fn read_write(&mut self, kind: &'static str, asked: &mut Asked) -> Result<(), Short> {
        self.range(kind, MOST_REGISTERS_READ, asked)?;
        let quantity = self.range(kind, MOST_REGISTERS_READ_WRITTEN, asked)?;
        self.written(false, quantity)
    }

    /// V1.1b3, 6.1 and 6.2: byte count, bits from the lowest of the first octet on.
    fn bits(&mut self, kind: &'static str) -> Result<(), Short> {
        let at = self.cursor.offset();
        let byte_count = usize::from(self.cursor.u8("byte count")?);
        let span = self.asked.as_ref().and_then(|asked| asked.span);
        let count = match span {
            Some(span) if (span.count as usize).div_ceil(8) == byte_count => span.count as usize,
            Some(span) => {
                let text = format!("a byte count for the {} points asked for, found {byte_count}", span.count);
                self.odd(OddityCode::Mismatch, at, text);
                byte_count * 8
            }
            None => byte_count * 8,
        };
        let (octets, short) = self.available(byte_count, "status");
        let values = self.push_bits(octets, count);
        let start = span.map(|span| span.start);
        self.object(Object { kind, start, count: count as u32, values, ..Object::default() });
        short
    }

    /// V1.1b3, 6.3, 6.4 and 6.17: byte count, registers.
    fn registers(&mut self, kind: &'static str) -> Result<(), Short> {
        let at = self.cursor.offset();
        let byte_count = usize::from(self.cursor.u8("byte count")?);
        let span = self.asked.as_ref().and_then(|asked| asked.span);
        if byte_count % 2 == 1 {
            self.odd(OddityCode::BadLength, at, format!("an even byte count, found {byte_count}"));
        }
        if let Some(span) = span.filter(|span| span.count as usize * 2 != byte_count) {
            let text = format!("a byte count for the {} registers asked for, found {byte_count}", span.count);
            self.odd(OddityCode::Mismatch, at, text);
        }
        let (octets, short) = self.available(byte_count, "register values");
        let values = self.push_registers(octets);
        let start = span.map(|span| span.start);
        self.object(Object { kind, start, count: byte_count as u32 / 2, values, ..Object::default() });
        short
    }

    /// A response that repeats fields of its request.
    fn echoed(
        &mut self,
        read: impl Fn(&mut Self, &'static str, &mut Asked) -> Result<(), Short>,
        kind: &'static str,
    ) -> Result<(), Short> {
        let at = self.cursor.offset();
        let mut repeated = Asked::default();
        read(self, kind, &mut repeated)?;
        if let Some(asked) = &self.asked {
            if (asked.span, asked.echo, &asked.records) != (repeated.span, repeated.echo, &repeated.records) {
                self.odd(OddityCode::Mismatch, at, "the fields of the request, found others".into());
            }
        }
        Ok(())
    }

    /// A function whose fields no standard names: its octets are data.
    fn opaque(&mut self) -> Result<(), Short> {
        self.cursor.take(self.cursor.left(), "data").map(drop)
    }
}
