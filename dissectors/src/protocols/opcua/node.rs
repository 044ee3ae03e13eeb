//! Node ids: what they are, and how they are written (OPC 10000-6, 5.1.12).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bytes::printable;

/// The part of a node id that is unique within its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identifier<'a> {
    Numeric(u32),
    Text(&'a [u8]),
    Guid([u8; 16]),
    Opaque(&'a [u8]),
}

/// The address of a node, with what an expanded one has beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId<'a> {
    /// Index of the server that has it; 0 is the one that speaks.
    pub(super) server: u32,
    /// Namespace by its URI, where that takes the place of the index.
    pub(super) uri: Option<&'a [u8]>,
    /// Index of the namespace; 0 is that of OPC UA.
    pub(super) namespace: u16,
    /// Which node of it.
    pub(super) identifier: Identifier<'a>,
}

/// Octets of an opaque identifier that are told.
const MAX_OPAQUE: usize = 64;

impl NodeId<'_> {
    /// The number in the namespace of OPC UA, where it is one.
    pub(super) const fn standard(&self) -> Option<u32> {
        match (self.namespace, self.uri, self.identifier) {
            (0, None, Identifier::Numeric(number)) => Some(number),
            _ => None,
        }
    }

    /// True for a node id that names nothing (10000-3, 8.2.4), in any namespace.
    pub(super) const fn is_null(&self) -> bool {
        match self.identifier {
            Identifier::Numeric(number) => number == 0,
            Identifier::Text(octets) | Identifier::Opaque(octets) => octets.is_empty(),
            Identifier::Guid(octets) => u128::from_le_bytes(octets) == 0,
        }
    }
}

impl fmt::Display for NodeId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.server != 0 {
            write!(f, "svr={};", self.server)?;
        }
        match self.uri {
            Some(uri) => write!(f, "nsu={};", printable(uri))?,
            None if self.namespace != 0 => write!(f, "ns={};", self.namespace)?,
            None => {}
        }
        match self.identifier {
            Identifier::Numeric(number) => write!(f, "i={number}"),
            Identifier::Text(text) => write!(f, "s={}", printable(text)),
            Identifier::Guid(guid) => {
                let [a, b, c, d, e, g, h, i, rest @ ..] = guid;
                write!(f, "g={:08x}-{:04x}", u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, g]))?;
                write!(f, "-{:04x}-{:02x}{:02x}-", u16::from_le_bytes([h, i]), rest[0], rest[1])?;
                rest[2..].iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
            Identifier::Opaque(octets) => {
                write!(f, "b={}", STANDARD.encode(octets.get(..MAX_OPAQUE).unwrap_or(octets)))
            }
        }
    }
}
