//! Tags, and the data between them (20.2.1).

use super::production::MAX_NESTING;
use super::value::{ObjectId, Type, Value, unsigned};
use crate::bytes::{Cursor, Short};
use crate::model::OddityCode;

/// Something that contradicts 20.2 or the service's production, with its place in the service data.
#[derive(Debug)]
pub struct Malformed {
    pub code: OddityCode,
    pub offset: usize,
    pub expected: String,
}

impl Malformed {
    /// Says what was expected, and what was found.
    pub fn new(code: OddityCode, offset: usize, expected: impl Into<String>) -> Self {
        Malformed { code, offset, expected: expected.into() }
    }
}

impl From<Short> for Malformed {
    fn from(short: Short) -> Self {
        Malformed { code: OddityCode::Truncated, offset: short.offset, expected: short.to_string() }
    }
}

/// Class and shape of a tag (20.2.1.1, 20.2.1.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Application,
    Context,
    Opening,
    Closing,
}

/// One tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    pub class: Class,
    pub number: u8,
    /// Octets of content; the value itself for an application-tagged boolean (20.2.3).
    pub length: u32,
}

/// One piece of constructed data.
#[derive(Clone, Copy)]
pub enum Element<'a> {
    /// An application-tagged value.
    Value(Value<'a>),
    /// A context-tagged value, whose type only its production tells: tag number, content.
    Context(u8, &'a [u8]),
    /// The start of constructed data with this tag number.
    Open(u8),
    /// The end of the constructed data opened last.
    Close,
}

/// Reads tagged data in order.
#[derive(Clone)]
pub struct Reader<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Reader<'a> {
    /// A reader at the first tag.
    pub fn new(octets: &'a [u8]) -> Self {
        Reader { cursor: Cursor::new(octets) }
    }

    /// Octets read so far.
    pub fn offset(&self) -> usize {
        self.cursor.offset()
    }

    /// Octets left.
    pub fn left(&self) -> usize {
        self.cursor.left()
    }

    /// True at the end.
    pub fn is_empty(&self) -> bool {
        self.cursor.is_empty()
    }

    /// Passes everything that is left.
    pub fn skip_all(&mut self) {
        self.cursor = Cursor::new(&[]);
    }

    /// The next tag (20.2.1).
    pub fn tag(&mut self, field: &'static str) -> Result<Tag, Malformed> {
        let offset = self.offset();
        let initial = self.cursor.u8(field)?;
        let number = match initial >> 4 {
            0x0F => self.cursor.u8("extended tag number")?,
            number => number,
        };
        let is_context = initial & 0x08 != 0;
        let class = match (is_context, initial & 0x07) {
            (true, 6) => return Ok(Tag { class: Class::Opening, number, length: 0 }),
            (true, 7) => return Ok(Tag { class: Class::Closing, number, length: 0 }),
            (true, _) => Class::Context,
            (false, 6 | 7) => {
                return Err(Malformed::new(
                    OddityCode::InvalidValue,
                    offset,
                    format!("{field}: a tag of application or context class, found 0x{initial:02x}"),
                ));
            }
            (false, _) => Class::Application,
        };
        let length = match initial & 0x07 {
            5 => match self.cursor.u8("extended length")? {
                254 => u32::from(self.cursor.u16_be("extended length")?),
                255 => self.cursor.u32_be("extended length")?,
                length => u32::from(length),
            },
            length => u32::from(length),
        };
        Ok(Tag { class, number, length })
    }

    fn peek(&self) -> Option<Tag> {
        if self.is_empty() { None } else { self.clone().tag("tag").ok() }
    }

    fn next_is(&self, class: Class, number: u8) -> bool {
        self.peek().is_some_and(|tag| tag.class == class && tag.number == number)
    }

    /// True where a primitive with this context tag comes next.
    pub fn has(&self, number: u8) -> bool {
        self.next_is(Class::Context, number)
    }

    /// True where an application-tagged value of this type comes next.
    pub fn has_application(&self, of: Type) -> bool {
        self.next_is(Class::Application, of as u8)
    }

    /// True where this opening tag comes next.
    pub fn opens(&self, number: u8) -> bool {
        self.next_is(Class::Opening, number)
    }

    /// True where this closing tag comes next.
    pub fn closes(&self, number: u8) -> bool {
        self.next_is(Class::Closing, number)
    }

    fn expect(&mut self, class: Class, number: u8, field: &'static str) -> Result<Tag, Malformed> {
        let offset = self.offset();
        let tag = self.tag(field)?;
        if tag.class == class && tag.number == number {
            return Ok(tag);
        }
        Err(Malformed::new(
            OddityCode::InvalidValue,
            offset,
            format!("{field}: {class:?} tag {number}, found {:?} tag {}", tag.class, tag.number),
        ))
    }

    /// An application-tagged value of this type.
    pub fn application(&mut self, of: Type, field: &'static str) -> Result<Value<'a>, Malformed> {
        let offset = self.offset();
        let tag = self.tag(field)?;
        if tag.class != Class::Application || tag.number != of as u8 {
            let expected = format!("{field}: {of:?}, found {:?} tag {}", tag.class, tag.number);
            return Err(Malformed::new(OddityCode::InvalidValue, offset, expected));
        }
        self.value_of(tag, offset, field)
    }

    /// The opening tag of constructed data.
    pub fn open(&mut self, number: u8, field: &'static str) -> Result<(), Malformed> {
        self.expect(Class::Opening, number, field).map(drop)
    }

    /// The closing tag of constructed data.
    pub fn close(&mut self, number: u8, field: &'static str) -> Result<(), Malformed> {
        self.expect(Class::Closing, number, field).map(drop)
    }

    /// Content of a primitive with this context tag.
    pub fn context(&mut self, number: u8, field: &'static str) -> Result<&'a [u8], Malformed> {
        let tag = self.expect(Class::Context, number, field)?;
        Ok(self.cursor.take(tag.length as usize, field)?)
    }

    /// Unsigned or enumerated value with this context tag.
    pub fn unsigned(&mut self, number: u8, field: &'static str) -> Result<u32, Malformed> {
        let offset = self.offset();
        let octets = self.context(number, field)?;
        // Unsigned64 (20.2.4) does not occur in the fields read with this; leading zeros do.
        match unsigned(octets).and_then(|value| u32::try_from(value).ok()) {
            Some(value) => Ok(value),
            None => Err(bad_length(field, "an unsigned of 32 bits", octets.len(), offset)),
        }
    }

    /// The same, where it may be absent.
    pub fn optional_unsigned(&mut self, number: u8, field: &'static str) -> Result<Option<u32>, Malformed> {
        if self.has(number) { self.unsigned(number, field).map(Some) } else { Ok(None) }
    }

    /// Object identifier with this context tag.
    pub fn object(&mut self, number: u8, field: &'static str) -> Result<ObjectId, Malformed> {
        let offset = self.offset();
        match *self.context(number, field)? {
            [a, b, c, d] => Ok(ObjectId::from_bits(u32::from_be_bytes([a, b, c, d]))),
            ref other => Err(bad_length(field, "4 octets", other.len(), offset)),
        }
    }

    /// Any application-tagged value.
    pub fn value(&mut self, field: &'static str) -> Result<Value<'a>, Malformed> {
        let offset = self.offset();
        let tag = self.tag(field)?;
        if tag.class != Class::Application {
            return Err(Malformed::new(
                OddityCode::InvalidValue,
                offset,
                format!("{field}: an application tag, found {:?} tag {}", tag.class, tag.number),
            ));
        }
        self.value_of(tag, offset, field)
    }

    /// An application-tagged unsigned or enumerated value.
    pub fn application_number(&mut self, field: &'static str) -> Result<u32, Malformed> {
        let offset = self.offset();
        match self.value(field)? {
            Value::Unsigned(value) => u32::try_from(value).map_err(|_| {
                Malformed::new(OddityCode::InvalidValue, offset, format!("{field}: 32 bits, found {value}"))
            }),
            Value::Enumerated(value) => Ok(value),
            _ => Err(Malformed::new(
                OddityCode::InvalidValue,
                offset,
                format!("{field}: an unsigned or enumerated value"),
            )),
        }
    }

    /// An application-tagged object identifier.
    pub fn application_object(&mut self, field: &'static str) -> Result<ObjectId, Malformed> {
        let offset = self.offset();
        match self.value(field)? {
            Value::ObjectIdentifier(id) => Ok(id),
            _ => Err(Malformed::new(OddityCode::InvalidValue, offset, format!("{field}: an object identifier"))),
        }
    }

    fn value_of(&mut self, tag: Tag, offset: usize, field: &'static str) -> Result<Value<'a>, Malformed> {
        let of = Type::from_tag(tag.number);
        if of == Type::Boolean {
            return Ok(Value::Boolean(tag.length != 0));
        }
        let octets = self.cursor.take(tag.length as usize, field)?;
        Value::from_octets(of, octets).ok_or_else(|| bad_length(field, "the octets of its type", octets.len(), offset))
    }

    /// Hands out what is before the closing tag that ends data opened with the tag `number`, and passes that tag.
    pub fn until_closed(
        &mut self,
        number: u8,
        field: &'static str,
        mut each: impl FnMut(Element<'a>),
    ) -> Result<(), Malformed> {
        let mut open = [0; MAX_NESTING];
        let mut depth = 0;
        loop {
            let offset = self.offset();
            let tag = self.tag(field)?;
            match tag.class {
                Class::Application => each(Element::Value(self.value_of(tag, offset, field)?)),
                Class::Context => {
                    each(Element::Context(tag.number, self.cursor.take(tag.length as usize, field)?));
                }
                Class::Opening if depth == MAX_NESTING => {
                    let expected = format!("{field}: nesting of at most {MAX_NESTING}");
                    return Err(Malformed::new(OddityCode::UndecodedObject, offset, expected));
                }
                Class::Opening => {
                    open[depth] = tag.number;
                    depth += 1;
                    each(Element::Open(tag.number));
                }
                Class::Closing => {
                    let awaited = if depth == 0 { number } else { open[depth - 1] };
                    if tag.number != awaited {
                        let expected = format!("{field}: closing tag {awaited}, found closing tag {}", tag.number);
                        return Err(Malformed::new(OddityCode::InvalidValue, offset, expected));
                    }
                    if depth == 0 {
                        return Ok(());
                    }
                    depth -= 1;
                    each(Element::Close);
                }
            }
        }
    }

    /// True where numbers alone do not tell what comes before the next closing tag: constructed data, or numbers among
    /// other values, whose places count (the priorities of a priority-array, 19.2.1).
    pub fn needs_words(&self) -> bool {
        let (mut ahead, mut has_numbers, mut has_others) = (self.clone(), false, false);
        while let Ok(tag) = ahead.tag("value") {
            match tag.class {
                Class::Application => match ahead.value_of(tag, 0, "value") {
                    Ok(value) if value.number().is_some() => has_numbers = true,
                    Ok(_) => has_others = true,
                    Err(_) => break,
                },
                Class::Context | Class::Opening => return true,
                Class::Closing => break,
            }
        }
        has_numbers && has_others
    }

    /// A value of this type with this context tag.
    pub fn typed(&mut self, number: u8, of: Type, field: &'static str) -> Result<Value<'a>, Malformed> {
        let offset = self.offset();
        let octets = self.context(number, field)?;
        Value::from_octets(of, octets).ok_or_else(|| bad_length(field, "the octets of its type", octets.len(), offset))
    }

    /// The same, where it may be absent.
    pub fn optional_typed(
        &mut self,
        number: u8,
        of: Type,
        field: &'static str,
    ) -> Result<Option<Value<'a>>, Malformed> {
        if self.has(number) { self.typed(number, of, field).map(Some) } else { Ok(None) }
    }

    /// An opening tag, and everything up to its closing tag.
    pub fn constructed(&mut self, number: u8, field: &'static str) -> Result<(), Malformed> {
        self.open(number, field)?;
        self.until_closed(number, field, |_| {})
    }

    /// Passes constructed data with this tag, where it comes next.
    pub fn skip_constructed(&mut self, number: u8, field: &'static str) -> Result<(), Malformed> {
        if self.opens(number) { self.constructed(number, field) } else { Ok(()) }
    }

    /// Passes a primitive with this context tag, where it comes next.
    pub fn skip(&mut self, number: u8, field: &'static str) -> Result<(), Malformed> {
        if self.has(number) { self.context(number, field).map(drop) } else { Ok(()) }
    }
}

fn bad_length(field: &'static str, expected: &str, found: usize, offset: usize) -> Malformed {
    Malformed::new(OddityCode::BadLength, offset, format!("{field}: {expected}, found {found} octets"))
}
