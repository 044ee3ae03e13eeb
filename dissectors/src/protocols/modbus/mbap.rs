//! Modbus over TCP and UDP: the MBAP header in front of the PDU (Messaging V1.0b, 3.1.3).

use super::codes::UMAS;
use super::pdu::{self, Decoding, Found};
use super::shape::{Fit, Role, fit};
use super::sides::{Outstanding, Sides};
use super::{place_unit, publish};
use crate::bytes::Cursor;
use crate::model::{Claim, OddityCode, Pairing, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Session};

/// Transaction identifier, protocol identifier, length; the length counts what follows it.
pub const BEFORE_UNIT: usize = 6;
/// The MBAP header with its unit identifier.
pub const HEADER: usize = 7;
/// Unit identifier and function code are the least that a length counts.
const LEAST_LENGTH: usize = 2;
/// Unit identifier and a PDU of 253 octets (V1.1b3, 4.1).
const MOST_LENGTH: usize = 254;
/// UMAS frames of 1 KiB and more occur.
const MOST_UMAS_LENGTH: usize = 2048;
const LAYER: &str = "mbap";

/// The fields of a header that a message surely starts with, as far as eight octets can show it.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Transaction identifier.
    pub transaction: u16,
    /// Octets after the length field.
    pub length: usize,
    /// Unit identifier.
    pub unit: u8,
    /// Function code, with its exception bit.
    pub function: u8,
}

impl Header {
    /// The header at the start of these octets, where they have one that the standard (or UMAS) allows.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let &[transaction_high, transaction_low, 0, 0, length_high, length_low, unit, function, ..] = bytes else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        let most = if function == UMAS { MOST_UMAS_LENGTH } else { MOST_LENGTH };
        (LEAST_LENGTH..=most).contains(&length).then_some(Header {
            transaction: u16::from_be_bytes([transaction_high, transaction_low]),
            length,
            unit,
            function,
        })
    }

    /// Octets of the whole message.
    pub const fn octets(&self) -> usize {
        BEFORE_UNIT + self.length
    }

    /// Octets of its PDU.
    pub const fn pdu_length(&self) -> usize {
        self.length - 1
    }
}

/// False where these octets cannot start a message; they may be too few to tell.
pub fn may_start(bytes: &[u8]) -> bool {
    let protocol_is_zero = bytes.iter().skip(2).take(2).all(|octet| *octet == 0);
    protocol_is_zero && (bytes.len() < 8 || Header::of(bytes).is_some())
}

/// A conversation with MBAP headers.
pub struct MbapSession {
    sides: Sides,
    outstanding: Outstanding,
    /// A whole message came this way and nothing was lost since: forward, backward.
    in_sync: [bool; 2],
    found: Vec<Found>,
    claims: Vec<Claim>,
}

impl MbapSession {
    /// A session whose sides are decided.
    pub const fn new(sides: Sides) -> Self {
        MbapSession {
            sides,
            outstanding: Outstanding::new(64),
            in_sync: [false; 2],
            found: Vec::new(),
            claims: Vec::new(),
        }
    }

    /// Decodes one message and returns its octets on the wire; `wire` is what the chunk has from here on.
    fn message(&mut self, bytes: &[u8], wire: usize, direction: Direction, out: &mut Output) -> usize {
        let mut cursor = Cursor::new(bytes);
        let header = (|| {
            let transaction = cursor.u16_be("transaction identifier")?;
            let protocol = cursor.u16_be("protocol identifier")?;
            let length = cursor.u16_be("length")?;
            Ok((transaction, protocol, usize::from(length), cursor.u8("unit identifier")?))
        })();
        let (transaction, protocol, length, unit) = match header {
            Ok(header) => header,
            Err(short) => {
                let short: crate::bytes::Short = short;
                if bytes.len() >= wire {
                    out.oddity(OddityCode::Truncated, LAYER, short.offset, short.to_string());
                }
                return wire;
            }
        };
        if protocol != 0 {
            out.oddity(OddityCode::NotTheProtocol, LAYER, 2, format!("protocol identifier 0, found {protocol}"));
            return wire;
        }
        let function_is_umas = cursor.peek() == Some(UMAS);
        let fits = length >= LEAST_LENGTH && BEFORE_UNIT + length <= wire;
        let octets = if fits { BEFORE_UNIT + length } else { wire };
        if !fits || (length > MOST_LENGTH && !function_is_umas) {
            let room = wire.saturating_sub(BEFORE_UNIT).min(MOST_LENGTH);
            let text = format!("a length of 2 to {room}, found {length}");
            self.found.push((OddityCode::BadLength, LAYER, 4, text));
        }
        let present = bytes.get(..octets).unwrap_or(bytes);
        let whole = present.len() >= octets;
        let pdu = present.get(HEADER..).unwrap_or(&[]);
        let pdu_length = octets.saturating_sub(HEADER);
        self.sides.weigh(direction, pdu, pdu_length);
        let role = self.sides.role(direction);

        let mut message = out.message();
        message.transaction = Some(transaction.into());
        message.length = u32::try_from(octets).unwrap_or(u32::MAX);
        message.complete = whole;
        place_unit(&mut message, role, unit);
        let key = pdu.first().map(|function| {
            // An exception answers the function that it names without its highest bit.
            let function = if role == Role::Response { function & 0x7F } else { *function };
            u64::from(transaction) << 16 | u64::from(unit) << 8 | u64::from(function)
        });
        let answered = key.filter(|_| role == Role::Response).and_then(|key| self.outstanding.answer(key));
        let mut cursor = Cursor::new(present);
        let asked = cursor.take(HEADER.min(present.len()), "MBAP header").ok().map(|_| {
            pdu::decode(Decoding {
                cursor,
                length: pdu_length,
                role,
                asked: answered,
                message: &mut message,
                found: &mut self.found,
                claims: &mut self.claims,
            })
        });
        message.pairing = match (key, role) {
            (None, _) => Pairing::None,
            (Some(key), Role::Request) => Pairing::Opens(key),
            (Some(key), Role::Response) => Pairing::Answers { key, last: true },
        };
        if let (Some(key), Some(asked), Role::Request) = (key, asked, role) {
            self.outstanding.ask(key, asked);
        }
        publish(message, &mut self.found, &mut self.claims, out);
        self.in_sync[direction as usize] = whole;
        octets
    }
}

impl Session for MbapSession {
    fn protocol(&self) -> Protocol {
        Protocol::Modbus
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing {
        if bytes.iter().skip(2).take(2).any(|octet| *octet != 0) {
            return Framing::NotMine;
        }
        let Some(&[high, low]) = bytes.get(4..6) else { return Framing::NeedMore };
        let length = usize::from(u16::from_be_bytes([high, low]));
        match (length, bytes.get(7)) {
            (LEAST_LENGTH..=MOST_LENGTH, _) => Framing::Message(BEFORE_UNIT + length),
            (0..LEAST_LENGTH, _) | (MOST_UMAS_LENGTH.., _) if length != MOST_UMAS_LENGTH => Framing::NotMine,
            (_, None) => Framing::NeedMore,
            (_, Some(&UMAS)) => Framing::Message(BEFORE_UNIT + length),
            _ if self.in_sync[direction as usize] => Framing::Message(BEFORE_UNIT + length),
            _ => Framing::NotMine,
        }
    }

    fn resync(&self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        let role = self.sides.role(direction);
        (0..bytes.len().saturating_sub(8)).find(|start| surely_starts(role, &bytes[*start..]))
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let mut rest = chunk.bytes;
        let mut wire = chunk.wire_length.max(rest.len());
        // A datagram may hold several messages; each takes at least eight octets.
        loop {
            let taken = self.message(rest, wire, chunk.direction, out);
            wire = wire.saturating_sub(taken);
            rest = match rest.get(taken..) {
                Some(rest) if !rest.is_empty() => rest,
                _ => return,
            };
            if Header::of(rest).is_none() {
                let text = format!("the end after the announced length, found {} octets more", rest.len());
                out.oddity(OddityCode::TrailingOctets, LAYER, taken, text);
                return;
            }
        }
    }

    fn gap(&mut self, direction: Direction, _out: &mut Output) {
        self.in_sync[direction as usize] = false;
    }
}

/// Structure, and an end that meets the end of the octets or another header, prove a start within a stream.
fn surely_starts(role: Role, bytes: &[u8]) -> bool {
    let Some(header) = Header::of(bytes) else { return false };
    if fit(role, &bytes[HEADER..], header.pdu_length()) < Fit::Length {
        // Functions without a known structure count where the next header confirms them.
        let next = bytes.get(header.octets()..).and_then(Header::of);
        return next.is_some_and(|next| next.unit == header.unit);
    }
    bytes.get(header.octets()..).is_none_or(may_start)
}
