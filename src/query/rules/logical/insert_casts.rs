//! INSERT of a value into a column of another kind: refused where digits, or the meaning, would be lost in silence.
//!
//! DataFusion 55.2 casts whatever Arrow can cast: a DATE into BIGINT becomes days since 1970, `true` 1, and 1.7 one.
//!
//! Can go when `insert_to_plan` refuses such casts: `tests/slt/casts.slt` then passes without it, but for the words.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Projection, Values, WriteOp};

use crate::error::{Error, Result};
use crate::query::functions::numbers::{is_number, sql_name};
use crate::query::walk::WalkPlan;

/// # Errors
/// `InvalidInput` with the cast to write, when the plan is an INSERT that needs one.
pub(super) fn check(plan: &LogicalPlan) -> Result<()> {
    let LogicalPlan::Dml(dml) = plan else { return Ok(()) };
    if !matches!(dml.op, WriteOp::Insert(_)) {
        return Ok(());
    }
    let LogicalPlan::Projection(projection) = dml.input.as_ref() else { return Ok(()) };
    for (expression, field) in projection.expr.iter().zip(projection.schema.fields()) {
        check_cast(expression, projection.input.schema(), field.name())?;
    }
    match projection.input.as_ref() {
        LogicalPlan::Values(values) => check_rows(values, projection),
        source => check_nested_rows(source),
    }
}

/// The planner gives rows of VALUES the types of the table, also where a SELECT stands between them, and in subqueries.
fn check_nested_rows(source: &LogicalPlan) -> Result<()> {
    let is_cast = |cell: &Expr| matches!(cell, Expr::Cast(_));
    let found = source.look_at_nodes(&mut |node| match node {
        LogicalPlan::Values(values) if values.values.iter().flatten().any(is_cast) => Ok(TreeNodeRecursion::Stop),
        _ => Ok(TreeNodeRecursion::Continue),
    })?;
    match found == TreeNodeRecursion::Stop {
        true => Err(Error::invalid(
            "VALUES below the SELECT of an INSERT takes the types of the table's columns: write INSERT ... VALUES, or \
             SELECT ... UNION ALL SELECT ... in its place",
        )),
        false => Ok(()),
    }
}

/// The rows of VALUES are cast one by one; casts that the user wrote stand inside of a call.
fn check_rows(values: &Values, projection: &Projection) -> Result<()> {
    let nothing = DFSchema::empty();
    for row in &values.values {
        for (cell, source) in row.iter().zip(values.schema.fields()) {
            check_cast(cell, &nothing, target_of(source.name(), projection))?;
        }
    }
    Ok(())
}

/// The column of the table that a column of VALUES goes to.
fn target_of<'a>(source: &'a str, projection: &'a Projection) -> &'a str {
    let reads = |expression: &&Expr| expression.column_refs().iter().any(|column| column.name == source);
    let position = projection.expr.iter().position(|expression| reads(&expression));
    position.map_or(source, |position| projection.schema.field(position).name())
}

fn check_cast(expression: &Expr, schema: &DFSchema, column: &str) -> Result<()> {
    match expression {
        Expr::Alias(alias) => check_cast(&alias.expr, schema, column),
        Expr::Cast(cast) => {
            let from: DfResult<DataType> = cast.expr.get_type(schema);
            match from {
                Ok(from) => check_assignment(&from, cast.field.data_type(), column),
                Err(_) => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Whether values of one type may go into a column of another as they are.
///
/// # Errors
/// `InvalidInput` with the cast to write.
pub(in crate::query) fn check_assignment(from: &DataType, to: &DataType, column: &str) -> Result<()> {
    let (from_name, to_name) = (sql_name(from), sql_name(to));
    let write = match (from, to) {
        (from, to) if has_fraction(from) && to.is_integer() => format!("CAST(x AS {to_name}), which rounds"),
        (DataType::Boolean, to) if is_number(to) => "CASE WHEN x THEN 1 ELSE 0 END".to_owned(),
        (from, DataType::Boolean) if is_number(from) => "x <> 0".to_owned(),
        (from, to) if from.is_temporal() && is_number(to) => {
            "what number is meant, such as date_part('epoch', x)".to_owned()
        }
        (from, to) if is_number(from) && to.is_temporal() => {
            "what day or time is meant, such as to_timestamp_seconds(x)".to_owned()
        }
        _ => return Ok(()),
    };
    Err(Error::invalid(format!("column '{column}' is {to_name}, and a value for it is {from_name}: write {write}")))
}

fn has_fraction(data_type: &DataType) -> bool {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale > 0,
        other => other.is_floating(),
    }
}
