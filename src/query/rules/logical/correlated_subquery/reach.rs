//! What a subquery within a subquery may read of the row around both.
//!
//! DataFusion 55.2 makes a join of the inner subquery first, whose condition then names a row that neither side has; the
//! statement fails when it runs, with names of DataFusion's own: "No field named __correlated_sq_1.b".

use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::{InSubquery, SetComparison};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, Subquery};

use crate::error::Error;
use crate::query::walk::WalkExpression;

/// Refuses a subquery within a subquery that reads the row of the statement around both: DataFusion finds no join for it.
pub(super) fn check_subquery(subquery: &Subquery, around: &DFSchema) -> DfResult<()> {
    for column in &subquery.outer_ref_columns {
        if let Expr::OuterReferenceColumn(_, column) = column
            && !around.has_column(column)
        {
            return Err(Error::invalid(format!(
                "a subquery within a subquery reads {}, which belongs to neither of them: join the tables of the inner \
                 subquery in the outer one, and compare with the outer row there",
                column.flat_name()
            ))
            .into());
        }
    }
    Ok(())
}

/// Refuses IN, ANY and ALL within a subquery of a value that is not of the subquery alone.
pub(super) fn check_operand(part: &Expr) -> DfResult<()> {
    let (Expr::InSubquery(InSubquery { expr, .. }) | Expr::SetComparison(SetComparison { expr, .. })) = part else {
        return Ok(());
    };
    if !expr.contains_outer() {
        return Ok(());
    }
    Err(Error::invalid(
        "a subquery that compares the outer row by IN, ANY or ALL with a subquery of its own is not supported: write a \
         condition of the outer row alone beside the outer subquery, a.x IN (SELECT ...) AND EXISTS (SELECT ...), or join \
         the tables of the inner subquery in the outer one, and compare with the outer row there",
    )
    .into())
}

/// Refuses a condition on the outer row and the value of a subquery that reads a row itself.
pub(super) fn check_conditions(node: &LogicalPlan) -> DfResult<()> {
    let condition = match node {
        LogicalPlan::Filter(filter) => Some(&filter.predicate),
        LogicalPlan::Join(join) => join.filter.as_ref(),
        _ => None,
    };
    for condition in condition.into_iter().flat_map(split_conjunction) {
        let reads_row = condition.has_part(&mut |part| {
            Ok(matches!(part, Expr::ScalarSubquery(subquery) if !subquery.outer_ref_columns.is_empty()))
        })?;
        if reads_row && condition.contains_outer() {
            return Err(Error::invalid(
                "a subquery with a condition on both the outer row and a subquery that reads a row itself is not \
                 supported: compute the inner one for all rows, FROM t JOIN (SELECT k, min(x) AS x FROM u GROUP BY k) v \
                 ON v.k = t.k, and compare v.x with the outer row",
            )
            .into());
        }
    }
    Ok(())
}
