//! `person_timeline(id_type, id_value)`: all events of the person behind an identifier.
//!
//! A table has no order, so a reader who wants one says ORDER BY ts.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::catalog::view::ViewTable;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{LogicalPlanBuilder, ScalarUDF, col, lit};

use crate::error::{Error, Result};
use crate::query::functions::PERSON_OF_IDENTIFIER;
use crate::query::table_functions::{ConstantTable, refused};
use crate::workspace::Rules;

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
    rules: Arc<Rules>,
    person_of_identifier: Arc<ScalarUDF>,
    events: Arc<dyn TableProvider>,
}

impl Timeline {
    pub(in crate::query) fn new(
        state: &SessionState,
        rules: Arc<Rules>,
        events: Arc<dyn TableProvider>,
    ) -> Result<Self> {
        let person_of_identifier = state.scalar_functions().get(PERSON_OF_IDENTIFIER).cloned();
        let person_of_identifier =
            person_of_identifier.ok_or_else(|| Error::internal("person_of_identifier is not registered"))?;
        Ok(Self { rules, person_of_identifier, events })
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
        let of_person = match texts.as_slice() {
            [Some(kind), Some(value)] => {
                // Unknown types are refused when the statement is planned; who has the identifier is seen when it runs.
                self.rules.types().id(kind)?;
                let identifier = vec![lit(kind.as_str()), lit(value.trim())];
                col("person").eq(self.person_of_identifier.call(identifier))
            }
            // NULL identifies nobody.
            _ => lit(false),
        };
        let plan = LogicalPlanBuilder::scan("events", provider_as_source(Arc::clone(&self.events)), None)?
            .filter(of_person)?
            .project(COLUMNS.iter().map(|name| col(*name)))?
            .build()?;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }
}
