//! `x AT TIME ZONE 'z'` as a call of `timezone('z', x)`.
//!
//! DataFusion plans it as a cast to a timestamp of that zone: an instant, where SQL asks for the wall time there.

use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{Expr, Value};

use super::compose::call_of;
use super::inner_mut;
use super::walk::visit_expressions_mut;

/// Rewrites it everywhere in the statement.
pub(in crate::query) fn rewrite(statement: &mut DfStatement) {
    let Some(inner) = inner_mut(statement) else { return };
    let ControlFlow::Continue(()) = visit_expressions_mut(inner, |expression| {
        rewrite_one(expression);
        ControlFlow::<Infallible>::Continue(())
    });
}

fn rewrite_one(expression: &mut Expr) {
    if !matches!(expression, Expr::AtTimeZone { .. }) {
        return;
    }
    let taken = std::mem::replace(expression, Expr::value(Value::Null));
    if let Expr::AtTimeZone { timestamp, time_zone } = taken {
        *expression = call_of("timezone", vec![*time_zone, *timestamp]);
    }
}
