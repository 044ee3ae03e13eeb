//! Rows to Arrow columns. A table is a list of names and getters; there is no other code per column.

pub mod rows;

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampNanosecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema};

use crate::intern::{Dictionaries, NONE, Words};

/// How a column gets its cell from a row.
pub enum Cell<R> {
    /// A word of the names, never null.
    Name(fn(&R) -> u32),
    /// A word of the names, or [`NONE`].
    MaybeName(fn(&R) -> u32),
    /// A word of the addresses, never null.
    Address(fn(&R) -> u32),
    /// A word of the addresses, or [`NONE`].
    MaybeAddress(fn(&R) -> u32),
    /// Nanoseconds since the epoch.
    Time(fn(&R) -> i64),
    /// The same, or none.
    MaybeTime(fn(&R) -> Option<i64>),
    /// Unsigned, 64 bits.
    U64(fn(&R) -> u64),
    /// Unsigned, 32 bits.
    U32(fn(&R) -> u32),
    /// The same, or none.
    MaybeU32(fn(&R) -> Option<u32>),
    /// Unsigned, 16 bits.
    U16(fn(&R) -> u16),
    /// The same, or none.
    MaybeU16(fn(&R) -> Option<u16>),
    /// Unsigned, 8 bits, or none.
    MaybeU8(fn(&R) -> Option<u8>),
    /// Signed, 64 bits, or none.
    MaybeI64(fn(&R) -> Option<i64>),
    /// A number, or none.
    MaybeF64(fn(&R) -> Option<f64>),
    /// True or false.
    Bool(fn(&R) -> bool),
    /// Free text.
    Text(fn(&R) -> &str),
    /// A list of frame numbers.
    Frames(fn(&R) -> &[u64]),
    /// A list of numbers.
    Numbers(fn(&R) -> &[f64]),
    /// Built by hand: the field's type and the whole array (nested tables).
    Nested(fn(&[R], &mut Dictionaries) -> Result<ArrayRef, ArrowError>),
}

/// A row type that has columns.
pub trait Row: Sized + 'static {
    /// Column names and getters, in the order of `schemas.py`.
    fn columns() -> Vec<(&'static str, Cell<Self>)>;
}

fn words(keys: impl Iterator<Item = u32>, nullable: bool, words: &mut Words) -> Result<ArrayRef, ArrowError> {
    let keys: Int32Array = if nullable {
        keys.map(|key| (key != NONE).then_some(key as i32)).collect()
    } else {
        Int32Array::from_iter_values(keys.map(|key| key as i32))
    };
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, words.array())?))
}

fn list(
    lengths: impl Iterator<Item = usize>,
    items: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    let field = Arc::new(Field::new("item", items.data_type().clone(), false));
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), items, nulls)?))
}

/// A list column out of the rows' slices, its items built by `make`.
pub fn list_of<R, T>(
    rows: &[R],
    get: impl Fn(&R) -> &[T],
    make: impl FnOnce(Vec<&T>) -> Result<ArrayRef, ArrowError>,
) -> Result<ArrayRef, ArrowError> {
    let items: Vec<&T> = rows.iter().flat_map(&get).collect();
    list(rows.iter().map(|row| get(row).len()), make(items)?, None)
}

fn array<R>(cell: &Cell<R>, rows: &[R], dictionaries: &mut Dictionaries) -> Result<ArrayRef, ArrowError> {
    let names = &mut dictionaries.names;
    Ok(match cell {
        Cell::Name(get) => words(rows.iter().map(get), false, names)?,
        Cell::MaybeName(get) => words(rows.iter().map(get), true, names)?,
        Cell::Address(get) => words(rows.iter().map(get), false, dictionaries.addresses.words())?,
        Cell::MaybeAddress(get) => words(rows.iter().map(get), true, dictionaries.addresses.words())?,
        Cell::Time(get) => {
            Arc::new(TimestampNanosecondArray::from_iter_values(rows.iter().map(get)).with_timezone("UTC"))
        }
        Cell::MaybeTime(get) => {
            Arc::new(rows.iter().map(get).collect::<TimestampNanosecondArray>().with_timezone("UTC"))
        }
        Cell::U64(get) => Arc::new(UInt64Array::from_iter_values(rows.iter().map(get))),
        Cell::U32(get) => Arc::new(UInt32Array::from_iter_values(rows.iter().map(get))),
        Cell::MaybeU32(get) => Arc::new(rows.iter().map(get).collect::<UInt32Array>()),
        Cell::U16(get) => Arc::new(UInt16Array::from_iter_values(rows.iter().map(get))),
        Cell::MaybeU16(get) => Arc::new(rows.iter().map(get).collect::<UInt16Array>()),
        Cell::MaybeU8(get) => Arc::new(rows.iter().map(get).collect::<UInt8Array>()),
        Cell::MaybeI64(get) => Arc::new(rows.iter().map(get).collect::<Int64Array>()),
        Cell::MaybeF64(get) => Arc::new(rows.iter().map(get).collect::<Float64Array>()),
        Cell::Bool(get) => Arc::new(rows.iter().map(|row| Some(get(row))).collect::<BooleanArray>()),
        Cell::Text(get) => Arc::new(StringArray::from_iter_values(rows.iter().map(get))),
        Cell::Frames(get) => {
            list_of(rows, get, |items| Ok(Arc::new(UInt64Array::from_iter_values(items.into_iter().copied()))))?
        }
        Cell::Numbers(get) => {
            list_of(rows, get, |items| Ok(Arc::new(Float64Array::from_iter_values(items.into_iter().copied()))))?
        }
        Cell::Nested(build) => build(rows, dictionaries)?,
    })
}

fn is_nullable<R>(cell: &Cell<R>) -> bool {
    matches!(
        cell,
        Cell::MaybeName(_)
            | Cell::MaybeAddress(_)
            | Cell::MaybeTime(_)
            | Cell::MaybeU32(_)
            | Cell::MaybeU16(_)
            | Cell::MaybeU8(_)
            | Cell::MaybeI64(_)
            | Cell::MaybeF64(_)
    )
}

/// The columns of rows, as fields and arrays.
pub fn columns<R: Row>(rows: &[R], dictionaries: &mut Dictionaries) -> Result<(Vec<Field>, Vec<ArrayRef>), ArrowError> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (name, cell) in R::columns() {
        let array = array(&cell, rows, dictionaries)?;
        fields.push(Field::new(name, array.data_type().clone(), is_nullable(&cell)));
        arrays.push(array);
    }
    Ok((fields, arrays))
}

/// One record batch of rows.
pub fn batch<R: Row>(rows: &[R], dictionaries: &mut Dictionaries) -> Result<RecordBatch, ArrowError> {
    let (fields, arrays) = columns(rows, dictionaries)?;
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

/// The type of a nested row's struct.
pub fn struct_type(fields: &[Field]) -> DataType {
    DataType::Struct(fields.to_vec().into())
}
