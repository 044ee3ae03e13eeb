//! Services of which each datagram, or what a frame carries, is read by itself: a session that needs no memory.

use crate::model::Protocol;
use crate::session::{Chunk, Direction, Framing, Output, Recognition, Session};

/// Reads one datagram.
pub type Read = fn(Chunk<'_>, &mut Output);
/// True where the second datagram tells nothing that the first did not.
pub type Same = fn(&[u8], &[u8]) -> bool;

/// A conversation of such a service.
#[derive(Clone)]
struct Solo {
    protocol: Protocol,
    service: &'static str,
    read: Read,
    same: Same,
}

/// A conversation of which datagrams with the same octets say the same.
pub fn recognised(protocol: Protocol, read: Read) -> Recognition {
    recognised_but(protocol, read, |earlier, datagram| earlier == datagram)
}

/// The same, where octets that may differ say nothing.
pub fn recognised_but(protocol: Protocol, read: Read, same: Same) -> Recognition {
    Recognition::Yes(Box::new(Solo { protocol, service: protocol.name(), read, same }))
}

/// The same, where the flow carries more than the protocol.
pub fn part_of(service: &'static str, protocol: Protocol, read: Read, same: Same) -> Recognition {
    Recognition::Yes(Box::new(Solo { protocol, service, read, same }))
}

impl Session for Solo {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn frame(&mut self, _: Direction, _: &[u8]) -> Framing {
        Framing::NotMine
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        (self.read)(chunk, out);
    }

    fn service(&self) -> &'static str {
        self.service
    }

    fn says_the_same(&self, earlier: &[u8], datagram: &[u8]) -> bool {
        (self.same)(earlier, datagram)
    }
}

/// What the tests of all such services do: hear datagrams, cut them everywhere, and take any octets.
#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::activity::Field;
    use crate::model::Attribute;

    /// What is told of one datagram.
    pub fn hear(read: Read, bytes: &[u8]) -> Output {
        let mut out = Output::default();
        read(Chunk { bytes, wire_length: bytes.len(), direction: Direction::Forward }, &mut out);
        out
    }

    /// Action and fields of the activities, each `name=value`.
    pub fn told(out: &Output) -> Vec<String> {
        let field = |(field, value): &(Field, String)| format!(" {}={value}", field.name());
        let text = |fields: &[(Field, String)]| fields.iter().map(field).collect::<String>();
        out.activities.iter().map(|activity| format!("{}{}", activity.action, text(&activity.fields))).collect()
    }

    /// Claims, each `attribute=value`, about another than the sender with its address before them.
    pub fn claimed(out: &Output) -> Vec<String> {
        let about = |claim: &crate::model::Claim| match (claim.unit, claim.address) {
            (crate::model::Unit::None, None) => String::new(),
            (crate::model::Unit::None, Some(address)) => format!("{} ", address.ip()),
            (unit, _) => format!("{unit} "),
        };
        let of = |attribute: Attribute| attribute.name();
        out.claims.iter().map(|(_, claim)| format!("{}{}={}", about(claim), of(claim.attribute), claim.value)).collect()
    }

    /// A vector cut everywhere, and with octets turned, is taken.
    pub fn cut_everywhere(read: Read, whole: &[u8]) {
        for length in 0..=whole.len() {
            hear(read, &whole[..length]);
        }
        for at in 0..whole.len() {
            for octet in [0, 1, 0x7f, 0x80, 0xff] {
                let mut turned = whole.to_vec();
                turned[at] = octet;
                hear(read, &turned);
            }
        }
    }
}
