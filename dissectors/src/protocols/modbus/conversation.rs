//! What both framings do with a message once they know where its PDU is: decode it, and pair it.

use super::pdu::{self, Decoding, Found};
use super::shape::Role;
use super::sides::{Outstanding, Sides};
use crate::bytes::Cursor;
use crate::model::{Claim, Kind, Message, Pairing, Unit};
use crate::session::{Direction, Output};

/// Unit identifier that means every server on a line (Serial Line V1.02, 2.2).
const BROADCAST: u8 = 0;

/// A message whose framing is read.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its octets as far as they are there, without what follows the PDU.
    pub octets: &'a [u8],
    /// Where the PDU starts in them.
    pub pdu_at: usize,
    /// Octets of the PDU as announced.
    pub pdu_length: usize,
    /// Octets on the wire, framing included.
    pub length: usize,
    /// True where all of those are there.
    pub whole: bool,
    /// Its way.
    pub direction: Direction,
    /// Unit identifier.
    pub unit: u8,
    /// Transaction identifier; a serial line has none.
    pub transaction: Option<u16>,
}

impl Frame<'_> {
    /// What an answer has in common with its request.
    fn key(&self, role: Role) -> Option<u64> {
        let function = *self.octets.get(self.pdu_at)?;
        // An exception answers the function that it names without its highest bit.
        let function = if role == Role::Response { function & 0x7F } else { function };
        Some(key(self.transaction.unwrap_or(0), self.unit, function))
    }

    /// Nobody answers a broadcast on a line (Serial Line V1.02, 2.1).
    fn is_broadcast(&self) -> bool {
        self.transaction.is_none() && self.unit == BROADCAST
    }
}

/// The key of an exchange.
fn key(transaction: u16, unit: u8, function: u8) -> u64 {
    u64::from(transaction) << 16 | u64::from(unit) << 8 | u64::from(function)
}

/// The state of a conversation, whatever its framing.
#[derive(Clone)]
pub struct Conversation {
    /// Who asks whom.
    pub sides: Sides,
    /// A good message came this way and nothing was lost since: forward, backward.
    pub in_sync: [bool; 2],
    /// Malformed parts of the message at hand.
    pub found: Vec<Found>,
    outstanding: Outstanding,
    claims: Vec<Claim>,
}

impl Conversation {
    /// A conversation whose sides are decided, with at most so many requests under way.
    pub const fn new(sides: Sides, requests: usize) -> Self {
        Conversation {
            sides,
            in_sync: [false; 2],
            found: Vec::new(),
            outstanding: Outstanding::new(requests),
            claims: Vec::new(),
        }
    }

    /// True where a request of this transaction, unit and function awaits its answer.
    pub fn awaits(&self, transaction: u16, unit: u8, function: u8) -> bool {
        self.outstanding.awaits(key(transaction, unit, function))
    }

    /// Octets of a direction are lost.
    pub fn gap(&mut self, direction: Direction) {
        self.in_sync[direction as usize] = false;
        self.outstanding.forget_older();
    }

    /// True where no request awaits its answer, both ways are in step (what comes after a loss is to be decoded), and
    /// what agrees with the sides makes them no surer.
    pub fn is_idle(&self) -> bool {
        self.outstanding.is_empty() && self.in_sync == [true; 2] && self.sides.are_settled()
    }

    /// Decodes a message and pushes it, with what was found in it and what it states.
    pub fn message(&mut self, frame: Frame<'_>, out: &mut Output) {
        let role = self.sides.role(frame.direction);
        let mut message = out.message();
        message.transaction = frame.transaction.map(u32::from);
        message.length = u32::try_from(frame.length).unwrap_or(u32::MAX);
        message.complete = frame.whole;
        place_unit(&mut message, role, frame.unit);
        let key = frame.key(role);
        let mut cursor = Cursor::new(frame.octets);
        let _ = cursor.take(frame.pdu_at.min(frame.octets.len()), "header");
        let (answered, known) = match (key, role) {
            (Some(key), Role::Response) => {
                let pdu = frame.octets.get(frame.pdu_at..).unwrap_or(&[]);
                self.outstanding.answer(key, |asked| pdu::fits(asked, pdu))
            }
            _ => (0, None),
        };
        let asked = pdu::decode(Decoding {
            cursor,
            length: frame.pdu_length,
            role,
            asked: known,
            message: &mut message,
            found: &mut self.found,
            claims: &mut self.claims,
        });
        match (key, role) {
            (None, _) => {}
            (Some(_), Role::Request) if frame.is_broadcast() => {
                message.kind = Kind::Unconfirmed;
                message.pairing = Pairing::Alone;
            }
            (Some(key), Role::Request) => message.pairing = Pairing::Opens(self.outstanding.ask(key, asked)),
            (Some(_), Role::Response) => message.pairing = Pairing::Answers { key: answered, last: true },
        }
        out.push(message);
        for (code, layer, offset, expected) in self.found.drain(..) {
            out.oddity(code, layer, offset, expected);
        }
        for claim in self.claims.drain(..) {
            out.claim(claim);
        }
    }
}

/// The unit identifier addresses the server's side, whoever sends.
fn place_unit(message: &mut Message, role: Role, unit: u8) {
    let unit = Unit::Number(unit.into());
    message.from_client = role == Role::Request;
    match role {
        Role::Request => {
            message.kind = Kind::Request;
            message.destination_unit = unit;
        }
        Role::Response => {
            message.kind = Kind::Response;
            message.source_unit = unit;
        }
    }
}
