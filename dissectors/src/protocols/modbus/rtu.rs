//! Modbus RTU frames carried over TCP or UDP, as serial gateways do: unit, PDU, CRC, and no length field
//! (Serial Line V1.02, 2.5.1). Where a frame ends follows from its function and direction; the CRC proves it.

use super::conversation::{Conversation, Frame};
use super::shape::{Extent, Fit, Role, extent, fit};
use super::sides::Sides;
use crate::model::{OddityCode, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Session, Variable};

/// Unit, function and CRC.
pub const LEAST_OCTETS: usize = 4;
/// Serial Line V1.02, 2.5.1.
pub const MOST_OCTETS: usize = 256;
/// Octets beside the PDU: unit and CRC.
const AROUND_PDU: usize = 3;
/// The highest address that a server on the line can have (2.2).
const MOST_UNIT: u8 = 247;
const LAYER: &str = "modbus-rtu";

/// CRC-16 of Serial Line V1.02, 6.2.2, a nibble at a time.
pub fn crc(octets: &[u8]) -> u16 {
    octets.iter().fold(0xFFFF, |crc, octet| crc_step(crc, *octet))
}

const NIBBLES: [u16; 16] = nibbles();

const fn nibbles() -> [u16; 16] {
    let mut table = [0; 16];
    let mut index = 0;
    while index < 16 {
        let mut value = index as u16;
        let mut bit = 0;
        while bit < 4 {
            value = if value & 1 == 1 { value >> 1 ^ 0xA001 } else { value >> 1 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

fn crc_step(crc: u16, octet: u8) -> u16 {
    let crc = crc ^ u16::from(octet);
    let crc = crc >> 4 ^ NIBBLES[usize::from(crc & 15)];
    crc >> 4 ^ NIBBLES[usize::from(crc & 15)]
}

/// True where these octets are a frame with its CRC, the low octet first.
pub fn crc_holds(frame: &[u8]) -> bool {
    match frame {
        [body @ .., low, high] if frame.len() >= LEAST_OCTETS => crc(body) == u16::from_le_bytes([*low, *high]),
        _ => false,
    }
}

/// What the start of some octets is, read in one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A frame of so many octets whose structure and CRC agree.
    Frame(usize),
    /// Possibly one of at least so many.
    Needs(usize),
    /// None with a structure that is known.
    Foreign,
}

/// The frame at the start of these octets, if the function's structure is known.
pub fn start(role: Role, bytes: &[u8]) -> Start {
    let [unit, pdu @ ..] = bytes else { return Start::Needs(LEAST_OCTETS) };
    if *unit > MOST_UNIT {
        return Start::Foreign;
    }
    match extent(role, pdu) {
        Extent::Open => Start::Foreign,
        Extent::AtLeast(octets) => needs(octets),
        Extent::Octets(octets) if fit(role, pdu, octets) < Fit::Length => Start::Foreign,
        Extent::Octets(octets) => match bytes.get(..octets + AROUND_PDU) {
            None => needs(octets),
            Some(frame) if crc_holds(frame) => Start::Frame(frame.len()),
            Some(_) => Start::Foreign,
        },
    }
}

fn needs(pdu_octets: usize) -> Start {
    if pdu_octets + AROUND_PDU > MOST_OCTETS { Start::Foreign } else { Start::Needs(pdu_octets + AROUND_PDU) }
}

/// The end of the first prefix that carries its own CRC, for functions whose structure is not known; the end of all
/// octets comes first, because a prefix agrees by chance once in 65536.
fn end_by_crc(bytes: &[u8]) -> Option<usize> {
    if bytes.len() <= MOST_OCTETS && crc_holds(bytes) {
        return Some(bytes.len());
    }
    let mut state = 0xFFFF;
    for (index, octet) in bytes.iter().take(MOST_OCTETS - 2).enumerate() {
        state = crc_step(state, *octet);
        if index >= 1 && bytes.get(index + 1..index + 3) == Some(&u16::to_le_bytes(state)) {
            return Some(index + 3);
        }
    }
    None
}

/// A conversation of RTU frames.
#[derive(Clone)]
pub struct RtuSession {
    conversation: Conversation,
}

impl RtuSession {
    /// A session whose sides are decided.
    pub const fn new(sides: Sides) -> Self {
        // A line has one request at a time (Serial Line V1.02, 2.1).
        RtuSession { conversation: Conversation::new(sides, 1) }
    }

    /// The role first that the sides give this direction.
    fn roles(&self, direction: Direction) -> [Role; 2] {
        match self.conversation.sides.role(direction) {
            Role::Request => [Role::Request, Role::Response],
            Role::Response => [Role::Response, Role::Request],
        }
    }

    /// Decodes one frame of `wire` octets, of which `bytes` are there.
    fn message(&mut self, bytes: &[u8], wire: usize, direction: Direction, out: &mut Output) {
        let whole = bytes.len() >= wire;
        if whole && wire < LEAST_OCTETS {
            let text = format!("{LEAST_OCTETS} octets or more, found {wire}");
            out.oddity(OddityCode::Truncated, LAYER, 0, text);
            return;
        }
        let Some((&unit, pdu)) = bytes.split_first() else { return };
        let pdu_length = wire.saturating_sub(AROUND_PDU);
        // Without the CRC, whole or in part.
        let pdu = pdu.get(..pdu_length).unwrap_or(pdu);
        let good = whole && crc_holds(bytes);
        if whole && !good {
            let due = crc(&bytes[..wire - 2]);
            let found = u16::from_le_bytes([bytes[wire - 2], bytes[wire - 1]]);
            let text = format!("a CRC of 0x{due:04x}, found 0x{found:04x}");
            self.conversation.found.push((OddityCode::BadChecksum, LAYER, wire - 2, text));
        }
        if good {
            self.conversation.sides.weigh(direction, pdu, pdu_length);
        }
        let in_sync = &mut self.conversation.in_sync[direction as usize];
        *in_sync = good || (*in_sync && whole);
        let octets = &bytes[..1 + pdu.len()];
        let frame = Frame { octets, pdu_at: 1, pdu_length, length: wire, whole, direction, unit, transaction: None };
        self.conversation.message(frame, out);
    }

    /// Octets of the frame at the start of a chunk that is not cut.
    fn whole_frame(&self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        let by_structure = self.roles(direction).into_iter().find_map(|role| match start(role, bytes) {
            Start::Frame(octets) => Some(octets),
            _ => None,
        });
        by_structure.or_else(|| end_by_crc(bytes))
    }
}

impl Session for RtuSession {
    fn protocol(&self) -> Protocol {
        Protocol::Modbus
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing {
        let in_sync = self.conversation.in_sync[direction as usize];
        let mut more = false;
        for role in self.roles(direction) {
            match start(role, bytes) {
                Start::Frame(octets) => return Framing::Message(octets),
                // The direction's own structure is trusted in a stream that kept step, so that a frame that the
                // capture cuts still has its length.
                Start::Needs(octets)
                    if in_sync && role == self.conversation.sides.role(direction) && bytes.len() >= LEAST_OCTETS =>
                {
                    let pdu = bytes.get(1..).unwrap_or(&[]);
                    if extent(role, pdu) == Extent::Octets(octets - AROUND_PDU) {
                        return Framing::Message(octets);
                    }
                    more = true;
                }
                Start::Needs(_) => more = true,
                Start::Foreign => {}
            }
        }
        if let Some(octets) = end_by_crc(bytes).filter(|_| in_sync) {
            return Framing::Message(octets);
        }
        if more {
            return Framing::NeedMore;
        }
        // A damaged frame in a stream that kept step: it is listed, with its CRC as the oddity.
        let pdu = bytes.get(1..).unwrap_or(&[]);
        match extent(self.conversation.sides.role(direction), pdu) {
            Extent::Octets(octets) if in_sync && octets + AROUND_PDU == bytes.len() => Framing::Message(bytes.len()),
            Extent::Open if in_sync && bytes.len() < MOST_OCTETS => Framing::NeedMore,
            _ => Framing::NotMine,
        }
    }

    fn resync(&self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        let roles = self.roles(direction);
        (0..bytes.len().saturating_sub(LEAST_OCTETS - 1))
            .find(|from| roles.into_iter().any(|role| matches!(start(role, &bytes[*from..]), Start::Frame(_))))
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let mut rest = chunk.bytes;
        let mut wire = chunk.wire_length.max(rest.len());
        while wire > 0 {
            let whole = rest.len() >= wire;
            let octets = if whole { self.whole_frame(chunk.direction, rest).unwrap_or(wire) } else { wire };
            // Datagrams may hold frames that are no frames at all: none is longer than the line allows.
            let octets = octets.clamp(1, MOST_OCTETS);
            self.message(rest.get(..octets).unwrap_or(rest), octets, chunk.direction, out);
            if octets == MOST_OCTETS && octets < wire {
                let text = format!("at most {MOST_OCTETS} octets, found {wire}");
                out.oddity(OddityCode::BadLength, LAYER, octets, text);
                return;
            }
            wire -= octets.min(wire);
            rest = rest.get(octets..).unwrap_or(&[]);
        }
    }

    fn gap(&mut self, direction: Direction, _out: &mut Output) {
        self.conversation.gap(direction);
    }

    fn variable(&self, direction: Direction, message: &[u8]) -> Option<Variable> {
        let role = self.conversation.sides.role(direction);
        // Nothing may differ: a frame has no number, and its CRC goes with the values.
        let end = message.len();
        (start(role, message) == Start::Frame(end)).then_some(Variable { number: 0..0, values: end..end, read: None })
    }

    fn is_idle(&self) -> bool {
        self.conversation.is_idle()
    }
}
