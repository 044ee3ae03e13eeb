//! HTTP/1 on any port, through proxies too: who asks for what, how he authenticates, what both say of themselves. Bodies
//! are passed over; of forms only that a password was in them, of pages only a title that gives a device away.

pub mod credentials;
pub mod framing;
pub mod said;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::activity::{Activity, Field};
use crate::bytes::printable;
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::{Attribute, Operation, Protocol};
use crate::secrets::path_without_secrets;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::text::{self, Head, starts_with, word};
use framing::{Asked, Body, Layout, Start};

/// Requests that wait for their answer in one connection.
const MAX_OPEN: usize = 16;
/// Octets of a path by which a device is known.
const MAX_PATH: usize = 64;

/// Where a device that manages Windows is asked (DSP0226, annex C).
const WSMAN: &[u8] = b"/wsman";
/// Where cameras are asked (ONVIF Core, 5.9).
const ONVIF: &[u8] = b"/onvif/";

/// Tells from the first octets whether a stream is HTTP/1, or HTTP/2 without TLS.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    match framing::start(bytes) {
        Start::Short if framing::may_start(bytes) => Recognition::Undecided,
        Start::Request | Start::Response | Start::Preface => {
            let (_, target) = word(bytes);
            let is_wsman = starts_with(word(target).0, WSMAN) || probe.ports.contains(&5985);
            Recognition::Yes(Box::new(Http::new(if is_wsman { Protocol::Winrm } else { Protocol::Http })))
        }
        _ => Recognition::No,
    }
}

#[derive(Clone)]
struct Open {
    frame: u64,
    asked: Asked,
    path: Vec<u8>,
    activity: Activity,
}

holds!(Open { path, activity });

/// One direction.
#[derive(Clone, Default)]
struct Side {
    /// Chunks are due, or the fields behind the last one.
    chunks: Option<Chunks>,
    /// Octets of a head that is not whole yet.
    searched: usize,
    /// What the last `User-Agent` or `Server` field said.
    said: Vec<u8>,
}

holds!(Side { said });

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chunks {
    Due,
    Trailer,
}

/// What the octets of one direction are to be taken for.
enum Unit {
    NeedMore,
    /// The end of the head is not there yet.
    HalfHead,
    /// Passed over.
    Nothing(usize),
    Message(Layout),
    Preface,
    Chunk(usize),
    LastChunk(usize),
    TrailerEnd(usize),
}

/// A connection.
#[derive(Clone)]
struct Http {
    protocol: Protocol,
    sides: [Side; 2],
    open: VecDeque<Open>,
    service: Option<&'static str>,
    /// A response was lost: the requests open then are not paired by order any more.
    lost: bool,
    is_done: bool,
}

impl Http {
    fn new(protocol: Protocol) -> Self {
        let open = VecDeque::new();
        Http { protocol, sides: Default::default(), open, service: None, lost: false, is_done: false }
    }

    fn unit(&self, direction: Direction, bytes: &[u8]) -> Unit {
        let start = framing::start(bytes);
        match (self.sides[direction as usize].chunks, start) {
            (Some(Chunks::Due), _) => match framing::chunk(bytes) {
                framing::Chunk::Short => return Unit::NeedMore,
                framing::Chunk::Of(line, size) => return Unit::Chunk(line + size),
                framing::Chunk::Last(line) => return Unit::LastChunk(line),
                framing::Chunk::Not => {}
            },
            (Some(Chunks::Trailer), Start::Blank(length)) => return Unit::TrailerEnd(length),
            (Some(Chunks::Trailer), Start::Nothing | Start::Short) => match text::line(bytes) {
                Some((_, length)) => return Unit::Nothing(length),
                None if bytes.len() < text::MAX_LINE => return Unit::NeedMore,
                None => {}
            },
            _ => {}
        }
        match start {
            Start::Request | Start::Response => {
                let asked = self.open.front().map_or(Asked::Other, |open| open.asked);
                match Layout::of(bytes, start == Start::Response, asked) {
                    Some(layout) => Unit::Message(layout),
                    None if bytes.len() < text::MAX_HEAD => Unit::HalfHead,
                    None => Unit::Nothing(bytes.len()),
                }
            }
            Start::Preface => Unit::Preface,
            Start::Blank(length) => Unit::Nothing(length),
            Start::Short => Unit::NeedMore,
            // What does not start here may start with the next segment.
            Start::Nothing => Unit::Nothing(bytes.len().max(1)),
        }
    }

    fn request(&mut self, head: Head<'_>, body: &[u8], client: Direction, out: &mut Output) {
        if self.open.len() >= MAX_OPEN || std::mem::take(&mut self.lost) {
            self.give_up(out);
        }
        let (name, rest) = word(head.start);
        let method = framing::method(head.start);
        let mut activity = Activity::new(
            client,
            method.map_or("other", |method| method.kind),
            method.and_then(|method| method.operation).unwrap_or(Operation::Unknown),
        )
        .with(Field::HttpMethod, printable(name));
        let target = Target::of(word(rest).0, name == b"CONNECT");
        let host = target.authority.or_else(|| head.get("Host").map(text::host)).unwrap_or_default();
        activity.put(Field::UrlDomain, printable(host));
        activity.put(Field::UrlPath, path_without_secrets(&printable(target.path)));
        activity.put(Field::UrlParameters, credentials::names(target.query));
        self.recognise(&target);
        let mut is_login = credentials::form(target.query, &mut activity);
        for (field, value) in head.fields() {
            match field {
                _ if field.eq_ignore_ascii_case(b"User-Agent") => {
                    activity.put(Field::UserAgent, printable(value));
                    if self.is_news(client, value) {
                        said::agent(value, out);
                    }
                }
                _ if field.eq_ignore_ascii_case(b"Authorization")
                    || field.eq_ignore_ascii_case(b"Proxy-Authorization") =>
                {
                    credentials::authorization(value, &mut activity, out);
                }
                _ if field.eq_ignore_ascii_case(b"SOAPAction") => put_action(value, &mut activity),
                _ if credentials::is_key(field) => activity.put_secret("token", None),
                _ => {}
            }
        }
        is_login |= content(&head, body, &mut activity);
        if is_login {
            activity.operation = Operation::Authenticate;
        }
        let asked = match name {
            b"HEAD" => Asked::Head,
            b"CONNECT" => Asked::Connect,
            _ => Asked::Other,
        };
        self.open.push_back(Open {
            frame: out.frame,
            asked,
            path: target.path[..target.path.len().min(MAX_PATH)].to_vec(),
            activity,
        });
    }

    /// What service it is, by what is asked for.
    fn recognise(&mut self, target: &Target<'_>) {
        let service = if target.authority.is_some() {
            "http-proxy"
        } else if starts_with(target.path, ONVIF) {
            "onvif"
        } else if starts_with(target.path, WSMAN) {
            "winrm"
        } else {
            return;
        };
        self.service.get_or_insert(service);
    }

    fn response(&mut self, head: Head<'_>, body: &[u8], direction: Direction, out: &mut Output) {
        let status = framing::status(head.start);
        if (100..200).contains(&status) && status != 101 {
            return;
        }
        let open = self.open.pop_front();
        self.lost = false;
        let (asked, path) = open.as_ref().map_or((Asked::Other, Vec::new()), |open| (open.asked, open.path.clone()));
        let is_there = matches!(status, 200..=299 | 401);
        if is_there {
            said::path(&path, out);
        }
        let is_alone = open.is_none();
        let mut activity = match open {
            Some(open) => Activity { request_frame: Some(open.frame), ..open.activity },
            None => Activity::new(direction.opposite(), "other", Operation::Unknown),
        };
        activity.put(Field::HttpStatus, status.to_string());
        for (field, value) in head.fields() {
            match field {
                _ if field.eq_ignore_ascii_case(b"Server") => {
                    activity.put(Field::HttpServer, printable(value));
                    if self.is_news(direction, value) {
                        said::server(value, out);
                    }
                }
                _ if field.eq_ignore_ascii_case(b"X-Powered-By") => text::say(out, Attribute::Software, value),
                _ if field.eq_ignore_ascii_case(b"Content-Type") => {
                    let kind = value.split(|octet| *octet == b';').next().unwrap_or_default();
                    activity.put(Field::HttpContentType, printable(kind));
                }
                _ if field.eq_ignore_ascii_case(b"WWW-Authenticate")
                    || field.eq_ignore_ascii_case(b"Proxy-Authenticate") =>
                {
                    credentials::challenge(value, &mut activity, out);
                }
                _ if field.eq_ignore_ascii_case(b"Set-Cookie") => said::cookie(value, out),
                _ => {}
            }
        }
        let kind = head.get("Content-Type").unwrap_or_default();
        if is_there && head.get("Content-Encoding").is_none() {
            let is_xml = text::find(kind, b"xml").is_some() && text::find(kind, b"html").is_none();
            if is_xml || text::find(kind, b"html").is_some() {
                said::page(body, is_xml, out);
            }
        }
        let ended = match status {
            _ if is_alone => Status::ResponseOnly,
            ..400 => Status::Ok,
            _ => Status::Error,
        };
        out.activity(activity.ended(ended, status.to_string()));
        // What follows is another protocol: an upgrade, or a tunnel.
        self.is_done |= status == 101 || (asked == Asked::Connect && (200..300).contains(&status));
    }

    /// True where a side says of itself what it did not say last.
    fn is_news(&mut self, direction: Direction, value: &[u8]) -> bool {
        let said = &mut self.sides[direction as usize].said;
        let is_news = said != value;
        if is_news {
            *said = value.to_vec();
        }
        is_news
    }

    /// The requests that nobody answers any more.
    fn give_up(&mut self, out: &mut Output) {
        for open in self.open.drain(..) {
            out.activity(Activity { request_frame: Some(open.frame), ..open.activity.ended(Status::NoResponse, "") });
        }
    }
}

impl Session for Http {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing {
        let searched = std::mem::take(&mut self.sides[direction as usize].searched);
        let is_half = (1..bytes.len()).contains(&searched)
            && bytes.len() < text::MAX_HEAD
            && text::end_of_head_behind(bytes, searched).is_none();
        match if is_half { Unit::HalfHead } else { self.unit(direction, bytes) } {
            Unit::NeedMore => Framing::NeedMore,
            Unit::HalfHead => {
                self.sides[direction as usize].searched = bytes.len();
                Framing::NeedMore
            }
            Unit::Preface => Framing::Message(bytes.len()),
            Unit::Nothing(length) | Unit::LastChunk(length) | Unit::TrailerEnd(length) | Unit::Chunk(length) => {
                Framing::Head { keep: length.min(bytes.len()), length }
            }
            Unit::Message(layout) => {
                let head = Head::new(&bytes[..layout.head]);
                let is_request = framing::start(bytes) == Start::Request;
                let waits = is_request && framing::is_read(head.get("Content-Type").unwrap_or_default());
                let (keep, length) = layout.extent(bytes.len(), waits);
                Framing::Head { keep, length }
            }
        }
    }

    fn resync(&self, _: Direction, bytes: &[u8]) -> Option<usize> {
        matches!(framing::start(bytes), Start::Request | Start::Response).then_some(0)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let Chunk { bytes, direction, .. } = chunk;
        let unit = self.unit(direction, bytes);
        let side = &mut self.sides[direction as usize];
        match unit {
            Unit::LastChunk(_) => side.chunks = Some(Chunks::Trailer),
            Unit::TrailerEnd(_) => side.chunks = None,
            Unit::NeedMore | Unit::HalfHead | Unit::Nothing(_) | Unit::Chunk(_) => {}
            Unit::Preface => {
                out.activity(Activity::new(direction, "http2", Operation::Session));
                self.is_done = true;
            }
            Unit::Message(Layout { head, body }) => {
                side.chunks = (body == Body::Chunks).then_some(Chunks::Due);
                let (head, body) = (Head::new(&bytes[..head]), &bytes[head..]);
                if head.start.starts_with(b"HTTP/") {
                    self.response(head, body, direction, out);
                } else {
                    self.request(head, body, direction, out);
                }
            }
        }
    }

    fn gap(&mut self, direction: Direction, _: &mut Output) {
        self.sides[direction as usize].searched = 0;
        self.lost = true;
    }

    fn close(&mut self, out: &mut Output) {
        self.give_up(out);
    }

    fn service(&self) -> &'static str {
        self.service.unwrap_or(self.protocol.name())
    }

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn held(&self) -> usize {
        self.open.holds() + self.sides.holds()
    }
}

/// What a request is for.
struct Target<'a> {
    authority: Option<&'a [u8]>,
    path: &'a [u8],
    query: &'a [u8],
}

impl<'a> Target<'a> {
    fn of(target: &'a [u8], is_authority: bool) -> Self {
        let position = |bytes: &[u8], wanted: &[u8]| bytes.iter().position(|octet| wanted.contains(octet));
        let (authority, rest) = match target.windows(3).position(|window| window == b"://") {
            _ if is_authority => (Some(target), &[][..]),
            Some(at) if !target.starts_with(b"/") => {
                let behind = &target[at + 3..];
                let end = position(behind, b"/?#").unwrap_or(behind.len());
                (Some(&behind[..end]), &behind[end..])
            }
            _ => (None, target),
        };
        // A user's name and password may stand before the host.
        let authority = authority.map(text::host);
        let end = position(rest, b"?#").unwrap_or(rest.len());
        let (path, query) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
        // Parameters of a path hold the numbers of sessions.
        let path = &path[..position(path, b";").unwrap_or(path.len())];
        Target { authority, path, query }
    }
}

/// Reads what a request carries, where it is a text that tells who logs in or what is done. True for a login.
fn content(head: &Head<'_>, body: &[u8], activity: &mut Activity) -> bool {
    let kind = head.get("Content-Type").unwrap_or_default();
    if text::find(kind, b"urlencoded").is_some() {
        return credentials::form(body, activity);
    }
    if text::find(kind, b"json").is_some() {
        return credentials::json(body, activity);
    }
    if text::find(kind, b"xml").is_some() {
        credentials::soap(body, activity);
        let named = activity.fields.iter().any(|(field, _)| *field == Field::SoapAction);
        if let (false, Some(action)) = (named, text::element(body, "Action")) {
            put_action(action, activity);
        }
    }
    false
}

/// The last part of what a SOAP message's action is called.
fn put_action(value: &[u8], activity: &mut Activity) {
    let value = value.trim_ascii().strip_prefix(b"\"").unwrap_or(value);
    let value = value.strip_suffix(b"\"").unwrap_or(value);
    let value = value.split(|octet| matches!(octet, b'?' | b';')).next().unwrap_or_default();
    let name = value.rsplit(|octet| matches!(octet, b'/' | b'#' | b':')).next().unwrap_or_default();
    activity.put(Field::SoapAction, printable(name));
}
