//! Columns that the logical plan holds for never NULL, and the physical one for maybe NULL.
//!
//! DataFusion 55.2 proves more of a CASE in the logical plan: `CASE WHEN i < b THEN i ELSE 1 END` is never NULL there, since
//! the condition is not true for an i that is NULL. The physical plan tries the condition with a NULL for i and without a
//! row, so that it knows nothing where the condition reads another column. `x IS TRUE` and its like become IS NOT DISTINCT
//! FROM only in the physical plan, which may be NULL where x may. Below an aggregate the two are compared, and the
//! statement fails with a dump of the difference. Here both are written so that either plan says that they may be NULL:
//! `CASE true WHEN`, of which no branch is taken for one that cannot be reached, and IS NOT DISTINCT FROM.
//!
//! A scalar subquery that reads columns from outside becomes a join, of which the column may be NULL. UNION keeps what was
//! said of its branches before: there, columns may be NULL where a branch has subqueries.
//!
//! Conditions of WHERE and of joins stay as they are: they are no columns, and the optimizer knows their forms.
//!
//! Can go when both plans prove the same: `tests/slt/nullability.slt` then passes without it.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator, Union, binary_expr, lit};

use super::expressions::{has_part, map_expressions};
use super::{RuleContext, schema_of_inputs};
use crate::query::walk::{WalkExpression, WalkPlan};

/// The node, with columns of which both plans say the same.
pub(super) fn agree(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let has_columns = matches!(node, LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) | LogicalPlan::Window(_));
    if !has_columns || !has_part(&node, is_proved)? {
        return Ok(Transformed::no(node));
    }
    let schema = schema_of_inputs(&node);
    let done = map_expressions(node, |expression| expression.change_parts(&mut |part| rewrite_part(part, &schema)))?;
    match done.transformed {
        true => done.map_data(LogicalPlan::recompute_schema),
        false => Ok(done),
    }
}

/// UNION with columns that may be NULL, where a branch holds a scalar subquery.
pub(super) fn allow_in_unions(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Union(mut union) = node else { return Ok(Transformed::no(node)) };
    if union.schema.fields().iter().all(|field| field.is_nullable()) || !holds_subquery(&union)? {
        return Ok(Transformed::no(LogicalPlan::Union(union)));
    }
    let fields = union
        .schema
        .iter()
        .map(|(qualifier, field)| (qualifier.cloned(), Arc::new(field.as_ref().clone().with_nullable(true))));
    let schema = DFSchema::new_with_metadata(fields.collect(), union.schema.metadata().clone())?;
    union.schema = Arc::new(schema);
    Ok(Transformed::yes(LogicalPlan::Union(union)))
}

fn holds_subquery(union: &Union) -> DfResult<bool> {
    let mut found = false;
    for input in &union.inputs {
        input.look_at_own_nodes(&mut |node| {
            found = found || has_part(node, |part| matches!(part, Expr::ScalarSubquery(_)))?;
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
    }
    Ok(found)
}

/// Whether the plans may prove different things of the part.
fn is_proved(part: &Expr) -> bool {
    matches!(
        part,
        Expr::Case(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::IsNotUnknown(_)
    )
}

fn rewrite_part(part: Expr, schema: &DFSchema) -> DfResult<Transformed<Expr>> {
    if let Some(comparison) = compare_truth(&part, schema) {
        return Ok(Transformed::yes(comparison));
    }
    match part {
        Expr::Case(case) if is_proved_in_one_plan(&case, schema)? => {
            Ok(Transformed::yes(Expr::Case(Case { expr: Some(Box::new(lit(true))), ..case })))
        }
        other => Ok(Transformed::no(other)),
    }
}

/// `x IS TRUE` and its like as the physical plan has them.
fn compare_truth(part: &Expr, schema: &DFSchema) -> Option<Expr> {
    use Operator::{IsDistinctFrom, IsNotDistinctFrom};
    let (value, operator, truth) = match part {
        Expr::IsTrue(value) => (value, IsNotDistinctFrom, Some(true)),
        Expr::IsFalse(value) => (value, IsNotDistinctFrom, Some(false)),
        Expr::IsUnknown(value) => (value, IsNotDistinctFrom, None),
        Expr::IsNotTrue(value) => (value, IsDistinctFrom, Some(true)),
        Expr::IsNotFalse(value) => (value, IsDistinctFrom, Some(false)),
        Expr::IsNotUnknown(value) => (value, IsDistinctFrom, None),
        _ => return None,
    };
    // What is no truth value is refused by its own name.
    let is_truth = value.get_type(schema).is_ok_and(|data_type| data_type == DataType::Boolean);
    is_truth.then(|| binary_expr(value.as_ref().clone(), operator, lit(ScalarValue::Boolean(truth))))
}

/// Whether only the logical plan proves that the CASE is never NULL.
fn is_proved_in_one_plan(case: &Case, schema: &DFSchema) -> DfResult<bool> {
    // A type that is not known yet is told by the analyzer.
    if case.expr.is_some() || Expr::Case(case.clone()).nullable(schema).unwrap_or(true) {
        return Ok(false);
    }
    for (condition, value) in &case.when_then_expr {
        if value.nullable(schema).unwrap_or(true) && reads_more_than(condition, value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the condition has no value yet when the value of its branch is NULL.
fn reads_more_than(condition: &Expr, value: &Expr) -> DfResult<bool> {
    let value = innermost(value);
    let mut more = false;
    condition.look_at_parts(&mut |part| {
        if part == value {
            return Ok(TreeNodeRecursion::Jump);
        }
        more |= matches!(
            part,
            Expr::Column(_) | Expr::OuterReferenceColumn(..) | Expr::ScalarSubquery(_) | Expr::Placeholder(_)
        );
        Ok(if more { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(more)
}

/// What must be NULL for the value to be NULL, as both plans look for it.
fn innermost(value: &Expr) -> &Expr {
    match value {
        Expr::Not(inner) | Expr::Negative(inner) => innermost(inner),
        Expr::Cast(cast) => innermost(&cast.expr),
        other => other,
    }
}
