//! `x = ANY(ARRAY[a, b])` as `x IN (a, b)`, before the rules that guard lists.
//!
//! DataFusion 55.2 makes this list in its optimizer, where it joins lists at once, and wrongly: `computed_in_list`,
//! `null_in_list` and `null_of_two_lists` have how. Can go with them.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Expr, lit};

use super::RuleContext;

/// The search in an array as one in a list, unless the array has no elements.
pub(super) fn rewrite(expression: Expr, _schema: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    let Expr::ScalarFunction(call) = &expression else { return Ok(Transformed::no(expression)) };
    let ("array_has", [array, value]) = (call.func.name(), call.args.as_slice()) else {
        return Ok(Transformed::no(expression));
    };
    let list = elements(array)?;
    if list.is_empty() {
        return Ok(Transformed::no(expression));
    }
    let expr = Box::new(value.clone());
    Ok(Transformed::yes(Expr::InList(InList { expr, list, negated: false })))
}

/// The elements of an array that is written right there, or that is the value of a parameter.
fn elements(array: &Expr) -> DfResult<Vec<Expr>> {
    Ok(match array {
        Expr::ScalarFunction(call) if call.func.name() == "make_array" => call.args.clone(),
        Expr::Literal(lists @ ScalarValue::List(_), _) => {
            let lists = ScalarValue::convert_array_to_scalar_vec(&lists.to_array()?)?;
            lists.into_iter().flatten().flatten().map(lit).collect()
        }
        _ => Vec::new(),
    })
}
