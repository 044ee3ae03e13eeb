//! BACnet/IP, BACnet/IPv6 and BACnet on a data link of its own (ANSI/ASHRAE 135-2020): recognition, and the session
//! of one flow.
//!
//! The layers are the standard's: `link` (BVLL, Annexes J and U), `network` (NPDU, clause 6), `application` (APDU,
//! 20.1) with `segmentation` (5.2), `service` (clauses 13 to 17), `tag`, `value` (20.2) and `production` (clause 21). A datagram passes through them
//! as one `Draft`. [`BacnetIp`] takes datagrams with a BVLL, [`BacnetNpdu`] the NPDUs of other data links.

mod application;
mod draft;
mod link;
mod network;
mod production;
mod segmentation;
mod service;
mod tag;
#[cfg(test)]
mod tests;
mod value;

use self::draft::Draft;
use self::network::Conversation;
use crate::model::{Kind, Pairing, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session, Variable};
use crate::tables;

/// UDP port of BACnet/IP, 0xBAC0 (J.1.2).
pub const PORT: u16 = 47808;

/// The BACnet messages between two UDP endpoints.
#[derive(Clone, Default)]
pub struct BacnetIp {
    conversation: Conversation,
}

impl Session for BacnetIp {
    fn protocol(&self) -> Protocol {
        Protocol::Bacnet
    }

    fn frame(&mut self, _: Direction, _: &[u8]) -> Framing {
        Framing::NotMine
    }

    fn resync(&self, _: Direction, _: &[u8]) -> Option<usize> {
        None
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        link::decode(&mut self.conversation, chunk, out);
    }

    fn held(&self) -> usize {
        self.conversation.held()
    }

    fn gap(&mut self, direction: Direction, out: &mut Output) {
        self.conversation.gap(direction, out);
    }

    fn variable(&self, _: Direction, message: &[u8]) -> Option<Variable> {
        link::variable(message)
    }

    fn is_idle(&self) -> bool {
        self.conversation.is_idle()
    }
}

/// The BACnet messages between two stations of a data link that carries an NPDU without more: ISO 8802-3 with LLC
/// (clause 7), ARCNET (clause 8), MS/TP (clause 9). A chunk is one NPDU.
#[derive(Clone, Default)]
pub struct BacnetNpdu {
    conversation: Conversation,
}

impl Session for BacnetNpdu {
    fn protocol(&self) -> Protocol {
        Protocol::Bacnet
    }

    fn frame(&mut self, _: Direction, _: &[u8]) -> Framing {
        Framing::NotMine
    }

    fn resync(&self, _: Direction, _: &[u8]) -> Option<usize> {
        None
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let draft = Draft::new(out, chunk.bytes.len(), chunk.wire_length);
        self.conversation.decode_npdu(draft, chunk.bytes, 0, chunk.direction, out);
    }

    fn held(&self) -> usize {
        self.conversation.held()
    }

    fn gap(&mut self, direction: Direction, out: &mut Output) {
        self.conversation.gap(direction, out);
    }

    fn variable(&self, _: Direction, message: &[u8]) -> Option<Variable> {
        Conversation::variable(message, 0)
    }

    fn is_idle(&self) -> bool {
        self.conversation.is_idle()
    }
}

/// Recognises BACnet where the data link itself says that its frame holds an NPDU: the version is enough.
pub fn probe_frame(probe: &Probe) -> Recognition {
    let is_npdu = |octets: &[u8]| octets.first() == Some(&network::VERSION);
    if is_npdu(probe.forward) || is_npdu(probe.backward) {
        Recognition::Yes(Box::new(BacnetNpdu::default()))
    } else {
        Recognition::No
    }
}

/// Recognises BACnet by one datagram of either direction.
///
/// On the standard port a known BVLC function with the right length is enough, or a wrong length before a plausible
/// NPDU. Elsewhere the datagram must have the right length and decode to its end without a single oddity.
pub fn probe_datagram(probe: &Probe) -> Recognition {
    let on_port = probe.ports.contains(&PORT);
    let verdicts = [probe.forward, probe.backward].map(|datagram| verdict(datagram, on_port, probe.cut));
    if verdicts.contains(&Some(true)) {
        Recognition::Yes(Box::new(BacnetIp::default()))
    } else if verdicts.contains(&None) {
        Recognition::Undecided
    } else {
        Recognition::No
    }
}

/// Whether the datagram is BACnet; none where it could be.
fn verdict(datagram: &[u8], on_port: bool, cut: bool) -> Option<bool> {
    let [bvlc_type @ (link::BVLC_IP | link::BVLC_IPV6), function, high, low, ..] = *datagram else {
        return Some(false);
    };
    if tables::find(link::functions(bvlc_type), u32::from(function)).is_none() {
        return Some(false);
    }
    let announced = usize::from(u16::from_be_bytes([high, low]));
    let exact = if cut { announced > datagram.len() } else { announced == datagram.len() };
    if on_port {
        return Some(exact || is_plausible(datagram, Strictness::Header));
    }
    match (exact, cut) {
        (false, _) => Some(false),
        (true, false) => Some(is_plausible(datagram, Strictness::Everything)),
        // The cut took the proof away: the next datagram may be whole.
        (true, true) if is_plausible(datagram, Strictness::Header) => None,
        (true, true) => Some(false),
    }
}

/// Header of 12 octets and one contributing source (RFC 3550, 5.1).
const SHORTEST_RTP_WITH_SOURCE: usize = 16;

/// How much of a datagram must be as the standard has it.
#[derive(PartialEq)]
enum Strictness {
    /// An NPDU with a message of the network layer or an APDU header that has a table's service.
    Header,
    /// Everything, to the last octet.
    Everything,
}

fn is_plausible(datagram: &[u8], strictness: Strictness) -> bool {
    let mut out = Output::default();
    let chunk = Chunk { bytes: datagram, wire_length: datagram.len(), direction: Direction::Forward };
    BacnetIp::default().decode(chunk, &mut out);
    let [message] = &out.messages[..] else { return false };
    let known = match message.kind {
        // RTP with contributing sources starts with the octets of a BVLC type and function, and its sequence number
        // passes the length; what is shorter than such a packet, and has all its fields, is none.
        Kind::Link if strictness == Strictness::Everything => {
            datagram.len() < SHORTEST_RTP_WITH_SOURCE && message.pairing != Pairing::Alone
        }
        Kind::Link => !link::carries_npdu(message.name),
        // No service is on the wire; the reason is what can be checked.
        Kind::Error if message.function.is_none() => !message.status_name.is_empty(),
        Kind::Confirm => true,
        _ => !message.name.is_empty(),
    };
    known && (strictness == Strictness::Header || out.oddities.is_empty())
}
