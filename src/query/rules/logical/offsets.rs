//! `ORDER BY x OFFSET 3` within another query, where that does not read `x`.
//!
//! DataFusion 55.2 takes the sort away below an OFFSET without LIMIT (`EnsureRequirements`), so that any rows are left
//! out, other ones in each run. With a LIMIT it stays: here one is written that no result reaches. Of the whole result
//! the order is asked for anyway, and large ones may be sorted on disk.
//!
//! Can go when the sort stays: `tests/slt/offsets.slt` then passes without it.

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{FetchType, Limit, LogicalPlan, SkipType, lit};

use crate::query::walk::WalkPlan;

/// The plan with a LIMIT beside each OFFSET that is not of the whole result.
pub(super) fn limit(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    let mut found = false;
    plan.look_at_nodes(&mut |node| {
        found |= without_limit(node)?.is_some();
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    if found { limit_below_top(plan) } else { Ok(plan) }
}

fn limit_below_top(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    match plan {
        LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) => {
            plan.map_children(|input| limit_below_top(input).map(Transformed::yes)).data()
        }
        LogicalPlan::Limit(_) => plan.map_children(|input| limit_all(input).map(Transformed::yes)).data(),
        other => limit_all(other),
    }
}

fn limit_all(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    let limited = plan.change_nodes(&mut |node| match (without_limit(&node)?, node) {
        (Some(skip), LogicalPlan::Limit(limit)) => {
            let most = i64::MAX.saturating_sub_unsigned(skip as u64);
            Ok(Transformed::yes(LogicalPlan::Limit(Limit { fetch: Some(Box::new(lit(most))), ..limit })))
        }
        (_, other) => Ok(Transformed::no(other)),
    })?;
    Ok(limited.data)
}

/// How many rows an OFFSET without LIMIT leaves out; `None` for another node.
fn without_limit(node: &LogicalPlan) -> DfResult<Option<usize>> {
    let LogicalPlan::Limit(limit) = node else { return Ok(None) };
    Ok(match (limit.get_skip_type()?, limit.get_fetch_type()?) {
        (SkipType::Literal(skip), FetchType::Literal(None)) if skip > 0 => Some(skip),
        _ => None,
    })
}
