//! Modbus over TCP and UDP: the MBAP header in front of the PDU (Messaging V1.0b, 3.1.3).

use super::codes::UMAS;
use super::conversation::{Conversation, Frame};
use super::pdu;
use super::shape::{Extent, Fit, Role, extent, fit};
use super::sides::Sides;
use crate::bytes::{Cursor, Short};
use crate::model::{OddityCode, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Session, Variable};

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
/// How far transaction identifiers of consecutive messages lie apart at most, however many requests are under way.
const MOST_AHEAD: u16 = 64;
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
#[derive(Clone)]
pub struct MbapSession {
    conversation: Conversation,
}

/// The fields of any header, believed or not.
struct Fields {
    transaction: u16,
    protocol: u16,
    length: usize,
    unit: u8,
}

impl Fields {
    fn read(bytes: &[u8]) -> Result<Self, Short> {
        let mut cursor = Cursor::new(bytes);
        Ok(Fields {
            transaction: cursor.u16_be("transaction identifier")?,
            protocol: cursor.u16_be("protocol identifier")?,
            length: cursor.u16_be("length")?.into(),
            unit: cursor.u8("unit identifier")?,
        })
    }
}

impl MbapSession {
    /// A session whose sides are decided.
    pub const fn new(sides: Sides) -> Self {
        MbapSession { conversation: Conversation::new(sides, 64) }
    }

    /// Decodes one message and returns its octets on the wire; `wire` is what the chunk has from here on.
    fn message(&mut self, bytes: &[u8], wire: usize, direction: Direction, out: &mut Output) -> usize {
        let Fields { transaction, protocol, length, unit } = match Fields::read(bytes) {
            Ok(fields) => fields,
            Err(short) => {
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
        let octets = self.octets(bytes, wire, direction, length);
        let pdu_length = octets.saturating_sub(HEADER);
        let present = bytes.get(..octets).unwrap_or(bytes);
        let whole = present.len() >= octets;
        let Conversation { sides, in_sync, .. } = &mut self.conversation;
        sides.weigh(direction, present.get(HEADER..).unwrap_or(&[]), pdu_length);
        in_sync[direction as usize] = whole;
        let frame = Frame {
            octets: present,
            pdu_at: HEADER,
            pdu_length,
            length: octets,
            whole,
            direction,
            unit,
            transaction: Some(transaction),
        };
        self.conversation.message(frame, out);
        octets
    }

    /// Octets of the message at the start of a chunk, which need not be those that it announces.
    fn octets(&mut self, bytes: &[u8], wire: usize, direction: Direction, length: usize) -> usize {
        let announced = BEFORE_UNIT + length;
        let octets = match announced {
            _ if length < LEAST_LENGTH || announced > wire => wire,
            _ if announced < wire => self.end(direction, bytes, announced).min(wire),
            _ => announced,
        };
        let most = if bytes.get(HEADER) == Some(&UMAS) { MOST_UMAS_LENGTH } else { MOST_LENGTH };
        if octets != announced {
            let text = format!("a length of {}, found {length}", octets.saturating_sub(BEFORE_UNIT));
            self.conversation.found.push((OddityCode::BadLength, LAYER, 4, text));
        } else if length > most {
            let text = format!("a length of {LEAST_LENGTH} to {most}, found {length}");
            self.conversation.found.push((OddityCode::BadLength, LAYER, 4, text));
        }
        octets
    }

    /// Where the message at the start of these octets ends. Its header is believed where the function's structure
    /// agrees. Where it does not, or there is none, a message that surely starts before the announced end, or right
    /// after the function's own fields, is believed more: a wrong length costs one message, not those behind it.
    fn end(&self, direction: Direction, bytes: &[u8], announced: usize) -> usize {
        let Some((header, pdu)) = bytes.split_at_checked(HEADER) else { return announced };
        let role = self.conversation.sides.role(direction);
        let own = match extent(role, pdu) {
            Extent::Octets(octets) => Some(HEADER + octets),
            Extent::AtLeast(_) | Extent::Open => None,
        };
        if own == Some(announced) {
            return announced;
        }
        let follows = |start: usize| {
            // Right after the function's own fields any message is expected, and one of no known structure too.
            let least = if own == Some(start) { Fit::Open } else { Fit::Exact };
            self.follows(role, header, bytes.get(start..).unwrap_or(&[]), least)
        };
        let confirmed = follows(announced);
        // An announced end that another message confirms gives way only to messages that lead right up to it.
        let inside = (1..announced.min(bytes.len())).find(|start| follows(*start));
        if let Some(start) = inside.filter(|start| !confirmed || tiled(&bytes[*start..announced])) {
            return start;
        }
        let header_at_announced = bytes.get(announced..).and_then(Header::of).is_some();
        own.filter(|own| !confirmed && (announced..=BEFORE_UNIT + MOST_LENGTH).contains(own))
            .filter(|own| follows(*own) || (*own == bytes.len() && !header_at_announced))
            .unwrap_or(announced)
    }

    /// True where a message of this conversation surely starts after the one with this header: it fits the role, and
    /// is borne out by two of its wholeness, its unit and its transaction identifier.
    fn follows(&self, role: Role, before: &[u8], bytes: &[u8], least: Fit) -> bool {
        let Some(header) = Header::of(bytes) else { return false };
        let whole = bytes.get(HEADER..header.octets());
        let pdu = whole.unwrap_or(&bytes[HEADER..]);
        if fit(role, pdu, header.pdu_length()) < least {
            return false;
        }
        let &[high, low, .., unit] = before else { return false };
        let ahead = header.transaction.wrapping_sub(u16::from_be_bytes([high, low]));
        let continues = ahead <= MOST_AHEAD
            || role == Role::Response
                && self.conversation.awaits(header.transaction, header.unit, header.function & 0x7F);
        let borne_out = [whole.is_some(), header.unit == unit, continues];
        borne_out.into_iter().filter(|holds| *holds).count() >= 2
    }

    /// Where the message at the start of these octets ends.
    fn framing(&self, direction: Direction, bytes: &[u8]) -> Framing {
        if bytes.iter().skip(2).take(2).any(|octet| *octet != 0) {
            return Framing::NotMine;
        }
        let Some(&[high, low]) = bytes.get(4..6) else { return Framing::NeedMore };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let in_sync = self.conversation.in_sync[direction as usize];
        let allowed = match (length, bytes.get(HEADER)) {
            (LEAST_LENGTH..=MOST_LENGTH, _) => true,
            (LEAST_LENGTH..=MOST_UMAS_LENGTH, None) => return Framing::NeedMore,
            (LEAST_LENGTH..=MOST_UMAS_LENGTH, Some(function)) => in_sync || *function == UMAS,
            _ => false,
        };
        let announced = BEFORE_UNIT + length;
        match self.end(direction, bytes, announced) {
            // No message has room before the next one.
            0..=HEADER => Framing::NotMine,
            end if allowed || (in_sync && end != announced) => Framing::Message(end),
            _ => Framing::NotMine,
        }
    }
}

/// True where messages fill these octets without a rest.
fn tiled(mut bytes: &[u8]) -> bool {
    while let Some(rest) = Header::of(bytes).and_then(|header| bytes.get(header.octets()..)) {
        bytes = rest;
    }
    bytes.is_empty()
}

impl Session for MbapSession {
    fn protocol(&self) -> Protocol {
        Protocol::Modbus
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing {
        self.framing(direction, bytes)
    }

    fn resync(&self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        let role = self.conversation.sides.role(direction);
        (0..bytes.len().saturating_sub(HEADER)).find(|start| {
            let from_here = &bytes[*start..];
            surely_starts(role, from_here) && self.framing(direction, from_here) != Framing::NotMine
        })
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
        self.conversation.gap(direction);
    }

    fn variable(&self, direction: Direction, message: &[u8]) -> Option<Variable> {
        let header = Header::of(message).filter(|header| header.octets() == message.len())?;
        let values = pdu::values(self.conversation.sides.role(direction), header.function);
        let (start, read) = values.map_or((message.len(), None), |(at, read)| (HEADER + at, Some(read)));
        Some(Variable { number: 0..2, values: start.min(message.len())..message.len(), read })
    }

    fn is_idle(&self) -> bool {
        self.conversation.is_idle()
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
