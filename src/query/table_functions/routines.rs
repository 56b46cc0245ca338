//! `information_schema.routines` as users call them: with the table functions, which DataFusion leaves out, and without
//! what only plans call. That is what has no documentation: who writes a function for users documents it, and those of
//! the JSON package, which has none, are documented here.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray, new_null_array};
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::Result as DfResult;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{LogicalPlanBuilder, col};

use super::ConstantTable;

/// A function as users see it.
#[derive(Debug, Clone, Copy)]
pub(in crate::query) struct FunctionEntry {
    name: &'static str,
    usage: &'static str,
    description: &'static str,
}

impl FunctionEntry {
    pub(in crate::query) fn of(function: &dyn ConstantTable) -> Self {
        Self { name: function.name(), usage: function.signature(), description: function.description() }
    }
}

/// DataFusion's table functions that read nothing.
pub(in crate::query) const FROM_DATAFUSION: [FunctionEntry; 2] = [
    FunctionEntry {
        name: "generate_series",
        usage: "generate_series(start, stop [, step])",
        description: "One row (value) for each number or instant from start to stop, stop included.",
    },
    FunctionEntry {
        name: "range",
        usage: "range(start, stop [, step])",
        description: "One row (value) for each number or instant from start to stop, stop excluded.",
    },
];

/// The functions of JSON by all of their names. `key` is a member's name or an element's number, from 0.
const JSON: [FunctionEntry; 13] = [
    json(
        "json_as_text",
        "json_as_text(json [, key, ...])",
        "The text of any value, as ->> gives it; NULL where there is none.",
    ),
    json("json_contains", "json_contains(json [, key, ...])", "Whether there is a value."),
    json(
        "json_get",
        "json_get(json [, key, ...])",
        "The value in its own kind, as -> gives it; CAST makes it a number, a text or a BOOLEAN.",
    ),
    json(
        "json_get_array",
        "json_get_array(json [, key, ...])",
        "The elements of a list, each as JSON text; NULL for another value.",
    ),
    json(
        "json_get_bool",
        "json_get_bool(json [, key, ...])",
        "The value where it, or its text, is true or false, else NULL.",
    ),
    json(
        "json_get_float",
        "json_get_float(json [, key, ...])",
        "The value where it, or its text, is a number, as DOUBLE, else NULL.",
    ),
    json(
        "json_get_int",
        "json_get_int(json [, key, ...])",
        "The value where it, or its text, is a whole number, as BIGINT, else NULL.",
    ),
    json("json_get_json", "json_get_json(json [, key, ...])", "The JSON text of the value, as it is written."),
    json("json_get_str", "json_get_str(json [, key, ...])", "The value where it is a text, else NULL."),
    json("json_keys", "json_keys(json [, key, ...])", "The keys of an object; NULL for another value."),
    json(
        "json_len",
        "json_len(json [, key, ...])",
        "The number of elements of a list or of members of an object; NULL for another value.",
    ),
    json(
        "json_length",
        "json_length(json [, key, ...])",
        "The number of elements of a list or of members of an object; NULL for another value.",
    ),
    json("json_object_keys", "json_object_keys(json [, key, ...])", "The keys of an object; NULL for another value."),
];

const fn json(name: &'static str, usage: &'static str, description: &'static str) -> FunctionEntry {
    FunctionEntry { name, usage, description }
}

impl FunctionEntry {
    pub(in crate::query) fn name(&self) -> &'static str {
        self.name
    }
}

/// Whether it is a function of JSON that a user may call.
pub(in crate::query) fn is_of_json(name: &str) -> bool {
    JSON.iter().any(|function| function.name == name)
}

/// `routines` with a row for each of the table `functions` and of those of JSON, and none of what only plans call.
pub(in crate::query) fn routines_for_users(
    routines: Arc<dyn TableProvider>,
    catalog: &str,
    functions: &[FunctionEntry],
) -> DfResult<Arc<dyn TableProvider>> {
    let schema = routines.schema();
    let of_tables = functions.iter().map(|entry| ("TABLE", entry));
    let of_json = JSON.iter().map(|entry| ("SCALAR", entry));
    let entries: Vec<(&str, &FunctionEntry)> = of_tables.chain(of_json).collect();
    let texts = |text: &dyn Fn(&FunctionEntry) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(entries.iter().map(|&(_, entry)| text(entry))))
    };
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        "specific_catalog" | "routine_catalog" => texts(&|_| catalog.to_owned()),
        "specific_schema" | "routine_schema" => texts(&|_| "main".to_owned()),
        "specific_name" | "routine_name" => texts(&|function| function.name.to_owned()),
        "routine_type" => texts(&|_| "FUNCTION".to_owned()),
        "is_deterministic" => Arc::new(BooleanArray::from(vec![true; entries.len()])),
        "function_type" => Arc::new(entries.iter().map(|(kind, _)| Some(*kind)).collect::<StringArray>()),
        "description" => texts(&|function| function.description.to_owned()),
        "syntax_example" => texts(&|function| function.usage.to_owned()),
        _ => new_null_array(field.data_type(), entries.len()),
    });
    let rows = RecordBatch::try_new(Arc::clone(&schema), columns.collect())?;
    let ours = MemTable::try_new(schema, vec![vec![rows]])?;
    let ours = LogicalPlanBuilder::scan("routines", provider_as_source(Arc::new(ours)), None)?.build()?;
    let plan = LogicalPlanBuilder::scan("routines", provider_as_source(routines), None)?
        .filter(col("description").is_not_null())?
        .union(ours)?
        .build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

#[cfg(test)]
mod tests {
    use datafusion::execution::FunctionRegistry;
    use datafusion::prelude::SessionContext;

    use super::*;

    /// Those of plans, and all that users may call.
    #[test]
    fn the_functions_of_json_are_those_of_their_package() {
        let plain = SessionContext::new();
        let mut context = SessionContext::new();
        datafusion_functions_json::register_all(&mut context).unwrap();
        let state = context.state();
        let names = state.scalar_functions().keys().filter(|name| plain.udf(name).is_err());
        let mut names: Vec<&str> = names.map(String::as_str).collect();
        names.sort_unstable();
        let mut known: Vec<&str> = JSON.iter().map(FunctionEntry::name).collect();
        known.extend(["json_from_scalar", "json_union_to_text", "scalar_to_json"]);
        known.sort_unstable();
        assert_eq!(names, known);
        assert!(names.iter().all(|name| context.udf(name).unwrap().documentation().is_none()), "else they are listed");
    }
}
