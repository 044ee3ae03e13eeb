//! Addresses of variables, and the data that goes with them.
//!
//! ```text
//! 0x12 | length | syntax | address                    an address; a fill octet where its length is odd
//! return code | transport size | length | octets      data; a fill octet where its length is odd
//! ```

use super::draft::Draft;
use super::names;
use crate::bytes::{Cursor, Short, printable};
use crate::model::{Object, OddityCode};
use crate::tables::{self, Code, s7comm as codes};

/// Starts every address.
const VARIABLE: u8 = 0x12;
const SUCCESS: u8 = 0xFF;
/// Octets of values that are kept as numbers of one item.
const MAX_OCTETS: usize = 256;
/// Area of a symbolic address that means a data block.
const SYMBOLIC_DB: u16 = 0x8A0E;

mod syntax {
    pub(super) const S7ANY: u8 = 0x10;
    pub(super) const NCK: std::ops::RangeInclusive<u8> = 0x82..=0x84;
    pub(super) const DB_READ: u8 = 0xB0;
    pub(super) const SYMBOLIC: u8 = 0xB2;
}

mod area {
    pub(super) const DB: u8 = 0x84;
}

mod element {
    pub(super) const BIT: u8 = 1;
}

/// An item that was asked for: its object, without values, and how its octets are numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    object: Object,
    element: Option<&'static Code>,
    /// What an address of several parts asks for; its data have a return code before each.
    parts: Vec<Object>,
}

impl Item {
    fn of(object: Object, element: Option<&'static Code>) -> Self {
        Item { object, element, parts: Vec::new() }
    }
}

/// Reads so many addresses.
pub(super) fn addresses(
    cursor: &mut Cursor<'_>,
    count: usize,
    at: usize,
    draft: &mut Draft,
) -> Result<Vec<Item>, Short> {
    let mut items = Vec::with_capacity(count.min(32));
    for index in 0..count {
        let place = at + cursor.offset();
        let specification = cursor.u8("variable specification")?;
        let length = usize::from(cursor.u8("length of the address")?);
        let octets = cursor.take(length, "address")?;
        if specification != VARIABLE {
            draft.odd(
                OddityCode::InvalidValue,
                place,
                format!("variable specification 0x12, found 0x{specification:02x}"),
            );
        }
        if length % 2 == 1 && index + 1 < count {
            cursor.take(1, "fill octet")?;
        }
        match address(&mut Cursor::new(octets)) {
            Ok(item) => items.push(item),
            Err(short) => {
                draft.odd(OddityCode::BadLength, place + 2 + short.offset, short.to_string());
                items.push(Item::default());
            }
        }
    }
    Ok(items)
}

fn address(cursor: &mut Cursor<'_>) -> Result<Item, Short> {
    match cursor.u8("syntax")? {
        syntax::S7ANY => any(cursor),
        syntax::DB_READ => db_read(cursor),
        syntax::SYMBOLIC => symbolic(cursor),
        code if syntax::NCK.contains(&code) => nck(code, cursor),
        code => Ok(other(code)),
    }
}

/// An address whose syntax is known by name alone.
fn other(code: u8) -> Item {
    let object = Object {
        kind: "variable",
        type_number: Some(code.into()),
        property_name: tables::name(codes::SYNTAXES, code.into()),
        count: 1,
        ..Object::default()
    };
    Item::of(object, None)
}

/// Element type, number of elements, data block, area, and octet and bit of the first.
fn any(cursor: &mut Cursor<'_>) -> Result<Item, Short> {
    let element_type = cursor.u8("element type")?;
    let count = u32::from(cursor.u16_be("number of elements")?);
    let data_block = cursor.u16_be("data block")?;
    let area = cursor.u8("area")?;
    let place = cursor.uint_be(3, "octet and bit")? as u32;
    let element = tables::find(codes::ELEMENT_TYPES, element_type.into());
    let size = element.and_then(|element| element.size).unwrap_or(1);
    let known = tables::find(codes::AREAS, area.into());
    let variation = Some(element_type.into());
    let named = Object {
        kind: known.map_or("area", |known| known.kind),
        type_number: known.is_none().then_some(area.into()),
        variation,
        ..Object::default()
    };
    let object = match known.and_then(|known| known.size) {
        Some(0) => Object { start: Some(place), count, ..named },
        _ if element_type == element::BIT => {
            let (octet, bit) = (place >> 3, place & 7);
            // Bits that are read together lie in these octets.
            let octets = (bit + count.max(1)).div_ceil(8);
            Object { start: Some(octet), count: octets, index: Some(bit), stride: 1, ..named }
        }
        _ => Object { start: Some(place >> 3), count: count.saturating_mul(size), stride: size, ..named },
    };
    Ok(Item::of(in_block(object, area == area::DB, data_block), element))
}

fn in_block(object: Object, is_block: bool, number: u16) -> Object {
    if is_block {
        Object { property: Some(number.into()), property_name: names::data_block(number), ..object }
    } else {
        object
    }
}

/// Number of parts, then of each: octets, data block, first octet.
fn db_read(cursor: &mut Cursor<'_>) -> Result<Item, Short> {
    let mut parts = Vec::new();
    for _ in 0..cursor.u8("number of parts")? {
        let count = cursor.u8("octets")?;
        let data_block = cursor.u16_be("data block")?;
        let start = cursor.u16_be("first octet")?;
        let object = Object {
            kind: "data-block",
            start: Some(start.into()),
            count: count.into(),
            stride: 1,
            ..Object::default()
        };
        parts.push(in_block(object, true, data_block));
    }
    Ok(Item { parts, ..Item::of(parts_alone(), None) })
}

/// Stands in for the parts where they have no data.
fn parts_alone() -> Object {
    Object {
        kind: "variable",
        type_number: Some(syntax::DB_READ.into()),
        property_name: "db_read",
        count: 1,
        ..Object::default()
    }
}

/// Area, its number, a check value, and the way down to a member: local identifiers of 28 bits.
fn symbolic(cursor: &mut Cursor<'_>) -> Result<Item, Short> {
    cursor.take(1, "reserved")?;
    let (first, second) = (cursor.u16_be("area")?, cursor.u16_be("data block or area")?);
    cursor.take(4, "check value")?;
    let code = u8::try_from(second).unwrap_or(0);
    let kind = match first {
        SYMBOLIC_DB => "data-block",
        _ => tables::find(codes::SYMBOLIC_AREAS, code.into()).map_or("variable", |known| known.kind),
    };
    let identifier = cursor.u32_be("local identifier").ok().map(|value| value & 0x0FFF_FFFF);
    let object =
        Object { kind, type_number: Some(syntax::SYMBOLIC.into()), index: identifier, count: 1, ..Object::default() };
    Ok(Item::of(in_block(object, first == SYMBOLIC_DB, second), None))
}

/// Area and unit, column, line, module, number of lines.
fn nck(code: u8, cursor: &mut Cursor<'_>) -> Result<Item, Short> {
    let unit = cursor.u8("area and unit")?;
    let column = cursor.u16_be("column")?;
    let line = cursor.u16_be("line")?;
    let module = cursor.u8("module")?;
    let lines = cursor.u8("number of lines")?;
    let object = Object {
        kind: "nck-variable",
        type_number: Some(code.into()),
        variation: Some(unit.into()),
        start: Some(line.into()),
        count: lines.into(),
        property: Some(module.into()),
        index: Some(column.into()),
        ..Object::default()
    };
    Ok(Item::of(object, None))
}

/// Adds the objects of a request that carries no data.
pub(super) fn put(items: &[Item], draft: &mut Draft) {
    for item in items {
        let objects = if item.parts.is_empty() { std::slice::from_ref(&item.object) } else { &item.parts };
        objects.iter().for_each(|object| draft.object(object.clone(), [], ""));
    }
}

/// Reads the data of so many items, and adds their objects with it. Gives the return codes.
pub(super) fn data(
    cursor: &mut Cursor<'_>,
    count: usize,
    asked: &[Item],
    answers: bool,
    draft: &mut Draft,
) -> (Vec<u8>, Result<(), Short>) {
    let mut results = Vec::new();
    for index in 0..count {
        let item = asked.get(index).cloned().unwrap_or_else(|| unnamed(index));
        match datum(cursor, index + 1 < count) {
            Ok(Datum { result, size, octets }) => {
                results.push(result);
                if answers && result == SUCCESS && !item.parts.is_empty() {
                    parts(&item.parts, octets, draft);
                    continue;
                }
                let status = answers.then_some(u16::from(result)).filter(|_| result != SUCCESS);
                let (values, text) = if answers && result != SUCCESS {
                    (Vec::new(), String::new())
                } else {
                    meaning(item.element, size, octets)
                };
                draft.object(Object { status, ..item.object }, values, &text);
            }
            Err(short) => {
                draft.object(item.object, [], "");
                return (results, Err(short));
            }
        }
    }
    (results, Ok(()))
}

/// The data of an address of several parts: of each a return code and its octets.
fn parts(asked: &[Object], octets: &[u8], draft: &mut Draft) {
    let mut cursor = Cursor::new(octets);
    for object in asked {
        let Ok(result) = cursor.u8("return code") else { return };
        let failed = result != SUCCESS;
        let octets = if failed { 0 } else { object.count as usize };
        let Ok(octets) = cursor.take(octets, "data") else { return };
        let status = failed.then_some(u16::from(result));
        draft.object(Object { status, ..object.clone() }, octets.iter().copied().map(f64::from), "");
    }
}

/// Reads the return codes of a write, one octet an item.
pub(super) fn written(
    cursor: &mut Cursor<'_>,
    count: usize,
    asked: &[Item],
    draft: &mut Draft,
) -> (Vec<u8>, Result<(), Short>) {
    let mut results = Vec::new();
    for index in 0..count {
        let object = asked.get(index).map_or_else(|| unnamed(index).object, |item| item.object.clone());
        let result = match cursor.u8("return code") {
            Ok(result) => result,
            Err(short) => return (results, Err(short)),
        };
        results.push(result);
        draft.object(Object { status: (result != SUCCESS).then_some(result.into()), ..object }, [], "");
    }
    (results, Ok(()))
}

/// An answer is negative where no item of it succeeded.
pub(super) fn judge(results: &[u8], draft: &mut Draft) {
    if let Some(&first) = results.first()
        && results.iter().all(|result| *result != SUCCESS)
    {
        draft.failed(first.into(), tables::name(codes::RETURN_CODES, first.into()));
    }
}

/// Its request was not captured.
fn unnamed(index: usize) -> Item {
    let object = Object { kind: "item", index: u32::try_from(index).ok(), count: 1, ..Object::default() };
    Item::of(object, None)
}

struct Datum<'a> {
    result: u8,
    size: u8,
    octets: &'a [u8],
}

fn datum<'a>(cursor: &mut Cursor<'a>, more: bool) -> Result<Datum<'a>, Short> {
    let result = cursor.u8("return code")?;
    let size = cursor.u8("transport size")?;
    let length = usize::from(cursor.u16_be("length")?);
    let octets = match tables::find(codes::TRANSPORT_SIZES, size.into()).and_then(|known| known.size) {
        Some(0) => 0,
        Some(8) => length.div_ceil(8),
        _ => length,
    };
    let octets = cursor.take(octets, "data")?;
    if octets.len() % 2 == 1 && more {
        cursor.take(1, "fill octet")?;
    }
    Ok(Datum { result, size, octets })
}

/// The octets as numbers and words, by the element type of the address, else by the transport size.
fn meaning(element: Option<&'static Code>, size: u8, octets: &[u8]) -> (Vec<f64>, String) {
    let octets = &octets[..octets.len().min(MAX_OCTETS)];
    let (kind, width) = match (element, size) {
        (Some(element), _) => (element.kind, element.size.unwrap_or(1) as usize),
        (None, 5) => ("signed", 2),
        (None, 6) => ("signed", 4),
        (None, 7) => ("real", 4),
        (None, _) => ("unsigned", 1),
    };
    match kind {
        "text" => (Vec::new(), printable(octets)),
        "" => (Vec::new(), String::new()),
        _ => (octets.chunks_exact(width.max(1)).filter_map(|octets| number(kind, octets)).collect(), String::new()),
    }
}

fn number(kind: &str, octets: &[u8]) -> Option<f64> {
    let raw = octets.iter().fold(0_u32, |value, octet| value << 8 | u32::from(*octet));
    match (kind, octets.len()) {
        ("real", 4) => Some(f32::from_bits(raw).into()),
        ("signed", 2) => Some((raw as u16 as i16).into()),
        ("signed", 4) => Some((raw as i32).into()),
        (_, 1..=4) => Some(raw.into()),
        _ => None,
    }
}
