//! Directory access over TCP, and over datagrams: who binds and how, what is searched and changed, and what a directory
//! server says of itself. Entries are not read, but for the server's own. What a login signs is read on, up to the first
//! message that it encrypts.

mod root;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::activity::{Activity, Field};
use crate::ber::{self, Reader, Value, tag};
use crate::bytes::printable;
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::{Attribute, Operation, Protocol};
use crate::protocols::gss::Login;
use crate::secrets::is_known_password;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, ldap};

/// Requests that wait for their answer.
const MAX_OPEN: usize = 64;
/// Octets read of one message.
const HEAD: usize = 16 * 1024;
/// Octets that show whether messages are signed: their length, a token's header and checksum, the first fields.
const SIGNED_START: usize = 128;
/// StartTLS (RFC 4511, 4.14).
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";
/// Ports of LDAP and of the global catalogue.
const PORTS: [u16; 2] = [389, 3268];

/// Tags of operations: APPLICATION (RFC 4511, 4.2 …).
mod operation {
    pub const BIND: u8 = 0x60;
    pub const BIND_RESPONSE: u8 = 0x61;
    pub const UNBIND: u8 = 0x42;
    pub const SEARCH: u8 = 0x63;
    pub const ENTRY: u8 = 0x64;
    pub const SEARCH_DONE: u8 = 0x65;
    pub const MODIFY: u8 = 0x66;
    pub const ADD: u8 = 0x68;
    pub const DELETE: u8 = 0x4a;
    pub const RENAME: u8 = 0x6c;
    pub const COMPARE: u8 = 0x6e;
    pub const ABANDON: u8 = 0x50;
    pub const REFERENCE: u8 = 0x73;
    pub const EXTENDED: u8 = 0x77;
    pub const EXTENDED_RESPONSE: u8 = 0x78;
    pub const INTERMEDIATE: u8 = 0x79;
}

/// Choices of a bind (RFC 4511, 4.2), and those of NTLM without SASL (MS-ADTS, 5.1.1.1.3).
mod choice {
    pub const SIMPLE: u8 = 0x80;
    pub const SASL: u8 = 0xa3;
    pub const SICILY: std::ops::RangeInclusive<u8> = 0x89..=0x8b;
}

struct Message<'a> {
    id: i64,
    operation: Value<'a>,
}

/// Reads a message, of which the end may be missing.
fn message(bytes: &[u8]) -> Option<Message<'_>> {
    let outer = Reader::new(bytes).value_as_far_as_it_goes().ok().filter(|outer| outer.tag == tag::SEQUENCE)?;
    let mut inside = outer.inside();
    let id = inside.expect(tag::INTEGER).ok()?.integer().filter(|id| (0..=i64::from(i32::MAX)).contains(id))?;
    let operation = inside.value_as_far_as_it_goes().ok()?;
    let is_known = tables::find(ldap::REQUESTS, u32::from(operation.tag)).is_some()
        || matches!(
            operation.tag,
            operation::BIND_RESPONSE
                ..=operation::SEARCH_DONE
                    | 0x67
                    | 0x69
                    | 0x6b
                    | 0x6d
                    | 0x6f
                    | operation::REFERENCE
                    | operation::EXTENDED_RESPONSE
                    | operation::INTERMEDIATE
        );
    is_known.then_some(Message { id, operation })
}

/// True where the octets start with what surely is a message: the first fields of its operation fit.
fn is_message(bytes: &[u8]) -> bool {
    let Some(Message { operation, .. }) = message(bytes) else { return false };
    let mut inside = operation.inside();
    let mut next = || inside.value_as_far_as_it_goes().map_or(0, |value| value.tag);
    match operation.tag {
        operation::BIND => (next(), next()) == (tag::INTEGER, tag::OCTET_STRING),
        operation::SEARCH => (next(), next(), next()) == (tag::OCTET_STRING, tag::ENUMERATED, tag::ENUMERATED),
        operation::ENTRY => (next(), next()) == (tag::OCTET_STRING, tag::SEQUENCE),
        operation::REFERENCE => next() == tag::OCTET_STRING,
        operation::MODIFY | operation::ADD | operation::COMPARE => {
            (next(), next()) == (tag::OCTET_STRING, tag::SEQUENCE)
        }
        operation::RENAME => (next(), next(), next()) == (tag::OCTET_STRING, tag::OCTET_STRING, tag::BOOLEAN),
        operation::EXTENDED => next() == 0x80,
        operation::UNBIND => operation.contents.is_empty(),
        operation::DELETE | operation::ABANDON | operation::INTERMEDIATE => false,
        _ => (next(), next(), next()) == (tag::ENUMERATED, tag::OCTET_STRING, tag::OCTET_STRING),
    }
}

/// Octets of what protects messages, with the length before it (RFC 4422, 3.7).
fn protected(bytes: &[u8]) -> Option<usize> {
    Some(u32::from_be_bytes(*bytes.first_chunk()?) as usize + 4)
}

/// Where messages start that are signed and maybe not encrypted: behind their length and a token's header.
fn wrapping(bytes: &[u8]) -> Option<usize> {
    match *bytes.get(4..)? {
        // Not sealed (RFC 4121, 4.2.6.2). Data and checksum (EC octets) are turned to the right by RRC octets.
        [5, 4, flags, 0xff, high, low, ref rest @ ..] if flags & SEALED == 0 => {
            let turned = u16::from_be_bytes(*rest.first_chunk()?);
            Some(20 + usize::from(Some(turned).filter(|turned| *turned <= u16::from_be_bytes([high, low]))?))
        }
        // Version, checksum and number (MS-NLMP, 2.2.2.9); the same where it is sealed.
        [1, 0, 0, 0, ..] => Some(20),
        _ => None,
    }
}

/// The same, where a message that can be read is behind it.
fn signed(bytes: &[u8]) -> Option<usize> {
    wrapping(bytes).filter(|start| bytes.get(*start..).and_then(message).is_some())
}

/// A flag of RFC 4121, 4.2.2.
const SEALED: u8 = 2;

/// Tells from the first octets whether a stream is LDAP.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    match ber::extent(bytes) {
        Ok(Some(_)) if is_message(bytes) => Recognition::Yes(Box::new(Ldap::new(Protocol::Ldap))),
        Ok(_) if bytes.first() == Some(&tag::SEQUENCE) && bytes.len() < 16 && has_port(probe) => Recognition::Undecided,
        _ => Recognition::No,
    }
}

fn has_port(probe: &Probe<'_>) -> bool {
    probe.ports.iter().any(|port| PORTS.contains(port))
}

/// Tells from a datagram whether it is connectionless LDAP: messages up to its end.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = if probe.forward.is_empty() { probe.backward } else { probe.forward };
    let ends = |extent: usize| extent == bytes.len() || probe.cut || bytes.get(extent) == Some(&tag::SEQUENCE);
    match ber::extent(bytes) {
        Ok(Some(extent)) if ends(extent) && is_message(bytes) => Recognition::Yes(Box::new(Ldap::new(Protocol::Cldap))),
        _ => Recognition::No,
    }
}

#[derive(Clone)]
struct Open {
    id: i64,
    client: Direction,
    frame: u64,
    activity: Activity,
    is_tls: bool,
}

holds!(Open { activity });

/// A conversation.
#[derive(Clone)]
struct Ldap {
    protocol: Protocol,
    open: VecDeque<Open>,
    /// A step of a login that the client has to go on with.
    begun: Option<Open>,
    /// Octets each way that are still to come of what is signed together.
    signed: [usize; 2],
    login: Login,
    is_done: bool,
}

impl Ldap {
    fn new(protocol: Protocol) -> Self {
        Ldap { protocol, open: VecDeque::new(), begun: None, signed: [0; 2], login: Login::default(), is_done: false }
    }

    fn message(&mut self, bytes: &[u8], direction: Direction, out: &mut Output) {
        let Some(Message { id, operation }) = message(bytes) else { return };
        match tables::find(ldap::REQUESTS, u32::from(operation.tag)) {
            Some(code) => {
                if matches!(operation.tag, operation::UNBIND | operation::ABANDON) {
                    return;
                }
                if operation.tag == operation::BIND {
                    self.begun = None;
                }
                let does = code.operation.unwrap_or(Operation::Unknown);
                let (activity, is_tls) = self.request(&operation, Activity::new(direction, code.name, does), out);
                if self.open.len() >= MAX_OPEN {
                    self.give_up(out);
                }
                self.open.push_back(Open { id, client: direction, frame: out.frame, activity, is_tls });
            }
            None if operation.tag == operation::ENTRY => Self::entry(&operation, direction, out),
            None if matches!(operation.tag, operation::REFERENCE | operation::INTERMEDIATE) => {}
            None => self.result(id, &operation, direction, out),
        }
    }

    fn request(&mut self, operation: &Value<'_>, mut activity: Activity, out: &mut Output) -> (Activity, bool) {
        let mut inside = operation.inside();
        let mut is_tls = false;
        match operation.tag {
            operation::BIND => self.bind(inside, &mut activity, out),
            operation::DELETE => activity.put(Field::LdapName, printable(operation.contents)),
            operation::EXTENDED => {
                let name = inside.value_as_far_as_it_goes().map_or(&[][..], |name| name.contents);
                is_tls = name == START_TLS;
                if is_tls {
                    activity.action = "start_tls";
                } else {
                    activity.put(Field::LdapName, printable(name));
                }
            }
            _ => {
                let name = inside.value_as_far_as_it_goes().map_or(&[][..], |name| name.contents);
                activity.put(Field::LdapName, printable(name));
                if operation.tag == operation::SEARCH {
                    let scope = inside.value().ok().and_then(|scope| scope.integer());
                    let scopes = ["base", "one", "subtree"];
                    let scope = scope.and_then(|scope| usize::try_from(scope).ok()).and_then(|scope| scopes.get(scope));
                    activity.put(Field::LdapScope, scope.copied().unwrap_or_default());
                }
            }
        }
        if operation.tag != operation::BIND {
            activity.put(Field::UserName, &*self.login.user);
        }
        (activity, is_tls)
    }

    /// Who binds, and with what (RFC 4511, 4.2). The password is compared with those that everybody knows, and not kept.
    fn bind(&mut self, mut inside: Reader<'_>, activity: &mut Activity, out: &mut Output) {
        inside.value().ok();
        let name = inside.value().map_or(&[][..], |name| name.contents);
        let Ok(choice) = inside.value_as_far_as_it_goes() else { return };
        activity.put(Field::LdapName, printable(name));
        match choice.tag {
            choice::SIMPLE if choice.contents.is_empty() => {
                // Without a password it is nobody's, whatever the name (RFC 4513, 5.1.2).
                activity.put(Field::LdapAuthentication, "anonymous");
                self.login = Login::default();
            }
            choice::SIMPLE => {
                activity.put(Field::LdapAuthentication, "simple");
                activity.put(Field::UserName, printable(name));
                activity.put_secret("password", Some(is_known_password(name, choice.contents)));
                out.sender_is(Attribute::User, printable(name));
                self.login = Login { user: printable(name), ..Login::default() };
            }
            choice::SASL => {
                let mut sasl = choice.inside();
                let mechanism = sasl.value().map_or(&[][..], |mechanism| mechanism.contents);
                let token = sasl.value_as_far_as_it_goes().map_or(&[][..], |token| token.contents);
                activity.put(Field::LdapAuthentication, format!("sasl {}", printable(mechanism)));
                // PLAIN has the password as it is: authorization identity, user, password (RFC 4616, 2).
                if mechanism == b"PLAIN" {
                    let mut parts = token.splitn(3, |octet| *octet == 0).skip(1);
                    let (user, password) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                    activity.put_secret("password", Some(is_known_password(user, password)));
                    self.login = Login { user: printable(user), ..Login::default() };
                    activity.put(Field::UserName, printable(user));
                } else {
                    self.token(token, activity, out);
                }
            }
            tag if choice::SICILY.contains(&tag) => {
                activity.put(Field::LdapAuthentication, "sicily");
                self.token(choice.contents, activity, out);
            }
            _ => {}
        }
    }

    fn token(&mut self, token: &[u8], activity: &mut Activity, out: &mut Output) {
        self.login.token(token, out);
        if !self.login.mechanism.is_empty() {
            self.login.put(activity);
        }
    }

    /// An entry: read where it is the server's own, at the root.
    fn entry(operation: &Value<'_>, direction: Direction, out: &mut Output) {
        let mut inside = operation.inside();
        if inside.value().is_ok_and(|name| name.contents.is_empty()) {
            if let Ok(attributes) = inside.value_as_far_as_it_goes() {
                root::entry(attributes.inside(), direction, out);
            }
        }
    }

    fn result(&mut self, id: i64, operation: &Value<'_>, direction: Direction, out: &mut Output) {
        let mut inside = operation.inside();
        let Some(code) = inside.value().ok().and_then(|code| code.integer()) else { return };
        if operation.tag == operation::BIND_RESPONSE {
            self.answered_bind(inside.clone(), out);
        }
        let is_it = |open: &Open| open.id == id && open.client == direction.opposite();
        let Some(open) = self.open.iter().position(is_it).and_then(|place| self.open.remove(place)) else { return };
        let name = u32::try_from(code).map_or("", |code| tables::name(ldap::RESULTS, code));
        let name = if name.is_empty() { code.to_string() } else { name.to_string() };
        // success, compareFalse, compareTrue, saslBindInProgress.
        let status = if matches!(code, 0 | 5 | 6 | 14) { Status::Ok } else { Status::Error };
        self.is_done |= open.is_tls && code == 0;
        let activity = Activity { request_frame: Some(open.frame), ..open.activity.ended(status, name) };
        // The steps of one login are one activity: the last.
        if operation.tag == operation::BIND_RESPONSE && code == 14 {
            self.begun = Some(Open { activity, ..open });
            return;
        }
        out.activity(activity);
    }

    /// What the server says of itself in a login: in the credentials, or where NTLM has them without SASL, in the name.
    fn answered_bind(&mut self, mut inside: Reader<'_>, out: &mut Output) {
        while let Ok(value) = inside.value_as_far_as_it_goes() {
            if matches!(value.tag, tag::OCTET_STRING | 0x87) && !value.contents.is_empty() {
                self.login.token(value.contents, out);
            }
        }
    }

    /// The request open longest was not answered.
    fn give_up(&mut self, out: &mut Output) {
        if let Some(open) = self.open.pop_front() {
            out.activity(Activity { request_frame: Some(open.frame), ..open.activity.ended(Status::NoResponse, "") });
        }
    }
}

impl Session for Ldap {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing {
        let left = self.signed[direction as usize];
        match bytes {
            [] => Framing::NeedMore,
            [tag::SEQUENCE, ..] => match ber::extent(bytes) {
                Ok(Some(length)) => {
                    let length = if left > 0 { length.min(left) } else { length };
                    Framing::Head { keep: length.min(HEAD), length }
                }
                Ok(None) => Framing::NeedMore,
                Err(_) => Framing::NotMine,
            },
            // What a login protects starts with its length, which no message does.
            [0, ..] if bytes.len() < protected(bytes).map_or(4, |length| length.min(SIGNED_START)) => Framing::NeedMore,
            _ => match signed(bytes) {
                Some(start) => Framing::Message(start),
                // A checksum behind the messages.
                None if left > 0 => Framing::Head { keep: 1, length: left },
                None => {
                    self.is_done = true;
                    Framing::NotMine
                }
            },
        }
    }

    fn resync(&self, _: Direction, bytes: &[u8]) -> Option<usize> {
        (signed(bytes).is_some() || is_message(bytes) && ber::extent(bytes).is_ok()).then_some(0)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let left = &mut self.signed[chunk.direction as usize];
        if let Some(start) = wrapping(chunk.bytes).filter(|start| *start == chunk.wire_length) {
            *left = protected(chunk.bytes).map_or(0, |length| length.saturating_sub(start));
            return;
        }
        *left = left.saturating_sub(chunk.wire_length);
        let mut rest = chunk.bytes;
        // A datagram has the entry and the result one after the other.
        for _ in 0..4 {
            self.message(rest, chunk.direction, out);
            match ber::extent(rest) {
                Ok(Some(extent)) if extent < rest.len() => rest = rest.get(extent..).unwrap_or_default(),
                _ => break,
            }
        }
    }

    fn close(&mut self, out: &mut Output) {
        if let Some(open) = self.begun.take() {
            let code = open.activity.code.clone();
            out.activity(open.activity.ended(Status::NoResponse, code));
        }
        while !self.open.is_empty() {
            self.give_up(out);
        }
    }

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn held(&self) -> usize {
        self.open.holds() + self.login.holds()
    }
}
