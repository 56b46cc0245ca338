//! `information_schema.routines` with the table functions, which DataFusion leaves out, and without those for plans.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray, new_null_array};
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::Result as DfResult;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{LogicalPlanBuilder, col, lit};

use super::ConstantTable;
use crate::query::functions::FOR_PLANS;

/// A table function as users see it.
#[derive(Debug, Clone, Copy)]
pub(in crate::query) struct TableFunctionEntry {
    name: &'static str,
    usage: &'static str,
    description: &'static str,
}

impl TableFunctionEntry {
    pub(in crate::query) fn of(function: &dyn ConstantTable) -> Self {
        Self { name: function.name(), usage: function.signature(), description: function.description() }
    }
}

/// DataFusion's table functions that read nothing.
pub(in crate::query) const FROM_DATAFUSION: [TableFunctionEntry; 2] = [
    TableFunctionEntry {
        name: "generate_series",
        usage: "generate_series(start, stop [, step])",
        description: "One row (value) for each number or instant from start to stop, stop included.",
    },
    TableFunctionEntry {
        name: "range",
        usage: "range(start, stop [, step])",
        description: "One row (value) for each number or instant from start to stop, stop excluded.",
    },
];

impl TableFunctionEntry {
    pub(in crate::query) fn name(&self) -> &'static str {
        self.name
    }
}

/// `routines` with a row for each of `functions`, and none of what only plans call.
pub(in crate::query) fn with_table_functions(
    routines: Arc<dyn TableProvider>,
    catalog: &str,
    functions: &[TableFunctionEntry],
) -> DfResult<Arc<dyn TableProvider>> {
    let schema = routines.schema();
    let texts = |text: &dyn Fn(&TableFunctionEntry) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(functions.iter().map(text)))
    };
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        "specific_catalog" | "routine_catalog" => texts(&|_| catalog.to_owned()),
        "specific_schema" | "routine_schema" => texts(&|_| "main".to_owned()),
        "specific_name" | "routine_name" => texts(&|function| function.name.to_owned()),
        "routine_type" => texts(&|_| "FUNCTION".to_owned()),
        "is_deterministic" => Arc::new(BooleanArray::from(vec![true; functions.len()])),
        "function_type" => texts(&|_| "TABLE".to_owned()),
        "description" => texts(&|function| function.description.to_owned()),
        "syntax_example" => texts(&|function| function.usage.to_owned()),
        _ => new_null_array(field.data_type(), functions.len()),
    });
    let rows = RecordBatch::try_new(Arc::clone(&schema), columns.collect())?;
    let ours = MemTable::try_new(schema, vec![vec![rows]])?;
    let ours = LogicalPlanBuilder::scan("routines", provider_as_source(Arc::new(ours)), None)?.build()?;
    let for_plans = FOR_PLANS.iter().map(|name| lit(*name)).collect();
    let plan = LogicalPlanBuilder::scan("routines", provider_as_source(routines), None)?
        .filter(col("routine_name").in_list(for_plans, true))?
        .union(ours)?
        .build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}
