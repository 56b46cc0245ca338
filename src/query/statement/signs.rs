//! `-(a - b)` of instants: a sign before a length of time, which DataFusion 55.2 refuses while it plans.

use std::ops::ControlFlow;

use super::walk::visit_mut;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value, VisitorMut};

/// The statement with `x * -1` for each `-x`, of numbers the same; `None` where there is none.
pub(in crate::query) fn as_factors(statement: &DfStatement) -> Option<DfStatement> {
    let mut statement = statement.clone();
    let mut factors = Factors { found: false };
    match &mut statement {
        // It breaks off nowhere.
        DfStatement::Statement(inner) => drop(visit_mut(inner, &mut factors)),
        _ => return None,
    }
    factors.found.then_some(statement)
}

struct Factors {
    found: bool,
}

impl VisitorMut for Factors {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::UnaryOp { op: UnaryOperator::Minus, expr } = expression
            && !matches!(expr.as_ref(), Expr::Value(_))
        {
            let minus_one = Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(number("1")) };
            let operand = std::mem::replace(expr.as_mut(), number("1"));
            *expression =
                Expr::BinaryOp { left: Box::new(operand), op: BinaryOperator::Multiply, right: Box::new(minus_one) };
            self.found = true;
        }
        ControlFlow::Continue(())
    }
}

fn number(digits: &str) -> Expr {
    Expr::Value(Value::Number(digits.to_owned(), false).into())
}
