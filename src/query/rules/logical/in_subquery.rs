//! Refuses the one shape that DataFusion 55.2 answers wrongly: `IN (subquery)` that is not a top-level condition.
//!
//! Such a predicate becomes a mark join, which knows no NULL. Where neither side can be NULL the answer is right.

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

use super::{RuleContext, schema_of_inputs};
use crate::error::Error;

/// # Errors
/// `InvalidInput` naming EXISTS when the node holds the shape.
pub(super) fn check(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    check_node(&node)?;
    Ok(Transformed::no(node))
}

fn check_node(node: &LogicalPlan) -> DfResult<()> {
    let schema = schema_of_inputs(node);
    let conjuncts: Vec<&Expr> = match node {
        LogicalPlan::Filter(filter) => split_conjunction(&filter.predicate),
        _ => Vec::new(),
    };
    for conjunct in &conjuncts {
        // A conjunct that is itself the subquery predicate becomes a semi or a null-aware anti join.
        if !matches!(conjunct, Expr::InSubquery(_)) {
            check_expression(conjunct, &schema)?;
        }
    }
    if conjuncts.is_empty() {
        node.apply_expressions(|expression| {
            check_expression(expression, &schema)?;
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    Ok(())
}

fn check_expression(expression: &Expr, schema: &DFSchema) -> DfResult<()> {
    expression.apply(|part| {
        let nullable = match part {
            Expr::InSubquery(predicate) => {
                predicate.expr.nullable(schema).unwrap_or(true) || may_yield_null(&predicate.subquery.subquery)
            }
            Expr::SetComparison(predicate) => {
                predicate.expr.nullable(schema).unwrap_or(true) || may_yield_null(&predicate.subquery.subquery)
            }
            _ => false,
        };
        if nullable {
            return Err(refusal().into());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

fn may_yield_null(plan: &LogicalPlan) -> bool {
    plan.schema().fields().iter().any(|field| field.is_nullable())
}

fn refusal() -> Error {
    Error::invalid(
        "IN (subquery) under OR, NOT, IS or CASE, where one side may be NULL, is not supported: write it with EXISTS, \
         such as EXISTS (SELECT 1 FROM t WHERE t.a = x.a)",
    )
}
