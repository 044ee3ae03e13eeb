//! A cursor over octets that names each field where it is read, and never reads past the end.

use thiserror::Error;

/// A field that does not fit into the octets left.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{field} needs {needed} octets at offset {offset}, {left} are left")]
pub struct Short {
    /// Name of the field in its standard.
    pub field: &'static str,
    /// Where it should start, from the start of the cursor's octets.
    pub offset: usize,
    /// Octets that it needs.
    pub needed: usize,
    /// Octets that are left.
    pub left: usize,
}

/// True where both are the same. Short ones, of which there are most, are compared without a call.
#[inline]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    #[inline]
    fn ends<const N: usize>(one: &[u8], other: &[u8]) -> bool {
        one.first_chunk::<N>() == other.first_chunk::<N>() && one.last_chunk::<N>() == other.last_chunk::<N>()
    }
    match one.len() {
        length if length != other.len() => false,
        0 => true,
        4..8 => ends::<4>(one, other),
        8..=16 => ends::<8>(one, other),
        _ => one == other,
    }
}

/// Reads fields one after the other.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

macro_rules! integer {
    ($name:ident, $type:ty, $convert:ident) => {
        /// Reads the integer and moves on.
        #[inline]
        pub fn $name(&mut self, field: &'static str) -> Result<$type, Short> {
            const SIZE: usize = size_of::<$type>();
            let mut octets = [0; SIZE];
            octets.copy_from_slice(self.take(SIZE, field)?);
            Ok(<$type>::$convert(octets))
        }
    };
}

impl<'a> Cursor<'a> {
    /// A cursor at the first octet.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Cursor { bytes, offset: 0 }
    }

    /// Octets read so far.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Octets left.
    pub const fn left(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// True at the end.
    pub const fn is_empty(&self) -> bool {
        self.left() == 0
    }

    /// All octets left, without moving on.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.offset..]
    }

    /// The next `length` octets.
    #[inline]
    pub fn take(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], Short> {
        let rest = self.rest();
        let taken = rest.get(..length).ok_or(Short { field, offset: self.offset, needed: length, left: rest.len() })?;
        self.offset += length;
        Ok(taken)
    }

    /// The next octet, without moving on.
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.offset).copied()
    }

    integer!(u8, u8, from_be_bytes);
    integer!(u16_be, u16, from_be_bytes);
    integer!(u32_be, u32, from_be_bytes);
    integer!(u64_be, u64, from_be_bytes);
    integer!(f32_be, f32, from_be_bytes);
    integer!(f64_be, f64, from_be_bytes);
    integer!(u16_le, u16, from_le_bytes);
    integer!(i16_le, i16, from_le_bytes);
    integer!(u32_le, u32, from_le_bytes);
    integer!(i32_le, i32, from_le_bytes);
    integer!(u64_le, u64, from_le_bytes);
    integer!(f32_le, f32, from_le_bytes);
    integer!(f64_le, f64, from_le_bytes);

    /// A little-endian unsigned integer of 1 to 8 octets (DNP3 48-bit times, prefixes of any size).
    pub fn uint_le(&mut self, size: usize, field: &'static str) -> Result<u64, Short> {
        Ok(self.take(size, field)?.iter().rev().fold(0, |value, octet| value << 8 | u64::from(*octet)))
    }

    /// A big-endian unsigned integer of 1 to 8 octets (BACnet unsigned, 20.2.4).
    pub fn uint_be(&mut self, size: usize, field: &'static str) -> Result<u64, Short> {
        Ok(self.take(size, field)?.iter().fold(0, |value, octet| value << 8 | u64::from(*octet)))
    }
}

/// Text of a device as one line: at most 255 octets, control characters replaced, invalid UTF-8 marked.
pub fn printable(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets.get(..255).unwrap_or(octets));
    let trimmed = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    trimmed.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Text of a device in UTF-16, little-endian, as one line: as [`printable`].
pub fn utf16_le(octets: &[u8]) -> String {
    let units = octets.chunks_exact(2).take(255).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect();
    printable(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_past_the_end_says_which_and_where() {
        let mut cursor = Cursor::new(&[0x12, 0x34, 0x56]);
        assert_eq!(cursor.u16_be("quantity"), Ok(0x1234));
        assert_eq!(cursor.u16_be("value"), Err(Short { field: "value", offset: 2, needed: 2, left: 1 }));
        assert_eq!(cursor.u8("value"), Ok(0x56));
    }

    #[test]
    fn integers_of_odd_sizes() {
        assert_eq!(Cursor::new(&[1, 2, 3]).uint_le(3, "time"), Ok(0x03_0201));
        assert_eq!(Cursor::new(&[1, 2, 3]).uint_be(3, "unsigned"), Ok(0x01_0203));
    }
}
