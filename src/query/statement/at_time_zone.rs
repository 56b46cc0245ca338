//! `x AT TIME ZONE 'z'` as a call of `timezone('z', x)`.
//!
//! DataFusion plans it as a cast to a timestamp of that zone: an instant, where SQL asks for the wall time there.

use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName, Value,
    visit_expressions_mut,
};

/// Rewrites it everywhere in the statement.
pub(in crate::query) fn rewrite(statement: &mut DfStatement) {
    match statement {
        DfStatement::Statement(inner) => {
            let ControlFlow::Continue(()) = visit_expressions_mut(inner, |expression| {
                rewrite_one(expression);
                ControlFlow::<Infallible>::Continue(())
            });
        }
        DfStatement::Explain(explain) => rewrite(&mut explain.statement),
        _ => {}
    }
}

fn rewrite_one(expression: &mut Expr) {
    if !matches!(expression, Expr::AtTimeZone { .. }) {
        return;
    }
    let taken = std::mem::replace(expression, Expr::value(Value::Null));
    if let Expr::AtTimeZone { timestamp, time_zone } = taken {
        *expression = call(*time_zone, *timestamp);
    }
}

fn call(zone: Expr, time: Expr) -> Expr {
    let argument = |expression| FunctionArg::Unnamed(FunctionArgExpr::Expr(expression));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("timezone")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: vec![argument(zone), argument(time)],
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
