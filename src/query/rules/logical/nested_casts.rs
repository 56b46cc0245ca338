//! Casts of lists and structs whose values would change their meaning: refused. DataFusion 55.2 hands them to Arrow,
//! which cuts fractions, those of seconds too, where casts of single values round, and reads and writes times in UTC
//! where they follow the session's zone.
//!
//! Can go when casts within round, and know the zone: what `tests/slt/nested_casts.slt` sees refused then has rows.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::{Expr, ExprSchemable};

use super::RuleContext;
use super::expressions::cast_parts;
use crate::error::Error;
use crate::query::zone::{is_instant, per_second};

/// # Errors
/// `InvalidInput` with what to write.
pub(super) fn refuse(expression: Expr, schema: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    if let Some((value, target)) = cast_parts(&expression)
        && target.is_nested()
        && changes_within(&value.get_type(schema)?, target)
    {
        return Err(Error::invalid(
            "values within a list or a struct keep their kind: cast each of them where it is made, as in [CAST(a AS DATE), \
             CAST(b AS DATE)], or unnest the list, array_agg(CAST(x AS BIGINT)) over SELECT unnest(l) AS x",
        )
        .into());
    }
    Ok(Transformed::no(expression))
}

/// Whether values at some place of a nested type are rounded, or are times on one side.
fn changes_within(from: &DataType, to: &DataType) -> bool {
    use DataType::{FixedSizeList, LargeList, List, Struct};
    match (from, to) {
        (List(from) | LargeList(from) | FixedSizeList(from, _), List(to) | LargeList(to) | FixedSizeList(to, _)) => {
            changes(from.data_type(), to.data_type())
        }
        (Struct(from), Struct(to)) => from.iter().zip(to).any(|(from, to)| changes(from.data_type(), to.data_type())),
        _ => false,
    }
}

fn changes(from: &DataType, to: &DataType) -> bool {
    if from == to || from.is_null() {
        return false;
    }
    if from.is_nested() {
        return changes_within(from, to);
    }
    match (from.is_temporal(), to.is_temporal()) {
        (true, true) => {
            std::mem::discriminant(from) != std::mem::discriminant(to)
                || is_instant(from) != is_instant(to)
                || cuts_second(from, to)
        }
        (false, false) => decimals(from).zip(decimals(to)).is_some_and(|(from, to)| from > to),
        _ => true,
    }
}

/// Whether times of the one type may have digits of a second that the other has not.
fn cuts_second(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Timestamp(from, _), DataType::Timestamp(to, _)) => {
            matches!(to, TimeUnit::Second | TimeUnit::Millisecond) && per_second(*to) < per_second(*from)
        }
        _ => false,
    }
}

/// How many decimals numbers of the type may have, those of a DOUBLE without bound; `None` for other values.
fn decimals(data_type: &DataType) -> Option<i16> {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(i16::from(*scale)),
        other if other.is_floating() => Some(i16::MAX),
        other if other.is_integer() => Some(0),
        _ => None,
    }
}
