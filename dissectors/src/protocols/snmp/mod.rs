//! Network management of all versions: who asks which agent, as whom, what is set and notified, and what agents say of
//! their devices. Communities are classed, not told.

mod message;
mod objects;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::activity::{Activity, Field};
use crate::ber::{self, tag};
use crate::bytes::printable;
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::{Operation, Protocol};
use crate::secrets::community_class;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, snmp};
use message::{Message, Pdu, Security, kind, read};

/// Requests that wait for their answer in one flow.
const MAX_OPEN: usize = 64;
/// Variables, or groups of them, that are told of one request.
const MAX_OBJECTS: usize = 6;
/// Longest message over TCP that is waited for.
const MAX_MESSAGE: usize = 64 * 1024;
/// snmpTrapOID (RFC 3418), and the notifications of it that have a name.
const TRAP_NAME: &str = "1.3.6.1.6.3.1.1.4.1.0";
const GENERIC_TRAPS: &str = "1.3.6.1.6.3.1.1.5.";
/// usmStats (RFC 3414, 5).
const REPORTS: &str = "1.3.6.1.6.3.15.1.1.";

/// Tells from a datagram whether it is a message.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = if probe.forward.is_empty() { probe.backward } else { probe.forward };
    match ber::extent(bytes) {
        Ok(Some(extent)) if (extent == bytes.len() || probe.cut) && read(bytes).is_some() => {
            Recognition::Yes(Box::<Snmp>::default())
        }
        _ => Recognition::No,
    }
}

/// Tells from the first octets whether a stream is of messages (RFC 3430).
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    match ber::extent(bytes) {
        Ok(Some(extent)) if extent <= bytes.len() && read(bytes).is_some() => Recognition::Yes(Box::<Snmp>::default()),
        _ => Recognition::No,
    }
}

#[derive(Clone)]
struct Open {
    /// Number of the message in version 3, else of the request.
    id: i64,
    client: Direction,
    frame: u64,
    activity: Activity,
}

holds!(Open { activity });

/// A conversation.
#[derive(Clone, Default)]
struct Snmp {
    open: VecDeque<Open>,
}

impl Snmp {
    fn message(&mut self, message: &Message<'_>, direction: Direction, out: &mut Output) {
        let pdu = message.pdu.as_ref();
        let id = message.id.unwrap_or_else(|| pdu.map_or(0, |pdu| pdu.request));
        let kind = pdu.map(|pdu| pdu.kind);
        let is_answer = match kind {
            Some(kind) => matches!(kind, kind::RESPONSE | kind::REPORT),
            // Encrypted: an answer has the number of the message that asked.
            None => self.place(id, direction).is_some(),
        };
        if is_answer {
            return self.answer(id, message, direction, out);
        }
        let activity = asked(message, direction);
        match pdu {
            Some(pdu) if matches!(pdu.kind, kind::TRAP | kind::TRAP_V1) => {
                objects::tell(&pdu.bindings, out);
                if let Security::User { engine, .. } = message.security {
                    objects::engine(engine, out);
                }
                out.activity(activity);
            }
            _ => {
                if self.open.len() >= MAX_OPEN {
                    self.give_up(out);
                }
                self.open.push_back(Open { id, client: direction, frame: out.frame, activity });
            }
        }
    }

    fn place(&self, id: i64, direction: Direction) -> Option<usize> {
        self.open.iter().position(|open| open.id == id && open.client == direction.opposite())
    }

    fn answer(&mut self, id: i64, message: &Message<'_>, direction: Direction, out: &mut Output) {
        if let Security::User { engine, .. } = message.security {
            objects::engine(engine, out);
        }
        let (status, code) = message.pdu.as_ref().map_or((Status::Ok, String::new()), ended);
        let open = self.place(id, direction).and_then(|place| self.open.remove(place));
        let is_notified = open.as_ref().is_some_and(|open| open.activity.action == "inform");
        // The answer to a notification repeats what was notified.
        if let Some(pdu) = message.pdu.as_ref().filter(|pdu| pdu.kind == kind::RESPONSE && !is_notified) {
            objects::tell(&pdu.bindings, out);
        }
        if let Some(open) = open {
            out.activity(Activity { request_frame: Some(open.frame), ..open.activity.ended(status, code) });
        }
    }

    /// The request open longest was not answered.
    fn give_up(&mut self, out: &mut Output) {
        if let Some(open) = self.open.pop_front() {
            out.activity(Activity { request_frame: Some(open.frame), ..open.activity.ended(Status::NoResponse, "") });
        }
    }
}

/// How a request ended, by its answer.
fn ended(pdu: &Pdu<'_>) -> (Status, String) {
    if pdu.kind == kind::REPORT {
        let counter = pdu.bindings.first().and_then(|binding| binding.name.strip_prefix(REPORTS));
        let counter = counter.and_then(|counter| counter.split('.').next()).and_then(|counter| counter.parse().ok());
        return (Status::Error, counter.map_or("", |counter| tables::name(snmp::REPORTS, counter)).to_string());
    }
    match u32::try_from(pdu.error) {
        Ok(0) => (Status::Ok, String::new()),
        Ok(error) if !tables::name(snmp::ERRORS, error).is_empty() => {
            (Status::Error, tables::name(snmp::ERRORS, error).to_string())
        }
        _ => (Status::Error, pdu.error.to_string()),
    }
}

/// A request or notification as an activity.
fn asked(message: &Message<'_>, client: Direction) -> Activity {
    let code = message.pdu.as_ref().and_then(|pdu| tables::find(snmp::PDUS, u32::from(pdu.kind)));
    let (action, operation) = code
        .map_or(("encrypted", Operation::Unknown), |code| (code.name, code.operation.unwrap_or(Operation::Unknown)));
    let mut activity = Activity::new(client, action, operation).with(Field::SnmpVersion, message.version);
    match message.security {
        Security::Community(community) => {
            let class = community_class(community);
            activity.put(Field::SnmpCommunity, class);
            activity.put_secret("community", Some(class != "custom"));
        }
        Security::User { engine, user, level } => {
            activity.put(Field::UserName, printable(user));
            activity.put(Field::SnmpSecurity, level);
            activity.put(Field::SnmpEngine, engine.iter().map(|octet| format!("{octet:02x}")).collect::<String>());
        }
    }
    if let Some(pdu) = &message.pdu {
        named(pdu).into_iter().for_each(|name| activity.put(Field::SnmpObject, name));
    }
    activity
}

/// What a message is about: the notification; all that is set; of what is read, the groups.
fn named(pdu: &Pdu<'_>) -> Vec<String> {
    if let Some((enterprise, generic, specific)) = &pdu.trap {
        let name = u32::try_from(*generic).map_or("", |generic| tables::name(snmp::TRAPS, generic));
        return vec![if name.is_empty() { format!("{enterprise}.0.{specific}") } else { name.to_string() }];
    }
    if matches!(pdu.kind, kind::TRAP | kind::INFORM) {
        let name = pdu.bindings.iter().find(|binding| binding.name == TRAP_NAME);
        let name = name.and_then(|binding| binding.value.object_identifier()).unwrap_or_default();
        let generic = name.strip_prefix(GENERIC_TRAPS).and_then(|number| number.parse::<u32>().ok());
        let known = generic.and_then(|number| number.checked_sub(1)).map_or("", |n| tables::name(snmp::TRAPS, n));
        return vec![if known.is_empty() { name } else { known.to_string() }];
    }
    let mut names: Vec<String> = Vec::new();
    for binding in &pdu.bindings {
        let name = if pdu.kind == kind::SET { &*binding.name } else { objects::group(&binding.name) };
        if names.len() < MAX_OBJECTS && !names.iter().any(|known| known == name) {
            names.push(name.to_string());
        }
    }
    names
}

impl Session for Snmp {
    fn protocol(&self) -> Protocol {
        Protocol::Snmp
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        match ber::extent(bytes) {
            Ok(Some(length)) if bytes.first() == Some(&tag::SEQUENCE) && length <= MAX_MESSAGE => {
                Framing::Message(length)
            }
            Ok(None) => Framing::NeedMore,
            _ => Framing::NotMine,
        }
    }

    fn resync(&self, _: Direction, bytes: &[u8]) -> Option<usize> {
        read(bytes).map(|_| 0)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        if let Some(message) = read(chunk.bytes) {
            self.message(&message, chunk.direction, out);
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
