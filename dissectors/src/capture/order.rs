//! Fields in the byte order that the writer's machine had.

use std::fmt;

use crate::bytes::{Cursor, Short};

/// Order of the octets in an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// Least significant octet first.
    Little,
    /// Most significant octet first.
    Big,
}

impl fmt::Display for ByteOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ByteOrder::Little => "little-endian",
            ByteOrder::Big => "big-endian",
        })
    }
}

/// A cursor whose integers have the capture's byte order.
pub(super) struct Fields<'a> {
    cursor: Cursor<'a>,
    order: ByteOrder,
}

impl<'a> Fields<'a> {
    #[inline]
    pub(super) fn new(order: ByteOrder, octets: &'a [u8]) -> Self {
        Fields { cursor: Cursor::new(octets), order }
    }

    #[inline]
    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, Short> {
        match self.order {
            ByteOrder::Little => self.cursor.u16_le(field),
            ByteOrder::Big => self.cursor.u16_be(field),
        }
    }

    #[inline]
    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, Short> {
        match self.order {
            ByteOrder::Little => self.cursor.u32_le(field),
            ByteOrder::Big => self.cursor.u32_be(field),
        }
    }

    pub(super) fn u64(&mut self, field: &'static str) -> Result<u64, Short> {
        match self.order {
            ByteOrder::Little => self.cursor.u64_le(field),
            ByteOrder::Big => self.cursor.u64_be(field),
        }
    }

    pub(super) fn i64(&mut self, field: &'static str) -> Result<i64, Short> {
        Ok(self.u64(field)? as i64)
    }

    #[inline]
    pub(super) fn take(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], Short> {
        self.cursor.take(length, field)
    }

    /// The fields within a value that was taken.
    pub(super) fn inner(&self, value: &'a [u8]) -> Self {
        Fields::new(self.order, value)
    }

    pub(super) fn offset(&self) -> usize {
        self.cursor.offset()
    }

    pub(super) fn left(&self) -> usize {
        self.cursor.left()
    }
}
