//! Plans `unnest(bitmap_to_array(b))` of one value as `unnest_bitmap(b)`: rows, a batch at a time, where the list of all
//! members would be one value in memory. Lists of a column of sets stay lists.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result as DfResult};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Unnest};

use super::RuleContext;
use crate::query::table_functions::{ConstantTable, DeferredTable};
use crate::query::tables::members::UnnestBitmap;
use crate::query::walk::WalkExpression;

const TO_LIST: &str = "bitmap_to_array";

/// The node, or a scan of members in its place.
pub(super) fn plan(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Unnest(unnest) = &node else { return Ok(Transformed::no(node)) };
    match bitmap_of(unnest) {
        Some(bitmap) => scan_members(unnest, bitmap).map(Transformed::yes),
        None => Ok(Transformed::no(node)),
    }
}

/// The bitmap whose list is unnested, if it is one value and nothing stands beside it.
fn bitmap_of(unnest: &Unnest) -> Option<Expr> {
    let LogicalPlan::Projection(projection) = unnest.input.as_ref() else { return None };
    let is_one_row = matches!(projection.input.as_ref(), LogicalPlan::EmptyRelation(row) if row.produce_one_row);
    let ([list], [(_, column)]) = (&projection.expr[..], &unnest.list_type_columns[..]) else { return None };
    if !is_one_row || column.depth != 1 || !unnest.struct_type_columns.is_empty() {
        return None;
    }
    let list = match list {
        Expr::Alias(alias) => alias.expr.as_ref(),
        other => other,
    };
    let Expr::ScalarFunction(call) = list else { return None };
    let [bitmap] = &call.args[..] else { return None };
    (call.func.name() == TO_LIST && is_one_value(bitmap)).then(|| bitmap.clone())
}

/// Whether it can be the argument of a table function.
fn is_one_value(bitmap: &Expr) -> bool {
    let depends = bitmap.has_part(&mut |part| {
        Ok(match part {
            Expr::Column(_) | Expr::OuterReferenceColumn(..) => true,
            Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_) => true,
            Expr::ScalarSubquery(subquery) => !subquery.outer_ref_columns.is_empty(),
            _ => part.is_volatile_node(),
        })
    });
    // What cannot be told stays as it is.
    !depends.unwrap_or(true)
}

/// The members under the name that the unnested column had.
fn scan_members(unnest: &Unnest, bitmap: Expr) -> DfResult<LogicalPlan> {
    let function = UnnestBitmap;
    let name = function.name();
    let table = Arc::new(DeferredTable::new(Arc::new(function), vec![bitmap])?);
    let (qualifier, field) = unnest.schema.qualified_field(0);
    let member = Expr::Column(Column::new(Some(name), "person")).alias_qualified(qualifier.cloned(), field.name());
    LogicalPlanBuilder::scan(name, provider_as_source(table), None)?.project([member])?.build()
}
