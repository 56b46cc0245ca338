//! Parameters of a statement: their types at Prepare, their values at execution.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::{DataType, Field, FieldRef};
use chrono_tz::Tz;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ParamValues, Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

use super::{table_functions, zone};
use crate::error::{Error, Result};

/// Values that table functions look up while a statement is planned again with them.
#[derive(Debug)]
pub(super) struct BoundParameters(pub(super) Vec<ScalarValue>);

/// Noted while a statement is planned without values: whether a table function has a parameter in its arguments.
#[derive(Debug, Default)]
pub(super) struct UnboundParameters(AtomicBool);

impl UnboundParameters {
    pub(super) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn seen(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// One field for each of `count` parameters; Utf8 where the plan does not tell, since JDBC cannot bind an untyped one.
pub(super) fn fields(plan: &LogicalPlan, count: usize) -> Result<Vec<FieldRef>> {
    if count == 0 {
        // Most statements: their plan need not be walked.
        return Ok(Vec::new());
    }
    // The subqueries of table functions come last: the statement itself knows better.
    let mut types = HashMap::new();
    for subquery in table_functions::subqueries_of(plan)? {
        types.extend(known_types(&subquery)?);
    }
    types.extend(known_types(plan)?);
    Ok((1..=count)
        .map(|number| {
            let name = format!("${number}");
            let data_type = types.get(&name).cloned().unwrap_or(DataType::Utf8);
            Arc::new(Field::new(&name, data_type, true))
        })
        .collect())
}

/// Types of the parameters of a plan, where it tells them.
fn known_types(plan: &LogicalPlan) -> Result<HashMap<String, DataType>> {
    let mut types = types_by_functions(plan)?;
    types.extend(cast_types(plan)?);
    let told = plan.get_parameter_fields()?.into_iter();
    types.extend(told.filter_map(|(name, field)| Some((name, field?.data_type().clone()))));
    Ok(types)
}

/// The value of parameter `$n`.
pub(super) fn value_of<'a>(id: &str, values: &'a [ScalarValue]) -> Option<&'a ScalarValue> {
    let number = id.trim_start_matches('$').parse::<usize>().ok()?;
    values.get(number.checked_sub(1)?)
}

/// The plan with its parameters replaced, each cast to the type that the plan tells.
pub(super) fn bind_known(plan: LogicalPlan, values: &[ScalarValue], zone: Tz) -> Result<LogicalPlan> {
    let types = known_types(&plan)?;
    let cast = |(index, value): (usize, &ScalarValue)| match types.get(&format!("${}", index + 1)) {
        Some(data_type) => as_declared(value, data_type, zone),
        None => Ok(value.clone()),
    };
    let values: Vec<ScalarValue> = values.iter().enumerate().map(cast).collect::<Result<_, _>>()?;
    Ok(plan.with_param_values(ParamValues::from(values))?)
}

/// Types of parameters that stand right under a cast: `CAST(? AS BIGINT)`.
fn cast_types(plan: &LogicalPlan) -> Result<HashMap<String, DataType>> {
    let mut types = HashMap::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                let target = match part {
                    Expr::Cast(cast) => Some((&cast.expr, cast.field.data_type())),
                    Expr::TryCast(cast) => Some((&cast.expr, cast.field.data_type())),
                    _ => None,
                };
                if let Some((inner, data_type)) = target
                    && let Expr::Placeholder(placeholder) = inner.as_ref()
                {
                    types.insert(placeholder.id.clone(), data_type.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(types)
}

/// Types of parameters that are arguments of functions which name their types: `bitmap_count(?)` takes a bitmap.
fn types_by_functions(plan: &LogicalPlan) -> Result<HashMap<String, DataType>> {
    let mut types = HashMap::new();
    plan.apply_with_subqueries(|node| {
        let mut schema = DFSchema::empty();
        for input in node.inputs() {
            schema.merge(input.schema());
        }
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                if let Expr::ScalarFunction(call) = part
                    && call.args.iter().any(|argument| matches!(argument, Expr::Placeholder(_)))
                    && let Some(wanted) = wanted_types(call, &schema)
                {
                    for (argument, wanted) in call.args.iter().zip(wanted) {
                        if let Expr::Placeholder(placeholder) = argument
                            && !wanted.is_null()
                        {
                            types.insert(placeholder.id.clone(), wanted);
                        }
                    }
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(types)
}

/// What a function with rules of its own makes of its arguments, where it can tell without the parameters.
fn wanted_types(call: &ScalarFunction, schema: &DFSchema) -> Option<Vec<DataType>> {
    let given = call.args.iter().map(|argument| match argument {
        Expr::Placeholder(_) => Some(DataType::Null),
        other => other.get_type(schema).ok(),
    });
    call.func.coerce_types(&given.collect::<Option<Vec<_>>>()?).ok()
}

/// How many parameters stand where `bind` reaches them; the others are in table functions.
pub(super) fn visible(plan: &LogicalPlan) -> Result<usize> {
    Ok(plan.get_parameter_fields()?.len())
}

/// The plan with its parameters replaced.
///
/// # Errors
/// `InvalidInput` when the number of values is not that of the parameters.
pub(super) fn bind(
    plan: LogicalPlan,
    declared: &[FieldRef],
    values: Vec<ScalarValue>,
    zone: Tz,
) -> Result<LogicalPlan> {
    check_count(declared.len(), values.len())?;
    if values.is_empty() {
        return Ok(plan);
    }
    let values: Vec<ScalarValue> = declared
        .iter()
        .zip(values)
        .map(|(field, value)| as_declared(&value, field.data_type(), zone))
        .collect::<Result<_, _>>()?;
    Ok(plan.with_param_values(ParamValues::from(values))?)
}

/// Clients send what they have, such as a long for a decimal. A number that the type cannot hold stays what it is: cut to
/// 1, the 1.5 of `WHERE quantity >= ?` finds other rows. Times with a zone are instants, others are read in `zone`.
fn as_declared(value: &ScalarValue, data_type: &DataType, zone: Tz) -> DfResult<ScalarValue> {
    let given = value.data_type();
    let is_time = given.is_string() || zone::is_instant(&given) || zone::is_wall_time(&given);
    if zone::is_instant(data_type) && is_time {
        return zone::to_instant(value.clone(), zone);
    }
    if zone::is_wall_time(data_type) && is_time {
        return zone::to_wall_time(value, data_type, zone);
    }
    let cast = value.cast_to(data_type);
    if !(given.is_numeric() && data_type.is_numeric()) {
        return cast;
    }
    let whole = cast.ok().filter(|cast| cast.cast_to(&given).is_ok_and(|back| back == *value));
    Ok(whole.unwrap_or_else(|| value.clone()))
}

pub(super) fn check_count(declared: usize, given: usize) -> Result<()> {
    if declared != given {
        return Err(Error::invalid(format!("the statement has {declared} parameters, {given} values were given")));
    }
    Ok(())
}
