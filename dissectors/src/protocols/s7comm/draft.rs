//! A message under construction, with what is found in it.

use crate::bytes::Short;
use crate::model::{Attribute, Claim, Kind, Message, Object, Oddity, OddityCode, Operation, Unit};
use crate::session::Output;
use crate::tables::Code;

/// Name of the layer in oddities.
pub(super) const LAYER: &str = "s7comm";

/// A message, its oddities and its claims.
pub(super) struct Draft {
    /// The message.
    pub(super) message: Box<Message>,
    oddities: Vec<Oddity>,
    claims: Vec<Claim>,
}

impl Draft {
    /// An empty message of so many octets on the wire.
    pub(super) fn new(out: &mut Output, wire: usize, complete: bool) -> Self {
        let mut message = out.message();
        message.length = u32::try_from(wire).unwrap_or(u32::MAX);
        message.complete = complete;
        Draft { message, oddities: Vec::new(), claims: Vec::new() }
    }

    /// Pushes the message and what was found in it.
    pub(super) fn finish(self, out: &mut Output) {
        out.push(self.message);
        for Oddity { code, layer, offset, expected } in self.oddities {
            out.oddity(code, layer, offset as usize, expected);
        }
        self.claims.into_iter().for_each(|claim| out.claim(claim));
    }

    /// Notes something malformed; the offset counts from the protocol identifier.
    pub(super) fn odd(&mut self, code: OddityCode, offset: usize, expected: impl Into<String>) {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.oddities.push(Oddity { code, layer: LAYER, offset, expected: expected.into() });
    }

    /// Notes a field that its section has no room for, unless the capture cut it; `at` is where the section starts.
    pub(super) fn short(&mut self, at: usize, result: Result<(), Short>) {
        if let Err(short) = result
            && self.message.complete
        {
            self.odd(OddityCode::Truncated, at + short.offset, short.to_string());
        }
    }

    /// Names the function and says what it does.
    pub(super) fn function(&mut self, number: u16, known: Option<&'static Code>) {
        self.message.function = Some(number);
        self.message.name = known.map_or("", |code| code.name);
        self.message.operation = known.and_then(|code| code.operation).unwrap_or(Operation::Unknown);
    }

    /// Adds an object, with numbers and words.
    pub(super) fn object(&mut self, object: Object, values: impl IntoIterator<Item = f64>, text: &str) {
        if self.message.objects.len() >= Message::MAX_OBJECTS {
            return;
        }
        let values = self.message.push_values(values);
        let text = self.message.push_text(text);
        self.message.objects.push(Object { values, text, ..object });
    }

    /// A statement of the sender about itself.
    pub(super) fn claim(&mut self, attribute: Attribute, value: impl Into<String>) {
        self.state(true, attribute, value.into());
    }

    /// A statement about the sender, or about the receiver. A cut message may hold half of it.
    pub(super) fn state(&mut self, about_sender: bool, attribute: Attribute, value: String) {
        if self.message.complete && !value.is_empty() {
            self.claims.push(Claim { about_sender, address: None, unit: Unit::None, attribute, value });
        }
    }

    /// The answer is negative, for this reason.
    pub(super) fn failed(&mut self, status: u16, name: &'static str) {
        self.message.kind = Kind::Error;
        self.message.status = Some(status);
        self.message.status_name = name;
    }
}

/// The attribute that a table names.
pub(super) fn attribute_of(code: &Code) -> Option<Attribute> {
    Attribute::ALL.iter().copied().find(|attribute| attribute.name() == code.kind)
}
