//! Takes false keys from derived tables while SQL becomes a plan.
//!
//! GROUP BY takes the columns that a key tells into the group, and is planned before there is a plan to look at. So the
//! planner of relations does for derived tables what `unique_keys` does for plans; WITH tables of which a key may be
//! false are derived tables by then (`statement::keyed_tables`).
//!
//! Can go with `unique_keys`.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::sql::sqlparser::ast::{Ident, TableAlias, TableFactor};

use super::unique_keys::{take_all_keys, without_false_keys};
use crate::query::statement::may_show_false_key;

/// Derived tables, without the keys that they do not have.
#[derive(Debug)]
pub(in crate::query) struct DerivedTables;

/// The name of a derived table that is planned as it stands.
const AS_IT_STANDS: &str = "\u{1}as_it_stands";

impl RelationPlanner for DerivedTables {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> DfResult<RelationPlanning> {
        let TableFactor::Derived { lateral, subquery, alias, sample } = relation else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let stands = |alias: &Option<TableAlias>| alias.as_ref().is_some_and(|alias| alias.name.value == AS_IT_STANDS);
        // Any name may be that of a WITH table here.
        if stands(&alias) || !lateral && !may_show_false_key(&subquery, &|_| true) {
            return Ok(RelationPlanning::Original(Box::new(TableFactor::Derived { lateral, subquery, alias, sample })));
        }
        let name = Ident::with_quote('"', AS_IT_STANDS);
        let as_it_stands = Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None });
        let derived = TableFactor::Derived { lateral, subquery, alias: as_it_stands, sample };
        let plan = match context.plan(derived)? {
            LogicalPlan::SubqueryAlias(named) => Arc::unwrap_or_clone(named.input),
            other => other,
        };
        let mut plan = without_false_keys(plan)?;
        if lateral {
            take_all_keys(&mut plan)?;
        }
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias))))
    }
}
