//! Takes its key from what `unnest` repeats.
//!
//! Groups are unique by what they are grouped by, and DataFusion 55.2 still holds them for unique when `unnest` has made
//! several rows of each (`Unnest` keeps the functional dependencies of its input): joins and DISTINCT above it lose rows.
//! Columns behind a function that it cannot look through are no key.
//!
//! Can go when `Unnest` drops them: `tests/slt/same_names.slt` then passes without it.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Result as DfResult, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};

use super::RuleContext;

static NO_KEY: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(NoKey::new())));

pub(super) fn forget(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Unnest(unnest) = &node else { return Ok(Transformed::no(node)) };
    let schema = unnest.input.schema();
    let dependencies = schema.functional_dependencies();
    if dependencies.is_empty() {
        return Ok(Transformed::no(node));
    }
    let is_key = |place: usize| dependencies.iter().any(|dependency| dependency.source_indices.contains(&place));
    let columns = schema.iter().enumerate().map(|(place, (qualifier, field))| {
        let column = Expr::from((qualifier, field));
        match is_key(place) {
            true => NO_KEY.call(vec![column]).alias_qualified(qualifier.cloned(), field.name()),
            false => column,
        }
    });
    let input =
        LogicalPlanBuilder::from(unnest.input.as_ref().clone()).project(columns.collect::<Vec<_>>())?.build()?;
    Ok(Transformed::yes(node.with_new_exprs(node.expressions(), vec![input])?))
}

/// Its argument.
#[derive(Debug, PartialEq, Eq, Hash)]
struct NoKey {
    signature: Signature,
}

impl NoKey {
    fn new() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for NoKey {
    fn name(&self) -> &str {
        "no_key"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        internal_err!("the field of the argument is asked for")
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> DfResult<FieldRef> {
        match arguments.arg_fields.first() {
            Some(field) => Ok(Arc::clone(field)),
            None => internal_err!("no_key takes one argument"),
        }
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        match arguments.args.pop() {
            Some(value) => Ok(value),
            None => internal_err!("no_key takes one argument"),
        }
    }
}
