//! The Basic Encoding Rules (ITU-T X.690), as SNMP, LDAP, Kerberos and certificates use them.

use crate::bytes::{Cursor, Short};

/// Universal tags with their class and form (X.690, 8.1.2; X.680, 8.4).
pub mod tag {
    /// BOOLEAN.
    pub const BOOLEAN: u8 = 0x01;
    /// INTEGER.
    pub const INTEGER: u8 = 0x02;
    /// BIT STRING.
    pub const BIT_STRING: u8 = 0x03;
    /// OCTET STRING.
    pub const OCTET_STRING: u8 = 0x04;
    /// NULL.
    pub const NULL: u8 = 0x05;
    /// OBJECT IDENTIFIER.
    pub const OBJECT_IDENTIFIER: u8 = 0x06;
    /// ENUMERATED.
    pub const ENUMERATED: u8 = 0x0a;
    /// UTCTime.
    pub const UTC_TIME: u8 = 0x17;
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: u8 = 0x18;
    /// SEQUENCE and SEQUENCE OF.
    pub const SEQUENCE: u8 = 0x30;
    /// SET and SET OF.
    pub const SET: u8 = 0x31;
}

/// One encoded value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// First identifier octet: class, form and number; numbers of 31 and more are not told apart.
    pub tag: u8,
    /// Contents.
    pub contents: &'a [u8],
}

impl<'a> Value<'a> {
    /// Reads the contents as values.
    pub fn inside(&self) -> Reader<'a> {
        Reader::new(self.contents)
    }

    /// The contents as a signed integer of at most eight octets.
    pub fn integer(&self) -> Option<i64> {
        let (first, rest) = self.contents.split_first()?;
        (rest.len() < 8)
            .then(|| rest.iter().fold(i64::from(*first as i8), |number, octet| number << 8 | i64::from(*octet)))
    }

    /// The contents as an object identifier in its dotted form; arcs of more than 63 bits are no such thing.
    pub fn object_identifier(&self) -> Option<String> {
        let mut text = String::new();
        let mut arc: u64 = 0;
        let mut open = false;
        for octet in self.contents {
            arc = arc.checked_mul(128)?.checked_add(u64::from(octet & 0x7f))?;
            open = octet & 0x80 != 0;
            if open {
                continue;
            }
            if text.is_empty() {
                let first = (arc / 40).min(2);
                text = format!("{first}.{}", arc - first * 40);
            } else {
                text.push_str(&format!(".{arc}"));
            }
            arc = 0;
        }
        (!open && !text.is_empty()).then_some(text)
    }
}

/// Reads values one after the other.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Reader<'a> {
    /// A reader at the first value.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Reader { cursor: Cursor::new(bytes) }
    }

    /// The next value, and moves on.
    ///
    /// # Errors
    /// [`Short`] where it is not there to its end, or of indefinite length.
    pub fn value(&mut self) -> Result<Value<'a>, Short> {
        let (tag, length) = self.header()?;
        Ok(Value { tag, contents: self.cursor.take(length, "contents")? })
    }

    /// The next value, of which the end may be missing.
    ///
    /// # Errors
    /// [`Short`] where its identifier or length is not there.
    pub fn value_as_far_as_it_goes(&mut self) -> Result<Value<'a>, Short> {
        let (tag, length) = self.header()?;
        let there = length.min(self.cursor.left());
        Ok(Value { tag, contents: self.cursor.take(there, "contents")? })
    }

    /// The next value, where it has this tag; otherwise nothing is read.
    pub fn optional(&mut self, tag: u8) -> Option<Value<'a>> {
        if self.cursor.peek() != Some(tag) {
            return None;
        }
        let before = self.cursor.clone();
        let value = self.value();
        if value.is_err() {
            self.cursor = before;
        }
        value.ok()
    }

    /// The next value, which has this tag.
    ///
    /// # Errors
    /// [`Short`] where it has another or is not there.
    pub fn expect(&mut self, tag: u8) -> Result<Value<'a>, Short> {
        let offset = self.cursor.offset();
        let left = self.cursor.left();
        self.optional(tag).ok_or(Short { field: "value", offset, needed: 2, left })
    }

    /// True at the end.
    pub const fn is_empty(&self) -> bool {
        self.cursor.is_empty()
    }

    fn header(&mut self) -> Result<(u8, usize), Short> {
        let tag = self.cursor.u8("identifier")?;
        if tag & 0x1f == 0x1f {
            while self.cursor.u8("identifier")? & 0x80 != 0 {}
        }
        let length = length(&mut self.cursor)?;
        Ok((tag, length))
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.value().ok()
    }
}

/// Octets of the value at the start of a stream, its identifier and length included; none where more octets are needed
/// to tell. Only definite lengths of at most four octets.
///
/// # Errors
/// [`Short`] where the length is of another form.
pub fn extent(bytes: &[u8]) -> Result<Option<usize>, Short> {
    match bytes {
        [] | [_] => Ok(None),
        [_, form, rest @ ..] if *form > 0x80 && *form <= 0x84 && rest.len() < usize::from(form & 0x7f) => Ok(None),
        [_, rest @ ..] => {
            let mut cursor = Cursor::new(rest);
            let length = length(&mut cursor)?;
            Ok(Some(1 + cursor.offset() + length))
        }
    }
}

fn length(cursor: &mut Cursor<'_>) -> Result<usize, Short> {
    let (offset, left) = (cursor.offset(), cursor.left());
    match cursor.u8("length")? {
        short @ 0..=0x7f => Ok(usize::from(short)),
        long @ 0x81..=0x84 => Ok(cursor.uint_be(usize::from(long & 0x7f), "length")? as usize),
        _ => Err(Short { field: "length", offset, needed: 1, left }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_values() {
        // SEQUENCE { INTEGER 1, OCTET STRING "public", OBJECT IDENTIFIER 1.3.6.1.2.1.1.1.0 }
        let bytes = b"\x30\x15\x02\x01\x01\x04\x06public\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00";
        let mut reader = Reader::new(&bytes[..]).expect(tag::SEQUENCE).unwrap().inside();
        assert_eq!(reader.expect(tag::INTEGER).unwrap().integer(), Some(1));
        assert_eq!(reader.optional(tag::INTEGER), None);
        assert_eq!(reader.value().unwrap().contents, b"public");
        assert_eq!(reader.value().unwrap().object_identifier().unwrap(), "1.3.6.1.2.1.1.1.0");
        assert!(reader.is_empty());
        assert_eq!(extent(&bytes[..]), Ok(Some(bytes.len())));
    }

    #[test]
    fn integers_have_signs_and_identifiers_large_arcs() {
        let integer = |contents| Value { tag: tag::INTEGER, contents }.integer();
        assert_eq!(
            (integer(&[0xff]), integer(&[0x00, 0xff]), integer(&[]), integer(&[1; 9])),
            (Some(-1), Some(255), None, None)
        );
        let identifier = |contents| Value { tag: tag::OBJECT_IDENTIFIER, contents }.object_identifier();
        assert_eq!(identifier(&[0x88, 0x37, 3]).as_deref(), Some("2.999.3"));
        assert_eq!((identifier(&[]), identifier(&[0x2b, 0x86])), (None, None));
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for bytes in [
            &b"\x30\x05\x02"[..],
            b"\x30\x80\x00\x00",
            b"\x30\x85\0\0\0\0\x01\x00",
            b"\x30\x84\xff\xff\xff\xff",
            b"\x1f",
        ] {
            assert!(Reader::new(bytes).value().is_err(), "{bytes:02x?}");
        }
        assert_eq!(
            (extent(b"\x30"), extent(b"\x30\x82\x01"), extent(b"\x30\x80").is_err()),
            (Ok(None), Ok(None), true)
        );
    }
}
