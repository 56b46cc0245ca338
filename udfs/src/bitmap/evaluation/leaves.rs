//! The arguments of a batch, read row by row without copies; constants are checked once.
//!
//! Must not know: what the arguments are for.

use arrow::array::{Array, AsArray, Int64Array, UInt64Array};
use arrow::datatypes::{DataType, Int64Type, UInt64Type};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err};
use datafusion::logical_expr::ColumnarValue;

use super::super::operand::{Operand, refused};
use super::formula::{Call, Origin};
use crate::kernel::BitmapRef;

/// An argument in one row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Set(BitmapRef<'a>),
    Number(i128),
}

/// An argument in all rows.
enum Source<'a> {
    Null,
    Constant(Value<'a>),
    Bitmaps(Operand<'a>),
    Signed(&'a Int64Array),
    Unsigned(&'a UInt64Array),
}

/// All arguments, each with the call that it belongs to.
pub(super) struct Leaves<'a> {
    sources: Vec<(Source<'a>, Origin)>,
}

impl<'a> Leaves<'a> {
    /// # Errors
    /// For a constant that is no bitmap.
    pub(super) fn new(call: &Call, arguments: &'a [ColumnarValue]) -> Result<Self> {
        let with_origins = arguments.iter().zip(call.origins(arguments.len()));
        let sources = with_origins.map(|(argument, origin)| {
            let Some(origin) = origin else { return internal_err!("an argument is not used") };
            let source = match argument {
                ColumnarValue::Scalar(value) => Source::constant(value, origin)?,
                ColumnarValue::Array(array) => Source::column(array.as_ref(), origin)?,
            };
            Ok((source, origin))
        });
        Ok(Self { sources: sources.collect::<Result<_>>()? })
    }

    /// Whether all rows are alike.
    pub(super) fn are_constant(&self) -> bool {
        self.sources.iter().all(|(source, _)| matches!(source, Source::Null | Source::Constant(_)))
    }

    /// Puts the values of a row into `values`; false where any is NULL, whatever the others are.
    pub(super) fn read(&self, row: usize, values: &mut Vec<Value<'a>>) -> Result<bool> {
        values.clear();
        if self.sources.iter().any(|(source, _)| source.is_null(row)) {
            return Ok(false);
        }
        for (source, origin) in &self.sources {
            values.extend(source.value(row, *origin)?);
        }
        Ok(true)
    }
}

impl<'a> Source<'a> {
    fn constant(value: &'a ScalarValue, origin: Origin) -> Result<Self> {
        if value.is_null() {
            return Ok(Source::Null);
        }
        match value {
            ScalarValue::Binary(Some(bytes))
            | ScalarValue::LargeBinary(Some(bytes))
            | ScalarValue::BinaryView(Some(bytes)) => {
                let bitmap = BitmapRef::new(bytes);
                let bitmap = bitmap.map_err(|error| refused(origin.function.name, origin.position, &error))?;
                Ok(Source::Constant(Value::Set(bitmap)))
            }
            ScalarValue::Int64(Some(number)) => Ok(Source::Constant(Value::Number(i128::from(*number)))),
            ScalarValue::UInt64(Some(number)) => Ok(Source::Constant(Value::Number(i128::from(*number)))),
            other => unexpected(&other.data_type(), origin),
        }
    }

    fn column(array: &'a dyn Array, origin: Origin) -> Result<Self> {
        match array.data_type() {
            DataType::Null => Ok(Source::Null),
            DataType::Int64 => Ok(Source::Signed(array.as_primitive::<Int64Type>())),
            DataType::UInt64 => Ok(Source::Unsigned(array.as_primitive::<UInt64Type>())),
            _ => Operand::new(origin.function.name, origin.position, array).map(Source::Bitmaps),
        }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Source::Null => true,
            Source::Constant(_) => false,
            Source::Bitmaps(column) => column.is_null(row),
            Source::Signed(column) => column.is_null(row),
            Source::Unsigned(column) => column.is_null(row),
        }
    }

    fn value(&self, row: usize, origin: Origin) -> Result<Option<Value<'a>>> {
        Ok(match self {
            Source::Null => None,
            Source::Constant(value) => Some(*value),
            Source::Bitmaps(column) => column.bitmap(origin.function.name, origin.position, row)?.map(Value::Set),
            Source::Signed(column) => Some(Value::Number(i128::from(column.value(row)))),
            Source::Unsigned(column) => Some(Value::Number(i128::from(column.value(row)))),
        })
    }
}

/// Planning casts arguments, so this is not met.
fn unexpected<T>(data_type: &DataType, origin: Origin) -> Result<T> {
    exec_err!("{}: argument {} is {data_type}", origin.function.syntax, origin.position)
}
