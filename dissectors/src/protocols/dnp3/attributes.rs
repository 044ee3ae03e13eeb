//! Device attributes, group 0 (IEEE 1815-2012, annex A): what an outstation says of itself.
//!
//! ```text
//! data type | length | value
//! ```

use super::notes::Notes;
use super::objects::Context;
use crate::bytes::{Cursor, Short, printable};
use crate::model::{Attribute, Claim, Message, Object};
use crate::tables::{self, dnp3 as codes};

/// Data type codes of attributes.
mod data_type {
    pub(super) const VISIBLE_STRING: u8 = 1;
    pub(super) const UNSIGNED: u8 = 2;
    pub(super) const SIGNED: u8 = 3;
    pub(super) const FLOAT: u8 = 4;
    pub(super) const TIME: u8 = 7;
    /// A list of pairs: a variation, and whether it can be written.
    pub(super) const LIST: u8 = 254;
    /// A list whose length is the octet's value and 256.
    pub(super) const LONG_LIST: u8 = 255;
}

/// Decodes the attribute at the cursor into `object`, which its header has named, and what it claims.
pub(super) fn decode(
    mut object: Object,
    cursor: &mut Cursor<'_>,
    context: Context,
    message: &mut Message,
    notes: &mut Notes,
) -> Result<(), Short> {
    let data_type = cursor.u8("attribute data type")?;
    let length = usize::from(cursor.u8("attribute length")?) + usize::from(data_type == data_type::LONG_LIST) * 256;
    let octets = match cursor.take(length, "attribute value") {
        Ok(octets) => octets,
        Err(short) => {
            message.objects.push(object);
            return Err(short);
        }
    };
    if data_type == data_type::VISIBLE_STRING {
        let value = printable(octets);
        object.text = message.push_text(&value);
        let claimed = attribute_of(&object).filter(|_| context.response && !value.is_empty());
        if let Some(attribute) = claimed {
            notes.claim(Claim { about_sender: true, unit: message.source_unit, address: None, attribute, value });
        }
    } else if data_type == data_type::LIST || data_type == data_type::LONG_LIST {
        object.values = message.push_values(octets.chunks_exact(2).map(|pair| f64::from(pair[0])));
    } else {
        object.values = message.push_values(number(data_type, octets));
    }
    message.objects.push(object);
    Ok(())
}

/// What an attribute of the standard set tells of the device. The sets above 0 are the vendors' own.
fn attribute_of(object: &Object) -> Option<Attribute> {
    let variation = object.index.filter(|_| object.start.unwrap_or(0) == 0)?;
    let word = tables::find(codes::ATTRIBUTES, variation)?.kind;
    Attribute::ALL.iter().copied().find(|attribute| attribute.name() == word)
}

fn number(data_type: u8, octets: &[u8]) -> Option<f64> {
    let mut cursor = Cursor::new(octets);
    match (data_type, octets.len()) {
        (data_type::UNSIGNED, size @ 1..=8) => cursor.uint_le(size, "value").ok().map(|value| value as f64),
        (data_type::SIGNED, size @ 1..=8) => {
            let unused_bits = 64 - 8 * size as u32;
            cursor.uint_le(size, "value").ok().map(|value| ((value << unused_bits) as i64 >> unused_bits) as f64)
        }
        (data_type::FLOAT, 4) => cursor.f32_le("value").ok().map(f64::from),
        (data_type::FLOAT, 8) => cursor.f64_le("value").ok(),
        (data_type::TIME, 6) => cursor.uint_le(6, "value").ok().map(|value| value as f64),
        _ => None,
    }
}
