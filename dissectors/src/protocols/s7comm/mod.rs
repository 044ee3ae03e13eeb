//! S7 communication of Siemens controllers, and S7comm-plus of the newer ones, on ISO transport over TCP.
//!
//! `cotp` puts the user data together, `connection` tells who connects to which slot. `header` is what every PDU has;
//! `job` holds what is asked and answered (`variables`, `blocks`), `userdata` what programming devices do (`szl` is
//! what a device says of itself). `plus` is the other protocol, `recognition` tells both from what has the same
//! transport.

mod asked;
mod blocks;
mod connection;
mod draft;
mod header;
mod job;
mod names;
mod plus;
mod recognition;
mod szl;
#[cfg(test)]
mod tests;
mod userdata;
mod variables;

use asked::Asked;
use connection::Connecting;
use draft::{Draft, LAYER};
use header::{Header, IDENTIFIER, rosctr};
use job::Sections;
use userdata::{Context, Partials};

use crate::bytes::Cursor;
use crate::model::{Kind, OddityCode, Operation, Pairing, Protocol};
use crate::protocols::cotp::{self, Assembly, Start, Tpdu, code};
use crate::session::{Chunk, Direction, Framing, Output, Session};

pub use recognition::probe_stream;

/// Keys of exchanges: what kind of message, then its number.
mod keys {
    pub(super) const JOB: u64 = 1 << 32;
    pub(super) const USERDATA: u64 = 2 << 32;
    pub(super) const PLUS: u64 = 3 << 32;
    pub(super) const CONNECTION: u64 = 4 << 32;
}

/// One connection.
#[derive(Clone)]
pub struct S7comm {
    /// The way of the client's messages, as far as it is known.
    client: Option<Direction>,
    connecting: Connecting,
    assemblies: [Assembly; 2],
    asked: Asked,
    partials: Partials,
    plus: [plus::Parts; 2],
    /// True where any message was of the older protocol, and of the newer one.
    speaks: [bool; 2],
}

/// User data of one or several data units.
#[derive(Clone, Copy)]
struct UserData<'a> {
    octets: &'a [u8],
    /// Octets of its packets on the wire.
    wire: usize,
    whole: bool,
    direction: Direction,
}

impl Session for S7comm {
    fn protocol(&self) -> Protocol {
        Protocol::S7comm
    }

    fn frame(&mut self, _direction: Direction, bytes: &[u8]) -> Framing {
        match cotp::start(bytes) {
            Start::Packet(length) => Framing::Message(length),
            Start::NeedMore => Framing::NeedMore,
            Start::Nothing => Framing::NotMine,
        }
    }

    fn resync(&self, _direction: Direction, bytes: &[u8]) -> Option<usize> {
        recognition::find(bytes)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let Chunk { bytes, wire_length: wire, direction } = chunk;
        let whole = chunk.is_whole();
        let tpdu = match Tpdu::of(bytes) {
            Ok(tpdu) => tpdu,
            Err(short) if whole => {
                return out.oddity(OddityCode::BadLength, cotp::LAYER, short.offset, short.to_string());
            }
            Err(_) => return,
        };
        if tpdu.code != code::DATA {
            return self.connection(&tpdu, chunk, out);
        }
        let assembly = &mut self.assemblies[direction as usize];
        if assembly.is_idle() && tpdu.is_last() {
            self.user_data(UserData { octets: tpdu.data, wire, whole, direction }, out);
        } else if let Some(joined) = assembly.join(&tpdu, wire, whole) {
            self.joined(&joined, direction, out);
        }
    }

    fn service(&self) -> &'static str {
        if self.speaks == [false, true] { "s7comm-plus" } else { self.protocol().name() }
    }

    fn held(&self) -> usize {
        let joined: usize = self.assemblies.iter().map(|assembly| assembly.octets.len()).sum();
        joined + self.plus.iter().map(plus::Parts::held).sum::<usize>() + self.partials.held()
    }

    fn gap(&mut self, direction: Direction, out: &mut Output) {
        if let Some(begun) = self.assemblies[direction as usize].give_up() {
            self.joined(&begun, direction, out);
        }
        if let Some(begun) = self.plus[direction as usize].give_up() {
            self.plus_message(&begun, out);
        }
        self.partials.forget(direction);
    }
}

impl S7comm {
    /// The usual port, a hint only.
    const PORT: u16 = 102;

    /// A connection whose client is this side, if that is known.
    fn new(client: Option<Direction>) -> Self {
        S7comm {
            client,
            connecting: None,
            assemblies: Default::default(),
            asked: Asked::default(),
            partials: Partials::default(),
            plus: Default::default(),
            speaks: [false; 2],
        }
    }

    fn connection(&mut self, tpdu: &Tpdu<'_>, chunk: Chunk<'_>, out: &mut Output) {
        let mut draft = Draft::new(out, chunk.wire_length, chunk.is_whole());
        draft.message.link_code = Some(tpdu.code);
        draft.message.from_client = self.client.is_none_or(|client| client == chunk.direction);
        connection::decode(tpdu, chunk.direction, keys::CONNECTION, &mut self.connecting, &mut draft);
        if tpdu.code == code::CONNECT {
            self.client = Some(chunk.direction);
        }
        draft.finish(out);
    }

    fn joined(&mut self, joined: &Assembly, direction: Direction, out: &mut Output) {
        let Assembly { octets, wire, cut } = joined;
        self.user_data(UserData { octets, wire: *wire, whole: !cut, direction }, out);
    }

    fn user_data(&mut self, data: UserData<'_>, out: &mut Output) {
        match *data.octets {
            [] => {}
            [IDENTIFIER, ..] => {
                self.speaks[0] = true;
                self.pdu(data, out);
            }
            [plus::IDENTIFIER, ..] => {
                self.speaks[1] = true;
                let parts = &mut self.plus[data.direction as usize];
                if let Some(message) = parts.join(data.octets, data.wire, data.whole) {
                    self.plus_message(&message, out);
                }
            }
            _ => self.other(data, out),
        }
    }

    fn pdu(&mut self, data: UserData<'_>, out: &mut Output) {
        let UserData { octets, wire, whole, direction } = data;
        let mut draft = Draft::new(out, wire, whole);
        draft.message.link_code = Some(code::DATA);
        draft.message.from_client = self.client.is_none_or(|client| client == direction);
        match Header::read(&mut Cursor::new(octets)) {
            Ok(header) => self.with_header(header, octets, direction, &mut draft),
            Err(short) => {
                draft.message.message_type = octets.get(1).copied();
                draft.short(0, Err(short));
            }
        }
        if draft.message.kind != Kind::Unknown {
            let from_client = draft.message.from_client;
            self.client = Some(if from_client { direction } else { direction.opposite() });
        }
        draft.finish(out);
    }

    fn with_header(&mut self, header: Header, octets: &[u8], direction: Direction, draft: &mut Draft) {
        lengths(header, octets.len(), draft);
        let parameters_at = header.octets;
        let data_at = parameters_at + header.parameters;
        let rest = |from: usize, length: usize| {
            let rest = octets.get(from..).unwrap_or(&[]);
            &rest[..rest.len().min(length)]
        };
        let sections = Sections {
            parameters: rest(parameters_at, header.parameters),
            data: rest(data_at, header.data),
            parameters_at,
            data_at,
        };
        let key = keys::JOB | u64::from(header.reference);
        let function = sections.parameters.first().copied();
        draft.message.message_type = Some(header.rosctr);
        draft.message.transaction = Some(header.reference.into());
        match header.rosctr {
            rosctr::JOB => {
                draft.message.kind = Kind::Request;
                draft.message.from_client = !function.is_some_and(job::is_servers);
                draft.message.pairing = Pairing::Opens(key);
                let items = job::request(sections, draft);
                self.asked.ask(direction, key, items);
            }
            rosctr::ACK | rosctr::ACK_DATA => {
                draft.message.kind = Kind::Response;
                if let Some(function) = function {
                    draft.message.from_client = job::is_servers(function);
                }
                draft.message.pairing = Pairing::Answers { key, last: true };
                let asked = self.asked.answer(direction, key);
                job::answer(sections, header.error.unwrap_or(0), &asked, draft);
            }
            rosctr::USERDATA => {
                let key = keys::USERDATA | u64::from(header.reference);
                let S7comm { asked, partials, .. } = self;
                userdata::decode(sections, Context { direction, key, asked, partials }, draft);
            }
            other => draft.odd(OddityCode::InvalidValue, 1, format!("a ROSCTR of 1, 2, 3 or 7, found {other}")),
        }
    }

    fn plus_message(&mut self, message: &plus::Message, out: &mut Output) {
        let mut draft = Draft::new(out, message.wire, message.whole);
        draft.message.link_code = Some(code::DATA);
        plus::decode(message, keys::PLUS, &mut draft);
        draft.finish(out);
    }

    /// User data of another kind on a recognised connection, as newer controllers' TLS after `init_ssl`.
    fn other(&mut self, data: UserData<'_>, out: &mut Output) {
        let mut draft = Draft::new(out, data.wire, data.whole);
        draft.message.link_code = Some(code::DATA);
        draft.message.from_client = self.client.is_none_or(|client| client == data.direction);
        draft.message.operation = Operation::Unknown;
        match data.octets {
            // TLS record: alert to application data, version 3.x (RFC 8446, 5.1).
            [0x14..=0x17, 0x03, ..] => draft.message.name = "tls",
            _ => draft.odd(OddityCode::NotTheProtocol, 0, "protocol identifier 0x32 or 0x72, found another"),
        }
        draft.finish(out);
    }
}

fn lengths(header: Header, octets: usize, draft: &mut Draft) {
    if !draft.message.complete || header.pdu() == octets {
        return;
    }
    let code = if header.pdu() > octets { OddityCode::BadLength } else { OddityCode::TrailingOctets };
    draft.odd(code, 6, format!("a {LAYER} PDU of {} octets, found {octets}", header.pdu()));
}
