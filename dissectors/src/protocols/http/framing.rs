//! Where messages of HTTP/1 end (RFC 9112, 6 and 7.1). Bodies are passed over.

use memchr::memchr;

use crate::tables::http;
use crate::text::{self, Head, MAX_HEAD};

/// Octets of a request's body that are waited for, where something of it is read.
const READ: u64 = 4 * 1024;
/// Octets of a response's body that are read, where they are there.
const GLANCE: usize = 2 * 1024;
/// Letters of a method at most.
const MAX_METHOD: usize = 20;

/// What octets start with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A request.
    Request,
    /// A response.
    Response,
    /// An empty line (RFC 9112, 2.2).
    Blank(usize),
    /// Too few octets to tell.
    Short,
    /// The preface of HTTP/2 (RFC 9113, 3.4).
    Preface,
    /// None of these.
    Nothing,
}

/// Tells what the octets start with.
pub fn start(bytes: &[u8]) -> Start {
    match bytes {
        [b'\r', b'\n', ..] => return Start::Blank(2),
        [b'\n', ..] => return Start::Blank(1),
        [] | [b'\r'] => return Start::Short,
        _ if b"HTTP/1.".starts_with(bytes) => return Start::Short,
        [first, ..] if !first.is_ascii_alphabetic() => return Start::Nothing,
        _ => {}
    }
    if let Some(version) = bytes.strip_prefix(b"HTTP/1.") {
        return match version {
            [b'0' | b'1', b' ', b'1'..=b'5', ..] => Start::Response,
            [] | [b'0' | b'1'] | [b'0' | b'1', b' '] => Start::Short,
            _ => Start::Nothing,
        };
    }
    let is_token = |octet: &u8| octet.is_ascii_alphabetic() || matches!(octet, b'-' | b'_');
    let method = bytes.iter().take(MAX_METHOD + 1).take_while(|octet| is_token(octet)).count();
    match bytes.get(method) {
        None if method <= MAX_METHOD => return Start::Short,
        Some(b' ') if method > 2 && bytes[..method].iter().all(|octet| !octet.is_ascii_lowercase()) => {}
        _ => return Start::Nothing,
    }
    match bytes.get(method + 1) {
        // The target: a path, a URI, an authority or an asterisk (RFC 9112, 3.2).
        Some(octet) if octet.is_ascii_alphanumeric() || matches!(octet, b'/' | b'*' | b'[') => {}
        Some(_) => return Start::Nothing,
        None => return Start::Short,
    }
    match text::line(&bytes[..bytes.len().min(MAX_HEAD)]) {
        Some((line, _)) if line == b"PRI * HTTP/2.0" => Start::Preface,
        Some((line, _)) if line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0") => Start::Request,
        None if bytes.len() < MAX_HEAD => Start::Short,
        _ => Start::Nothing,
    }
}

/// A method's place in the table; none where it is not registered.
pub fn method(start: &[u8]) -> Option<&'static crate::tables::Code> {
    let (word, _) = text::word(start);
    http::METHODS.iter().find(|method| method.name.as_bytes() == word)
}

/// True where the octets can be the start of a response, or of a request with a registered method.
pub fn may_start(bytes: &[u8]) -> bool {
    let (word, _) = text::word(bytes);
    let is_method = |name: &[u8]| if word.len() < bytes.len() { name == word } else { name.starts_with(word) };
    b"HTTP/1.1 ".starts_with(word) || http::METHODS.iter().any(|method| is_method(method.name.as_bytes()))
}

/// What a response answers, as far as the end of the response depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// Anything else.
    #[default]
    Other,
    /// Without a body in the answer.
    Head,
    /// A tunnel.
    Connect,
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// After so many octets.
    Length(u64),
    /// With the last chunk.
    Chunks,
    /// With the connection.
    Close,
}

/// How a message is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Octets of its head.
    pub head: usize,
    /// What follows.
    pub body: Body,
}

impl Layout {
    /// The layout of the message at the start of the octets; none where the head is not whole.
    pub fn of(bytes: &[u8], is_response: bool, asked: Asked) -> Option<Self> {
        let head = text::end_of_head(bytes)?;
        let fields = Head::new(&bytes[..head]);
        let status = if is_response { status(fields.start) } else { 0 };
        let is_bodiless = match status {
            100..=199 | 204 | 304 => true,
            200..=299 => asked != Asked::Other,
            _ => asked == Asked::Head,
        };
        let is_chunked = |value: &[u8]| text::find(value, b"chunked").is_some();
        let length = || std::str::from_utf8(fields.get("Content-Length")?).ok()?.parse::<u64>().ok();
        let body = if is_response && is_bodiless {
            Body::Length(0)
        } else if fields.get("Transfer-Encoding").is_some_and(is_chunked) {
            Body::Chunks
        } else if let Some(length) = length() {
            Body::Length(length)
        } else if is_response {
            Body::Close
        } else {
            Body::Length(0)
        };
        Some(Layout { head, body })
    }

    /// Octets to decode, and octets in all, of those that are there. A request's short text is waited for, a response's
    /// is read as far as it is there.
    pub fn extent(&self, there: usize, waits: bool) -> (usize, usize) {
        let behind = there.saturating_sub(self.head);
        match self.body {
            Body::Chunks => (self.head, self.head),
            Body::Close => (self.head + behind.min(GLANCE), usize::MAX),
            Body::Length(length) => {
                let all = usize::try_from(length).unwrap_or(usize::MAX);
                let read = if waits && length <= READ { all } else { all.min(behind).min(GLANCE) };
                (self.head + read, self.head.saturating_add(all))
            }
        }
    }
}

/// True where a text of this type is read: forms, JSON and XML.
pub fn is_read(content_type: &[u8]) -> bool {
    [&b"urlencoded"[..], b"json", b"xml"].iter().any(|kind| text::find(content_type, kind).is_some())
}

/// The status of a status line.
pub fn status(line: &[u8]) -> u16 {
    let digits = text::word(text::word(line).1).0;
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// A chunk's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// Not whole yet.
    Short,
    /// A chunk of so many octets: of the line, and behind it with its end.
    Of(usize, usize),
    /// The last one, of so many octets.
    Last(usize),
    /// No chunk starts here.
    Not,
}

/// The chunk that the octets start (RFC 9112, 7.1).
pub fn chunk(bytes: &[u8]) -> Chunk {
    const MAX_EXTENSION: usize = 1024;
    let Some(end) = memchr(b'\n', &bytes[..bytes.len().min(MAX_EXTENSION)]) else {
        let is_hexadecimal = bytes.first().is_none_or(u8::is_ascii_hexdigit);
        return if is_hexadecimal && bytes.len() < MAX_EXTENSION { Chunk::Short } else { Chunk::Not };
    };
    let line = &bytes[..end];
    let digits = line.iter().take_while(|octet| octet.is_ascii_hexdigit()).count();
    let is_end = line.get(digits).is_none_or(|octet| matches!(octet, b';' | b'\r' | b' ' | b'\t'));
    let size = std::str::from_utf8(&line[..digits]).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
    match size {
        Some(0) if is_end => Chunk::Last(end + 1),
        Some(size) if is_end && digits < 16 => Chunk::Of(end + 1, size + 2),
        _ => Chunk::Not,
    }
}
