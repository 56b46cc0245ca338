//! The clauses of a function call: FILTER, OVER, WITHIN GROUP, IGNORE NULLS, ORDER BY.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, Volatility};
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments,
    ObjectName, ObjectNamePart, OrderByExpr, Value, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowSpec,
    WindowType,
};

use super::query::check_order_by_expression;
use super::{constants, refuse};
use crate::error::Result;
use crate::query::statement::walk::visit_expressions;

/// The window functions that can pass over NULLs.
const SKIP_NULLS: [&str; 5] = ["first_value", "last_value", "nth_value", "lag", "lead"];

/// What a name is, as the planner looks it up: a scalar function before all others.
pub(in crate::query) struct FunctionKinds<'a> {
    scalar: &'a HashMap<String, Arc<ScalarUDF>>,
    aggregate: &'a HashMap<String, Arc<AggregateUDF>>,
}

impl<'a> FunctionKinds<'a> {
    pub(in crate::query) fn of(state: &'a SessionState) -> Self {
        Self { scalar: state.scalar_functions(), aggregate: state.aggregate_functions() }
    }

    /// Whether there is a function of this name, in lower case, that is no window function alone.
    pub(in crate::query) fn knows(&self, name: &str) -> bool {
        self.scalar.contains_key(name) || self.aggregate.contains_key(name)
    }

    /// Whether each call gives another value.
    pub(in crate::query) fn is_volatile(&self, name: &ObjectName) -> bool {
        let function = self.scalar.get(&name.to_string().to_ascii_lowercase());
        function.is_some_and(|function| function.signature().volatility == Volatility::Volatile)
    }
}

pub(super) fn check(call: &Function, kinds: &FunctionKinds<'_>) -> Result<()> {
    let Function { name, uses_odbc_syntax: _, parameters, args, filter, null_treatment, over, within_group } = call;
    let name = match name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] if name.quote_style.is_some() => name.value.clone(),
        _ => name.to_string().to_ascii_lowercase(),
    };
    let remedy = "give all arguments in one pair of parentheses";
    refuse(!matches!(parameters, FunctionArguments::None), "a second pair of parentheses", remedy)?;
    let list = match args {
        FunctionArguments::List(list) => Some(list),
        FunctionArguments::None => None,
        FunctionArguments::Subquery(_) => {
            let call = format!("{name}(SELECT ...)");
            return refuse(true, &call, &format!("write (SELECT {name}(x) FROM ...), and array_agg for ARRAY"));
        }
    };
    let (distinct, clauses) = match list {
        Some(FunctionArgumentList { duplicate_treatment, args, clauses }) => {
            args.iter().try_for_each(check_argument)?;
            (duplicate_treatment.is_some(), clauses.as_slice())
        }
        None => (false, &[][..]),
    };
    let skips_nulls = null_treatment.is_some()
        || clauses.iter().any(|clause| matches!(clause, FunctionArgumentClause::IgnoreOrRespectNulls(_)));
    if kinds.scalar.contains_key(&name) || name == "unnest" {
        let is_plain = filter.is_none() && over.is_none() && within_group.is_empty() && !distinct && clauses.is_empty();
        let clauses = format!("DISTINCT, ORDER BY, FILTER, OVER or IGNORE NULLS with {name}()");
        return refuse(!is_plain || skips_nulls, &clauses, "it is not an aggregate, leave the clause out");
    }
    if let Some(over) = over {
        check_window(over)?;
        let passes_over = SKIP_NULLS.contains(&name.as_str());
        refuse(skips_nulls && !passes_over, &format!("IGNORE NULLS with {name}()"), "leave it out")?;
        let is_aggregate = kinds.aggregate.contains_key(&name);
        let remedy = "only aggregates take it over a window; write CASE WHEN in the argument";
        refuse(filter.is_some() && !is_aggregate, &format!("FILTER with {name}()"), remedy)?;
        refuse(distinct && !is_aggregate, &format!("DISTINCT with {name}()"), "leave it out")?;
    }
    if let Some(list) = list {
        let pairs = name == "count" && distinct && list.args.len() > 1;
        refuse(pairs, "count(DISTINCT a, b)", "write count(DISTINCT (a, b)), which counts the pairs")?;
    }
    let sorts_texts = name == "string_agg" && !within_group.is_empty();
    refuse(sorts_texts, "WITHIN GROUP with string_agg()", "write string_agg(x, ',' ORDER BY y)")?;
    within_group.iter().try_for_each(check_inner_sort)?;
    clauses.iter().try_for_each(|clause| check_clause(clause, &name))
}

fn check_argument(argument: &FunctionArg) -> Result<()> {
    let value = match argument {
        FunctionArg::Named { name: _, arg, operator: _ } | FunctionArg::ExprNamed { name: _, arg, operator: _ } => arg,
        FunctionArg::Unnamed(value) => value,
    };
    match value {
        FunctionArgExpr::Expr(_) | FunctionArgExpr::Wildcard => Ok(()),
        FunctionArgExpr::QualifiedWildcard(_) => refuse(true, "t.* as an argument", "write * or a column of t"),
        FunctionArgExpr::WildcardWithOptions(_) => refuse(true, "* EXCLUDE (...) as an argument", "name the columns"),
    }
}

fn check_window(window: &WindowType) -> Result<()> {
    let WindowType::WindowSpec(window) = window else { return Ok(()) };
    let WindowSpec { window_name, partition_by: _, order_by, window_frame } = window;
    let remedy = "write the whole window in the parentheses";
    refuse(window_name.is_some(), "a window that adds to a named one", remedy)?;
    check_frame(window_frame.as_ref())?;
    order_by.iter().try_for_each(check_inner_sort)
}

/// The ORDER BY of a window or of an aggregate.
pub(super) fn check_inner_sort(sort: &OrderByExpr) -> Result<()> {
    check_order_by_expression(sort)?;
    constants::check_inner_sort(sort)
}

/// The ends of a frame are numbers when a statement is planned.
pub(super) fn check_frame(frame: Option<&WindowFrame>) -> Result<()> {
    let Some(WindowFrame { units, start_bound, end_bound }) = frame else { return Ok(()) };
    let holds_parameter = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::Preceding(Some(distance)) | WindowFrameBound::Following(Some(distance)) => {
            visit_expressions(distance.as_ref(), |part| match part {
                Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
            .is_break()
        }
        _ => false,
    };
    let holds = holds_parameter(start_bound) || end_bound.as_ref().is_some_and(holds_parameter);
    refuse(holds, "a parameter in the frame of a window", "write the distance itself, as in ROWS 2 PRECEDING")?;
    let is_part = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::Preceding(Some(distance)) | WindowFrameBound::Following(Some(distance)) => {
            matches!(distance.as_ref(), Expr::Value(value) if is_fraction(&value.value))
        }
        _ => false,
    };
    let counts = !matches!(units, WindowFrameUnits::Range);
    let holds = counts && (is_part(start_bound) || end_bound.as_ref().is_some_and(is_part));
    refuse(
        holds,
        "a fraction in ROWS or GROUPS",
        "they count whole ones: write ROWS 2 PRECEDING, or RANGE for a distance",
    )
}

fn is_fraction(value: &Value) -> bool {
    matches!(value, Value::Number(number, _) if number.parse::<u64>().is_err())
}

fn check_clause(clause: &FunctionArgumentClause, name: &str) -> Result<()> {
    let (clause, remedy) = match clause {
        FunctionArgumentClause::IgnoreOrRespectNulls(_) => return Ok(()),
        FunctionArgumentClause::OrderBy(sorts) => return sorts.iter().try_for_each(check_inner_sort),
        FunctionArgumentClause::Limit(_) => ("LIMIT", "cut the list with array_slice"),
        FunctionArgumentClause::OnOverflow(_) => ("ON OVERFLOW", "leave it out"),
        FunctionArgumentClause::Having(_) => ("HAVING", "write FILTER (WHERE ...)"),
        FunctionArgumentClause::Separator(_) => ("SEPARATOR", "write string_agg(x, ', ' ORDER BY y)"),
        FunctionArgumentClause::JsonNullClause(_) => ("ON NULL", "leave it out"),
        FunctionArgumentClause::JsonReturningClause(_) => ("RETURNING", "CAST the result"),
    };
    refuse(true, &format!("{clause} in {name}()"), remedy)
}
