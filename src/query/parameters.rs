//! Parameters of a statement: their types at Prepare, their values at execution.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::error::{Error, Result};

/// Values that table functions look up while a statement is planned again with them.
#[derive(Debug)]
pub(super) struct BoundParameters(pub(super) Vec<ScalarValue>);

/// One field for each of `count` parameters; Utf8 where the plan does not tell, since JDBC cannot bind an untyped one.
pub(super) fn fields(plan: &LogicalPlan, count: usize) -> Result<Vec<FieldRef>> {
    let known = plan.get_parameter_fields()?;
    let casts = cast_types(plan)?;
    Ok((1..=count)
        .map(|number| {
            let name = format!("${number}");
            let told = known.get(&name).and_then(|field| field.as_ref().map(|field| field.data_type().clone()));
            let data_type = told.or_else(|| casts.get(&name).cloned()).unwrap_or(DataType::Utf8);
            Arc::new(Field::new(&name, data_type, true))
        })
        .collect())
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

/// How many parameters stand where `bind` reaches them; the others are in table functions.
pub(super) fn visible(plan: &LogicalPlan) -> Result<usize> {
    Ok(plan.get_parameter_fields()?.len())
}

/// The plan with its parameters replaced.
///
/// # Errors
/// `InvalidInput` when the number of values is not that of the parameters.
pub(super) fn bind(plan: LogicalPlan, declared: &[FieldRef], values: Vec<ScalarValue>) -> Result<LogicalPlan> {
    check_count(declared.len(), values.len())?;
    if values.is_empty() {
        return Ok(plan);
    }
    // Clients send what they have, such as a long for a decimal.
    let values: Vec<ScalarValue> =
        declared.iter().zip(values).map(|(field, value)| value.cast_to(field.data_type())).collect::<Result<_, _>>()?;
    Ok(plan.with_param_values(ParamValues::from(values))?)
}

pub(super) fn check_count(declared: usize, given: usize) -> Result<()> {
    if declared != given {
        return Err(Error::invalid(format!("the statement has {declared} parameters, {given} values were given")));
    }
    Ok(())
}
