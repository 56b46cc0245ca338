//! Aggregates of one SELECT with different orders: DataFusion 55.2 sorts the rows of a group for one of them.
//!
//! Those that sort for themselves need none of it. Others it refuses when the plan runs, without saying what to write.
//!
//! Can go when each has its rows in its own order (`get_finer_aggregate_exprs_requirement` asks for one):
//! `tests/slt/aggregate_orders.slt` then passes without it, but for what it refuses.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::{AggregateFunction, Sort};
use datafusion::logical_expr::{Expr, LogicalPlan, ReversedUDAF};

use super::RuleContext;
use super::repeated_sorts::value_of;
use crate::error::Error;
use crate::query::functions::sort_alone;
use crate::query::walk::WalkExpression;

/// The aggregate as one that sorts for itself, where there is one.
pub(super) fn sort_apart(
    expression: Expr,
    _schema: &DFSchema,
    _context: &RuleContext<'_>,
) -> DfResult<Transformed<Expr>> {
    let Expr::AggregateFunction(mut call) = expression else { return Ok(Transformed::no(expression)) };
    let alone = match call.params.order_by.is_empty() {
        true => None,
        false => sort_alone(&call.func, call.params.distinct),
    };
    let changed = alone.is_some();
    if let Some(alone) = alone {
        call.func = alone;
    }
    Ok(Transformed::new_transformed(Expr::AggregateFunction(call), changed))
}

/// # Errors
/// `InvalidInput` for aggregates that need their rows in two orders.
pub(super) fn check(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    if let LogicalPlan::Aggregate(aggregate) = &node {
        let mut needed: Option<Needed> = None;
        for expression in &aggregate.aggr_expr {
            expression.look_at_parts(&mut |part| {
                if let Expr::AggregateFunction(call) = part
                    && let Some(other) = Needed::of(call, &aggregate.group_expr)
                {
                    needed = Some(match needed.take() {
                        Some(one) => one.unite(other)?,
                        None => other,
                    });
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
    }
    Ok(Transformed::no(node))
}

/// The order in which an aggregate needs its rows.
struct Needed {
    function: Arc<str>,
    keys: Vec<Sort>,
}

impl Needed {
    /// `None` of an aggregate that takes its rows in any order. Keys of the group have one value in it.
    fn of(call: &AggregateFunction, group: &[Expr]) -> Option<Self> {
        // DataFusion asks nothing for those that cannot be turned round: percentiles sort for themselves.
        if !call.func.order_sensitivity().hard_requires()
            || matches!(call.func.reverse_udf(), ReversedUDAF::NotSupported)
        {
            return None;
        }
        let is_of_group = |key: &Sort| group.iter().any(|grouped| value_of(grouped) == value_of(&key.expr));
        let keys: Vec<Sort> = call.params.order_by.iter().filter(|key| !is_of_group(key)).cloned().collect();
        (!keys.is_empty()).then(|| Self { function: call.func.name().into(), keys })
    }

    /// The finer one of both, of which each may be read from its end.
    ///
    /// # Errors
    /// `InvalidInput` when neither begins as the other.
    fn unite(self, other: Needed) -> DfResult<Needed> {
        let fits = |one: &[Sort], other: &[Sort], reversed: bool| {
            one.iter().zip(other).all(|(one, other)| {
                value_of(&one.expr) == value_of(&other.expr)
                    && (one.asc != other.asc) == reversed
                    && (one.nulls_first != other.nulls_first) == reversed
            })
        };
        if fits(&self.keys, &other.keys, false) || fits(&self.keys, &other.keys, true) {
            return Ok(if other.keys.len() > self.keys.len() { other } else { self });
        }
        Err(Error::invalid(format!(
            "{} and {} of one SELECT have different ORDER BY, and its rows are sorted once: leave away the order that changes \
             nothing, as count(x) for count(x ORDER BY y), and write array_element(array_agg(x ORDER BY y), 2) in place of \
             nth_value(x, 2 ORDER BY y) and of (array_agg(x ORDER BY y))[2]",
            self.function, other.function
        ))
        .into())
    }
}
