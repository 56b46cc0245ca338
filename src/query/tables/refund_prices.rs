//! Tables of orders that read the products of all events only where a refund takes its price from them.
//!
//! Whether there is such a refund is asked of the events when a table is first read, once a version of them. Nothing that is
//! written with an event could tell: which events are refunds is a setting, and it may change after they came.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Constraint, Constraints, Result as DfResult};
use datafusion::datasource::TableType;
use datafusion::logical_expr::{Expr, LogicalPlan, TableProviderFilterPushDown};
use datafusion::physical_plan::{ExecutionPlan, collect};
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::composed::{columns_read, output_columns, scan_of};
use crate::query::pinned_state::pinned;
use crate::store::events::schema;
use crate::workspace::Snapshot;
use crate::workspace::hot::HotPart;

/// Whether any refund event names a product without a price.
pub(super) struct RefundsWithoutPrice {
    /// Gives a row when there is one.
    question: LogicalPlan,
    answer: Mutex<Answer>,
}

#[derive(Default)]
struct Answer {
    /// The version of the events, and the position in the log, that was asked last.
    of: (u64, u64),
    exist: Arc<OnceCell<bool>>,
}

impl RefundsWithoutPrice {
    pub(super) fn new(question: LogicalPlan) -> Self {
        Self { question, answer: Mutex::default() }
    }

    async fn exist(&self, state: &dyn Session) -> DfResult<bool> {
        let read = pinned(state.config_options())?;
        if !some_event_lacks_a_price(read) {
            return Ok(false);
        }
        let version = (read.events.version, read.position);
        let answer = {
            let mut held = self.answer.lock();
            // Rows stay: where one was found, later states have it, too.
            let is_known = held.of == version || (held.of <= version && held.exist.get() == Some(&true));
            if !is_known {
                *held = Answer { of: version, exist: Arc::default() };
            }
            Arc::clone(&held.exist)
        };
        let ask = || async {
            let plan = state.create_physical_plan(&self.question).await?;
            let found = collect(plan, state.task_ctx()).await?;
            Ok(found.iter().any(|batch| batch.num_rows() > 0))
        };
        answer.get_or_try_init(ask).await.copied()
    }
}

/// Whether any event names a product without a price, be it a refund or not: the log knows no names of events.
fn some_event_lacks_a_price(state: &Snapshot) -> bool {
    let Ok(column) = schema::stored().index_of(schema::LACKS_PRICE) else { return true };
    let in_log = |part: &Arc<HotPart>| part.rows.column(column).null_count() < part.rows.num_rows();
    state.events.files.iter().any(|file| file.nulls_in(column) != Some(file.rows))
        || state.hot.parts().iter().any(in_log)
}

/// A table with two plans of the same rows where no refund lacks a price.
pub(super) struct PricedTable {
    schema: SchemaRef,
    /// Reads no products: wrong where a refund lacks a price.
    short: LogicalPlan,
    full: LogicalPlan,
    unpriced: Arc<RefundsWithoutPrice>,
    /// Columns that the short plan always gives right, and with them the number of rows; empty where it does not.
    attributes: HashSet<&'static str>,
    keys: Constraints,
}

impl fmt::Debug for PricedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PricedTable")
    }
}

impl PricedTable {
    /// The plans must have the same columns.
    pub(super) fn new(short: LogicalPlan, full: LogicalPlan, unpriced: Arc<RefundsWithoutPrice>) -> Self {
        let schema = Arc::new(full.schema().as_arrow().clone());
        Self { schema, short, full, unpriced, attributes: HashSet::new(), keys: Constraints::default() }
    }

    /// The short plan has the right rows and, of these, the right values of these columns.
    pub(super) fn with_rows_of(mut self, attributes: impl IntoIterator<Item = &'static str>) -> Self {
        self.attributes = attributes.into_iter().collect();
        self
    }

    /// Each of these columns alone names a row.
    pub(super) fn with_keys(mut self, keys: &[&str]) -> Self {
        let of_column = |key: &&str| Some(Constraint::PrimaryKey(vec![self.schema.index_of(key).ok()?]));
        self.keys = Constraints::new_unverified(keys.iter().filter_map(of_column).collect());
        self
    }

    async fn plan_for(&self, needed: &HashSet<String>, state: &dyn Session) -> DfResult<&LogicalPlan> {
        let is_attribute = |column: &String| self.attributes.contains(column.as_str());
        let says_no_amount = !self.attributes.is_empty() && needed.iter().all(is_attribute);
        match says_no_amount || !self.unpriced.exist(state).await? {
            true => Ok(&self.short),
            false => Ok(&self.full),
        }
    }
}

#[async_trait]
impl TableProvider for PricedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn constraints(&self) -> Option<&Constraints> {
        Some(&self.keys)
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
        let plan = self.plan_for(&columns_read(&wanted, filters), state).await?;
        scan_of(plan, &wanted, state, filters, limit).await
    }
}
