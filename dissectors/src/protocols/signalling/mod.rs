//! SIP and RTSP, whose messages are written like those of HTTP: who calls whom, which camera's stream is watched, how one
//! authenticates, with what outcome. Media are passed over.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::activity::{Activity, Field};
use crate::bytes::printable;
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::{Attribute, Operation, Protocol};
use crate::protocols::http::{credentials, framing, said};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{Code, rtsp, sip};
use crate::text::{self, Head, end_of_head, end_of_head_behind, host, may_become, word};

/// Requests that wait for their final answer.
const MAX_OPEN: usize = 16;
/// Octets of what pairs a request and its answers.
const MAX_KEY: usize = 128;

/// One of both protocols.
struct Kind {
    protocol: Protocol,
    /// Start of a response, end of a request's line.
    version: &'static [u8],
    methods: &'static [Code],
}

const SIP: Kind = Kind { protocol: Protocol::Sip, version: b"SIP/2.0", methods: sip::METHODS };
const RTSP: Kind = Kind { protocol: Protocol::Rtsp, version: b"RTSP/", methods: rtsp::METHODS };

/// Tells from the first octets whether a stream is one of both.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    let mut answer = Recognition::No;
    for kind in [&SIP, &RTSP] {
        match kind.start(bytes) {
            Start::Request | Start::Response => return Recognition::Yes(Box::new(Signalling::new(kind, true))),
            Start::Short => answer = Recognition::Undecided,
            Start::Nothing => {}
        }
    }
    answer
}

/// Tells from a datagram whether it is SIP.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = if probe.forward.is_empty() { probe.backward } else { probe.forward };
    match SIP.start(bytes) {
        Start::Request | Start::Response => Recognition::Yes(Box::new(Signalling::new(&SIP, false))),
        _ => Recognition::No,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    Request,
    Response,
    Short,
    Nothing,
}

impl Kind {
    fn start(&self, bytes: &[u8]) -> Start {
        if !bytes.first().is_some_and(u8::is_ascii_uppercase) {
            return Start::Nothing;
        }
        if may_become(bytes, self.version) {
            return Start::Short;
        }
        if bytes.starts_with(self.version) {
            return Start::Response;
        }
        let (name, _) = word(bytes);
        if name.len() == bytes.len() {
            let is_start = self
                .methods
                .iter()
                .any(|method| may_become(name, method.name.as_bytes()) || method.name.as_bytes() == name);
            return if is_start { Start::Short } else { Start::Nothing };
        }
        if !self.methods.iter().any(|method| method.name.as_bytes() == name) {
            return Start::Nothing;
        }
        match text::line(&bytes[..bytes.len().min(text::MAX_LINE)]) {
            Some((line, _)) => {
                let last = line.rsplit(|octet| *octet == b' ').next().unwrap_or_default();
                if last.starts_with(self.version) { Start::Request } else { Start::Nothing }
            }
            None if bytes.len() < text::MAX_LINE => Start::Short,
            None => Start::Nothing,
        }
    }

    fn method(&self, name: &[u8]) -> Option<&'static Code> {
        self.methods.iter().find(|method| method.name.as_bytes() == name)
    }
}

#[derive(Clone)]
struct Open {
    key: Vec<u8>,
    client: Direction,
    frame: u64,
    activity: Activity,
}

holds!(Open { key, activity });

/// A conversation.
#[derive(Clone)]
struct Signalling {
    kind: &'static Kind,
    is_stream: bool,
    open: VecDeque<Open>,
    said: [Vec<u8>; 2],
    /// Octets of a head that is not whole yet, of each direction.
    searched: [usize; 2],
}

impl Signalling {
    fn new(kind: &'static Kind, is_stream: bool) -> Self {
        Signalling { kind, is_stream, open: VecDeque::new(), said: Default::default(), searched: [0; 2] }
    }

    fn request(&mut self, head: &Head<'_>, client: Direction, out: &mut Output) {
        let (name, rest) = word(head.start);
        let method = self.kind.method(name);
        let mut activity = Activity::new(
            client,
            method.map_or("other", |method| method.kind),
            method.and_then(|method| method.operation).unwrap_or(Operation::Unknown),
        );
        let (host, path) = uri(word(rest).0);
        activity.put(Field::UrlDomain, printable(host));
        activity.put(Field::UrlPath, printable(path));
        for (field, value) in head.fields() {
            match field.to_ascii_lowercase().as_slice() {
                b"from" | b"f" => activity.put(Field::SipFrom, printable(&address(value))),
                b"to" | b"t" => activity.put(Field::SipTo, printable(&address(value))),
                b"user-agent" => {
                    activity.put(Field::UserAgent, printable(value));
                    self.say(client, value, out);
                }
                b"authorization" | b"proxy-authorization" => credentials::authorization(value, &mut activity, out),
                _ => {}
            }
        }
        // What acknowledges has no answer (RFC 3261, 17).
        if name == b"ACK" {
            return;
        }
        if self.open.len() >= MAX_OPEN {
            self.give_up(out);
        }
        let key = key(head);
        if !self.open.iter().any(|open| open.key == key && open.client == client) {
            self.open.push_back(Open { key, client, frame: out.frame, activity });
        }
    }

    fn response(&mut self, head: &Head<'_>, direction: Direction, out: &mut Output) {
        let status = framing::status(head.start);
        for (field, value) in head.fields() {
            if field.eq_ignore_ascii_case(b"Server") || field.eq_ignore_ascii_case(b"User-Agent") {
                self.say(direction, value, out);
            }
        }
        if status < 200 {
            return;
        }
        let (key, client) = (key(head), direction.opposite());
        let place = self.open.iter().position(|open| open.key == key && open.client == client);
        let Some(open) = place.and_then(|place| self.open.remove(place)) else { return };
        let mut activity = Activity { request_frame: Some(open.frame), ..open.activity };
        activity.put(Field::HttpServer, printable(head.get("Server").unwrap_or_default()));
        for name in ["WWW-Authenticate", "Proxy-Authenticate"] {
            head.get(name).into_iter().for_each(|value| credentials::challenge(value, &mut activity, out));
        }
        let ended = if status < 400 { Status::Ok } else { Status::Error };
        out.activity(activity.ended(ended, status.to_string()));
    }

    fn say(&mut self, direction: Direction, value: &[u8], out: &mut Output) {
        let said = &mut self.said[direction as usize];
        if said != value {
            *said = value.to_vec();
            text::say(out, Attribute::Software, value);
            said::system(value, out);
        }
    }

    fn give_up(&mut self, out: &mut Output) {
        if let Some(open) = self.open.pop_front() {
            out.activity(Activity { request_frame: Some(open.frame), ..open.activity.ended(Status::NoResponse, "") });
        }
    }
}

/// What a request and its answers have in common: the call and the number in it (RFC 3261, 17.1.3; RFC 2326, 12.17).
fn key(head: &Head<'_>) -> Vec<u8> {
    let of = |name, short| head.get(name).or_else(|| head.get(short)).unwrap_or_default();
    let (call, number) = (of("Call-ID", "i"), of("CSeq", "CSeq"));
    [number.get(..MAX_KEY).unwrap_or(number), b" ", call.get(..MAX_KEY).unwrap_or(call)].concat()
}

/// Host and path of a URI: without user, password, parameters and query.
fn uri(uri: &[u8]) -> (&[u8], &[u8]) {
    let scheme = uri.iter().position(|octet| *octet == b':').map_or(0, |at| at + 1);
    let rest = &uri[scheme..];
    let rest = rest.strip_prefix(b"//").unwrap_or(rest);
    let end = rest.iter().position(|octet| matches!(octet, b';' | b'?')).unwrap_or(rest.len());
    let rest = &rest[..end];
    let slash = rest.iter().position(|octet| *octet == b'/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(slash);
    (host(authority), path)
}

/// `eva@plant.example` of `"Eva" <sip:eva:secret@plant.example;x=y>;tag=7`.
fn address(value: &[u8]) -> Vec<u8> {
    let value = match value.iter().position(|octet| *octet == b'<') {
        Some(start) => value[start + 1..].split(|octet| *octet == b'>').next().unwrap_or_default(),
        None => value,
    };
    let value = value.split(|octet| matches!(octet, b';' | b'?')).next().unwrap_or_default();
    let value = value.iter().position(|octet| *octet == b':').map_or(value, |at| &value[at + 1..]);
    match value.iter().rposition(|octet| *octet == b'@') {
        Some(at) => {
            let user = value[..at].split(|octet| *octet == b':').next().unwrap_or_default();
            [user, &value[at..]].concat()
        }
        None => host(value).to_vec(),
    }
}

impl Session for Signalling {
    fn protocol(&self) -> Protocol {
        self.kind.protocol
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing {
        let searched = std::mem::take(&mut self.searched[direction as usize]);
        let is_half = (1..bytes.len()).contains(&searched) && end_of_head_behind(bytes, searched).is_none();
        if is_half && bytes.len() < text::MAX_HEAD {
            self.searched[direction as usize] = bytes.len();
            return Framing::NeedMore;
        }
        match bytes {
            // Empty lines keep a connection alive (RFC 5626, 3.5.1).
            [b'\r' | b'\n', ..] => return Framing::Message(1),
            // Media between the messages (RFC 2326, 10.12).
            [b'$', _, high, low, ..] => {
                let length = 4 + usize::from(u16::from_be_bytes([*high, *low]));
                return Framing::Head { keep: 0, length };
            }
            [b'$', ..] => return Framing::NeedMore,
            _ => {}
        }
        match (self.kind.start(bytes), end_of_head(bytes)) {
            (Start::Request | Start::Response, Some(head)) => {
                let fields = Head::new(&bytes[..head]);
                let length = fields.get("Content-Length").or_else(|| fields.get("l")).unwrap_or_default();
                let length = std::str::from_utf8(length).ok().and_then(|text| text.parse().ok()).unwrap_or(0usize);
                Framing::Head { keep: head, length: head.saturating_add(length) }
            }
            (Start::Nothing, _) => Framing::Head { keep: 0, length: bytes.len().max(1) },
            (start, _) if bytes.len() < text::MAX_HEAD => {
                if start != Start::Short {
                    self.searched[direction as usize] = bytes.len();
                }
                Framing::NeedMore
            }
            _ => Framing::NotMine,
        }
    }

    fn resync(&self, _: Direction, bytes: &[u8]) -> Option<usize> {
        matches!(self.kind.start(bytes), Start::Request | Start::Response).then_some(0)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let end = end_of_head(chunk.bytes).unwrap_or(if self.is_stream { 0 } else { chunk.bytes.len() });
        let head = Head::new(&chunk.bytes[..end]);
        match self.kind.start(chunk.bytes) {
            Start::Request => self.request(&head, chunk.direction, out),
            Start::Response => self.response(&head, chunk.direction, out),
            Start::Short | Start::Nothing => {}
        }
    }

    fn gap(&mut self, direction: Direction, _: &mut Output) {
        self.searched[direction as usize] = 0;
    }

    fn close(&mut self, out: &mut Output) {
        while !self.open.is_empty() {
            self.give_up(out);
        }
    }

    fn held(&self) -> usize {
        self.open.holds() + self.said.holds()
    }
}
