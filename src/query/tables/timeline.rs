//! `person_timeline(id_type, id_value)`: all events of the person behind an identifier.
//!
//! A table has no order, so a reader who wants one says ORDER BY ts.

use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DataFusionError, Result as DfResult, ScalarValue};
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
    Error::invalid(format!("{SIGNATURE}: {why}; arguments are literals, parameters or calls of them, not columns"))
        .into()
}

/// The text of a constant, or of a parameter that has its value.
fn text(argument: &Expr, args: &TableFunctionArgs) -> DfResult<Option<String>> {
    let Some(value) = value(argument, args)? else { return Ok(None) };
    match value {
        ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text) => Ok(text),
        ScalarValue::Null => Ok(None),
        other => Err(refused(&format!("{other} is not a text"))),
    }
}

/// The value of a constant expression; `None` while a parameter in it has no value yet.
fn value(argument: &Expr, args: &TableFunctionArgs) -> DfResult<Option<ScalarValue>> {
    let bound = args.session().config().get_extension::<BoundParameters>();
    let mut unbound = false;
    let constant = argument.clone().transform(|part| match &part {
        Expr::Placeholder(placeholder) => match &bound {
            Some(values) => Ok(Transformed::yes(Expr::Literal(parameter(&placeholder.id, values)?, None))),
            None => {
                unbound = true;
                Ok(Transformed::no(part))
            }
        },
        Expr::Column(_) | Expr::ScalarSubquery(_) => Err(refused("an argument is neither")),
        _ => Ok(Transformed::no(part)),
    })?;
    match constant.data {
        _ if unbound => Ok(None),
        Expr::Literal(value, _) => Ok(Some(value)),
        call => {
            let one_row = RecordBatchOptions::new().with_row_count(Some(1));
            let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &one_row)?;
            let call = args.session().create_physical_expr(call, &DFSchema::empty())?;
            Ok(Some(ScalarValue::try_from_array(&call.evaluate(&row)?.into_array(1)?, 0)?))
        }
    }
}

fn parameter(id: &str, values: &BoundParameters) -> DfResult<ScalarValue> {
    let number = id.trim_start_matches('$').parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let number = number.ok_or_else(|| refused("a parameter has no number"))?;
    values.0.get(number).cloned().ok_or_else(|| refused("a value is missing"))
}
