//! `order_number(order_id, node, ts, message_id)`, `order_within(number, part)`, `local_day(ts)`: what an order is called,
//! and the local day of an instant.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, StringArray};
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use chrono_tz::Tz;
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::orders::key;
use crate::store::events::schema::instant;
use crate::workspace::local_day;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Number,
    Within,
    Day,
}

/// One of the three functions, in the workspace's zone.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct OrderNames {
    what: What,
    signature: Signature,
    zone: Tz,
}

impl OrderNames {
    /// The order's number, or the name that an order without one has.
    pub(super) fn number(zone: Tz) -> Self {
        Self::new(What::Number, vec![DataType::Utf8, DataType::Int64, instant(), DataType::Utf8], zone)
    }

    /// The number within a part, such as a brand.
    pub(super) fn within(zone: Tz) -> Self {
        Self::new(What::Within, vec![DataType::Utf8, DataType::Utf8], zone)
    }

    pub(super) fn day(zone: Tz) -> Self {
        Self::new(What::Day, vec![instant()], zone)
    }

    fn new(what: What, arguments: Vec<DataType>, zone: Tz) -> Self {
        Self { what, signature: Signature::exact(arguments, Volatility::Immutable), zone }
    }
}

impl ScalarUDFImpl for OrderNames {
    fn name(&self) -> &str {
        match self.what {
            What::Number => "order_number",
            What::Within => "order_within",
            What::Day => "local_day",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        Ok(if self.what == What::Day { DataType::Date32 } else { DataType::Utf8 })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        Ok(ColumnarValue::Array(match self.what {
            What::Number => numbers(&columns, self.zone),
            What::Within => within(&columns),
            What::Day => days(&columns[0], self.zone),
        }))
    }
}

fn numbers(columns: &[ArrayRef], zone: Tz) -> ArrayRef {
    let given = columns[0].as_string::<i32>();
    let looks_made_up = |number: &str| matches!(key::name_of_number(number), Cow::Owned(_));
    if given.null_count() == 0 && !given.iter().flatten().any(looks_made_up) {
        return Arc::clone(&columns[0]);
    }
    let nodes = columns[1].as_primitive::<Int64Type>();
    let instants = columns[2].as_primitive::<TimestampMicrosecondType>();
    let ids = columns[3].as_string::<i32>();
    let names = (0..given.len()).map(|row| match given.is_valid(row) {
        true => key::name_of_number(given.value(row)),
        false => {
            let node = nodes.is_valid(row).then(|| nodes.value(row));
            let day = local_day(zone, instants.value(row));
            Cow::Owned(key::name_without_number(node, day, ids.value(row)))
        }
    });
    Arc::new(StringArray::from_iter_values(names))
}

fn within(columns: &[ArrayRef]) -> ArrayRef {
    let (numbers, parts) = (columns[0].as_string::<i32>(), columns[1].as_string::<i32>());
    let part = |row: usize| parts.is_valid(row).then(|| parts.value(row));
    let keys = (0..numbers.len()).map(|row| numbers.is_valid(row).then(|| key::within(numbers.value(row), part(row))));
    Arc::new(keys.collect::<StringArray>())
}

fn days(column: &ArrayRef, zone: Tz) -> ArrayRef {
    let instants = column.as_primitive::<TimestampMicrosecondType>();
    Arc::new(instants.iter().map(|ts| ts.map(|ts| local_day(zone, ts))).collect::<Date32Array>())
}
