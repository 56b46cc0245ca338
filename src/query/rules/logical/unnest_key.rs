//! Takes its key from what `unnest` repeats.
//!
//! Groups are unique by what they are grouped by, and DataFusion 55.2 still holds them for unique when `unnest` has made
//! several rows of each (`Unnest` keeps the functional dependencies of its input): joins and DISTINCT above it lose rows,
//! and GROUP BY takes the columns that a key tells into the group. Columns behind a function that it cannot look through
//! are no key. GROUP BY is planned before there is a plan to look at, so the planner of relations does it for derived
//! tables, which WITH tables are by then (`statement::unnest_tables`).
//!
//! Can go when `Unnest` drops them: `tests/slt/same_names.slt` then passes without it.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::common::{Result as DfResult, internal_err};
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::{Ident, TableAlias, TableFactor};

use super::RuleContext;
use crate::query::statement::shows_unnest;
use crate::query::walk::WalkPlan;

static NO_KEY: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(NoKey::new())));

pub(super) fn forget(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    unnested(node)
}

fn unnested(node: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Unnest(unnest) = &node else { return Ok(Transformed::no(node)) };
    let schema = unnest.input.schema();
    let dependencies = schema.functional_dependencies();
    if dependencies.is_empty() {
        return Ok(Transformed::no(node));
    }
    let is_key = |place: usize| dependencies.iter().any(|dependency| dependency.source_indices.contains(&place));
    let columns = schema.iter().enumerate().map(|(place, (qualifier, field))| {
        let column = Expr::from((qualifier, field));
        match is_key(place) {
            true => NO_KEY.call(vec![column]).alias_qualified(qualifier.cloned(), field.name()),
            false => column,
        }
    });
    let input =
        LogicalPlanBuilder::from(unnest.input.as_ref().clone()).project(columns.collect::<Vec<_>>())?.build()?;
    Ok(Transformed::yes(node.with_new_exprs(node.expressions(), vec![input])?))
}

/// Derived tables that `unnest`, without the keys that they no longer have.
#[derive(Debug)]
pub(in crate::query) struct UnnestedTables;

/// The name of a derived table that is planned as it stands.
const AS_IT_STANDS: &str = "\u{1}as_it_stands";

impl RelationPlanner for UnnestedTables {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> DfResult<RelationPlanning> {
        let TableFactor::Derived { lateral, subquery, alias, sample } = relation else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let stands = |alias: &Option<TableAlias>| alias.as_ref().is_some_and(|alias| alias.name.value == AS_IT_STANDS);
        if stands(&alias) || !shows_unnest(&subquery) {
            return Ok(RelationPlanning::Original(Box::new(TableFactor::Derived { lateral, subquery, alias, sample })));
        }
        let name = Ident::with_quote('"', AS_IT_STANDS);
        let as_it_stands = Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None });
        let derived = TableFactor::Derived { lateral, subquery, alias: as_it_stands, sample };
        let plan = match context.plan(derived)? {
            LogicalPlan::SubqueryAlias(named) => Arc::unwrap_or_clone(named.input),
            other => other,
        };
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(without_keys(plan)?, alias))))
    }
}

fn without_keys(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    let mut found = false;
    plan.change_own_nodes(&mut |node| {
        let done = unnested(node)?;
        found |= done.transformed;
        // The nodes above hold the keys that they had before.
        if found && !done.transformed { done.map_data(LogicalPlan::recompute_schema) } else { Ok(done) }
    })
    .data()
}

/// Its argument.
#[derive(Debug, PartialEq, Eq, Hash)]
struct NoKey {
    signature: Signature,
}

impl NoKey {
    fn new() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for NoKey {
    fn name(&self) -> &str {
        "no_key"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        internal_err!("the field of the argument is asked for")
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> DfResult<FieldRef> {
        match arguments.arg_fields.first() {
            Some(field) => Ok(Arc::clone(field)),
            None => internal_err!("no_key takes one argument"),
        }
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        match arguments.args.pop() {
            Some(value) => Ok(value),
            None => internal_err!("no_key takes one argument"),
        }
    }
}
