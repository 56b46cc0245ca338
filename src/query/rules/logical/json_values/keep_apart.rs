//! Where a JSON value may stand: it is shown, cast, searched for a key or asked whether it is there. All else is
//! refused, as PostgreSQL refuses it of its type `json`. Must not change a plan.

use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::{
    AggregateFunctionParams, Case, Cast, InSubquery, ScalarFunction, SetComparison, TryCast, WindowFunctionParams,
};
use datafusion::logical_expr::{Distinct, Expr, ExprSchemable, LogicalPlan, Subquery, Union};

use super::{FUNCTIONS, UNION_TO_TEXT, call_below, has_json, is_json, is_json_type};
use crate::error::Error;
use crate::query::functions::numbers::{is_number, sql_name};
use crate::query::rules::logical::schema_of_inputs;
use crate::query::walk::WalkExpression;

/// Functions that take any JSON value without a key; the others find only lists and objects in it, unless it is a call.
const KEYLESS: [&str; 2] = [UNION_TO_TEXT, "arrow_typeof"];

/// Functions that count values, or give one as it is.
const COUNTING_OR_SHOWING: [&str; 6] = ["count", "first_value", "last_value", "nth_value", "lag", "lead"];

/// # Errors
/// `InvalidInput` for a node that sorts, groups, joins or unites by JSON values.
pub(super) fn check_node(node: &LogicalPlan) -> DfResult<()> {
    let keys: Vec<&Expr> = match node {
        LogicalPlan::Sort(sort) => sort.expr.iter().map(|key| &key.expr).collect(),
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.iter().collect(),
        LogicalPlan::Join(join) => join.on.iter().flat_map(|(left, right)| [left, right]).collect(),
        LogicalPlan::Distinct(Distinct::All(input)) => return refuse_column(input.schema()),
        LogicalPlan::Distinct(Distinct::On(distinct)) => {
            let sorted = distinct.sort_expr.iter().flatten().map(|key| &key.expr);
            distinct.on_expr.iter().chain(sorted).collect()
        }
        LogicalPlan::RecursiveQuery(query) if query.is_distinct => return refuse_column(&query.schema),
        LogicalPlan::Union(union) => return check_union(union),
        _ => return Ok(()),
    };
    refuse_among(&keys, &schema_of_inputs(node))
}

fn refuse_column(schema: &DFSchema) -> DfResult<()> {
    match schema.fields().iter().find(|field| is_json_type(field.data_type())) {
        Some(field) => Err(refusal(&column(field.name()), None).into()),
        None => Ok(()),
    }
}

fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

/// A column of UNION is JSON in all of its inputs, or in none.
fn check_union(union: &Union) -> DfResult<()> {
    for (place, field) in union.schema.fields().iter().enumerate() {
        let fields = || union.inputs.iter().filter_map(move |input| input.schema().fields().get(place));
        let other = fields().map(|field| field.data_type()).find(|given| !is_json_type(given) && !given.is_null());
        if other.is_some() && fields().any(|field| is_json_type(field.data_type())) {
            return Err(refusal(&column(field.name()), other).into());
        }
    }
    Ok(())
}

/// # Errors
/// `InvalidInput` for an expression that takes a JSON value for something else.
pub(super) fn check_part(part: &Expr, schema: &DFSchema) -> DfResult<()> {
    match part {
        Expr::Alias(_) | Expr::IsNull(_) | Expr::IsNotNull(_) => Ok(()),
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field }) => {
            check_cast(expr, field.data_type(), schema)
        }
        Expr::Case(case) => check_case(case, schema),
        Expr::ScalarFunction(call) if takes_json(call, schema) => Ok(()),
        Expr::AggregateFunction(call) if COUNTING_OR_SHOWING.contains(&call.func.name()) => {
            check_aggregate(&call.params, schema)
        }
        Expr::WindowFunction(call) if COUNTING_OR_SHOWING.contains(&call.fun.name()) => {
            check_window(&call.params, schema)
        }
        Expr::InSubquery(InSubquery { expr, subquery, .. })
        | Expr::SetComparison(SetComparison { expr, subquery, .. }) => check_subquery(expr, subquery, schema),
        _ => refuse_among(&part.children()?, schema),
    }
}

/// Casts of calls are read as texts; a value of a subquery has lost digits already. The planner casts, too, what meets.
fn check_cast(operand: &Expr, to: &DataType, schema: &DFSchema) -> DfResult<()> {
    let from_json = is_json(operand, schema);
    if is_json_type(to) {
        return match from_json || is_null(operand) {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "{} meets JSON, which only ->> makes a text and CAST of that a number: write ->> in the place of ->",
                operand.schema_name()
            ))
            .into()),
        };
    }
    match from_json && call_below(operand).is_none() {
        true => Err(refusal(operand, Some(to)).into()),
        false => Ok(()),
    }
}

/// A choice among JSON values gives one of them.
fn check_case(case: &Case, schema: &DFSchema) -> DfResult<()> {
    let conditions: Vec<&Expr> =
        case.expr.iter().chain(case.when_then_expr.iter().map(|(when, _)| when)).map(|part| part.as_ref()).collect();
    refuse_among(&conditions, schema)?;
    let results = case.when_then_expr.iter().map(|(_, then)| then).chain(&case.else_expr).map(|part| part.as_ref());
    refuse_mixed(&results.collect::<Vec<&Expr>>(), schema)
}

/// Whether the function is made for JSON values.
fn takes_json(call: &ScalarFunction, schema: &DFSchema) -> bool {
    let name = call.func.name();
    let finds_all = match call.args.as_slice() {
        [operand] => call_below(operand).is_some() || !is_json(operand, schema),
        _ => true,
    };
    KEYLESS.contains(&name) || name.starts_with(FUNCTIONS) && finds_all
}

fn check_aggregate(call: &AggregateFunctionParams, schema: &DFSchema) -> DfResult<()> {
    let mut keys: Vec<&Expr> = call.order_by.iter().map(|key| &key.expr).collect();
    keys.extend(call.filter.as_deref());
    if call.distinct {
        keys.extend(&call.args);
    }
    refuse_among(&keys, schema)
}

fn check_window(call: &WindowFunctionParams, schema: &DFSchema) -> DfResult<()> {
    let mut keys: Vec<&Expr> = call.order_by.iter().map(|key| &key.expr).collect();
    keys.extend(&call.partition_by);
    keys.extend(call.filter.as_deref());
    if call.distinct {
        keys.extend(&call.args);
    }
    refuse_among(&keys, schema)?;
    match call.args.as_slice() {
        // What lag and lead give where there is no row.
        [value, _, default] => refuse_mixed(&[value, default], schema),
        _ => Ok(()),
    }
}

fn check_subquery(operand: &Expr, subquery: &Subquery, schema: &DFSchema) -> DfResult<()> {
    let columns = subquery.subquery.schema();
    let other = columns.fields().first().map(|field| field.data_type()).filter(|given| !is_json_type(given));
    if is_json(operand, schema) {
        return Err(refusal(operand, other).into());
    }
    match has_json(columns) {
        true => refuse_column(columns),
        false => Ok(()),
    }
}

/// # Errors
/// `InvalidInput` when one of them is JSON.
fn refuse_among(all: &[&Expr], schema: &DFSchema) -> DfResult<()> {
    let Some(json) = all.iter().find(|each| is_json(each, schema)) else { return Ok(()) };
    let other = all.iter().filter(|each| !is_json(each, schema)).find_map(|each| each.get_type(schema).ok());
    Err(refusal(json, other.as_ref()).into())
}

/// # Errors
/// `InvalidInput` when some are JSON and others are neither that nor NULL.
fn refuse_mixed(all: &[&Expr], schema: &DFSchema) -> DfResult<()> {
    match all.iter().all(|each| is_json(each, schema) || is_null(each)) {
        true => Ok(()),
        false => refuse_among(all, schema),
    }
}

fn is_null(expression: &Expr) -> bool {
    match expression {
        Expr::Literal(value, _) => value.is_null(),
        Expr::Cast(cast) => is_null(&cast.expr),
        _ => false,
    }
}

/// What to write for a JSON value beside one of another type.
fn refusal(json: &Expr, other: Option<&DataType>) -> Error {
    let name = name_of(json);
    let (advice, text) = match written_text(&name) {
        Some(text) => (String::new(), text),
        // A column of a subquery.
        None => (format!("make {name} with ->> in the place of ->, and "), name.clone()),
    };
    let write = match other {
        Some(other) if is_number(other) => {
            format!("CAST({text} AS DOUBLE), or CAST({text} AS DECIMAL(18,4)), for the number")
        }
        Some(other) if other.is_string() => format!("{text} for the text"),
        Some(other @ (DataType::Boolean | DataType::Date32 | DataType::Timestamp(..))) => {
            format!("CAST({text} AS {})", sql_name(other))
        }
        _ => format!("{text} for the text, or CAST({text} AS DOUBLE) for the number"),
    };
    Error::invalid(format!(
        "{name} is JSON, which may be text, number or list: it has no order, equals no value, and few functions take \
         it: {advice}write {write}"
    ))
}

/// The value as it was written, or a column's name. The planner names `->` so in a SELECT list only.
fn name_of(json: &Expr) -> String {
    match json {
        Expr::Alias(alias) => alias.name.clone(),
        Expr::Column(column) | Expr::OuterReferenceColumn(_, column) => column.name.clone(),
        Expr::ScalarFunction(call) => path_of(call).unwrap_or_else(|| json.schema_name().to_string()),
        other => other.schema_name().to_string(),
    }
}

/// `x -> 'a' -> 0` of a call with constant keys.
fn path_of(call: &ScalarFunction) -> Option<String> {
    let (value, keys) = call.args.split_first().filter(|_| call.func.name() == "json_get")?;
    keys.iter().try_fold(name_of(value), |path, key| match key {
        Expr::Literal(key, _) => Some(match key.try_as_str().flatten() {
            Some(text) => format!("{path} -> '{text}'"),
            None => format!("{path} -> {key}"),
        }),
        _ => None,
    })
}

/// The text of the value as SQL, where the name tells how the value was taken.
fn written_text(name: &str) -> Option<String> {
    match name.rsplit_once(" -> ") {
        Some((value, key)) => Some(format!("({value} ->> {key})")),
        None => name.strip_prefix("json_get(").map(|arguments| format!("json_as_text({arguments}")),
    }
}
