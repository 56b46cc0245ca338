//! A table that joins only the parts whose columns a query asks for.
//!
//! A LEFT JOIN that nobody reads is not removed by the optimizer; here it is never planned.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result as DfResult};
use datafusion::datasource::TableType;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;

use crate::query::walk::WalkExpression;

/// One plan and the columns it can answer, from the cheapest to the fullest.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) columns: HashSet<&'static str>,
    pub(super) plan: LogicalPlan,
}

/// Picks the first variant that has all columns that a query needs. The last one must have all.
pub(super) struct ComposedTable {
    schema: SchemaRef,
    variants: Vec<Variant>,
}

impl fmt::Debug for ComposedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ComposedTable")
    }
}

impl ComposedTable {
    /// The plans must yield columns of `schema` by name and type.
    pub(super) fn new(schema: SchemaRef, variants: Vec<Variant>) -> Self {
        Self { schema, variants }
    }

    fn plan_for(&self, needed: &HashSet<String>) -> Option<&LogicalPlan> {
        let fits = |variant: &&Variant| needed.iter().all(|column| variant.columns.contains(column.as_str()));
        self.variants.iter().find(fits).or(self.variants.last()).map(|variant| &variant.plan)
    }
}

/// The filter with columns that name no table, as the variant's plan names them.
fn unqualified(filter: Expr) -> DfResult<Expr> {
    let done = filter.change_parts(&mut |part| {
        Ok(match part {
            Expr::Column(column) => Transformed::yes(Expr::Column(Column::new_unqualified(column.name))),
            other => Transformed::no(other),
        })
    })?;
    Ok(done.data)
}

#[async_trait]
impl TableProvider for ComposedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DfResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Exact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let wanted = output_columns(&self.schema, projection);
        let needed = columns_read(&wanted, filters);
        let Some(plan) = self.plan_for(&needed) else {
            return datafusion::common::internal_err!("a composed table without variants");
        };
        scan_of(plan, &wanted, state, filters, limit).await
    }
}

/// The columns that a scan is to give.
pub(super) fn output_columns<'s>(schema: &'s Schema, projection: Option<&Vec<usize>>) -> Vec<&'s str> {
    match projection {
        Some(projection) => projection.iter().map(|index| schema.field(*index).name().as_str()).collect(),
        None => schema.fields().iter().map(|field| field.name().as_str()).collect(),
    }
}

/// These, and the columns that the filters read.
pub(super) fn columns_read(wanted: &[&str], filters: &[Expr]) -> HashSet<String> {
    let filtered = filters.iter().flat_map(|filter| filter.column_refs()).map(|column| column.name.clone());
    wanted.iter().map(|name| (*name).to_owned()).chain(filtered).collect()
}

/// The columns `wanted` of the rows of `plan` that pass the filters.
pub(super) async fn scan_of(
    plan: &LogicalPlan,
    wanted: &[&str],
    state: &dyn Session,
    filters: &[Expr],
    limit: Option<usize>,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    let mut builder = LogicalPlanBuilder::from(plan.clone());
    for filter in filters {
        builder = builder.filter(unqualified(filter.clone())?)?;
    }
    let columns: Vec<Expr> = wanted.iter().map(|name| Expr::Column(Column::new_unqualified(*name))).collect();
    builder = builder.project(columns)?;
    if limit.is_some() {
        builder = builder.limit(0, limit)?;
    }
    state.create_physical_plan(&builder.build()?).await
}
