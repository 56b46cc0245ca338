//! Regular expressions that are none: refused with the fault before the statement runs. DataFusion 55.2 calls some of
//! them an error from outside, and says of others no more than that they did not compile.
//!
//! Can go when each is an error of planning that has the fault: `tests/slt/advice.slt` then passes without it, but for
//! the words.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use regex::Regex;

use super::RuleContext;
use crate::error::{Error, shown};

/// Functions whose second argument is a pattern.
const TAKING_PATTERNS: [&str; 5] = ["regexp_count", "regexp_instr", "regexp_like", "regexp_match", "regexp_replace"];

/// # Errors
/// `InvalidInput` for a constant that is no pattern.
pub(super) fn check(expression: Expr, _: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    let pattern = match &expression {
        Expr::BinaryExpr(BinaryExpr { op, right, .. }) if takes_pattern(*op) => Some(right.as_ref()),
        Expr::ScalarFunction(call) if TAKING_PATTERNS.contains(&call.func.name()) => call.args.get(1),
        _ => None,
    };
    if let Some(pattern) = pattern.and_then(constant_text) {
        check_pattern(pattern)?;
    }
    Ok(Transformed::no(expression))
}

fn takes_pattern(operator: Operator) -> bool {
    use Operator::{RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch};
    matches!(operator, RegexMatch | RegexIMatch | RegexNotMatch | RegexNotIMatch)
}

fn constant_text(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        Expr::Cast(cast) => constant_text(&cast.expr),
        _ => None,
    }
}

fn check_pattern(pattern: &str) -> DfResult<()> {
    let Err(fault) = Regex::new(pattern) else { return Ok(()) };
    // With the flag x a pattern has comments.
    if Regex::new(&format!("(?x){pattern}")).is_ok() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{} is no regular expression, and where a character stands for itself it needs a backslash, as in '\\[': {fault}",
        shown(pattern)
    ))
    .into())
}
