//! Arguments of a batch, row by row, and columns of bytes as results. A constant is held once, whatever the number of
//! rows: a bitmap can be megabytes. Must not know: what is computed.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Int64Array, LargeBinaryArray, ListArray, NullBufferBuilder, StringArray,
    UInt64Array,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Int64Type, UInt64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ColumnarValue;

use super::limit::{MOST_ARRAY_BYTES, too_large};
use super::operand::Operand;
use crate::kernel::BitmapRef;

/// One argument.
#[derive(Debug)]
pub(super) struct Column {
    array: ArrayRef,
    constant: bool,
}

impl Column {
    pub(super) fn new(value: &ColumnarValue) -> Result<Self> {
        match value {
            ColumnarValue::Array(array) => Ok(Self { array: Arc::clone(array), constant: false }),
            ColumnarValue::Scalar(value) => Ok(Self { array: value.to_array()?, constant: true }),
        }
    }

    fn at(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }
}

/// The arguments of one call for a batch. Places count from 0, positions in messages from 1.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) function: &'static str,
    columns: Vec<Column>,
    pub(super) rows: usize,
}

impl Columns {
    pub(super) fn new(function: &'static str, columns: Vec<Column>, rows: usize) -> Self {
        Self { function, columns, rows }
    }

    fn column(&self, place: usize) -> Result<&Column> {
        match self.columns.get(place) {
            Some(column) => Ok(column),
            None => exec_err!("{}: argument {} is missing", self.function, place + 1),
        }
    }

    pub(super) fn is_constant(&self, place: usize) -> bool {
        self.columns.get(place).is_some_and(|column| column.constant)
    }

    pub(super) fn bitmaps(&self, place: usize) -> Result<Bitmaps<'_>> {
        let column = self.column(place)?;
        let operand = Operand::new(self.function, place + 1, column.array.as_ref())?;
        Ok(Bitmaps { function: self.function, position: place + 1, column, operand })
    }

    pub(super) fn integers(&self, place: usize) -> Result<(Integers<'_>, &Column)> {
        let column = self.column(place)?;
        Ok((Integers::new(self.function, place + 1, column.array.as_ref())?, column))
    }

    pub(super) fn texts(&self, place: usize) -> Result<Texts<'_>> {
        let column = self.column(place)?;
        Ok(Texts { column, array: column.array.as_string() })
    }

    pub(super) fn lists(&self, place: usize) -> Result<Lists<'_>> {
        let column = self.column(place)?;
        Ok(Lists { column, array: column.array.as_list() })
    }
}

/// A column of bitmaps.
pub(super) struct Bitmaps<'a> {
    function: &'static str,
    position: usize,
    column: &'a Column,
    operand: Operand<'a>,
}

impl<'a> Bitmaps<'a> {
    pub(super) fn get(&self, row: usize) -> Result<Option<BitmapRef<'a>>> {
        self.operand.bitmap(self.function, self.position, self.column.at(row))
    }

    /// Bytes that nobody has looked at yet.
    pub(super) fn bytes(&self, row: usize) -> Option<&'a [u8]> {
        self.operand.bytes(self.column.at(row))
    }
}

/// A column of texts.
pub(super) struct Texts<'a> {
    column: &'a Column,
    array: &'a StringArray,
}

impl<'a> Texts<'a> {
    pub(super) fn get(&self, row: usize) -> Option<&'a str> {
        let row = self.column.at(row);
        self.array.is_valid(row).then(|| self.array.value(row))
    }
}

/// A column of lists.
pub(super) struct Lists<'a> {
    column: &'a Column,
    array: &'a ListArray,
}

impl Lists<'_> {
    pub(super) fn get(&self, row: usize) -> Option<ArrayRef> {
        let row = self.column.at(row);
        self.array.is_valid(row).then(|| self.array.value(row))
    }
}

/// Integers of 64 bits, as planning casts all others.
#[derive(Clone, Copy)]
pub(super) enum Integers<'a> {
    Signed(&'a Int64Array),
    Unsigned(&'a UInt64Array),
}

impl<'a> Integers<'a> {
    /// # Errors
    /// For other types: planning lets none through.
    pub(super) fn new(function: &str, position: usize, array: &'a dyn Array) -> Result<Self> {
        match array.data_type() {
            DataType::Int64 => Ok(Self::Signed(array.as_primitive::<Int64Type>())),
            DataType::UInt64 => Ok(Self::Unsigned(array.as_primitive::<UInt64Type>())),
            other => exec_err!("{function}: argument {position} is {other}, not an integer"),
        }
    }

    /// `None` for NULL. `row` is below the length of the column.
    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<i128> {
        match self {
            Self::Signed(array) => array.is_valid(row).then(|| i128::from(array.value(row))),
            Self::Unsigned(array) => array.is_valid(row).then(|| i128::from(array.value(row))),
        }
    }

    pub(super) fn at(&self, column: &Column, row: usize) -> Option<i128> {
        self.get(column.at(row))
    }
}

/// A number as a member of a bitmap.
///
/// # Errors
/// Outside 0 .. 2^32 - 1: function, position and value.
#[inline]
pub(super) fn member(function: &str, position: usize, value: i128) -> Result<u32> {
    match u32::try_from(value) {
        Ok(member) => Ok(member),
        Err(_) => exec_err!("{function}: argument {position} has {value}: a bitmap holds numbers from 0 to 4294967295"),
    }
}

/// A column of bytes that grows row by row.
#[derive(Debug)]
pub(super) struct BytesColumn {
    pub(super) values: Vec<u8>,
    ends: Vec<usize>,
    nulls: NullBufferBuilder,
}

impl BytesColumn {
    pub(super) fn with_capacity(rows: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self { values: Vec::new(), ends, nulls: NullBufferBuilder::new(rows) }
    }

    /// Ends a row: its bytes were put behind `values`.
    pub(super) fn end_row(&mut self) {
        self.ends.push(self.values.len());
        self.nulls.append_non_null();
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.values.extend_from_slice(bytes);
        self.end_row();
    }

    pub(super) fn push_null(&mut self) {
        self.ends.push(self.values.len());
        self.nulls.append_null();
    }

    /// # Errors
    /// When there is more than a Binary column holds: said before more is written.
    pub(super) fn check(&self, function: &str) -> Result<()> {
        let is_held = self.values.len() as u64 <= MOST_ARRAY_BYTES;
        if is_held { Ok(()) } else { Err(too_large(function, MOST_ARRAY_BYTES)) }
    }

    /// Offsets for Binary and Utf8.
    fn offsets(&self, function: &str) -> Result<OffsetBuffer<i32>> {
        let ends: Option<Vec<i32>> = self.ends.iter().map(|end| i32::try_from(*end).ok()).collect();
        ends.map(|ends| OffsetBuffer::new(ScalarBuffer::from(ends)))
            .ok_or_else(|| too_large(function, MOST_ARRAY_BYTES))
    }

    /// # Errors
    /// Above 2 GiB, which one column of this type cannot hold.
    pub(super) fn finish(mut self, function: &str) -> Result<ArrayRef> {
        let offsets = self.offsets(function)?;
        Ok(Arc::new(BinaryArray::try_new(offsets, Buffer::from_vec(self.values), self.nulls.finish())?))
    }

    /// The same as a column of texts.
    ///
    /// # Errors
    /// As [`BytesColumn::finish`], and when it is not UTF-8.
    pub(super) fn finish_texts(mut self, function: &str) -> Result<ArrayRef> {
        let offsets = self.offsets(function)?;
        Ok(Arc::new(StringArray::try_new(offsets, Buffer::from_vec(self.values), self.nulls.finish())?))
    }

    /// The same with 64-bit offsets, for states.
    pub(super) fn finish_large(mut self) -> Result<ArrayRef> {
        let ends: Vec<i64> = self.ends.iter().map(|end| *end as i64).collect();
        let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
        Ok(Arc::new(LargeBinaryArray::try_new(offsets, Buffer::from_vec(self.values), self.nulls.finish())?))
    }
}
