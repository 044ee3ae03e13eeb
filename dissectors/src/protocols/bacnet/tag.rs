//! Tags and primitive values (20.2).

use std::fmt::Write as _;

use crate::bytes::{Cursor, Short};
use crate::model::OddityCode;
use crate::tables;

/// Constructed data within constructed data is followed this deep.
const MAX_NESTING: usize = 16;

/// Octets of a string value that are kept as text.
const MAX_STRING: usize = 512;

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
pub enum Element<'a> {
    /// An application-tagged value.
    Value(Value<'a>),
    /// A context-tagged value, whose type only the property's production tells, or the start of constructed data.
    Untyped,
}

/// An object identifier (20.2.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectId {
    pub object_type: u16,
    pub instance: u32,
}

impl ObjectId {
    /// The instance that stands for "unspecified" or, in a read, for whichever device it is (12.1.1).
    pub const UNSPECIFIED: u32 = 0x3F_FFFF;

    /// Ten bits of type, 22 of instance.
    pub fn from_bits(bits: u32) -> Self {
        ObjectId { object_type: (bits >> 22) as u16, instance: bits & 0x3F_FFFF }
    }

    /// Name of the object type; empty where the table has none.
    pub fn type_name(self) -> &'static str {
        tables::name(tables::bacnet::OBJECT_TYPES, u32::from(self.object_type))
    }

    /// True for the object that stands for a device as a whole (12.11).
    pub fn is_device(self) -> bool {
        self.type_name() == "device"
    }
}

/// An application-tagged primitive value (20.2.2 to 20.2.14).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Boolean(bool),
    Unsigned(u64),
    Signed(i64),
    Real(f32),
    Double(f64),
    OctetString(&'a [u8]),
    /// Encoding octet and text.
    CharacterString(&'a [u8]),
    /// Count of unused bits and bits.
    BitString(&'a [u8]),
    Enumerated(u32),
    /// Year less 1900, month, day, day of week; 255 is unspecified.
    Date([u8; 4]),
    /// Hour, minute, second, hundredth; 255 is unspecified.
    Time([u8; 4]),
    ObjectIdentifier(ObjectId),
}

impl Value<'_> {
    /// The value as a number, where it is one.
    pub fn number(&self) -> Option<f64> {
        match *self {
            Value::Boolean(value) => Some(f64::from(u8::from(value))),
            Value::Unsigned(value) => Some(value as f64),
            Value::Signed(value) => Some(value as f64),
            Value::Real(value) => Some(f64::from(value)),
            Value::Double(value) => Some(value),
            Value::Enumerated(value) => Some(f64::from(value)),
            _ => None,
        }
    }

    /// Appends the value as text, bounded; nothing for numbers.
    pub fn write_text(&self, text: &mut String) {
        // Writing to a String cannot fail.
        let _ = match *self {
            Value::Null => write!(text, "null"),
            Value::OctetString(octets) => {
                octets.iter().take(MAX_STRING / 2).try_for_each(|octet| write!(text, "{octet:02x}"))
            }
            Value::CharacterString(octets) => {
                push_character_string(octets, text);
                Ok(())
            }
            Value::BitString(octets) => {
                push_bit_string(octets, text);
                Ok(())
            }
            Value::Date([year, month, day, _]) => {
                match year {
                    0xFF => text.push('*'),
                    _ => push_number(1900 + u16::from(year), text),
                }
                text.push('-');
                push_part(month, text);
                text.push('-');
                push_part(day, text);
                Ok(())
            }
            Value::Time([hour, minute, second, hundredth]) => {
                for (part, mark) in [(hour, ":"), (minute, ":"), (second, "."), (hundredth, "")] {
                    push_part(part, text);
                    text.push_str(mark);
                }
                Ok(())
            }
            Value::ObjectIdentifier(id) => match id.type_name() {
                "" => write!(text, "object-{} {}", id.object_type, id.instance),
                name => write!(text, "{name} {}", id.instance),
            },
            _ => Ok(()),
        };
    }
}

fn push_number(number: u16, text: &mut String) {
    let _ = write!(text, "{number}");
}

/// Part of a date or time of two digits; `*` where unspecified.
fn push_part(part: u8, text: &mut String) {
    let _ = match part {
        0xFF => write!(text, "*"),
        _ => write!(text, "{part:02}"),
    };
}

/// A character string in any of the encodings of 20.2.9. Those that are not decoded are kept as far as they are ASCII.
fn push_character_string(octets: &[u8], text: &mut String) {
    let Some((encoding, octets)) = octets.split_first() else { return };
    let octets = octets.get(..MAX_STRING).unwrap_or(octets);
    let mut push = |c: char| match c {
        '\0' => {}
        _ if c.is_control() => text.push('\u{fffd}'),
        _ => text.push(c),
    };
    match encoding {
        // UTF-8, formerly ANSI X3.4.
        0 => String::from_utf8_lossy(octets).chars().for_each(push),
        // DBCS, after two octets of code page.
        1 => octets.get(2..).unwrap_or(&[]).iter().for_each(|octet| push(ascii(*octet))),
        // UCS-4 and UCS-2 (some devices send UTF-16).
        3 => octets
            .chunks_exact(4)
            .map(|c| u32::from_be_bytes([c[0], c[1], c[2], c[3]]))
            .for_each(|code| push(char::from_u32(code).unwrap_or('\u{fffd}'))),
        4 => char::decode_utf16(octets.chunks_exact(2).map(|c| u16::from_be_bytes([c[0], c[1]])))
            .for_each(|c| push(c.unwrap_or('\u{fffd}'))),
        // ISO 8859-1.
        5 => octets.iter().for_each(|octet| push(char::from(*octet))),
        // 2 is JIS X 0208; the others are reserved.
        _ => octets.iter().for_each(|octet| push(ascii(*octet))),
    }
}

fn ascii(octet: u8) -> char {
    if octet.is_ascii() { char::from(octet) } else { '\u{fffd}' }
}

/// Bits in wire order, as `0` and `1` (20.2.10).
fn push_bit_string(octets: &[u8], text: &mut String) {
    let Some((unused, octets)) = octets.split_first() else { return };
    let count = (octets.len() * 8).saturating_sub(usize::from(*unused)).min(MAX_STRING);
    for bit in 0..count {
        text.push(if octets[bit / 8] & 0x80 >> (bit % 8) != 0 { '1' } else { '0' });
    }
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
        const BOOLEAN: u8 = 1;
        if tag.number == BOOLEAN {
            return Ok(Value::Boolean(tag.length != 0));
        }
        let octets = self.cursor.take(tag.length as usize, field)?;
        let wrong = || bad_length(field, "the octets of its type", octets.len(), offset);
        let four = || <[u8; 4]>::try_from(octets).map_err(|_| wrong());
        Ok(match tag.number {
            0 => Value::Null,
            2 => Value::Unsigned(unsigned(octets).ok_or_else(wrong)?),
            3 => {
                let bits = unsigned(octets).ok_or_else(wrong)?;
                let unused = 64 - 8 * octets.len() as u32;
                Value::Signed((bits << unused) as i64 >> unused)
            }
            4 => Value::Real(f32::from_be_bytes(four()?)),
            5 => Value::Double(f64::from_be_bytes(octets.try_into().map_err(|_| wrong())?)),
            6 => Value::OctetString(octets),
            7 => Value::CharacterString(octets),
            8 => Value::BitString(octets),
            9 => Value::Enumerated(unsigned(octets).and_then(|value| value.try_into().ok()).ok_or_else(wrong)?),
            10 => Value::Date(four()?),
            11 => Value::Time(four()?),
            12 => Value::ObjectIdentifier(ObjectId::from_bits(u32::from_be_bytes(four()?))),
            // 13 to 15 are reserved for ASHRAE (20.2.1.4).
            _ => Value::OctetString(octets),
        })
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
                    self.cursor.take(tag.length as usize, field)?;
                    each(Element::Untyped);
                }
                Class::Opening if depth == MAX_NESTING => {
                    let expected = format!("{field}: nesting of at most {MAX_NESTING}");
                    return Err(Malformed::new(OddityCode::UndecodedObject, offset, expected));
                }
                Class::Opening => {
                    open[depth] = tag.number;
                    depth += 1;
                    each(Element::Untyped);
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
                }
            }
        }
    }

    /// Passes constructed data with this tag, where it comes next.
    pub fn skip_constructed(&mut self, number: u8, field: &'static str) -> Result<(), Malformed> {
        if self.opens(number) {
            self.open(number, field)?;
            self.until_closed(number, field, |_| {})?;
        }
        Ok(())
    }

    /// Passes a primitive with this context tag, where it comes next.
    pub fn skip(&mut self, number: u8, field: &'static str) -> Result<(), Malformed> {
        if self.has(number) { self.context(number, field).map(drop) } else { Ok(()) }
    }
}

/// An unsigned integer of 1 to 8 octets (20.2.4).
fn unsigned(octets: &[u8]) -> Option<u64> {
    matches!(octets.len(), 1..=8).then(|| octets.iter().fold(0, |value, octet| value << 8 | u64::from(*octet)))
}

fn bad_length(field: &'static str, expected: &str, found: usize, offset: usize) -> Malformed {
    Malformed::new(OddityCode::BadLength, offset, format!("{field}: {expected}, found {found} octets"))
}
