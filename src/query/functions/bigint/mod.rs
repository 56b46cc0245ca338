//! Functions that count as BIGINT. DataFusion 55.2 has them unsigned, which no client reads as the number that it is: beyond
//! the wire it would be a DECIMAL(20,0).
//!
//! No row, no element and no dimension has a number that BIGINT does not hold.

mod groups;
mod lists;
mod rows;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::WindowUDF;

use self::groups::NumberOfGroup;
use self::lists::NumberOfElements;
use self::rows::NumberOfRow;
use super::aggregate_variation::vary_aggregate;
use super::variation::vary;

const NUMBERS_OF_ROWS: [&str; 4] = ["row_number", "rank", "dense_rank", "ntile"];
const NUMBERS_OF_ELEMENTS: [&str; 6] =
    ["array_length", "cardinality", "array_position", "array_positions", "array_ndims", "array_dims"];
const NUMBERS_OF_GROUPS: [&str; 2] = ["approx_distinct", "regr_count"];

/// Puts them in the place of DataFusion's.
pub(super) fn register(state: &mut SessionState) -> Result<()> {
    for name in NUMBERS_OF_ROWS {
        let inner = state.udwf(name)?;
        state.register_udwf(Arc::new(WindowUDF::from(NumberOfRow { inner })))?;
    }
    for name in NUMBERS_OF_ELEMENTS {
        let original = state.udf(name)?;
        state.register_udf(Arc::new(vary(NumberOfElements { original })))?;
    }
    for name in NUMBERS_OF_GROUPS {
        let original = state.udaf(name)?;
        state.register_udaf(Arc::new(vary_aggregate(NumberOfGroup { original })))?;
    }
    Ok(())
}

/// The field with BIGINT for BIGINT UNSIGNED, in lists, too.
fn as_bigint(field: &FieldRef) -> FieldRef {
    with_numbers(field, &DataType::Int64)
}

/// The field as DataFusion's function has it.
fn as_unsigned(field: &FieldRef) -> FieldRef {
    with_numbers(field, &DataType::UInt64)
}

fn with_numbers(field: &FieldRef, numbers: &DataType) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::List(element) => DataType::List(with_numbers(element, numbers)),
        _ => numbers.clone(),
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}
