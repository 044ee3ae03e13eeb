//! A message under construction, with what is found in it.

use super::node::NodeId;
use super::reader::{Fault, Plain, Read};
use crate::bytes::printable;
use crate::model::{Attribute, Claim, Kind, Message, Object, Oddity, OddityCode, Operation, Unit};
use crate::session::Output;
use crate::tables::{self, opcua as codes};

/// Name of the layer in oddities.
pub(super) const LAYER: &str = "opcua";
/// The attribute that holds a variable's value.
pub(super) const VALUE: u32 = 13;
/// Texts of a value that are told.
const MAX_TEXTS: usize = 4;

/// A message, its oddities and its claims.
pub(super) struct Draft {
    /// The message.
    pub(super) message: Box<Message>,
    /// Octets before the body, so that places count from the start of the message.
    pub(super) at: usize,
    oddities: Vec<Oddity>,
    claims: Vec<Claim>,
}

impl Draft {
    /// An empty message of so many octets on the wire.
    pub(super) fn new(out: &mut Output, wire: usize, complete: bool) -> Self {
        let mut message = out.message();
        message.length = u32::try_from(wire).unwrap_or(u32::MAX);
        message.complete = complete;
        Draft { message, at: 0, oddities: Vec::new(), claims: Vec::new() }
    }

    /// Pushes the message and what was found in it.
    pub(super) fn finish(self, out: &mut Output) {
        out.push(self.message);
        for Oddity { code, layer, offset, expected } in self.oddities {
            out.oddity(code, layer, offset as usize, expected);
        }
        self.claims.into_iter().for_each(|claim| out.claim(claim));
    }

    /// Notes something malformed; the offset counts from the start of the body.
    pub(super) fn odd(&mut self, code: OddityCode, offset: usize, expected: impl Into<String>) {
        let offset = u32::try_from(self.at + offset).unwrap_or(u32::MAX);
        self.oddities.push(Oddity { code, layer: LAYER, offset, expected: expected.into() });
    }

    /// Notes why the body could not be read to its end, unless the capture cut it.
    pub(super) fn faulty(&mut self, result: Read<()>) {
        let Err(fault) = result else { return };
        let code = match fault {
            Fault::Short(_) => OddityCode::Truncated,
            Fault::Length { .. } => OddityCode::BadLength,
            Fault::Encoding { .. } => OddityCode::InvalidValue,
            Fault::Deep { .. } => OddityCode::TooDeep,
        };
        // Of a cut message lengths reach beyond what is there; no encoding is unknown for that.
        let is_cut = !self.message.complete && matches!(fault, Fault::Short(_) | Fault::Length { .. });
        if !is_cut {
            self.odd(code, fault.offset(), fault.to_string());
        }
    }

    /// Adds an object with words.
    pub(super) fn object(&mut self, object: Object, text: &str) {
        self.named(object, "", [], text);
    }

    /// Adds an object whose point has a name, with numbers and words.
    pub(super) fn named(&mut self, object: Object, name: &str, numbers: impl IntoIterator<Item = f64>, text: &str) {
        if self.message.objects.len() >= Message::MAX_OBJECTS {
            return;
        }
        let values = self.message.push_values(numbers);
        let name = self.message.push_text(name);
        let text = self.message.push_text(text);
        self.message.objects.push(Object { values, text, name, count: object.count.max(1), ..object });
    }

    /// Adds a node.
    pub(super) fn node(&mut self, node: &NodeId<'_>, text: &str) {
        self.named(Object { kind: "node", ..Object::default() }, &node.to_string(), [], text);
    }

    /// Names the service and says what it does.
    pub(super) fn service(&mut self, number: u32) {
        let known = tables::find(codes::FUNCTIONS, number);
        self.message.function = u16::try_from(number).ok();
        self.message.name = known.map_or("", |code| code.name);
        self.message.operation = known.and_then(|code| code.operation).unwrap_or(Operation::Unknown);
    }

    /// What the service answers on the whole.
    pub(super) fn result(&mut self, status: u32) {
        self.message.kind = if is_bad(status) { Kind::Error } else { Kind::Response };
        if status != 0 {
            self.message.status = Some(upper(status));
            self.message.status_name = status_name(status);
        }
    }

    /// The same where nothing of what was asked was done: the first reason stands for all.
    pub(super) fn all_failed(&mut self, results: &[u32]) {
        if !results.is_empty() && results.iter().all(|status| is_bad(*status)) && self.message.kind == Kind::Response {
            self.result(results[0]);
        }
    }

    /// A statement of the sender about itself. A cut message may hold half of it.
    pub(super) fn claim(&mut self, attribute: Attribute, value: impl Into<String>) {
        let value = value.into();
        if self.message.complete && !value.is_empty() {
            self.claims.push(Claim { about_sender: true, address: None, unit: Unit::None, attribute, value });
        }
    }

    /// The same of octets of a string.
    pub(super) fn claim_text(&mut self, attribute: Attribute, value: &[u8]) {
        self.claim(attribute, printable(value));
    }
}

/// A point that was asked for: the name of its node, and its attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Point {
    /// The node id.
    pub(super) name: Box<str>,
    /// The attribute; 0 where the whole node is meant.
    pub(super) attribute: u32,
}

impl Point {
    pub(super) fn of(node: &NodeId<'_>, attribute: u32) -> Self {
        Point { name: node.to_string().into(), attribute }
    }

    /// Octets that it takes.
    pub(super) fn size(&self) -> usize {
        size_of::<Point>() + self.name.len()
    }

    /// What it is in the data.
    pub(super) fn object(&self) -> Object {
        let kind = if matches!(self.attribute, 0 | VALUE) { "node" } else { "node-attribute" };
        Object { kind, property: Some(self.attribute).filter(|attribute| *attribute != 0), ..Object::default() }
    }
}

/// Words of a value: its texts, or what else it is.
pub(super) fn words(value: &Plain<'_>) -> String {
    if let Some(node) = value.node {
        return node.to_string();
    }
    let texts: Vec<String> = value.texts.iter().take(MAX_TEXTS).map(|text| printable(text)).collect();
    texts.join(", ")
}

/// The part of a status code that says what it is (10000-4, 7.39); the lower half qualifies it.
pub(super) const fn upper(status: u32) -> u16 {
    (status >> 16) as u16
}

/// True for a status of the severity bad.
pub(super) const fn is_bad(status: u32) -> bool {
    status >> 30 >= 2
}

/// Status of an object: none where it is good.
pub(super) fn status_of(status: u32) -> Option<u16> {
    Some(upper(status)).filter(|upper| *upper != 0)
}

/// Name of a status.
pub(super) fn status_name(status: u32) -> &'static str {
    tables::name(codes::STATUS_CODES, upper(status).into())
}
