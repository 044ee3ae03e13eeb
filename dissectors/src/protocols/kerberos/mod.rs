//! Kerberos over UDP and TCP: which user or computer asks for a ticket to which service, and what it is told.

mod message;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::VecDeque;

use crate::activity::{Activity, Field};
use crate::ber;
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::{Attribute, Operation, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables;
use message::{Message, kind, read};
pub use message::{Ticket, ticket_of};

/// Tag of an AP-REQ.
pub const AP_REQUEST: u8 = kind::AP_REQUEST;
/// Requests that wait for their answer in one flow.
const MAX_OPEN: usize = 32;
/// Octets before a message over TCP: its length (RFC 4120, 7.2.2).
const LENGTH: usize = 4;
/// Longest message over TCP that is waited for.
const MAX_MESSAGE: usize = 128 * 1024;

/// Tells from a datagram whether it is a message of Kerberos.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = if probe.forward.is_empty() { probe.backward } else { probe.forward };
    match ber::extent(bytes) {
        Ok(Some(extent)) if (extent == bytes.len() || probe.cut) && read(bytes).is_some() => {
            Recognition::Yes(Box::new(Kerberos::new(false)))
        }
        _ => Recognition::No,
    }
}

/// Tells from the first octets whether a stream is Kerberos over TCP.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    let Some((length, message)) = bytes.split_first_chunk::<LENGTH>() else { return Recognition::No };
    let length = u32::from_be_bytes(*length) as usize;
    match ber::extent(message) {
        Ok(Some(extent)) if extent == length && length <= MAX_MESSAGE && read(message).is_some() => {
            Recognition::Yes(Box::new(Kerberos::new(true)))
        }
        // Some send the length in a segment of its own.
        Ok(None) if probe.ports.contains(&88) && (1..=MAX_MESSAGE).contains(&length) => Recognition::Undecided,
        _ => Recognition::No,
    }
}

#[derive(Clone)]
struct Open {
    message: Message,
    direction: Direction,
    frame: u64,
}

holds!(Open { message });

/// A conversation with a key distribution centre.
#[derive(Clone)]
struct Kerberos {
    is_stream: bool,
    open: VecDeque<Open>,
}

impl Kerberos {
    fn new(is_stream: bool) -> Self {
        Kerberos { is_stream, open: VecDeque::new() }
    }

    fn message(&mut self, message: Message, direction: Direction, out: &mut Output) {
        match message.kind {
            kind::AS_REQUEST | kind::TGS_REQUEST => {
                out.sender_is(Attribute::Hostname, &*message.workstation);
                if self.open.len() >= MAX_OPEN {
                    self.give_up(out);
                }
                self.open.push_back(Open { message, direction, frame: out.frame });
            }
            _ => self.answer(message, direction, out),
        }
    }

    fn answer(&mut self, answer: Message, direction: Direction, out: &mut Output) {
        let client = direction.opposite();
        let is_asked = |open: &Open| {
            open.direction == client && (answer.kind == kind::ERROR || open.message.kind + 1 == answer.kind)
        };
        let place = self.open.iter().position(is_asked);
        let asked = place.and_then(|place| self.open.remove(place));
        let frame = asked.as_ref().map(|open| open.frame);
        let asked = asked.map_or_else(Message::default, |open| open.message);
        let first = |one: String, other: String| if one.is_empty() { other } else { one };
        let is_ticket = asked.kind == kind::TGS_REQUEST || answer.kind == kind::TGS_REPLY;
        let (error, is_error) = (answer.error, answer.kind == kind::ERROR);
        let told = Message {
            kind: if is_ticket { kind::TGS_REQUEST } else { kind::AS_REQUEST },
            client: first(answer.client, asked.client),
            realm: first(answer.realm, asked.realm),
            service: first(answer.service, asked.service),
            workstation: asked.workstation,
            cipher: answer.cipher,
            error,
        };
        if !is_error {
            Self::claims(&told, out);
        }
        let status = if is_error { Status::Error } else { Status::Ok };
        let code = error.map_or_else(String::new, |code| match tables::name(tables::kerberos::ERRORS, code) {
            "" => code.to_string(),
            name => name.to_string(),
        });
        out.activity(Activity { request_frame: frame, ..activity(&told, client).ended(status, code) });
    }

    /// Who answers with tickets keeps the realm's keys; who got one sits at the host that asked.
    fn claims(told: &Message, out: &mut Output) {
        out.sender_is(Attribute::RoleHint, "key distribution centre");
        out.sender_is(Attribute::Domain, &*told.realm);
        let before = out.claims.len();
        match told.client.strip_suffix('$') {
            // A computer's own account (MS-ADTS, 3.1.1.6).
            Some(computer) => out.sender_is(Attribute::Hostname, computer),
            None if told.client.is_empty() => {}
            None => out.sender_is(Attribute::User, format!("{}@{}", told.client, told.realm)),
        }
        for (_, claim) in out.claims.iter_mut().skip(before) {
            claim.about_sender = false;
        }
    }

    /// The request open longest was not answered.
    fn give_up(&mut self, out: &mut Output) {
        if let Some(open) = self.open.pop_front() {
            let activity = activity(&open.message, open.direction).ended(Status::NoResponse, "");
            out.activity(Activity { request_frame: Some(open.frame), ..activity });
        }
    }
}

fn activity(message: &Message, client: Direction) -> Activity {
    let action = if message.kind == kind::TGS_REQUEST { "service_ticket" } else { "logon" };
    Activity::new(client, action, Operation::Authenticate)
        .with(Field::UserName, &*message.client)
        .with(Field::KerberosRealm, &*message.realm)
        .with(Field::KerberosService, &*message.service)
        .with(Field::KerberosCipher, message.cipher)
        .with(Field::Workstation, &*message.workstation)
}

impl Session for Kerberos {
    fn protocol(&self) -> Protocol {
        Protocol::Kerberos
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        let Some(length) = bytes.first_chunk::<LENGTH>() else { return Framing::NeedMore };
        match u32::from_be_bytes(*length) as usize {
            length if length <= MAX_MESSAGE - LENGTH => Framing::Message(LENGTH + length),
            _ => Framing::NotMine,
        }
    }

    fn resync(&self, _: Direction, bytes: &[u8]) -> Option<usize> {
        let (length, message) = bytes.split_first_chunk::<LENGTH>()?;
        let is_start =
            ber::extent(message) == Ok(Some(u32::from_be_bytes(*length) as usize)) && read(message).is_some();
        is_start.then_some(0)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let bytes = chunk.bytes.get(if self.is_stream { LENGTH } else { 0 }..).unwrap_or_default();
        if let Some(message) = read(bytes) {
            self.message(message, chunk.direction, out);
        }
    }

    fn close(&mut self, out: &mut Output) {
        while !self.open.is_empty() {
            self.give_up(out);
        }
    }

    fn held(&self) -> usize {
        self.open.holds()
    }
}
