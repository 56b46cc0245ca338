//! `person_timeline(id_type, id_value)`: all events of the person behind an identifier.
//!
//! A table has no order, so a reader who wants one says ORDER BY ts.

use std::fmt;
use std::sync::Arc;

use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{DataFusionError, Result as DfResult, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, col, lit};

use crate::error::Error;
use crate::ids::Person;
use crate::query::parameters::BoundParameters;
use crate::workspace::{Snapshot, Workspace};

const SIGNATURE: &str = "person_timeline(id_type TEXT, id_value TEXT)";

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
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timeline")
    }
}

impl TableFunctionImpl for Timeline {
    fn call_with_args(&self, args: TableFunctionArgs) -> DfResult<Arc<dyn TableProvider>> {
        let [kind, value] = args.exprs() else {
            return Err(refused("two arguments are needed"));
        };
        let person = match (text(kind, &args)?, text(value, &args)?) {
            (Some(kind), Some(value)) => self.person(&kind, &value)?,
            // NULL identifies nobody; a parameter without a value yet only needs a schema.
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

fn refused(why: &str) -> DataFusionError {
    Error::invalid(format!("{SIGNATURE}: {why}; arguments are literals or parameters, not columns")).into()
}

/// The text of a literal, or of a parameter that has its value.
fn text(argument: &Expr, args: &TableFunctionArgs) -> DfResult<Option<String>> {
    let value = match argument {
        Expr::Literal(value, _) => value.clone(),
        Expr::Placeholder(placeholder) => {
            let bound = args.session().config().get_extension::<BoundParameters>();
            let index = placeholder.id.trim_start_matches('$').parse::<usize>().ok().and_then(|n| n.checked_sub(1));
            match (bound, index) {
                (None, _) => return Ok(None),
                (Some(bound), Some(index)) => {
                    bound.0.get(index).cloned().ok_or_else(|| refused("a value is missing"))?
                }
                (Some(_), None) => return Err(refused("a parameter has no number")),
            }
        }
        _ => return Err(refused("an argument is neither")),
    };
    match value {
        ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text) => Ok(text),
        ScalarValue::Null => Ok(None),
        other => Err(refused(&format!("{other} is not a text"))),
    }
}
