//! Parameters of a statement: their types at Prepare, their values at execution.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::logical_expr::LogicalPlan;

use crate::error::{Error, Result};

/// Values that table functions look up while a statement is planned again with them.
#[derive(Debug)]
pub(super) struct BoundParameters(pub(super) Vec<ScalarValue>);

/// One field for each of `count` parameters; Utf8 where the plan does not tell, since JDBC cannot bind an untyped one.
pub(super) fn fields(plan: &LogicalPlan, count: usize) -> Result<Vec<FieldRef>> {
    let known = plan.get_parameter_fields()?;
    Ok((1..=count)
        .map(|number| {
            let name = format!("${number}");
            match known.get(&name) {
                Some(Some(field)) => Arc::new(Field::new(&name, field.data_type().clone(), true)),
                _ => Arc::new(Field::new(&name, DataType::Utf8, true)),
            }
        })
        .collect())
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
    Ok(plan.with_param_values(ParamValues::from(values))?)
}

pub(super) fn check_count(declared: usize, given: usize) -> Result<()> {
    if declared != given {
        return Err(Error::invalid(format!("the statement has {declared} parameters, {given} values were given")));
    }
    Ok(())
}
