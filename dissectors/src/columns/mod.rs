//! Rows to Arrow columns. A table is a list of names and getters; there is no other code per column.

pub mod rows;

use std::sync::Arc;

use arrow_array::builder::{BooleanBufferBuilder, NullBufferBuilder, StringBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Float64Type, Int32Type, Int64Type, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{ArrayRef, BooleanArray, DictionaryArray, ListArray, PrimitiveArray, RecordBatch, StructArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, Field, Schema};

use crate::intern::{Dictionaries, NONE};

/// Rows that wait to be turned into columns together: few enough to stay in a core's cache meanwhile.
const BLOCK: usize = 512;

/// A table under way: rows go in, a record batch comes out.
pub struct Table<R> {
    waiting: Vec<R>,
    /// Rows that were turned into columns.
    turned: usize,
    columns: Vec<Column<R>>,
}

impl<R: Row> Default for Table<R> {
    fn default() -> Self {
        Table { waiting: Vec::new(), turned: 0, columns: R::columns() }
    }
}

/// A copy has the same columns and none of the rows: who goes on as a copy makes rows of its own.
impl<R: Row> Clone for Table<R> {
    fn clone(&self) -> Self {
        Table::default()
    }
}

impl<R: Row> Table<R> {
    /// Adds a row.
    #[inline]
    pub fn push(&mut self, row: R) {
        self.waiting.push(row);
        if self.waiting.len() >= BLOCK {
            self.turn();
        }
    }

    /// Rows that were not taken yet.
    pub fn rows(&self) -> usize {
        self.turned + self.waiting.len()
    }

    /// The row added last, as long as it was not turned into columns.
    pub fn last(&self) -> Option<&R> {
        self.waiting.last()
    }

    fn turn(&mut self) {
        for column in &mut self.columns {
            column.cells.append(&self.waiting);
        }
        self.turned += self.waiting.len();
        self.waiting.clear();
    }

    fn arrays(&mut self, dictionaries: &mut Dictionaries) -> Result<(Vec<Field>, Vec<ArrayRef>), ArrowError> {
        self.turn();
        let finished = self.columns.iter_mut().map(|Column { name, nullable, cells }| {
            let array = cells.finish(dictionaries)?;
            Ok((Field::new(*name, array.data_type().clone(), *nullable), array))
        });
        finished.collect::<Result<Vec<_>, ArrowError>>().map(|columns| columns.into_iter().unzip())
    }

    /// The rows since they were last taken.
    ///
    /// # Errors
    /// Where the columns contradict each other: a mistake of the row type.
    pub fn take(&mut self, dictionaries: &mut Dictionaries) -> Result<RecordBatch, ArrowError> {
        let (fields, arrays) = self.arrays(dictionaries)?;
        self.turned = 0;
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
    }
}

impl<R: Row> Extend<R> for Table<R> {
    fn extend<I: IntoIterator<Item = R>>(&mut self, rows: I) {
        rows.into_iter().for_each(|row| self.push(row));
    }
}

/// A row type that has columns.
pub trait Row: Sized + 'static {
    /// Its columns, in the order of `schemas.py`.
    fn columns() -> Vec<Column<Self>>;
}

/// One column under way.
pub struct Column<R> {
    name: &'static str,
    nullable: bool,
    cells: Box<dyn Cells<R>>,
}

/// The cells of a column so far. Each getter has an implementation of its own, in whose loop it is inlined.
trait Cells<R>: Send {
    fn append(&mut self, rows: &[R]);
    fn finish(&mut self, dictionaries: &mut Dictionaries) -> Result<ArrayRef, ArrowError>;
}

/// What a column has so far; room for as much again is made at once, for batches are about as long as one another.
fn finished<V>(values: &mut Vec<V>) -> Vec<V> {
    let room = Vec::with_capacity(values.len());
    std::mem::replace(values, room)
}

/// Numbers that are always there; of words, their numbers.
struct Numbers<T: ArrowPrimitiveType, G> {
    values: Vec<T::Native>,
    get: G,
    into: fn(PrimitiveArray<T>, &mut Dictionaries) -> Result<ArrayRef, ArrowError>,
}

impl<R, T: ArrowPrimitiveType, G: Fn(&R) -> T::Native + Send> Cells<R> for Numbers<T, G> {
    fn append(&mut self, rows: &[R]) {
        self.values.extend(rows.iter().map(&self.get));
    }

    fn finish(&mut self, dictionaries: &mut Dictionaries) -> Result<ArrayRef, ArrowError> {
        let values = ScalarBuffer::from(finished(&mut self.values));
        (self.into)(PrimitiveArray::new(values, None), dictionaries)
    }
}

/// Numbers, or none.
struct MaybeNumbers<T: ArrowPrimitiveType, G> {
    values: Vec<T::Native>,
    present: NullBufferBuilder,
    get: G,
    into: fn(PrimitiveArray<T>, &mut Dictionaries) -> Result<ArrayRef, ArrowError>,
}

impl<R, T: ArrowPrimitiveType, G: Fn(&R) -> Option<T::Native> + Send> Cells<R> for MaybeNumbers<T, G> {
    fn append(&mut self, rows: &[R]) {
        let mut there = 0;
        self.values.extend(rows.iter().map(|row| {
            let value = (self.get)(row);
            there += usize::from(value.is_some());
            value.unwrap_or_default()
        }));
        match there {
            _ if there == rows.len() => self.present.append_n_non_nulls(there),
            0 => self.present.append_n_nulls(rows.len()),
            _ => {
                let present = BooleanBuffer::collect_bool(rows.len(), |at| (self.get)(&rows[at]).is_some());
                self.present.append_buffer(&NullBuffer::new(present));
            }
        }
    }

    fn finish(&mut self, dictionaries: &mut Dictionaries) -> Result<ArrayRef, ArrowError> {
        let values = ScalarBuffer::from(finished(&mut self.values));
        let nulls = self.present.finish().filter(|nulls| nulls.null_count() > 0);
        (self.into)(PrimitiveArray::new(values, nulls), dictionaries)
    }
}

fn plain<T: ArrowPrimitiveType>(values: PrimitiveArray<T>, _: &mut Dictionaries) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(values))
}

fn utc(times: PrimitiveArray<TimestampNanosecondType>, _: &mut Dictionaries) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(times.with_timezone("UTC")))
}

fn names(keys: PrimitiveArray<Int32Type>, dictionaries: &mut Dictionaries) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, dictionaries.names.array())?))
}

fn addresses(keys: PrimitiveArray<Int32Type>, dictionaries: &mut Dictionaries) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, dictionaries.addresses.words().array())?))
}

fn key(id: u32) -> Option<i32> {
    (id != NONE).then_some(id as i32)
}

/// True or false.
struct Bools<G> {
    values: BooleanBufferBuilder,
    get: G,
}

impl<R, G: Fn(&R) -> bool + Send> Cells<R> for Bools<G> {
    fn append(&mut self, rows: &[R]) {
        self.values.append_buffer(&BooleanBuffer::collect_bool(rows.len(), |at| (self.get)(&rows[at])));
    }

    fn finish(&mut self, _: &mut Dictionaries) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(BooleanArray::new(self.values.finish(), None)))
    }
}

/// Free text.
struct Texts<G> {
    values: StringBuilder,
    get: G,
}

impl<R, G: Fn(&R) -> &str + Send> Cells<R> for Texts<G> {
    fn append(&mut self, rows: &[R]) {
        rows.iter().for_each(|row| self.values.append_value((self.get)(row)));
    }

    fn finish(&mut self, _: &mut Dictionaries) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(self.values.finish()))
    }
}

/// Lists of numbers.
struct Lists<T: ArrowPrimitiveType, G> {
    lengths: Vec<usize>,
    items: Vec<T::Native>,
    get: G,
}

impl<R, T: ArrowPrimitiveType, G: Fn(&R) -> &[T::Native] + Send> Cells<R> for Lists<T, G> {
    fn append(&mut self, rows: &[R]) {
        for items in rows.iter().map(&self.get) {
            self.lengths.push(items.len());
            self.items.extend_from_slice(items);
        }
    }

    fn finish(&mut self, _: &mut Dictionaries) -> Result<ArrayRef, ArrowError> {
        let items = PrimitiveArray::<T>::new(std::mem::take(&mut self.items).into(), None);
        list(std::mem::take(&mut self.lengths), Arc::new(items))
    }
}

/// Lists of rows of another kind.
struct Nested<N, G> {
    lengths: Vec<usize>,
    items: Table<N>,
    get: G,
}

impl<R, N: Row + Clone + Send, G: Fn(&R) -> &[N] + Send> Cells<R> for Nested<N, G> {
    fn append(&mut self, rows: &[R]) {
        for items in rows.iter().map(&self.get) {
            self.lengths.push(items.len());
            self.items.extend(items.iter().cloned());
        }
    }

    fn finish(&mut self, dictionaries: &mut Dictionaries) -> Result<ArrayRef, ArrowError> {
        let (fields, arrays) = self.items.arrays(dictionaries)?;
        let items = StructArray::try_new(fields.into(), arrays, None)?;
        list(std::mem::take(&mut self.lengths), Arc::new(items))
    }
}

fn list(lengths: Vec<usize>, items: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let field = Arc::new(Field::new("item", items.data_type().clone(), false));
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), items, None)?))
}

impl<R: 'static> Column<R> {
    fn numbers<T: ArrowPrimitiveType>(
        name: &'static str,
        get: impl Fn(&R) -> T::Native + Send + 'static,
        into: fn(PrimitiveArray<T>, &mut Dictionaries) -> Result<ArrayRef, ArrowError>,
    ) -> Self {
        Column { name, nullable: false, cells: Box::new(Numbers { values: Vec::new(), get, into }) }
    }

    fn maybe_numbers<T: ArrowPrimitiveType>(
        name: &'static str,
        get: impl Fn(&R) -> Option<T::Native> + Send + 'static,
        into: fn(PrimitiveArray<T>, &mut Dictionaries) -> Result<ArrayRef, ArrowError>,
    ) -> Self {
        let present = NullBufferBuilder::new(0);
        Column { name, nullable: true, cells: Box::new(MaybeNumbers { values: Vec::new(), present, get, into }) }
    }

    /// A word of the names.
    pub fn name(name: &'static str, get: impl Fn(&R) -> u32 + Send + 'static) -> Self {
        Column::numbers(name, move |row| get(row) as i32, names)
    }

    /// A word of the names, or [`NONE`].
    pub fn maybe_name(name: &'static str, get: impl Fn(&R) -> u32 + Send + 'static) -> Self {
        Column::maybe_numbers(name, move |row| key(get(row)), names)
    }

    /// A word of the addresses.
    pub fn address(name: &'static str, get: impl Fn(&R) -> u32 + Send + 'static) -> Self {
        Column::numbers(name, move |row| get(row) as i32, addresses)
    }

    /// A word of the addresses, or [`NONE`].
    pub fn maybe_address(name: &'static str, get: impl Fn(&R) -> u32 + Send + 'static) -> Self {
        Column::maybe_numbers(name, move |row| key(get(row)), addresses)
    }

    /// Nanoseconds since the epoch.
    pub fn time(name: &'static str, get: impl Fn(&R) -> i64 + Send + 'static) -> Self {
        Column::numbers(name, get, utc)
    }

    /// The same, or none.
    pub fn maybe_time(name: &'static str, get: impl Fn(&R) -> Option<i64> + Send + 'static) -> Self {
        Column::maybe_numbers(name, get, utc)
    }

    /// A number of 16 bits.
    pub fn u16(name: &'static str, get: impl Fn(&R) -> u16 + Send + 'static) -> Self {
        Column::numbers::<UInt16Type>(name, get, plain)
    }

    /// A number of 32 bits.
    pub fn u32(name: &'static str, get: impl Fn(&R) -> u32 + Send + 'static) -> Self {
        Column::numbers::<UInt32Type>(name, get, plain)
    }

    /// A number of 64 bits.
    pub fn u64(name: &'static str, get: impl Fn(&R) -> u64 + Send + 'static) -> Self {
        Column::numbers::<UInt64Type>(name, get, plain)
    }

    /// A number of 8 bits, or none.
    pub fn maybe_u8(name: &'static str, get: impl Fn(&R) -> Option<u8> + Send + 'static) -> Self {
        Column::maybe_numbers::<UInt8Type>(name, get, plain)
    }

    /// A number of 16 bits, or none.
    pub fn maybe_u16(name: &'static str, get: impl Fn(&R) -> Option<u16> + Send + 'static) -> Self {
        Column::maybe_numbers::<UInt16Type>(name, get, plain)
    }

    /// A number of 32 bits, or none.
    pub fn maybe_u32(name: &'static str, get: impl Fn(&R) -> Option<u32> + Send + 'static) -> Self {
        Column::maybe_numbers::<UInt32Type>(name, get, plain)
    }

    /// A number of 64 bits, or none.
    pub fn maybe_u64(name: &'static str, get: impl Fn(&R) -> Option<u64> + Send + 'static) -> Self {
        Column::maybe_numbers::<UInt64Type>(name, get, plain)
    }

    /// A signed number of 64 bits, or none.
    pub fn maybe_i64(name: &'static str, get: impl Fn(&R) -> Option<i64> + Send + 'static) -> Self {
        Column::maybe_numbers::<Int64Type>(name, get, plain)
    }

    /// A number with a fraction, or none.
    pub fn maybe_f64(name: &'static str, get: impl Fn(&R) -> Option<f64> + Send + 'static) -> Self {
        Column::maybe_numbers::<Float64Type>(name, get, plain)
    }

    /// True or false.
    pub fn bool(name: &'static str, get: impl Fn(&R) -> bool + Send + 'static) -> Self {
        let values = BooleanBufferBuilder::new(0);
        Column { name, nullable: false, cells: Box::new(Bools { values, get }) }
    }

    /// Free text.
    pub fn text(name: &'static str, get: impl Fn(&R) -> &str + Send + 'static) -> Self {
        Column { name, nullable: false, cells: Box::new(Texts { values: StringBuilder::new(), get }) }
    }

    /// A list of frame numbers.
    pub fn frames(name: &'static str, get: impl Fn(&R) -> &[u64] + Send + 'static) -> Self {
        let cells: Lists<UInt64Type, _> = Lists { lengths: Vec::new(), items: Vec::new(), get };
        Column { name, nullable: false, cells: Box::new(cells) }
    }

    /// A list of numbers with fractions.
    pub fn list_of_f64(name: &'static str, get: impl Fn(&R) -> &[f64] + Send + 'static) -> Self {
        let cells: Lists<Float64Type, _> = Lists { lengths: Vec::new(), items: Vec::new(), get };
        Column { name, nullable: false, cells: Box::new(cells) }
    }

    /// A list of rows of another kind.
    pub fn nested<N: Row + Clone + Send>(name: &'static str, get: impl Fn(&R) -> &[N] + Send + 'static) -> Self {
        let cells = Nested { lengths: Vec::new(), items: Table::default(), get };
        Column { name, nullable: false, cells: Box::new(cells) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Array;
    use arrow_array::cast::AsArray;

    #[derive(Clone)]
    struct Point {
        number: u32,
        words: Vec<f64>,
    }

    impl Row for Point {
        fn columns() -> Vec<Column<Self>> {
            vec![
                Column::u32("number", |r: &Self| r.number),
                Column::maybe_u32("odd", |r: &Self| Some(r.number).filter(|number| number % 2 == 1)),
                Column::bool("even", |r: &Self| r.number % 2 == 0),
                Column::maybe_name("none", |_: &Self| NONE),
                Column::list_of_f64("words", |r: &Self| &r.words),
            ]
        }
    }

    #[test]
    fn rows_come_out_as_they_went_in_and_once() {
        let (mut table, mut dictionaries) = (Table::<Point>::default(), Dictionaries::default());
        for length in [3 * BLOCK + 7, 0, 1, BLOCK] {
            table.extend((0..length as u32).map(|number| Point { number, words: vec![0.5; number as usize % 3] }));
            let batch = table.take(&mut dictionaries).unwrap();
            assert_eq!(batch.num_rows(), length);
            for row in 0..length {
                let number = row as u32;
                assert_eq!(batch["number"].as_primitive::<UInt32Type>().value(row), number);
                assert_eq!(batch["odd"].is_valid(row), number % 2 == 1);
                assert_eq!(batch["even"].as_boolean().value(row), number % 2 == 0);
                assert!(batch["none"].is_null(row));
                assert_eq!(batch["words"].as_list::<i32>().value_length(row), (number % 3) as i32);
            }
        }
    }
}
