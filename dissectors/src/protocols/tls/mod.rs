//! TLS and SSL over any stream: whom the client looks for, what both agree on, whose the certificate is, how it ends.

pub mod facts;
pub mod hello;
#[cfg(test)]
mod tests;

use crate::activity::{Activity, Field};
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::Protocol;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, tls};
use facts::{Facts, kind};
use hello::{Carrier, ClientHello, ServerHello};

/// Octets of a record's header (RFC 8446, 5.1).
const HEADER: usize = 5;
/// Octets of a record's contents at most, with the expansion that TLS 1.2 allows (RFC 5246, 6.2.3).
const MAX_RECORD: usize = (1 << 14) + 2048;
/// Octets of a handshake message's header.
const MESSAGE_HEADER: usize = 4;
/// Octets of a handshake message that are held.
const MAX_MESSAGE: usize = 64 * 1024;
/// Records of application data after which nothing more is waited for.
const MAX_RECORDS: u8 = 8;
/// Octets of an encrypted alert of TLS 1.3 without padding: two, their type, and the tag.
const ENCRYPTED_ALERT: usize = 19;
/// Octets of an SSL 2.0 ClientHello before its cipher suites, its length left out.
const OLD_HELLO: usize = 9;

/// Types of records (RFC 8446, 5.1).
mod record {
    pub(super) const CHANGE_CIPHER: u8 = 20;
    pub(super) const ALERT: u8 = 21;
    pub(super) const HANDSHAKE: u8 = 22;
    pub(super) const DATA: u8 = 23;
    pub(super) const HEARTBEAT: u8 = 24;
}

/// What starts at some octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Nothing,
    Maybe,
    Hello,
}

/// Tells from the first octets whether a stream is TLS: it starts with a hello.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let looks = [probe.forward, probe.backward].map(look);
    match () {
        () if looks.contains(&Look::Hello) => Recognition::Yes(Box::new(Tls::default())),
        () if looks.contains(&Look::Maybe) => Recognition::Undecided,
        () => Recognition::No,
    }
}

fn look(bytes: &[u8]) -> Look {
    match *bytes {
        // A handshake record; in it a hello of at least its fixed part, and its version.
        [
            record::HANDSHAKE,
            3,
            0..=4,
            high,
            low,
            kind::CLIENT_HELLO | kind::SERVER_HELLO,
            0,
            up,
            down,
            3,
            0..=4,
            ..,
        ] if (MESSAGE_HEADER..=MAX_RECORD).contains(&usize::from(u16::from_be_bytes([high, low])))
            && u16::from_be_bytes([up, down]) >= 38 =>
        {
            Look::Hello
        }
        [record::HANDSHAKE]
        | [record::HANDSHAKE, 3]
        | [record::HANDSHAKE, 3, 0..=4]
        | [record::HANDSHAKE, 3, 0..=4, _]
        | [record::HANDSHAKE, 3, 0..=4, _, _] => Look::Maybe,
        [record::HANDSHAKE, 3, 0..=4, _, _, kind::CLIENT_HELLO | kind::SERVER_HELLO, ref rest @ ..]
            if rest.len() < 5 =>
        {
            Look::Maybe
        }
        // Who refuses a hello that was not captured.
        [record::ALERT, 3, 0..=4, 0, 2, 1 | 2, description]
            if tables::find(tls::ALERTS, u32::from(description)).is_some() =>
        {
            Look::Hello
        }
        _ if old_hello(bytes).is_some() => Look::Hello,
        _ => Look::Nothing,
    }
}

/// The whole length of an SSL 2.0 ClientHello, of which every length fits (RFC 5246, E.2).
fn old_hello(bytes: &[u8]) -> Option<usize> {
    let &[high @ 0x80..=0xff, low, 1, major, minor, c1, c2, s1, s2, r1, r2, ..] = bytes else { return None };
    let length = usize::from(high & 0x7f) << 8 | usize::from(low);
    let [ciphers, session, random] = [[c1, c2], [s1, s2], [r1, r2]].map(|pair| usize::from(u16::from_be_bytes(pair)));
    let version = matches!((major, minor), (3, 0..=4) | (0, 2));
    let fits = length == OLD_HELLO + ciphers + session + random && ciphers % 3 == 0 && ciphers > 0;
    (version && fits && matches!(session, 0 | 16) && (16..=32).contains(&random)).then_some(2 + length)
}

/// The handshake messages of one direction.
#[derive(Clone, Debug, Default)]
struct Side {
    /// A message that is not whole yet.
    begun: Vec<u8>,
    /// Octets of a message that are not read.
    skip: usize,
    /// True once what it sends is encrypted.
    is_encrypted: bool,
    /// Encrypted handshake records since then.
    finished: bool,
    /// True once anything was sent.
    has_spoken: bool,
}

/// A handshake over a stream, for the session of TLS itself and of protocols that start TLS later: they hand on
/// [`Handshake::frame`] and [`Handshake::decode`], and make their activity of what it tells.
#[derive(Clone, Debug, Default)]
pub struct Handshake {
    /// What is known.
    pub facts: Facts,
    sides: [Side; 2],
    records: u8,
    is_established: bool,
    alert: Option<String>,
}

holds! {
    Side { begun }
    Handshake { facts, sides, alert }
}

impl Handshake {
    /// Where a record ends; application data are not read.
    pub fn frame(&self, direction: Direction, bytes: &[u8]) -> Framing {
        if !self.sides[direction as usize].has_spoken && bytes.first().is_some_and(|octet| octet & 0x80 != 0) {
            return match *bytes {
                [_] | [_, _] => Framing::NeedMore,
                [high, low, 1 | 4, ..] => Framing::Message(2 + (usize::from(high & 0x7f) << 8 | usize::from(low))),
                _ => Framing::NotMine,
            };
        }
        match *bytes {
            [record::CHANGE_CIPHER..=record::HEARTBEAT, 3, 0..=4, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                match bytes[0] {
                    _ if length > MAX_RECORD => Framing::NotMine,
                    record::DATA | record::HEARTBEAT => Framing::Head { keep: HEADER, length: HEADER + length },
                    _ => Framing::Message(HEADER + length),
                }
            }
            [record::CHANGE_CIPHER..=record::HEARTBEAT]
            | [record::CHANGE_CIPHER..=record::HEARTBEAT, 3]
            | [record::CHANGE_CIPHER..=record::HEARTBEAT, 3, 0..=4]
            | [record::CHANGE_CIPHER..=record::HEARTBEAT, 3, 0..=4, _]
            | [] => Framing::NeedMore,
            _ => Framing::NotMine,
        }
    }

    /// Takes a record.
    pub fn decode(&mut self, chunk: &Chunk<'_>, out: &mut Output) {
        let direction = chunk.direction;
        let first = !std::mem::replace(&mut self.sides[direction as usize].has_spoken, true);
        if first && chunk.bytes.first().is_some_and(|octet| octet & 0x80 != 0) {
            return self.old(chunk, out);
        }
        let Some((&[kind, ..], body)) = chunk.bytes.split_first_chunk::<HEADER>() else { return };
        match kind {
            record::HANDSHAKE if self.sides[direction as usize].is_encrypted => {
                self.sides[direction as usize].finished = true;
                self.is_established |= self.sides.iter().all(|side| side.finished);
            }
            record::HANDSHAKE => self.messages(direction, body, out),
            record::ALERT => self.alert(direction, body),
            record::CHANGE_CIPHER => self.sides[direction as usize].is_encrypted = !self.is_13(),
            record::DATA => self.data(direction, chunk.wire_length.saturating_sub(HEADER)),
            _ => {}
        }
    }

    /// Octets of this direction are lost: a message that is not whole is read as far as it goes.
    pub fn gap(&mut self, direction: Direction, out: &mut Output) {
        let side = &mut self.sides[direction as usize];
        side.skip = 0;
        let begun = std::mem::take(&mut side.begun);
        if let Some((&[message, ..], body)) = begun.split_first_chunk::<MESSAGE_HEADER>() {
            self.facts.message(direction, message, body, Carrier::Stream, out);
        }
    }

    /// True where nothing more is to be learnt.
    pub fn is_done(&self) -> bool {
        self.is_established || self.alert.is_some() || self.records >= MAX_RECORDS
    }

    /// How it ended, and the name of the alert.
    pub fn outcome(&self) -> (Status, String) {
        match (&self.alert, &self.facts.offered, &self.facts.taken) {
            (Some(alert), ..) => (Status::Error, alert.clone()),
            _ if self.is_established => (Status::Ok, String::new()),
            (_, Some(_), None) => (Status::NoResponse, String::new()),
            (_, None, _) => (Status::ResponseOnly, String::new()),
            _ => (Status::Cut, String::new()),
        }
    }

    /// The whole as an activity.
    pub fn activity(&self) -> Activity {
        let mut activity = self.facts.activity(Carrier::Stream);
        activity.put(Field::TlsEstablished, self.established());
        let (status, code) = self.outcome();
        activity.ended(status, code)
    }

    /// Adds what is known to the activity of a protocol that starts TLS.
    pub fn put(&self, activity: &mut Activity) {
        self.facts.put(activity, Carrier::Stream);
        activity.put(Field::TlsEstablished, self.established());
    }

    const fn established(&self) -> &'static str {
        if self.is_established { "true" } else { "false" }
    }

    fn is_13(&self) -> bool {
        let taken = self.facts.taken.as_ref();
        taken.is_none_or(|hello| matches!(hello.version, 0x0304 | 0x7f00..=0x7fff))
    }

    fn messages(&mut self, direction: Direction, contents: &[u8], out: &mut Output) {
        let side = &mut self.sides[direction as usize];
        let mut begun = std::mem::take(&mut side.begun);
        let skipped = side.skip.min(contents.len());
        side.skip -= skipped;
        begun.extend_from_slice(&contents[skipped..]);
        let mut body = &begun[..];
        while let Some(&[message, high, middle, low]) = body.first_chunk::<MESSAGE_HEADER>() {
            let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            let rest = &body[MESSAGE_HEADER..];
            match rest.get(..length) {
                Some(contents) => {
                    self.facts.message(direction, message, contents, Carrier::Stream, out);
                    body = &rest[length..];
                }
                None if Facts::reads(message) && length <= MAX_MESSAGE => break,
                None => {
                    self.sides[direction as usize].skip = length - rest.len();
                    return;
                }
            }
        }
        self.sides[direction as usize].begun = body.to_vec();
    }

    /// A fatal alert, or an encrypted one before anything else was said, is the end.
    fn alert(&mut self, direction: Direction, body: &[u8]) {
        match *body {
            [2, description] if !self.sides[direction as usize].is_encrypted => {
                let name = tables::name(tls::ALERTS, u32::from(description));
                let number = || format!("alert {description}");
                self.alert = Some(if name.is_empty() { number() } else { name.to_string() });
                // Who is refused without a hello of his own is the client.
                self.facts.client = self.facts.client.or(Some(direction.opposite()));
            }
            [_, _] => {}
            _ if !self.is_established => self.alert = Some("encrypted_alert".to_string()),
            _ => {}
        }
    }

    fn data(&mut self, direction: Direction, length: usize) {
        self.records = self.records.saturating_add(1);
        let from_client = self.facts.client == Some(direction);
        // In TLS 1.3 the rest of the handshake looks like data; what the client sends of it ends it, if it is no alert.
        self.is_established |= match &self.facts.taken {
            Some(_) if self.is_13() => from_client && length > ENCRYPTED_ALERT,
            Some(_) => true,
            None => self.sides[direction as usize].is_encrypted,
        };
    }

    /// The hellos of SSL 2.0; the client's may ask for later versions.
    fn old(&mut self, chunk: &Chunk<'_>, out: &mut Output) {
        match *chunk.bytes {
            [_, _, 1, major, minor, high, low, _, _, _, _, ref rest @ ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                let ciphers = rest.get(..length).unwrap_or(rest).chunks_exact(3);
                // Those of SSL 2.0 itself start with another octet than 0.
                let ciphers = ciphers.filter(|code| code[0] == 0).map(|code| u16::from_be_bytes([code[1], code[2]]));
                let version = u16::from_be_bytes([major, minor]);
                let hello = ClientHello { version, ciphers: ciphers.collect(), ..ClientHello::default() };
                self.facts.offer(chunk.direction, hello, out);
            }
            // Session hit, certificate's type, version, lengths of certificate, ciphers and connection id.
            [_, _, 4, _, _, major, minor, high, low, _, _, _, _, ref rest @ ..] => {
                let version = u16::from_be_bytes([major, minor]);
                self.facts.client = self.facts.client.or(Some(chunk.direction.opposite()));
                self.facts.taken = Some(ServerHello { version, ..ServerHello::default() });
                let length = usize::from(u16::from_be_bytes([high, low]));
                self.facts.certificate(chunk.direction, rest.get(..length).unwrap_or(rest), out);
                self.records = MAX_RECORDS;
            }
            _ => {}
        }
    }
}

/// A conversation.
#[derive(Clone, Default)]
struct Tls {
    handshake: Handshake,
    told: bool,
}

impl Session for Tls {
    fn protocol(&self) -> Protocol {
        Protocol::Tls
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing {
        self.handshake.frame(direction, bytes)
    }

    fn resync(&self, _: Direction, bytes: &[u8]) -> Option<usize> {
        matches!(*bytes, [record::CHANGE_CIPHER..=record::DATA, 3, 0..=4, 0..=0x48, ..]).then_some(0)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        self.handshake.decode(&chunk, out);
    }

    fn gap(&mut self, direction: Direction, out: &mut Output) {
        self.handshake.gap(direction, out);
    }

    fn close(&mut self, out: &mut Output) {
        if !std::mem::replace(&mut self.told, true) {
            out.activity(self.handshake.activity());
        }
    }

    fn service(&self) -> &'static str {
        self.handshake.facts.product().unwrap_or(self.protocol().name())
    }

    fn is_done(&self) -> bool {
        self.handshake.is_done()
    }

    fn held(&self) -> usize {
        self.handshake.holds()
    }
}
