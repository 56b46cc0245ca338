//! The types that functions take at the places of parameters. Must not know where in a plan a call stands.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::ExprSchema;
use datafusion::logical_expr::type_coercion::functions::{UDFCoercionExt, fields_with_udf};
use datafusion::logical_expr::{Expr, ExprSchemable};

/// What a function makes of its arguments, where it can tell without the parameters: `None` for a function that takes
/// values of several kinds there.
pub(super) fn argument_types(
    function: &impl UDFCoercionExt,
    arguments: &[Expr],
    schema: &dyn ExprSchema,
) -> Option<Vec<DataType>> {
    let first = arguments.iter().position(|argument| matches!(argument, Expr::Placeholder(_)))?;
    let given = arguments.iter().map(|argument| match argument {
        Expr::Placeholder(_) => Some(None),
        other => other.get_type(schema).ok().map(Some),
    });
    let given: Vec<Option<DataType>> = given.collect::<Option<_>>()?;
    let with = |kind: DataType| given.iter().map(move |held| held.clone().unwrap_or_else(|| kind.clone()));
    let nulls: Vec<DataType> = with(DataType::Null).collect();
    if let Ok(told) = function.coerce_types(&nulls)
        && told.get(first).is_some_and(|data_type| !data_type.is_null())
    {
        return Some(told);
    }
    let mut taken = kinds().into_iter().filter_map(|kind| {
        let fields: Vec<FieldRef> =
            with(kind.clone()).map(|data_type| Arc::new(Field::new("", data_type, true))).collect();
        let fields = fields_with_udf(&fields, function).ok()?;
        let types: Vec<DataType> = fields.iter().map(|field| field.data_type().clone()).collect();
        (types.get(first) == Some(&kind)).then_some(types)
    });
    let only = taken.next();
    if taken.next().is_none() { only } else { None }
}

/// One type for each kind of value.
fn kinds() -> [DataType; 5] {
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    [DataType::Float64, DataType::Utf8, instant, DataType::Binary, DataType::Boolean]
}
