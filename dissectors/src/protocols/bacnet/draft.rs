//! One message on its way through the layers, with what is to be said of it once it is pushed.

use std::net::SocketAddr;

use super::tag::Malformed;
use crate::bytes::printable;
use crate::model::{Attribute, Claim, Message, Object, Oddity, OddityCode, Pairing};
use crate::session::Output;

/// A message being decoded. Every layer adds what it knows; what is malformed adds an oddity and ends the decoding,
/// and the message is pushed with what the layers before made of it.
pub struct Draft {
    /// What is decoded so far.
    pub message: Box<Message>,
    /// False where the capture cut the datagram: missing octets are then nobody's fault.
    pub whole: bool,
    /// The host that a BBMD speaks for (J.4.5).
    pub origin: Option<SocketAddr>,
    /// Where the layer being decoded starts in the message: the NPDU, then the data of the service.
    pub base: usize,
    oddities: Vec<Oddity>,
    claims: Vec<(Attribute, String)>,
}

impl Draft {
    /// A draft of an empty message, of which `present` of `announced` octets are there.
    pub fn new(out: &mut Output, present: usize, announced: usize) -> Self {
        let mut message = out.message();
        message.length = u32::try_from(announced).unwrap_or(u32::MAX);
        message.complete = present >= announced;
        // An event of its own, until a layer knows better.
        message.pairing = Pairing::Alone;
        Draft { whole: message.complete, message, origin: None, base: 0, oddities: Vec::new(), claims: Vec::new() }
    }

    /// Notes something malformed.
    pub fn oddity(&mut self, code: OddityCode, layer: &'static str, offset: usize, expected: impl Into<String>) {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.oddities.push(Oddity { code, layer, offset, expected: expected.into() });
    }

    /// Notes why a layer could not be decoded to its end; octets that the capture lost are no oddity.
    pub fn malformed(&mut self, layer: &'static str, base: usize, why: impl Into<Malformed>) {
        let why = why.into();
        if self.whole || why.code != OddityCode::Truncated {
            self.oddity(why.code, layer, base + why.offset, why.expected);
        }
    }

    /// Notes a statement about the device that sent the message.
    pub fn claim(&mut self, attribute: Attribute, value: &str) {
        let value = printable(value.as_bytes());
        if !value.is_empty() {
            self.claims.push((attribute, value));
        }
    }

    /// Adds an object, up to the bound of a message.
    pub fn object(&mut self, object: Object, offset: usize) -> Result<(), Malformed> {
        if self.message.objects.len() >= Message::MAX_OBJECTS {
            let expected = format!("at most {} objects", Message::MAX_OBJECTS);
            return Err(Malformed::new(OddityCode::UndecodedObject, offset, expected));
        }
        self.message.objects.push(object);
        Ok(())
    }

    /// Pushes the message, then what is said of it.
    ///
    /// What a forwarded message says is true of the host that a BBMD forwarded it for, and not of the BBMD.
    pub fn push(self, out: &mut Output) {
        let unit = self.message.source_unit;
        out.push(self.message);
        for oddity in self.oddities {
            out.oddity(oddity.code, oddity.layer, oddity.offset as usize, oddity.expected);
        }
        for (attribute, value) in self.claims {
            let address = self.origin;
            out.claim(Claim { about_sender: address.is_none(), address, unit, attribute, value });
        }
    }
}
