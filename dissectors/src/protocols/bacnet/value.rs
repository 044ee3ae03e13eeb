//! Primitive values (20.2.2 to 20.2.14), as numbers and as text.

use std::fmt::Write as _;

use crate::tables;

/// Octets of a string value that are kept as text.
const MAX_STRING: usize = 512;

/// The primitive types, by their application tag numbers (20.2.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Type {
    Null,
    Boolean,
    Unsigned,
    Signed,
    Real,
    Double,
    OctetString,
    CharacterString,
    BitString,
    Enumerated,
    Date,
    Time,
    ObjectIdentifier,
    /// 13 to 15.
    Reserved,
}

impl Type {
    /// The type of an application tag number.
    pub fn from_tag(number: u8) -> Self {
        const TYPES: [Type; 13] = [
            Type::Null,
            Type::Boolean,
            Type::Unsigned,
            Type::Signed,
            Type::Real,
            Type::Double,
            Type::OctetString,
            Type::CharacterString,
            Type::BitString,
            Type::Enumerated,
            Type::Date,
            Type::Time,
            Type::ObjectIdentifier,
        ];
        TYPES.get(usize::from(number)).copied().unwrap_or(Type::Reserved)
    }
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

impl<'a> Value<'a> {
    /// A value of this type; none where the octets are too few or too many for it.
    ///
    /// A context-tagged boolean has an octet of content, an application-tagged one none (20.2.3).
    pub fn from_octets(of: Type, octets: &'a [u8]) -> Option<Self> {
        let four = || <[u8; 4]>::try_from(octets).ok();
        Some(match of {
            Type::Null => Value::Null,
            Type::Boolean => Value::Boolean(unsigned(octets)? != 0),
            Type::Unsigned => Value::Unsigned(unsigned(octets)?),
            Type::Signed => {
                let bits = unsigned(octets)?;
                let unused = 64 - 8 * octets.len() as u32;
                Value::Signed((bits << unused) as i64 >> unused)
            }
            Type::Real => Value::Real(f32::from_be_bytes(four()?)),
            Type::Double => Value::Double(f64::from_be_bytes(octets.try_into().ok()?)),
            Type::CharacterString => Value::CharacterString(octets),
            Type::BitString => Value::BitString(octets),
            Type::Enumerated => Value::Enumerated(unsigned(octets)?.try_into().ok()?),
            Type::Date => Value::Date(four()?),
            Type::Time => Value::Time(four()?),
            Type::ObjectIdentifier => Value::ObjectIdentifier(ObjectId::from_bits(u32::from_be_bytes(four()?))),
            Type::OctetString | Type::Reserved => Value::OctetString(octets),
        })
    }

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

    /// Appends the value as text, numbers too.
    pub fn write_any(&self, text: &mut String) {
        let _ = match *self {
            Value::Boolean(value) => write!(text, "{value}"),
            Value::Unsigned(value) => write!(text, "{value}"),
            Value::Signed(value) => write!(text, "{value}"),
            Value::Real(value) => write!(text, "{value}"),
            Value::Double(value) => write!(text, "{value}"),
            Value::Enumerated(value) => write!(text, "{value}"),
            _ => {
                self.write_text(text);
                Ok(())
            }
        };
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

/// An unsigned integer of 1 to 8 octets (20.2.4).
pub fn unsigned(octets: &[u8]) -> Option<u64> {
    matches!(octets.len(), 1..=8).then(|| octets.iter().fold(0, |value, octet| value << 8 | u64::from(*octet)))
}
