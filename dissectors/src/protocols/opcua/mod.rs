//! OPC UA in its binary form over TCP, opc.tcp (OPC 10000-6; IEC 62541-6): recognition, and the session of one connection.
//!
//! `header` is what every chunk starts with, `chunks` puts them together, `reader` reads the built-in types and `node`
//! writes node ids. `services` holds what is asked and answered, `memory` which nodes an answer is about. What is signed
//! is read; of what is encrypted the messages are counted.

mod chunks;
mod draft;
mod header;
mod memory;
mod node;
mod policy;
mod reader;
mod recognition;
mod services;
#[cfg(test)]
mod tests;
mod transport;

use chunks::{Joined, Parts};
use draft::{Draft, is_bad};
use header::{HEADER, Sequence, Start, letter};
use memory::Memory;
use reader::{Read, Reader};
use services::Context;

use crate::model::{Kind, Object, OddityCode, Operation, Pairing, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Session};
use crate::tables::{self, Code, opcua as codes};

pub use recognition::probe_stream;

/// Octets of one chunk that are decoded; products send 64 kB.
const MAX_CHUNK: usize = 120 * 1024;
/// Octets of a symmetric chunk before its body: header, channel, token, sequence number, request id.
const BODY: usize = 24;

/// Keys of exchanges: what kind of message, then its number.
mod keys {
    pub(super) const MESSAGE: u64 = 1 << 32;
    pub(super) const HELLO: u64 = 2 << 32;
    pub(super) const CHANNEL: u64 = 3 << 32;
}

/// How a channel is protected, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Protection {
    /// Its opening was not captured.
    #[default]
    Unknown,
    /// By nothing.
    Nothing,
    /// By a policy: by signatures alone where its messages can be read.
    Policy(Option<&'static Code>),
}

impl Protection {
    /// Of a channel that is opened with a policy.
    fn of(uri: &[u8]) -> Self {
        if policy::is_none(uri) { Protection::Nothing } else { Protection::Policy(policy::of(uri)) }
    }

    /// Octets of the signature at the end of a chunk that can be read.
    fn signature(self) -> usize {
        match self {
            Protection::Policy(Some(code)) => code.size.unwrap_or(0) as usize,
            _ => 0,
        }
    }

    /// The security mode of a channel whose messages can be read.
    fn mode(self) -> Option<&'static str> {
        let mode = match self {
            Protection::Unknown => return None,
            Protection::Nothing => 1,
            Protection::Policy(_) => 2,
        };
        Some(tables::name(codes::SECURITY_MODES, mode))
    }
}

/// One connection.
#[derive(Clone, Default)]
pub struct Opcua {
    /// The way of the client's messages, as far as it is known.
    client: Option<Direction>,
    /// The way of a hello that is not answered yet.
    greeting: Option<Direction>,
    protection: Protection,
    /// True where messages of a protected channel can be read.
    is_readable: bool,
    parts: [Parts; 2],
    /// Octets on the wire of an encrypted message whose last chunk has not come.
    encrypted: [usize; 2],
    /// Sequence numbers of the last chunks.
    sequences: [Option<u32>; 2],
    memory: Memory,
}

/// The body of a message.
#[derive(Clone, Copy)]
struct Body<'a> {
    octets: &'a [u8],
    /// Where it starts in the chunk.
    at: usize,
    /// Octets of its chunks on the wire.
    wire: usize,
    whole: bool,
    direction: Direction,
    letter: u8,
    request: u32,
}

impl Session for Opcua {
    fn protocol(&self) -> Protocol {
        Protocol::Opcua
    }

    fn frame(&mut self, _direction: Direction, bytes: &[u8]) -> Framing {
        match header::start(bytes) {
            Start::Message(chunk) if chunk.size > MAX_CHUNK => Framing::Head { keep: MAX_CHUNK, length: chunk.size },
            Start::Message(chunk) => Framing::Message(chunk.size),
            Start::NeedMore => Framing::NeedMore,
            Start::Nothing => Framing::NotMine,
        }
    }

    fn resync(&self, _direction: Direction, bytes: &[u8]) -> Option<usize> {
        recognition::find(bytes)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let Start::Message(head) = header::start(chunk.bytes) else { return };
        match head.letter {
            letter::OPEN => self.open(chunk, out),
            letter::MESSAGE | letter::CLOSE => self.message(chunk, head, out),
            _ => self.transport(chunk, head.letter, out),
        }
    }

    fn gap(&mut self, direction: Direction, out: &mut Output) {
        self.sequences[direction as usize] = None;
        self.encrypted[direction as usize] = 0;
        for joined in self.parts[direction as usize].give_up() {
            self.joined(&joined, direction, out);
        }
    }

    fn forget(&mut self) {
        self.memory = Memory::default();
    }

    fn held(&self) -> usize {
        self.parts.iter().map(Parts::held).sum::<usize>() + self.memory.held()
    }
}

impl Opcua {
    /// The usual port, a hint only.
    const PORT: u16 = 4840;

    /// A connection whose client is this side, if that is known.
    fn new(client: Option<Direction>) -> Self {
        Opcua { client, ..Opcua::default() }
    }

    fn is_client(&self, direction: Direction) -> bool {
        self.client.is_none_or(|client| client == direction)
    }

    /// Opens a channel, or gives it new keys. The policy and whose certificate it is can be read in any case.
    fn open(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let Chunk { bytes, wire_length: wire, direction } = chunk;
        let whole = chunk.is_whole();
        let mut draft = Draft::new(out, wire, whole);
        draft.message.message_type = Some(letter::OPEN);
        draft.message.name = tables::name(codes::MESSAGE_TYPES, letter::OPEN.into());
        draft.message.operation = Operation::Session;
        let mut reader = Reader::new(bytes.get(HEADER + 4..).unwrap_or(&[]));
        draft.at = HEADER + 4;
        let head = match header::asymmetric(&mut reader) {
            Ok(head) => head,
            Err(fault) => {
                draft.message.from_client = self.is_client(direction);
                draft.faulty(Err(fault));
                return draft.finish(out);
            }
        };
        let protection = Protection::of(head.policy);
        if protection != self.protection {
            (self.protection, self.is_readable) = (protection, false);
        }
        services::certificate(head.certificate, &mut draft);
        if protection == Protection::Nothing
            && let Ok(Sequence { number, request }) = header::sequence(&mut reader)
        {
            self.follow(direction, number, &mut draft);
            let at = HEADER + 4 + reader.offset();
            let octets = bytes.get(at..).unwrap_or(&[]);
            let body = Body { octets, at, wire, whole, direction, letter: letter::OPEN, request };
            self.fill(body, &mut draft);
        } else {
            draft.message.from_client = self.is_client(direction);
            draft.message.kind = if draft.message.from_client { Kind::Request } else { Kind::Response };
        }
        if draft.message.from_client {
            services::security_policy(head.policy, &mut draft);
        }
        // One opening is under way at a time, and the request's id may be encrypted.
        draft.message.pairing = match draft.message.kind {
            Kind::Request => Pairing::Opens(keys::CHANNEL),
            _ => Pairing::Answers { key: keys::CHANNEL, last: true },
        };
        draft.finish(out);
    }

    /// A chunk of a message, or of the closing of the channel.
    fn message(&mut self, chunk: Chunk<'_>, head: header::Chunk, out: &mut Output) {
        let Chunk { bytes, wire_length: wire, direction } = chunk;
        let way = direction as usize;
        let whole = chunk.is_whole();
        let Some(Ok(Sequence { number, request })) =
            bytes.get(BODY - 8..).map(|octets| header::sequence(&mut Reader::new(octets)))
        else {
            return;
        };
        let body = bytes.get(BODY..).unwrap_or(&[]);
        let reads = service_of(body).is_some();
        self.is_readable |= reads;
        let is_plain = self.protection == Protection::Nothing || self.is_readable || self.parts[way].has(request);
        if !is_plain {
            return self.unreadable(chunk, head, out);
        }
        // A chunk that the capture cut has its signature beyond the cut.
        let kept = if whole { body.len().saturating_sub(self.protection.signature()) } else { body.len() };
        let octets = &body[..kept];
        let body = Body { octets, at: BODY, wire, whole, direction, letter: head.letter, request };
        let odd = self.out_of_sequence(direction, number);
        match head.part {
            b'F' if !self.parts[way].has(request) => self.told(body, odd, out),
            b'C' => {
                self.note(odd, out);
                let given_up = self.parts[way].add(request, octets, wire, whole);
                given_up.iter().for_each(|joined| self.joined(joined, direction, out));
            }
            b'F' => {
                self.note(odd, out);
                let given_up = self.parts[way].add(request, octets, wire, whole);
                let joined = given_up.or_else(|| self.parts[way].take(request));
                joined.iter().for_each(|joined| self.joined(joined, direction, out));
            }
            _ => self.abort(body, out),
        }
    }

    /// Counts what only the two ends can read: a message when its last chunk is there.
    fn unreadable(&mut self, chunk: Chunk<'_>, head: header::Chunk, out: &mut Output) {
        let pending = &mut self.encrypted[chunk.direction as usize];
        *pending = pending.saturating_add(chunk.wire_length);
        if head.part == b'C' {
            return;
        }
        let mut draft = Draft::new(out, std::mem::take(pending), chunk.is_whole());
        draft.message.message_type = Some(head.letter);
        draft.message.from_client = self.is_client(chunk.direction);
        draft.message.pairing = Pairing::Alone;
        if head.letter == letter::CLOSE {
            let known = tables::find(codes::MESSAGE_TYPES, letter::CLOSE.into());
            draft.message.name = known.map_or("", |known| known.name);
            draft.message.operation = Operation::Session;
            draft.message.kind = Kind::Unconfirmed;
        } else {
            draft.message.name = tables::name(codes::MESSAGE_TYPES, 0);
        }
        let property_name = tables::name(codes::SECURITY_MODES, 3);
        draft.object(Object { kind: "security-mode", property_name, ..Object::default() }, "");
        draft.finish(out);
    }

    /// The sender gives a message up (6.7.3): its chunks are thrown away, and it says why.
    fn abort(&mut self, body: Body<'_>, out: &mut Output) {
        let Body { octets, wire, whole, direction, request, .. } = body;
        let begun = self.parts[direction as usize].take(request).map_or(0, |part| part.wire);
        let mut draft = Draft::new(out, begun.saturating_add(wire), whole);
        draft.at = BODY;
        draft.message.message_type = Some(letter::MESSAGE);
        draft.message.name = "abort";
        draft.message.transaction = Some(request);
        draft.message.from_client = self.is_client(direction);
        let mut reader = Reader::new(octets);
        let result = reader.u32("error").map(|status| draft.result(status));
        draft.message.kind = Kind::Error;
        draft.message.pairing = if draft.message.from_client {
            Pairing::Alone
        } else {
            Pairing::Answers { key: keys::MESSAGE | u64::from(request), last: true }
        };
        draft.faulty(result);
        draft.finish(out);
    }

    fn joined(&mut self, joined: &Joined, direction: Direction, out: &mut Output) {
        let Joined { octets, wire, is_cut, request, .. } = joined;
        let (wire, request, whole) = (*wire, *request, !is_cut);
        self.told(Body { octets, at: BODY, wire, whole, direction, letter: letter::MESSAGE, request }, None, out);
    }

    /// Tells what is wrong with the number of a chunk that is no message by itself.
    fn note(&self, odd: Option<String>, out: &mut Output) {
        if let Some(odd) = odd {
            out.oddity(OddityCode::BadSequence, draft::LAYER, BODY - 8, odd);
        }
    }

    /// Tells a message that is put together; `odd` is what was wrong with the number of its chunk.
    fn told(&mut self, body: Body<'_>, odd: Option<String>, out: &mut Output) {
        let mut draft = Draft::new(out, body.wire, body.whole);
        if let Some(odd) = odd {
            draft.odd(OddityCode::BadSequence, BODY - 8, odd);
        }
        self.fill(body, &mut draft);
        draft.finish(out);
    }

    /// Decodes the body of a message.
    fn fill(&mut self, body: Body<'_>, draft: &mut Draft) {
        let Body { octets, at, whole, direction, letter, request, .. } = body;
        draft.at = at;
        draft.message.message_type = Some(letter);
        draft.message.transaction = Some(request);
        let mut reader = Reader::new(octets);
        let kind = match reader.node_id("type id") {
            Ok(kind) => kind,
            Err(fault) => {
                draft.message.from_client = self.is_client(direction);
                return draft.faulty(Err(fault));
            }
        };
        let known = kind.standard().and_then(|number| tables::find(codes::FUNCTIONS, number));
        if let Some(number) = kind.standard() {
            draft.service(number);
        }
        let asks = known.map_or_else(|| self.is_client(direction), |known| known.kind == "request");
        draft.message.from_client = asks;
        draft.message.kind = if asks { Kind::Request } else { Kind::Response };
        let key = keys::MESSAGE | u64::from(request);
        draft.message.pairing = if asks { Pairing::Opens(key) } else { Pairing::Answers { key, last: true } };
        if letter == self::letter::CLOSE {
            (draft.message.kind, draft.message.pairing) = (Kind::Unconfirmed, Pairing::Alone);
        }
        let Some(known) = known else {
            let name = if kind.standard().is_some() { String::new() } else { kind.to_string() };
            if !name.is_empty() {
                draft.object(Object { kind: "service", ..Object::default() }, &name);
            }
            return;
        };
        self.client = Some(if asks { direction } else { direction.opposite() });
        let asked = if asks { memory::Question::default() } else { self.memory.answer((direction, request)) };
        let result = if asks { request_header(&mut reader) } else { response_header(&mut reader, draft) };
        if asked.waits {
            // Its request makes no event: neither does its answer close one.
            draft.message.pairing = Pairing::Alone;
            (draft.message.name, draft.message.operation) = ("publish", Operation::Report);
        }
        let decoded = result.and_then(|()| {
            let status = u32::from(draft.message.status.unwrap_or(0)) << 16;
            // Behind a header that says that the service failed is nothing of use (10000-4, 7.34).
            let Some(decode) = services::decoder(known.name, asks).filter(|_| !is_bad(status)) else {
                return Ok(false);
            };
            let (memory, protection) = (&mut self.memory, self.protection);
            let mut context = Context { draft, memory, asked, key: (direction, request), protection };
            decode(&mut reader, &mut context).map(|()| true)
        });
        match decoded {
            Ok(true) if whole && reader.left() > 0 && self.protection == Protection::Nothing => {
                let left = reader.left();
                draft.odd(
                    OddityCode::TrailingOctets,
                    reader.offset(),
                    format!("the end of the message, found {left} octets"),
                );
            }
            Ok(_) => {}
            Err(fault) => draft.faulty(Err(fault)),
        }
    }

    fn follow(&mut self, direction: Direction, number: u32, draft: &mut Draft) {
        if let Some(odd) = self.out_of_sequence(direction, number) {
            draft.odd(OddityCode::BadSequence, 0, odd);
        }
    }

    /// What is wrong with a sequence number: each is one more than the last, until they start again below 1024 (6.7.2.4).
    fn out_of_sequence(&mut self, direction: Direction, number: u32) -> Option<String> {
        /// Numbers start again at the earliest behind this one.
        const LAST: u32 = u32::MAX - 1024;
        let last = self.sequences[direction as usize].replace(number)?;
        let follows = number == last.wrapping_add(1) || last >= LAST && number < 1024;
        (!follows).then(|| format!("sequence number {}, found {number}", last.wrapping_add(1)))
    }
}

/// A request's header (10000-4, 7.33). Its token opens the session to whoever has it: it is told nowhere.
fn request_header(reader: &mut Reader<'_>) -> Read<()> {
    reader.node_id("authentication token")?;
    reader.take(16, "time, request handle, diagnostics asked for")?;
    reader.octets("audit entry id")?;
    reader.u32("timeout")?;
    reader.extension("additional header").map(drop)
}

/// A response's header (7.34).
fn response_header(reader: &mut Reader<'_>, draft: &mut Draft) -> Read<()> {
    reader.take(12, "time and request handle")?;
    let status = reader.u32("service result")?;
    draft.result(status);
    reader.diagnostic_info("service diagnostics")?;
    reader.strings("string table")?;
    reader.extension("additional header").map(drop)
}

/// The service whose type id starts a body that can be read.
fn service_of(body: &[u8]) -> Option<&'static Code> {
    let number = match *body {
        [1, 0, low, high, ..] => u16::from_le_bytes([low, high]).into(),
        [2, 0, 0, a, b, c, d, ..] => u32::from_le_bytes([a, b, c, d]),
        _ => return None,
    };
    tables::find(codes::FUNCTIONS, number)
}
