//! A table whose arguments have scalar subqueries: a place in the plan until their values are known.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result as DfResult, ScalarValue};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::ConstantTable;
use super::arguments::Subqueries;
use crate::query::walk::WalkPlan;

/// One call of a table function that waits for the values of its subqueries.
pub(in crate::query) struct DeferredTable {
    function: Arc<dyn ConstantTable>,
    pub(in crate::query) arguments: Vec<Subqueries>,
    schema: SchemaRef,
}

impl DeferredTable {
    pub(in crate::query) fn new(function: Arc<dyn ConstantTable>, arguments: Vec<Expr>) -> DfResult<Self> {
        let schema = function.table(&vec![ScalarValue::Null; arguments.len()])?.schema();
        let arguments = arguments.into_iter().map(Subqueries::new).collect();
        Ok(Self { function, arguments, schema })
    }

    /// The table itself.
    pub(in crate::query) fn table(&self, arguments: &[ScalarValue]) -> DfResult<Arc<dyn TableProvider>> {
        self.function.table(arguments)
    }
}

impl fmt::Debug for DeferredTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeferredTable({})", self.function.signature())
    }
}

#[async_trait]
impl TableProvider for DeferredTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        Err(DataFusionError::Internal(format!("{}: its subqueries have no values", self.function.signature())))
    }
}

/// The deferred table that a scan is of.
fn deferred(node: &LogicalPlan) -> Option<Arc<dyn TableProvider>> {
    let LogicalPlan::TableScan(scan) = node else { return None };
    let provider = source_as_provider(&scan.source).ok()?;
    provider.downcast_ref::<DeferredTable>().is_some().then_some(provider)
}

/// A deferred table of the plan, if there is one; all are [`DeferredTable`].
pub(in crate::query) fn deferred_in(plan: &LogicalPlan) -> DfResult<Option<Arc<dyn TableProvider>>> {
    let mut found = None;
    plan.look_at_nodes(&mut |node| {
        found = deferred(node);
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// All subqueries in arguments of table functions of the plan, those inside of them included.
pub(in crate::query) fn subqueries_of(plan: &LogicalPlan) -> DfResult<Vec<Arc<LogicalPlan>>> {
    let mut found = Vec::new();
    plan.look_at_nodes(&mut |node| {
        if let Some(table) = deferred(node)
            && let Some(table) = table.downcast_ref::<DeferredTable>()
        {
            for argument in &table.arguments {
                found.extend(argument.plans()?);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let mut inner = Vec::new();
    for subquery in &found {
        inner.extend(subqueries_of(subquery)?);
    }
    found.extend(inner);
    Ok(found)
}

/// The plan with `table` in the place of all scans of `held`.
pub(in crate::query) fn put_in(
    plan: LogicalPlan,
    held: &DeferredTable,
    table: &Arc<dyn TableProvider>,
) -> DfResult<LogicalPlan> {
    let done = plan.change_nodes(&mut |node| {
        let is_held = deferred(&node)
            .is_some_and(|found| found.downcast_ref::<DeferredTable>().is_some_and(|found| std::ptr::eq(found, held)));
        match node {
            LogicalPlan::TableScan(scan) if is_held => {
                let source = provider_as_source(Arc::clone(table));
                Ok(Transformed::yes(LogicalPlanBuilder::scan(scan.table_name, source, None)?.build()?))
            }
            node => Ok(Transformed::no(node)),
        }
    })?;
    Ok(done.data)
}
