//! What the protocols of text share: lines, fields of a header, parameters, encodings.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use crate::bytes::printable;
use crate::model::{Attribute, Claim, Unit};
use crate::session::{Framing, Output};

/// Octets of a line at most; who sends longer ones is not listened to.
pub const MAX_LINE: usize = 8 * 1024;
/// Octets of a header at most.
pub const MAX_HEAD: usize = 32 * 1024;
/// Octets that are decoded from one Base64 text.
const MAX_BASE64: usize = 16 * 1024;

/// The first line without its end, and the octets that it takes with it.
pub fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = memchr(b'\n', bytes)?;
    let line = &bytes[..end];
    Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
}

/// Where the line at the start of the octets ends.
pub fn frame_line(bytes: &[u8]) -> Framing {
    match line(&bytes[..bytes.len().min(MAX_LINE)]) {
        Some((_, length)) => Framing::Message(length),
        None if bytes.len() < MAX_LINE => Framing::NeedMore,
        None => Framing::NotMine,
    }
}

/// The first word, and what follows the blanks behind it.
pub fn word(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(u8::is_ascii_whitespace).unwrap_or(bytes.len());
    (&bytes[..end], bytes[end..].trim_ascii_start())
}

/// True where the octets are too few to be the word and may become it.
pub fn may_become(bytes: &[u8], word: &[u8]) -> bool {
    !bytes.is_empty() && bytes.len() < word.len() && word.starts_with(bytes)
}

/// True where the octets start with the word, in letters of either case.
pub fn starts_with(bytes: &[u8], word: &[u8]) -> bool {
    bytes.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Where a text is, in letters of either case.
pub fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len().max(1)).position(|window| window.eq_ignore_ascii_case(text))
}

/// Where what is behind an empty line starts (RFC 5322, 2.1).
pub fn end_of_head(bytes: &[u8]) -> Option<usize> {
    end_of_head_behind(bytes, 0)
}

/// The same, where it is known that no head ends in so many octets: a head that grows is searched once.
pub fn end_of_head_behind(bytes: &[u8], searched: usize) -> Option<usize> {
    let bytes = &bytes[..bytes.len().min(MAX_HEAD)];
    // The ends of two lines may be partly there.
    let mut from = searched.saturating_sub(3);
    while let Some(end) = bytes.get(from..).and_then(|rest| memchr(b'\n', rest)) {
        let next = from + end + 1;
        match bytes.get(next..) {
            Some([b'\n', ..]) => return Some(next + 1),
            Some([b'\r', b'\n', ..]) => return Some(next + 2),
            _ => from = next,
        }
    }
    None
}

/// A start line and the fields below it.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The first line.
    pub start: &'a [u8],
    fields: &'a [u8],
}

impl<'a> Head<'a> {
    /// The head at the start of the octets.
    pub fn new(bytes: &'a [u8]) -> Self {
        let (start, length) = line(bytes).unwrap_or((bytes, bytes.len()));
        Head { start, fields: &bytes[length..] }
    }

    /// Names and values of the fields, up to the empty line. A line that goes on is cut (RFC 9112, 5.2).
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut rest = self.fields;
        std::iter::from_fn(move || {
            loop {
                let (text, length) = line(rest).unwrap_or((rest, rest.len()));
                if text.is_empty() {
                    return None;
                }
                rest = &rest[length..];
                if let Some(colon) = memchr(b':', text) {
                    return Some((text[..colon].trim_ascii_end(), text[colon + 1..].trim_ascii()));
                }
            }
        })
    }

    /// The value of the first field of a name.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.fields().find(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }
}

/// The value of a parameter: `name=value` or `name="value"` in a list (RFC 9110, 5.6.6).
pub fn parameter<'a>(list: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = list;
    while let Some(at) = memchr(b'=', rest) {
        let key = rest[..at].trim_ascii();
        let start = key.iter().rposition(|octet| matches!(octet, b',' | b';' | b' ')).map_or(0, |place| place + 1);
        let behind = rest[at + 1..].trim_ascii_start();
        let (value, after) = match behind.strip_prefix(b"\"") {
            Some(quoted) => {
                let end = memchr(b'"', quoted).unwrap_or(quoted.len());
                (&quoted[..end], quoted.get(end + 1..).unwrap_or_default())
            }
            None => {
                let is_end = |octet: &u8| matches!(octet, b',' | b';' | b' ');
                let end = behind.iter().position(is_end).unwrap_or(behind.len());
                (&behind[..end], &behind[end..])
            }
        };
        if key[start..].eq_ignore_ascii_case(name.as_bytes()) {
            return Some(value);
        }
        rest = after;
    }
    None
}

/// The host of an authority with its port, without the user's name and password that may stand before it (RFC 3986, 3.2).
/// Where that was cut before its `@`, a word stands where the port should, and is left out.
pub fn host(authority: &[u8]) -> &[u8] {
    let host = authority.rsplit(|octet| *octet == b'@').next().unwrap_or_default();
    let is_port = |port: &[u8]| port.iter().all(u8::is_ascii_digit);
    match host.iter().rposition(|octet| *octet == b':') {
        Some(at) if !(host.ends_with(b"]") || is_port(&host[at + 1..])) => {
            host.split(|octet| *octet == b':').next().unwrap_or_default()
        }
        _ => host,
    }
}

/// True where nothing of a user stands in a URI's authority.
pub fn is_without_user(uri: &[u8]) -> bool {
    let rest = memmem::find(uri, b"://").map_or(uri, |at| &uri[at + 3..]);
    let authority = rest.split(|octet| matches!(octet, b'/' | b'?' | b'#')).next().unwrap_or_default();
    !rest.contains(&b'@') && host(authority) == authority
}

/// Names and values of a form (URL standard, 5.1), not decoded.
pub fn pairs(form: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    form.split(|octet| matches!(octet, b'&' | b';')).filter(|pair| !pair.is_empty()).map(|pair| {
        match memchr(b'=', pair) {
            Some(at) => (&pair[..at], Some(&pair[at + 1..])),
            None => (pair, None),
        }
    })
}

/// The octets that a form's text stands for (RFC 3986, 2.1).
pub fn percent_decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|octet| matches!(octet, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let digit = |octet: Option<&u8>| octet.and_then(|octet| char::from(*octet).to_digit(16));
    let (mut octets, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(octet) = text.get(at) {
        let escaped = (digit(text.get(at + 1)), digit(text.get(at + 2)));
        at += match (octet, escaped) {
            (b'%', (Some(high), Some(low))) => {
                octets.push((high << 4 | low) as u8);
                3
            }
            (b'+', _) => {
                octets.push(b' ');
                1
            }
            _ => {
                octets.push(*octet);
                1
            }
        };
    }
    Cow::Owned(octets)
}

/// What a Base64 text stands for (RFC 4648, 4); none where it is none.
pub fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let end = text.iter().position(|octet| *octet == b'=').unwrap_or(text.len());
    if text.len() > MAX_BASE64 || text.len() - end > 2 {
        return None;
    }
    let (mut octets, mut bits, mut held) = (Vec::with_capacity(end * 3 / 4), 0u32, 0u32);
    for octet in &text[..end] {
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            octets.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(octets)
}

/// The text of the first XML element of a local name, without markup inside it.
pub fn element<'a>(xml: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut from = 0;
    while let Some(found) = memmem::find(xml.get(from..)?, name.as_bytes()) {
        let (start, end) = (from + found, from + found + name.len());
        from = end;
        let opened = memchr::memrchr(b'<', &xml[..start])?;
        let prefix = &xml[opened + 1..start];
        let is_prefix = prefix.is_empty()
            || prefix.strip_suffix(b":").is_some_and(|prefix| prefix.iter().all(u8::is_ascii_alphanumeric));
        if !is_prefix || !matches!(xml.get(end), Some(b'>' | b' ' | b'\t' | b'\r' | b'\n')) {
            continue;
        }
        let text = &xml[end + memchr(b'>', &xml[end..])? + 1..];
        let text = &text[..memchr(b'<', text)?];
        return Some(text.trim_ascii());
    }
    None
}

/// A claim of the sender about itself, unless it is empty.
pub fn say(out: &mut Output, attribute: Attribute, value: &[u8]) {
    say_of(out, true, attribute, value);
}

/// A claim about the sender or the receiver, unless it is empty.
pub fn say_of(out: &mut Output, about_sender: bool, attribute: Attribute, value: &[u8]) {
    let value = printable(value);
    if !value.is_empty() {
        out.claim(Claim { about_sender, address: None, unit: Unit::None, attribute, value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_heads() {
        assert_eq!(line(b"one\r\ntwo"), Some((&b"one"[..], 5)));
        assert_eq!(line(b"one"), None);
        assert_eq!(end_of_head(b"a\r\nb: c\r\n\r\nbody"), Some(11));
        assert_eq!(end_of_head(b"a\nb: c\n\nbody"), Some(8));
        assert_eq!(end_of_head(b"a\r\nb: c\r\n"), None);
        let head = Head::new(b"GET / HTTP/1.1\r\nHost:  plc \r\nno field\r\nx: 1\r\n\r\nHost: no\r\n");
        assert_eq!((head.get("host"), head.get("X"), head.get("no")), (Some(&b"plc"[..]), Some(&b"1"[..]), None));
        assert_eq!((frame_line(b"a"), frame_line(b"a\nb\n")), (Framing::NeedMore, Framing::Message(2)));
        assert_eq!(frame_line(&[b'a'; MAX_LINE]), Framing::NotMine);
    }

    #[test]
    fn hosts_are_told_without_users() {
        let cases = [
            ("plc.example:8080", "plc.example:8080"),
            ("eva:secret@plc.example", "plc.example"),
            ("eva:se@ret@[fe80::1]:80", "[fe80::1]:80"),
            ("[fe80::1]", "[fe80::1]"),
            ("eva:secr", "eva"),
            ("", ""),
        ];
        for (authority, told) in cases {
            assert_eq!(host(authority.as_bytes()), told.as_bytes(), "{authority}");
        }
        for (uri, is) in [("http://plc:80/x?y", true), ("http://eva:secr", false), ("rtsp://eva:se/ret@plc/", false)] {
            assert_eq!(is_without_user(uri.as_bytes()), is, "{uri}");
        }
    }

    #[test]
    fn parameters() {
        let list = b"Digest username=\"eva\", realm=\"a, b\",qop=auth ;nc=1";
        let cases = [("username", Some("eva")), ("realm", Some("a, b")), ("QOP", Some("auth")), ("nc", Some("1"))];
        for (name, value) in cases {
            assert_eq!(parameter(list, name), value.map(str::as_bytes), "{name}");
        }
        assert_eq!(
            (parameter(list, "name"), parameter(b"x=", "x"), parameter(b"x=\"y", "x")),
            (None, Some(&b""[..]), Some(&b"y"[..]))
        );
    }

    #[test]
    fn encodings() {
        let cases: [(&str, Option<&[u8]>); 6] = [
            ("YWRtaW46YWRtaW4=", Some(b"admin:admin")),
            ("YQ==", Some(b"a")),
            ("", Some(b"")),
            ("YQ", Some(b"a")),
            ("Y!==", None),
            ("Y===", None),
        ];
        for (text, octets) in cases {
            assert_eq!(base64(text.as_bytes()).as_deref(), octets, "{text}");
        }
        assert_eq!(&*percent_decoded(b"a%20b+c%zz%4"), b"a b c%zz%4");
        let form: Vec<_> = pairs(b"a=1&b&=c").collect();
        assert_eq!(form, [(&b"a"[..], Some(&b"1"[..])), (b"b", None), (b"", Some(b"c"))]);
    }

    #[test]
    fn elements() {
        let xml = b"<a:Model x='1'>M 20</a:Model><ModelNumber>7</ModelNumber><n><Model>no</Model></n>";
        assert_eq!(element(xml, "Model"), Some(&b"M 20"[..]));
        assert_eq!(element(xml, "ModelNumber"), Some(&b"7"[..]));
        assert_eq!((element(xml, "Serial"), element(b"<Model>cut", "Model")), (None, None));
        assert_eq!(find(b"Mozilla (WINDOWS NT", b"windows"), Some(9));
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let _ = (end_of_head(&bytes), Head::new(&bytes).fields().count(), parameter(&bytes, "a"), pairs(&bytes).count());
            let _ = (percent_decoded(&bytes), base64(&bytes), element(&bytes, "a"), find(&bytes, b"a"), word(&bytes));
        }
    }
}
