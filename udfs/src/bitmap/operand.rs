//! Reading bitmap arguments: any binary column, and the messages for bytes that are no bitmap.

use arrow::array::{Array, AsArray, BinaryArray, BinaryViewArray, LargeBinaryArray};
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, exec_err};

use crate::kernel::{self, BitmapRef};

/// Whether a column of this type can be read as bitmaps.
pub(super) fn is_binary(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

/// A column of bitmaps in any of Arrow's binary layouts; nothing is copied.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operand<'a> {
    Binary(&'a BinaryArray),
    Large(&'a LargeBinaryArray),
    View(&'a BinaryViewArray),
}

impl<'a> Operand<'a> {
    /// # Errors
    /// For a column that is not binary: planning lets none through.
    pub(super) fn new(function: &str, position: usize, array: &'a dyn Array) -> Result<Self> {
        match array.data_type() {
            DataType::Binary => Ok(Self::Binary(array.as_binary())),
            DataType::LargeBinary => Ok(Self::Large(array.as_binary())),
            DataType::BinaryView => Ok(Self::View(array.as_binary_view())),
            other => exec_err!("{function}: argument {position} is {other}, not a bitmap"),
        }
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Binary(array) => array.is_null(row),
            Self::Large(array) => array.is_null(row),
            Self::View(array) => array.is_null(row),
        }
    }

    /// The bytes of a row, none where it is NULL. `row` is below the length of the column.
    pub(super) fn bytes(&self, row: usize) -> Option<&'a [u8]> {
        match self {
            Self::Binary(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }

    /// The bitmap of a row, none where it is NULL.
    ///
    /// # Errors
    /// For bytes whose structure is not that of a bitmap: function, position (from 1) and byte offset.
    pub(super) fn bitmap(&self, function: &str, position: usize, row: usize) -> Result<Option<BitmapRef<'a>>> {
        let checked = self.bytes(row).map(BitmapRef::new).transpose();
        checked.map_err(|error| refused(function, position, &error))
    }
}

/// What the kernel refused of an argument. `position` counts from 1.
pub(super) fn refused(function: &str, position: usize, error: &kernel::Error) -> DataFusionError {
    DataFusionError::Execution(format!("{function}: argument {position}: {error}"))
}
