//! Rules over logical plans. They guard against what DataFusion does wrongly, and say otherwise what it would do at
//! length; each file names the fault upstream, and when the rule can go.
//!
//! One walk does all rules of a phase, subqueries included, from the leaves up. A plan is *written* when SQL has become
//! a plan: types are settled there, since the client is told the columns of the result. It is *bound* when its
//! parameters have values: what depends on a value, such as a NULL, belongs there.

mod correlated_subquery;
mod in_subquery;
mod local_time;
mod null_in_list;
mod set_operation_all;
mod streamed_members;
mod volatile_group;
mod volatile_operand;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::error::Result;

/// What a rule knows beside the plan.
pub(in crate::query) struct RuleContext<'a> {
    /// The session's time zone, an IANA name.
    pub(in crate::query) zone: &'a str,
}

/// Changes one expression, of which the parts are done already. The schema is that of the node's inputs.
type ExpressionRule = fn(Expr, &DFSchema, &RuleContext<'_>) -> DfResult<Transformed<Expr>>;

/// Changes or refuses one node, of which the inputs are done already; its expressions follow.
type NodeRule = fn(LogicalPlan, &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>>;

/// The rules of a phase, in their order.
struct Phase {
    nodes: &'static [NodeRule],
    expressions: &'static [ExpressionRule],
}

const WRITTEN: Phase = Phase {
    nodes: &[
        // Before the rule that builds subqueries of its own.
        correlated_subquery::rewrite,
        in_subquery::rewrite,
        set_operation_all::count_copies,
        volatile_group::compute_first,
        volatile_operand::compute_first,
    ],
    expressions: &[local_time::rewrite],
};

const BOUND: Phase = Phase { nodes: &[streamed_members::plan], expressions: &[null_in_list::split] };

/// The rules of a plan as it was written, with its instants shown in the session's zone.
///
/// # Errors
/// `InvalidInput` for what would give wrong rows, with what to write instead.
pub(in crate::query) fn apply_to_written(plan: LogicalPlan, context: &RuleContext<'_>) -> Result<LogicalPlan> {
    local_time::show(WRITTEN.apply(plan, context)?.recompute_schema()?, context.zone)
}

/// The rules of a plan that has its parameters.
pub(in crate::query) fn apply_to_bound(plan: LogicalPlan, context: &RuleContext<'_>) -> Result<LogicalPlan> {
    BOUND.apply(plan, context)
}

impl Phase {
    fn apply(&self, plan: LogicalPlan, context: &RuleContext<'_>) -> Result<LogicalPlan> {
        let done = plan.transform_up_with_subqueries(|node| {
            let mut done = Transformed::no(node);
            for rule in self.nodes {
                done = done.transform_data(|node| rule(node, context))?;
            }
            done.transform_data(|node| self.rewrite_expressions(node, context))
        })?;
        Ok(done.data)
    }

    fn rewrite_expressions(&self, node: LogicalPlan, context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
        if self.expressions.is_empty() {
            return Ok(Transformed::no(node));
        }
        let schema = schema_of_inputs(&node);
        let names = NamePreserver::new(&node);
        let rewritten = node.map_expressions(|expression| {
            let name = names.save(&expression);
            let done = expression.transform_up(|part| self.rewrite_part(part, &schema, context))?;
            Ok(done.update_data(|expression| name.restore(expression)))
        })?;
        match rewritten.transformed {
            true => rewritten.map_data(|node| node.recompute_schema()),
            false => Ok(rewritten),
        }
    }

    fn rewrite_part(&self, part: Expr, schema: &DFSchema, context: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
        let mut done = Transformed::no(part);
        for rule in self.expressions {
            done = done.transform_data(|part| rule(part, schema, context))?;
        }
        // The parts of what a rule made are done: it does not see its own work again.
        Ok(Transformed::new(done.data, done.transformed, TreeNodeRecursion::Continue))
    }
}

/// The columns that the expressions of a node can name.
fn schema_of_inputs(node: &LogicalPlan) -> DFSchema {
    let mut schema = DFSchema::empty();
    for input in node.inputs() {
        schema.merge(input.schema());
    }
    schema
}

/// Whether something in the plan gives another value with each call.
fn is_volatile_plan(plan: &LogicalPlan) -> DfResult<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            found |= expression.is_volatile();
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}
