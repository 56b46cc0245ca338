//! DataFusion's rule for `count(DISTINCT x)` beside sums, with the types that it loses.
//!
//! DataFusion 55.2 sums such a group in two steps, and the sum of sums has ten digits more than the plan says: HAVING
//! then failed on a DECIMAL(38,2) beside a DECIMAL(28,2).
//!
//! Can go when `SingleDistinctToGroupBy` keeps the types: `tests/slt/cast_names.slt` then passes without it.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use datafusion::optimizer::single_distinct_to_groupby::SingleDistinctToGroupBy;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

#[derive(Debug)]
pub(super) struct SingleDistinct {
    inner: SingleDistinctToGroupBy,
}

impl SingleDistinct {
    pub(super) fn new() -> Self {
        Self { inner: SingleDistinctToGroupBy::new() }
    }
}

impl OptimizerRule for SingleDistinct {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.inner.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> DfResult<Transformed<LogicalPlan>> {
        if !matches!(plan, LogicalPlan::Aggregate(_)) {
            return Ok(Transformed::no(plan));
        }
        let written = Arc::clone(plan.schema());
        let done = self.inner.rewrite(plan, config)?;
        let types = || written.fields().iter().zip(done.data.schema().fields());
        if !done.transformed || types().all(|(before, after)| before.data_type() == after.data_type()) {
            return Ok(done);
        }
        let columns: Vec<Expr> = done
            .data
            .schema()
            .iter()
            .zip(written.iter())
            .map(|((table, field), (_, before))| {
                let column = Expr::from((table, field));
                match field.data_type() == before.data_type() {
                    true => column,
                    false => cast(column, before.data_type().clone()).alias_qualified(table.cloned(), field.name()),
                }
            })
            .collect();
        Ok(Transformed::yes(LogicalPlanBuilder::from(done.data).project(columns)?.build()?))
    }
}
