//! System status lists: what a device says of itself.
//!
//! ```text
//! identifier (2) | index (2) | octets of a record (2) | number of records (2) | records
//! ```
//! A record starts with its index in the lists read here.

use super::draft::{Draft, attribute_of};
use crate::bytes::{Cursor, Short, printable};
use crate::model::{Attribute, Object};
use crate::tables::{self, s7comm as codes};

/// Lists by the low octet of their identifier; the others name a part of the list.
mod list {
    pub(super) const MODULE: u8 = 0x11;
    pub(super) const COMPONENT: u8 = 0x1C;
    pub(super) const MODE: u8 = 0x24;
}

mod index {
    pub(super) const MODULE: u16 = 1;
    pub(super) const HARDWARE: u16 = 6;
    pub(super) const FIRMWARE: u16 = 7;
    pub(super) const MANUFACTURER: u16 = 9;
}

/// Records of one list that are read.
const MAX_RECORDS: usize = 256;

/// Which list, and which part of it.
pub(super) fn request(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Short> {
    if cursor.is_empty() {
        return Ok(()); // Asks for the next data unit of the list before.
    }
    let identifier = cursor.u16_be("list identifier")?;
    let index = cursor.u16_be("list index")?;
    let object = named(identifier, index, draft);
    draft.object(object, [], "");
    Ok(())
}

fn named(identifier: u16, index: u16, draft: &mut Draft) -> Object {
    let known = tables::find(codes::STATUS_LISTS, u32::from(identifier & 0xFF));
    if let Some(operation) = known.and_then(|known| known.operation) {
        draft.message.operation = operation;
    }
    Object {
        kind: "system-status-list",
        start: Some(identifier.into()),
        count: 1,
        index: Some(index.into()),
        property_name: known.map_or("", |known| known.name),
        ..Object::default()
    }
}

/// A whole list.
pub(super) fn list(octets: &[u8], draft: &mut Draft) -> Result<(), Short> {
    if octets.is_empty() {
        return Ok(());
    }
    let mut cursor = Cursor::new(octets);
    let identifier = cursor.u16_be("list identifier")?;
    let index = cursor.u16_be("list index")?;
    let object = named(identifier, index, draft);
    let length = usize::from(cursor.u16_be("octets of a record")?);
    let count = usize::from(cursor.u16_be("number of records")?);
    let mut words = Vec::new();
    let [_, list] = identifier.to_be_bytes();
    for record in cursor.rest().chunks_exact(length.max(1)).take(count.min(MAX_RECORDS)) {
        match list {
            list::MODULE => words.extend(module(record, draft)),
            list::COMPONENT => words.extend(component(record, draft)),
            list::MODE => words.extend(mode(record, draft)),
            _ => break,
        }
    }
    draft.object(object, [], &words.join("; "));
    Ok(())
}

/// Index, order number (20), module type (2), two versions (2 each).
fn module(record: &[u8], draft: &mut Draft) -> Option<String> {
    let mut cursor = Cursor::new(record);
    let index = cursor.u16_be("index").ok()?;
    let order_number = printable(cursor.take(20, "order number").ok()?);
    cursor.take(2, "module type").ok()?;
    let versions = cursor.take(4, "versions").ok()?;
    let value = match (index, versions) {
        (index::MODULE, _) => order_number,
        (index::HARDWARE, &[high, low, ..]) => u16::from_be_bytes([high, low]).to_string(),
        (index::FIRMWARE, &[b'V', major, minor, patch]) => format!("V{major}.{minor}.{patch}"),
        _ => order_number,
    };
    if index == index::MODULE && value.starts_with("6ES7") {
        draft.claim(Attribute::Vendor, "Siemens");
    }
    stated(codes::MODULE_IDENTIFICATION, index, value, draft)
}

/// Index, then 32 octets of words; the manufacturer is a number.
fn component(record: &[u8], draft: &mut Draft) -> Option<String> {
    let mut cursor = Cursor::new(record);
    let index = cursor.u16_be("index").ok()?;
    let value = match index {
        index::MANUFACTURER => cursor.u16_be("manufacturer").ok()?.to_string(),
        _ => printable(cursor.rest()),
    };
    stated(codes::COMPONENT_IDENTIFICATION, index, value, draft)
}

fn stated(table: &'static [tables::Code], index: u16, value: String, draft: &mut Draft) -> Option<String> {
    if let Some(attribute) = tables::find(table, index.into()).and_then(attribute_of) {
        draft.claim(attribute, value.clone());
    }
    (!value.is_empty()).then_some(value)
}

/// Event, then an octet, then the mode in the low four bits.
fn mode(record: &[u8], draft: &mut Draft) -> Option<String> {
    let mode = record.get(3)? & 0x0F;
    let name = tables::name(codes::OPERATING_MODES, mode.into());
    draft.claim(Attribute::State, name);
    (!name.is_empty()).then(|| name.to_string())
}
