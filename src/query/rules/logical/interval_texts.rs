//! A text that becomes an INTERVAL names the unit of each number: `CAST('1' AS INTERVAL)` was a month, where
//! `INTERVAL '1'` is a second. Hours and minutes, as in `02:30:00`, are read as those of a literal.
//!
//! Can go when casts read texts as literals are read: of `tests/slt/length_parts.slt` the texts of columns then pass
//! without it, and numbers without a unit, which `tests/slt/advice.slt` sees refused, are seconds.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, ScalarUDF, TryCast, lit};

use super::RuleContext;
use crate::query::functions::{IntervalText, read_units};

/// The cast of a text in which each number has its unit: a literal is read here, others by a function below the cast.
pub(super) fn check_units(
    expression: Expr,
    schema: &DFSchema,
    _context: &RuleContext<'_>,
) -> DfResult<Transformed<Expr>> {
    let is_meant = |text: &Expr, field: &FieldRef| -> DfResult<bool> {
        let is_interval = matches!(field.data_type(), DataType::Interval(_));
        Ok(is_interval && !is_checked(text) && text.get_type(schema)?.is_string())
    };
    if let Expr::Cast(Cast { expr, field }) = &expression
        && let Expr::Literal(text, _) = expr.as_ref()
        && is_meant(expr, field)?
    {
        // The value of a parameter: what the text of a statement says is read before it is planned.
        let named = match text.try_as_str().flatten().map(read_units).transpose()? {
            Some(Cow::Owned(named)) => Some(named),
            _ => None,
        };
        let Some(named) = named else { return Ok(Transformed::no(expression)) };
        let field = Arc::clone(field);
        return Ok(Transformed::yes(Expr::Cast(Cast { expr: Box::new(lit(named)), field })));
    }
    Ok(match expression {
        Expr::Cast(Cast { expr, field }) if is_meant(&expr, &field)? => {
            Transformed::yes(Expr::Cast(Cast { expr: check(*expr, false), field }))
        }
        Expr::TryCast(TryCast { expr, field }) if is_meant(&expr, &field)? => {
            Transformed::yes(Expr::TryCast(TryCast { expr: check(*expr, true), field }))
        }
        other => Transformed::no(other),
    })
}

fn is_checked(text: &Expr) -> bool {
    matches!(text, Expr::ScalarFunction(call) if call.func.inner().is::<IntervalText>())
}

fn check(text: Expr, gives_null: bool) -> Box<Expr> {
    let function = Arc::new(ScalarUDF::from(IntervalText::new(gives_null)));
    Box::new(Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![text])))
}
