//! The arguments of one call: parameters replaced, columns refused, constants evaluated.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use datafusion::catalog::{Session, TableFunctionArgs};
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::{ConstantTable, refused};
use crate::query::parameters::{self, PlanningParameters};
use crate::query::walk::WalkExpression;

/// The arguments with the values of parameters, where the session has them, also inside subqueries.
///
/// # Errors
/// `InvalidInput` for a column, or a subquery that refers to one outside of it.
pub(super) fn bound(function: &dyn ConstantTable, args: &TableFunctionArgs) -> DfResult<Vec<Expr>> {
    let parameters = args.session().config().get_extension::<PlanningParameters>();
    if let Some(parameters) = &parameters
        && args.exprs().iter().any(|argument| has_parameter(argument) || has_parameter_in_subquery(argument))
    {
        parameters.note_table_function();
    }
    let values = parameters.as_deref().and_then(PlanningParameters::values);
    args.exprs().iter().map(|argument| bound_argument(function, argument, values)).collect()
}

fn bound_argument(function: &dyn ConstantTable, argument: &Expr, values: Option<&[ScalarValue]>) -> DfResult<Expr> {
    let done = argument.clone().change_parts(&mut |part| match (part, values) {
        (Expr::Placeholder(placeholder), Some(values)) => {
            let value = parameters::value_of(&placeholder.id, values)
                .ok_or_else(|| refused(function, "a value of a parameter is missing"))?;
            Ok(Transformed::yes(Expr::Literal(value.clone(), None)))
        }
        (Expr::Column(_) | Expr::OuterReferenceColumn(..), _) => {
            Err(refused(function, "an argument is a column").into())
        }
        (Expr::ScalarSubquery(subquery), _) if !subquery.outer_ref_columns.is_empty() => {
            Err(refused(function, "a subquery names a column outside of it").into())
        }
        (Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_), _) => {
            Err(refused(function, "a subquery is not scalar").into())
        }
        (Expr::ScalarSubquery(subquery), Some(values)) => {
            let plan = parameters::with_values(subquery.subquery.as_ref().clone(), values.to_vec())?;
            Ok(Transformed::yes(Expr::ScalarSubquery(subquery.with_plan(Arc::new(plan)))))
        }
        (part, _) => Ok(Transformed::no(part)),
    })?;
    Ok(done.data)
}

pub(super) fn has_subquery(argument: &Expr) -> bool {
    argument.has_part(&mut |part| Ok(matches!(part, Expr::ScalarSubquery(_)))).unwrap_or(false)
}

pub(super) fn has_parameter(argument: &Expr) -> bool {
    argument.has_part(&mut |part| Ok(matches!(part, Expr::Placeholder(_)))).unwrap_or(false)
}

fn has_parameter_in_subquery(argument: &Expr) -> bool {
    let found = argument.has_part(&mut |part| match part {
        Expr::ScalarSubquery(subquery) => parameters::has_parameter(&subquery.subquery),
        _ => Ok(false),
    });
    // What cannot be told is planned again.
    found.unwrap_or(true)
}

/// The scalar subqueries of an argument, and the way back for their values, in the same order.
pub(in crate::query) struct Subqueries {
    argument: Expr,
}

impl Subqueries {
    pub(super) fn new(argument: Expr) -> Self {
        Self { argument }
    }

    pub(in crate::query) fn plans(&self) -> DfResult<Vec<Arc<LogicalPlan>>> {
        let mut plans = Vec::new();
        self.argument.look_at_parts(&mut |part| {
            if let Expr::ScalarSubquery(subquery) = part {
                plans.push(Arc::clone(&subquery.subquery));
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(plans)
    }

    /// The argument with a value in the place of each subquery.
    pub(in crate::query) fn with_values(&self, values: Vec<ScalarValue>) -> DfResult<Expr> {
        let mut values = VecDeque::from(values);
        let done = self.argument.clone().change_parts(&mut |part| match part {
            Expr::ScalarSubquery(_) => {
                Ok(Transformed::yes(Expr::Literal(values.pop_front().unwrap_or(ScalarValue::Null), None)))
            }
            part => Ok(Transformed::no(part)),
        })?;
        Ok(done.data)
    }
}

/// The value of an expression of literals.
pub(in crate::query) fn constant(session: &dyn Session, argument: Expr) -> DfResult<ScalarValue> {
    if let Expr::Literal(value, _) = argument {
        return Ok(value);
    }
    let one_row = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &one_row)?;
    let call = session.create_physical_expr(argument, &DFSchema::empty())?;
    ScalarValue::try_from_array(&call.evaluate(&row)?.into_array(1)?, 0)
}
