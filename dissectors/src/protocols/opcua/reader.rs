//! The built-in types in their binary encoding (OPC 10000-6, 5.2.2): read in order, with every length checked and nesting
//! bounded.

use thiserror::Error;

use super::node::{Identifier, NodeId};
use crate::bytes::{Cursor, Short};

/// Levels of variants and diagnostics inside one another; decoders shall take 100 (10000-6, 5.2.2.12).
const MAX_DEPTH: usize = 100;

/// What keeps a field from being read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum Fault {
    /// It needs more octets than are left.
    #[error(transparent)]
    Short(#[from] Short),
    /// A length or a number of elements that the octets left cannot hold.
    #[error("{field} at offset {offset} has a length of {length}, {left} octets are left")]
    Length { field: &'static str, offset: usize, length: i32, left: usize },
    /// An encoding that the standard does not have.
    #[error("{field} at offset {offset} has the unknown encoding 0x{found:02x}")]
    Encoding { field: &'static str, offset: usize, found: u8 },
    /// More levels than a decoder has to take.
    #[error("{field} at offset {offset} is nested deeper than {MAX_DEPTH} levels")]
    Deep { field: &'static str, offset: usize },
}

impl Fault {
    /// Where the field starts.
    pub(super) const fn offset(&self) -> usize {
        match self {
            Fault::Short(short) => short.offset,
            Fault::Length { offset, .. } | Fault::Encoding { offset, .. } | Fault::Deep { offset, .. } => *offset,
        }
    }
}

/// What is read, or why it cannot be.
pub(super) type Read<T> = Result<T, Fault>;

/// An extension object (5.2.2.15): its type, and its body where that is binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extension<'a> {
    /// Node id of the encoding.
    pub(super) kind: NodeId<'a>,
    /// Octets of a binary body.
    pub(super) body: Option<&'a [u8]>,
}

impl Extension<'_> {
    /// The number of its encoding in the namespace of OPC UA.
    pub(super) const fn number(&self) -> Option<u32> {
        self.kind.standard()
    }
}

/// A value with its quality (5.2.2.17).
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct DataValue<'a> {
    /// The value, if there is one.
    pub(super) value: Option<Plain<'a>>,
    /// Its status; good where none is told.
    pub(super) status: u32,
}

/// What is kept of a variant's value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plain<'a> {
    /// Number of its built-in type; 0 for none.
    pub(super) kind: u8,
    /// Elements: 1 of a scalar.
    pub(super) count: u32,
    /// Numbers of the first elements, where they are numbers.
    pub(super) numbers: Vec<f64>,
    /// The first elements that are text.
    pub(super) texts: Vec<&'a [u8]>,
    /// The first element that is a node id.
    pub(super) node: Option<NodeId<'a>>,
    /// The first extension object.
    pub(super) extension: Option<Extension<'a>>,
}

/// Numbers kept of one value.
const MAX_NUMBERS: usize = 256;
/// Texts kept of one value.
const MAX_TEXTS: usize = 16;

/// Numbers of built-in types (5.1.2).
pub(super) mod built_in {
    pub(in super::super) const BOOLEAN: u8 = 1;
    pub(in super::super) const SBYTE: u8 = 2;
    pub(in super::super) const BYTE: u8 = 3;
    pub(in super::super) const INT16: u8 = 4;
    pub(in super::super) const UINT16: u8 = 5;
    pub(in super::super) const INT32: u8 = 6;
    pub(in super::super) const UINT32: u8 = 7;
    pub(in super::super) const INT64: u8 = 8;
    pub(in super::super) const UINT64: u8 = 9;
    pub(in super::super) const FLOAT: u8 = 10;
    pub(in super::super) const DOUBLE: u8 = 11;
    pub(in super::super) const STRING: u8 = 12;
    pub(in super::super) const DATE_TIME: u8 = 13;
    pub(in super::super) const GUID: u8 = 14;
    pub(in super::super) const BYTE_STRING: u8 = 15;
    pub(in super::super) const XML_ELEMENT: u8 = 16;
    pub(in super::super) const NODE_ID: u8 = 17;
    pub(in super::super) const EXPANDED_NODE_ID: u8 = 18;
    pub(in super::super) const STATUS_CODE: u8 = 19;
    pub(in super::super) const QUALIFIED_NAME: u8 = 20;
    pub(in super::super) const LOCALIZED_TEXT: u8 = 21;
    pub(in super::super) const EXTENSION_OBJECT: u8 = 22;
    pub(in super::super) const DATA_VALUE: u8 = 23;
    pub(in super::super) const VARIANT: u8 = 24;
    pub(in super::super) const DIAGNOSTIC_INFO: u8 = 25;
}

/// Reads one field after the other.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    cursor: Cursor<'a>,
    depth: usize,
}

macro_rules! integer {
    ($name:ident, $type:ty, $number:ident => $convert:expr) => {
        pub(super) fn $name(&mut self, field: &'static str) -> Read<$type> {
            let $number: u64 = self.cursor.uint_le(size_of::<$type>(), field)?;
            Ok($convert)
        }
    };
}

impl<'a> Reader<'a> {
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Reader { cursor: Cursor::new(octets), depth: 0 }
    }

    /// Octets read so far.
    pub(super) const fn offset(&self) -> usize {
        self.cursor.offset()
    }

    /// Octets left.
    pub(super) const fn left(&self) -> usize {
        self.cursor.left()
    }

    integer!(u8, u8, number => number as u8);
    integer!(u16, u16, number => number as u16);
    integer!(u32, u32, number => number as u32);
    integer!(i32, i32, number => number as i32);
    integer!(u64, u64, number => number);
    integer!(f64, f64, bits => f64::from_bits(bits));

    /// So many octets.
    pub(super) fn take(&mut self, length: usize, field: &'static str) -> Read<&'a [u8]> {
        Ok(self.cursor.take(length, field)?)
    }

    pub(super) fn boolean(&mut self, field: &'static str) -> Read<bool> {
        Ok(self.u8(field)? != 0)
    }

    /// A length, or a number of elements that take at least one octet each; null is none.
    fn length(&mut self, field: &'static str) -> Read<Option<usize>> {
        let offset = self.offset();
        let length = self.i32(field)?;
        match usize::try_from(length) {
            Ok(count) if count <= self.left() => Ok(Some(count)),
            Err(_) if length == -1 => Ok(None),
            _ => Err(Fault::Length { field, offset, length, left: self.left() }),
        }
    }

    /// Number of elements of an array; 0 of a null one.
    pub(super) fn elements(&mut self, field: &'static str) -> Read<usize> {
        Ok(self.length(field)?.unwrap_or(0))
    }

    /// Octets of a string or byte string; none of a null one.
    pub(super) fn octets(&mut self, field: &'static str) -> Read<Option<&'a [u8]>> {
        match self.length(field)? {
            Some(length) => Ok(Some(self.take(length, field)?)),
            None => Ok(None),
        }
    }

    /// Octets of a string; nothing of a null one.
    pub(super) fn string(&mut self, field: &'static str) -> Read<&'a [u8]> {
        Ok(self.octets(field)?.unwrap_or_default())
    }

    /// Passes over an array of strings.
    pub(super) fn strings(&mut self, field: &'static str) -> Read<()> {
        for _ in 0..self.elements(field)? {
            self.octets(field)?;
        }
        Ok(())
    }

    /// The name of a qualified name (5.2.2.13).
    pub(super) fn qualified_name(&mut self, field: &'static str) -> Read<&'a [u8]> {
        self.u16(field)?;
        self.string(field)
    }

    /// The text of a localized text (5.2.2.14).
    pub(super) fn localized_text(&mut self, field: &'static str) -> Read<&'a [u8]> {
        let mask = self.u8(field)?;
        if mask & 1 != 0 {
            self.octets(field)?;
        }
        if mask & 2 != 0 { self.string(field) } else { Ok(&[]) }
    }

    /// A node id (5.2.2.9).
    pub(super) fn node_id(&mut self, field: &'static str) -> Read<NodeId<'a>> {
        let offset = self.offset();
        let encoding = self.u8(field)?;
        self.identifier(encoding, offset, field)
    }

    fn identifier(&mut self, encoding: u8, offset: usize, field: &'static str) -> Read<NodeId<'a>> {
        let (namespace, identifier) = match encoding {
            0 => (0, Identifier::Numeric(self.u8(field)?.into())),
            1 => (self.u8(field)?.into(), Identifier::Numeric(self.u16(field)?.into())),
            2 => (self.u16(field)?, Identifier::Numeric(self.u32(field)?)),
            3 => (self.u16(field)?, Identifier::Text(self.string(field)?)),
            4 => (self.u16(field)?, Identifier::Guid(self.guid(field)?)),
            5 => (self.u16(field)?, Identifier::Opaque(self.string(field)?)),
            found => return Err(Fault::Encoding { field, offset, found }),
        };
        Ok(NodeId { server: 0, uri: None, namespace, identifier })
    }

    /// A node id that may be in the namespace of another server (5.2.2.10).
    pub(super) fn expanded_node_id(&mut self, field: &'static str) -> Read<NodeId<'a>> {
        let offset = self.offset();
        let encoding = self.u8(field)?;
        let mut node = self.identifier(encoding & 0x3F, offset, field)?;
        if encoding & 0x80 != 0 {
            node.uri = self.octets(field)?;
        }
        if encoding & 0x40 != 0 {
            node.server = self.u32(field)?;
        }
        Ok(node)
    }

    fn guid(&mut self, field: &'static str) -> Read<[u8; 16]> {
        let mut guid = [0; 16];
        guid.copy_from_slice(self.take(16, field)?);
        Ok(guid)
    }

    /// An extension object (5.2.2.15).
    pub(super) fn extension(&mut self, field: &'static str) -> Read<Extension<'a>> {
        let kind = self.node_id(field)?;
        let offset = self.offset();
        let body = match self.u8(field)? {
            0 => None,
            1 => self.octets(field)?,
            2 => {
                self.octets(field)?;
                None
            }
            found => return Err(Fault::Encoding { field, offset, found }),
        };
        Ok(Extension { kind, body })
    }

    /// A variant (5.2.2.16).
    pub(super) fn variant(&mut self, field: &'static str) -> Read<Plain<'a>> {
        let mut plain = Plain::default();
        self.variant_into(field, &mut plain)?;
        Ok(plain)
    }

    fn variant_into(&mut self, field: &'static str, plain: &mut Plain<'a>) -> Read<()> {
        self.inside(field, |reader| {
            let offset = reader.offset();
            let mask = reader.u8(field)?;
            let kind = mask & 0x3F;
            let count = if mask & 0x80 != 0 { reader.elements(field)? } else { usize::from(kind != 0) };
            if plain.kind == 0 {
                (plain.kind, plain.count) = (kind, u32::try_from(count).unwrap_or(u32::MAX));
            }
            for _ in 0..count {
                reader.element(kind, offset, field, plain)?;
            }
            if mask & 0x40 != 0 {
                let dimensions = reader.elements(field)?;
                reader.take(dimensions.saturating_mul(4), field)?;
            }
            Ok(())
        })
    }

    fn element(&mut self, kind: u8, offset: usize, field: &'static str, plain: &mut Plain<'a>) -> Read<()> {
        use built_in as of;
        match kind {
            of::BOOLEAN | of::BYTE => plain.number(self.u8(field)?.into()),
            of::SBYTE => plain.number(f64::from(self.u8(field)? as i8)),
            of::INT16 => plain.number(f64::from(self.u16(field)? as i16)),
            of::UINT16 => plain.number(self.u16(field)?.into()),
            of::INT32 => plain.number(self.i32(field)?.into()),
            of::UINT32 => plain.number(self.u32(field)?.into()),
            of::INT64 => plain.number(self.u64(field)? as i64 as f64),
            of::UINT64 => plain.number(self.u64(field)? as f64),
            of::FLOAT => plain.number(f32::from_bits(self.u32(field)?).into()),
            of::DOUBLE => plain.number(self.f64(field)?),
            of::STRING => plain.text(self.string(field)?),
            of::DATE_TIME => drop(self.u64(field)?),
            of::GUID => drop(self.guid(field)?),
            of::BYTE_STRING | of::XML_ELEMENT => drop(self.octets(field)?),
            of::NODE_ID => plain.set_node(self.node_id(field)?),
            of::EXPANDED_NODE_ID => plain.set_node(self.expanded_node_id(field)?),
            of::STATUS_CODE => plain.number(self.u32(field)?.into()),
            of::QUALIFIED_NAME => plain.text(self.qualified_name(field)?),
            of::LOCALIZED_TEXT => plain.text(self.localized_text(field)?),
            of::EXTENSION_OBJECT => {
                let extension = self.extension(field)?;
                plain.extension.get_or_insert(extension);
            }
            of::DATA_VALUE => self.data_value_into(field, plain).map(drop)?,
            of::VARIANT => self.variant_into(field, plain)?,
            of::DIAGNOSTIC_INFO => self.diagnostic_info(field)?,
            // Types 26 to 31 are reserved, and are read as byte strings (5.1.2).
            26..=31 => drop(self.octets(field)?),
            found => return Err(Fault::Encoding { field, offset, found }),
        }
        Ok(())
    }

    /// A value with its quality (5.2.2.17).
    pub(super) fn data_value(&mut self, field: &'static str) -> Read<DataValue<'a>> {
        let mut plain = Plain::default();
        let (has_value, status) = self.data_value_into(field, &mut plain)?;
        Ok(DataValue { value: has_value.then_some(plain), status })
    }

    fn data_value_into(&mut self, field: &'static str, plain: &mut Plain<'a>) -> Read<(bool, u32)> {
        self.inside(field, |reader| {
            let mask = reader.u8(field)?;
            if mask & 0x01 != 0 {
                reader.variant_into(field, plain)?;
            }
            let status = if mask & 0x02 != 0 { reader.u32(field)? } else { 0 };
            // Source and server times, each followed by its picoseconds.
            let times = [(0x04, 8), (0x10, 2), (0x08, 8), (0x20, 2)];
            let octets = times.iter().filter(|(bit, _)| mask & bit != 0).map(|(_, octets)| octets).sum();
            reader.take(octets, field)?;
            Ok((mask & 0x01 != 0, status))
        })
    }

    /// Passes over diagnostics (5.2.2.12); what is inside follows at the end, so that no call is nested.
    pub(super) fn diagnostic_info(&mut self, field: &'static str) -> Read<()> {
        let start = self.offset();
        for _ in 0..MAX_DEPTH {
            let mask = self.u8(field)?;
            // Symbolic id, namespace, text and locale are numbers of strings.
            self.take(4 * (mask & 0x0F).count_ones() as usize, field)?;
            if mask & 0x10 != 0 {
                self.octets(field)?;
            }
            if mask & 0x20 != 0 {
                self.u32(field)?;
            }
            if mask & 0x40 == 0 {
                return Ok(());
            }
        }
        Err(Fault::Deep { field, offset: start })
    }

    /// Passes over an array of diagnostics.
    pub(super) fn diagnostic_infos(&mut self, field: &'static str) -> Read<()> {
        for _ in 0..self.elements(field)? {
            self.diagnostic_info(field)?;
        }
        Ok(())
    }

    fn inside<T>(&mut self, field: &'static str, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Fault::Deep { field, offset: self.offset() });
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }
}

impl<'a> Plain<'a> {
    fn number(&mut self, number: f64) {
        if self.numbers.len() < MAX_NUMBERS {
            self.numbers.push(number);
        }
    }

    fn text(&mut self, text: &'a [u8]) {
        if self.texts.len() < MAX_TEXTS {
            self.texts.push(text);
        }
    }

    fn set_node(&mut self, node: NodeId<'a>) {
        self.node.get_or_insert(node);
    }
}
