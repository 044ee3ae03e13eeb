//! The words of an object: `name=value` pairs, written straight into the text of its message.

use std::fmt::{Display, Write as _};

use crate::tables::{self, Code};

/// Octets of one value that are kept.
const MAX_VALUE: usize = 255;

/// Writes the words of one object.
pub(super) struct Words<'a> {
    text: &'a mut String,
    start: usize,
}

impl<'a> Words<'a> {
    /// Starts at the end of the text.
    pub(super) fn new(text: &'a mut String) -> Self {
        let start = text.len();
        Words { text, start }
    }

    /// A word of its own.
    pub(super) fn word(&mut self, word: &str) {
        self.separate();
        self.text.push_str(word);
    }

    /// A value with its name.
    pub(super) fn pair(&mut self, name: &str, value: impl Display) {
        self.separate();
        write!(self.text, "{name}={value}").ok(); // A string takes all.
    }

    /// A code by its name, or as its number where the table has none.
    pub(super) fn code(&mut self, name: &str, table: &'static [Code], code: impl Into<u32>) {
        let code = code.into();
        match tables::name(table, code) {
            "" => self.pair(name, code),
            word => self.pair(name, word),
        }
    }

    /// What somebody typed, with its name; last, since it may hold spaces.
    pub(super) fn typed(&mut self, name: &str, octets: &[u8]) {
        self.pair(name, "");
        push_printable(octets, self.text);
    }

    fn separate(&mut self) {
        if self.text.len() > self.start {
            self.text.push(' ');
        }
    }
}

/// Adds text of a device as one line: at most 255 octets, control characters replaced, invalid UTF-8 marked.
pub(super) fn push_printable(octets: &[u8], text: &mut String) {
    let is_padding = |octet: &u8| *octet == 0 || octet.is_ascii_whitespace();
    let octets = octets.get(..MAX_VALUE).unwrap_or(octets);
    let first = octets.iter().position(|octet| !is_padding(octet)).unwrap_or(octets.len());
    let end = octets.iter().rposition(|octet| !is_padding(octet)).map_or(first, |last| last + 1);
    for chunk in octets[first..end].utf8_chunks() {
        text.extend(chunk.valid().chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }));
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_line_without_padding() {
        for octets in [&b"\0 RTU\n7 \0\0"[..], b"", b"\0\0", b"a\xFFb", &[b'x'; 300], "\u{e9}t\u{e9}".as_bytes()] {
            let mut text = String::from("before ");
            push_printable(octets, &mut text);
            assert_eq!(text, format!("before {}", crate::bytes::printable(octets)));
        }
    }
}
