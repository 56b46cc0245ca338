//! JSON values, which `->` and `json_get` give: read as their text where they are cast, and kept apart from all others.
//!
//! datafusion-functions-json 0.55 gives a union of one column for each kind of JSON value. A cast of it, and DataFusion
//! 55.2 where it meets another type, reads one of these columns: of 19.9 an INT is NULL, and `> 15` finds no 19.9.
//! PostgreSQL casts JSON by its digits and has no comparison, order or grouping of it.
//!
//! The type of a JSON value is the same whatever stands beside it, a parameter too: all is settled when the plan is
//! written.
//!
//! Can go when a JSON value is cast by its digits, and meets no other type: `tests/slt/json_values.slt` then passes
//! without it, but for the words.

mod keep_apart;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType};
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::{AggregateFunction, Cast, InSubquery, ScalarFunction, SetComparison, TryCast};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion_functions_json::JSON_UNION_DATA_TYPE;
use datafusion_functions_json::udfs::json_as_text_udf;

use super::{RuleContext, expressions, schema_of_inputs};
use crate::query::functions::numbers::plain_number;
use crate::query::walk::{WalkExpression, WalkPlan};

/// The function that `->` calls.
const GET: &str = "json_get";

/// A scalar that becomes a JSON value.
const FROM_SCALAR: &str = "json_from_scalar";

/// A JSON value that becomes its text, with quotes.
const UNION_TO_TEXT: &str = "json_union_to_text";

/// Functions of datafusion-functions-json begin so.
const FUNCTIONS: &str = "json_";

/// # Errors
/// `InvalidInput` for a JSON value that meets others, with what to write.
pub(super) fn read(node: LogicalPlan, _: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let is_given = node.inputs().iter().any(|input| has_json(input.schema()));
    if !is_given && !expressions::has_part(&node, makes_json)? {
        return Ok(Transformed::no(node));
    }
    keep_apart::check_node(&node)?;
    let schema = schema_of_inputs(&node);
    node.look_at_expressions(&mut |expression| {
        expression.look_at_parts(&mut |part| {
            keep_apart::check_part(part, &schema)?;
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    if !expressions::has_part(&node, reads_call)? {
        return Ok(Transformed::no(node));
    }
    expressions::map_expressions(node, |expression| expression.change_parts(&mut |part| Ok(read_part(part))))
}

fn is_json_type(data_type: &DataType) -> bool {
    *data_type == *JSON_UNION_DATA_TYPE
}

fn has_json(schema: &DFSchema) -> bool {
    schema.fields().iter().any(|field| is_json_type(field.data_type()))
}

/// Whether the value is JSON; the type of a call may be open, that of a parameter's part.
fn is_json(expression: &Expr, schema: &DFSchema) -> bool {
    call_below(expression).is_some() || expression.get_type(schema).is_ok_and(|given| is_json_type(&given))
}

/// Whether the part gives JSON, or compares with it, where no input has any.
fn makes_json(part: &Expr) -> bool {
    match part {
        Expr::ScalarFunction(call) => [GET, FROM_SCALAR].contains(&call.func.name()),
        Expr::OuterReferenceColumn(field, _) => is_json_type(field.data_type()),
        Expr::ScalarSubquery(subquery)
        | Expr::InSubquery(InSubquery { subquery, .. })
        | Expr::SetComparison(SetComparison { subquery, .. }) => has_json(subquery.subquery.schema()),
        Expr::Cast(cast) => is_json_type(cast.field.data_type()),
        _ => false,
    }
}

/// The call of `->`, below the name that the planner gives it.
fn call_below(expression: &Expr) -> Option<&ScalarFunction> {
    match expression {
        Expr::Alias(alias) => call_below(&alias.expr),
        Expr::ScalarFunction(call) if call.func.name() == GET => Some(call),
        _ => None,
    }
}

/// Whether a call of `->` is all that the part reads, and its text says more than the union of kinds.
fn reads_call(part: &Expr) -> bool {
    match part {
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field }) => {
            !is_json_type(field.data_type()) && call_below(expr).is_some()
        }
        Expr::IsNull(operand) | Expr::IsNotNull(operand) => call_below(operand).is_some(),
        Expr::ScalarFunction(call) => call_read_without_key(call).is_some(),
        Expr::AggregateFunction(call) => is_count(call.func.name(), &call.params.args),
        Expr::WindowFunction(call) => is_count(call.fun.name(), &call.params.args),
        _ => false,
    }
}

/// The call of `->` that a function of JSON reads whole: of its value such a function finds lists alone, by its keys
/// whatever there is.
fn call_read_without_key(call: &ScalarFunction) -> Option<&ScalarFunction> {
    let name = call.func.name();
    match call.args.as_slice() {
        [operand] if name.starts_with(FUNCTIONS) && ![FROM_SCALAR, UNION_TO_TEXT].contains(&name) => {
            call_below(operand)
        }
        _ => None,
    }
}

fn is_count(function: &str, arguments: &[Expr]) -> bool {
    function == "count" && arguments.iter().any(|argument| call_below(argument).is_some())
}

fn read_part(part: Expr) -> Transformed<Expr> {
    if !reads_call(&part) {
        return Transformed::no(part);
    }
    Transformed::yes(match part {
        Expr::Cast(Cast { expr, field }) => {
            let digits = digits_of(*expr, field.data_type());
            let rounded = match field.data_type().is_integer() {
                true => Expr::Cast(Cast::new(Box::new(digits), whole_number())),
                false => digits,
            };
            Expr::Cast(Cast { expr: Box::new(rounded), field })
        }
        Expr::TryCast(TryCast { expr, field }) => {
            let digits = digits_of(*expr, field.data_type());
            let rounded = match field.data_type().is_integer() {
                true => Expr::TryCast(TryCast::new(Box::new(digits), whole_number())),
                false => digits,
            };
            Expr::TryCast(TryCast { expr: Box::new(rounded), field })
        }
        // An integer beyond BIGINT has no place in the union, and would be missing.
        Expr::IsNull(operand) => Expr::IsNull(Box::new(text_of(*operand))),
        Expr::IsNotNull(operand) => Expr::IsNotNull(Box::new(text_of(*operand))),
        Expr::ScalarFunction(call) => {
            let args = call_read_without_key(&call).map(|inner| inner.args.clone()).unwrap_or_default();
            Expr::ScalarFunction(ScalarFunction { func: call.func, args })
        }
        Expr::AggregateFunction(AggregateFunction { func, mut params }) => {
            params.args = params.args.into_iter().map(text_of).collect();
            Expr::AggregateFunction(AggregateFunction { func, params })
        }
        Expr::WindowFunction(mut call) => {
            call.params.args = std::mem::take(&mut call.params.args).into_iter().map(text_of).collect();
            Expr::WindowFunction(call)
        }
        other => other,
    })
}

/// The text, of which an exact number can be read.
fn digits_of(operand: Expr, to: &DataType) -> Expr {
    let text = text_of(operand);
    match to.is_numeric() && !to.is_floating() {
        true => plain_number(text),
        false => text,
    }
}

/// A number with a fraction is rounded on its way to an integer, of which the text would be refused.
fn whole_number() -> DataType {
    DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0)
}

/// What `->>` gives in the place of `->`; another expression as it is.
fn text_of(expression: Expr) -> Expr {
    match call_below(&expression) {
        Some(call) => Expr::ScalarFunction(ScalarFunction { func: json_as_text_udf(), args: call.args.clone() }),
        None => expression,
    }
}
