//! The branches of UNION under the names of its columns.
//!
//! A union that is left with one branch, since the others have no rows, is replaced by it. DataFusion 55.2 then reads the
//! union's columns by their names, which the branch need not have: `SELECT a AS c ... WHERE false UNION ALL VALUES (1)`
//! fails with "No field named c".
//!
//! Can go when `PropagateEmptyRelation` reads them by their places: `tests/slt/set_operations.slt` then passes without it.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};

use super::RuleContext;

pub(super) fn unify(node: LogicalPlan, _: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Union(mut union) = node else { return Ok(Transformed::no(node)) };
    let mut changed = false;
    for input in &mut union.inputs {
        if !has_names(input.schema(), &union.schema) {
            *input = Arc::new(with_names(input, &union.schema)?);
            changed = true;
        }
    }
    Ok(Transformed::new_transformed(LogicalPlan::Union(union), changed))
}

fn has_names(branch: &DFSchema, union: &DFSchema) -> bool {
    branch.fields().iter().zip(union.fields()).all(|(column, named)| column.name() == named.name())
}

fn with_names(branch: &LogicalPlan, union: &DFSchema) -> DfResult<LogicalPlan> {
    let (columns, input) = match branch {
        LogicalPlan::Projection(projection) => (projection.expr.clone(), Arc::clone(&projection.input)),
        other => (other.schema().iter().map(Expr::from).collect(), Arc::new(other.clone())),
    };
    let names = branch.schema().fields().iter().zip(union.fields());
    let named = columns.into_iter().zip(names).map(|(column, (field, named))| match field.name() == named.name() {
        true => column,
        false => column.alias(named.name()),
    });
    Projection::try_new(named.collect(), input).map(LogicalPlan::Projection)
}
