//! `person_timeline(id_type, id_value)`: all events of the person behind an identifier.
//!
//! A table has no order, so a reader who wants one says ORDER BY ts.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::catalog::view::ViewTable;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{LogicalPlanBuilder, col, lit};

use crate::ids::Person;
use crate::query::table_functions::{ConstantTable, refused};
use crate::workspace::{Snapshot, Workspace};

/// What a timeline shows of each event.
const COLUMNS: [&str; 15] = [
    "ts",
    "type",
    "event",
    "channel",
    "source",
    "brand",
    "store_id",
    "campaign_id",
    "order_id",
    "revenue",
    "currency",
    "product_id",
    "properties",
    "message_id",
    "person",
];

pub(in crate::query) struct Timeline {
    workspace: Arc<Workspace>,
    snapshot: Arc<Snapshot>,
    events: Arc<dyn TableProvider>,
}

impl Timeline {
    pub(in crate::query) fn new(
        workspace: Arc<Workspace>,
        snapshot: Arc<Snapshot>,
        events: Arc<dyn TableProvider>,
    ) -> Self {
        Self { workspace, snapshot, events }
    }

    fn person(&self, kind: &str, value: &str) -> DfResult<Option<Person>> {
        let graph = self.workspace.identity().read();
        let node = graph.node(graph.types().id(kind)?, value.trim());
        Ok(node.and_then(|node| self.snapshot.identity.person_of(node)))
    }

    fn text(&self, value: &ScalarValue) -> DfResult<Option<String>> {
        match value {
            ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text) => Ok(text.clone()),
            ScalarValue::Null => Ok(None),
            other => Err(refused(self, &format!("{other} is not a text")).into()),
        }
    }
}

impl ConstantTable for Timeline {
    fn name(&self) -> &'static str {
        "person_timeline"
    }

    fn description(&self) -> &'static str {
        "All events of the person behind an identifier."
    }

    fn signature(&self) -> &'static str {
        "person_timeline(id_type TEXT, id_value TEXT)"
    }

    fn arity(&self) -> usize {
        2
    }

    fn table(&self, arguments: &[ScalarValue]) -> DfResult<Arc<dyn TableProvider>> {
        let texts = arguments.iter().map(|argument| self.text(argument)).collect::<DfResult<Vec<_>>>()?;
        let person = match texts.as_slice() {
            [Some(kind), Some(value)] => self.person(kind, value)?,
            // NULL identifies nobody.
            _ => None,
        };
        let of_person = match person {
            Some(person) => col("person").eq(lit(i64::from(person))),
            None => lit(false),
        };
        let plan = LogicalPlanBuilder::scan("events", provider_as_source(Arc::clone(&self.events)), None)?
            .filter(of_person)?
            .project(COLUMNS.iter().map(|name| col(*name)))?
            .build()?;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }
}
