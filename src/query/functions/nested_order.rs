//! `nested_order(a, b)`: whether one list or struct comes before or behind another, where a NULL within comes last, as it
//! does in ORDER BY. DataFusion 55.2 lets it come first in `<` and its like, so that they and the sort disagree;
//! PostgreSQL and DuckDB have it last in both.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, make_comparator};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

#[derive(Debug, PartialEq, Eq, Hash)]
struct NestedOrder {
    /// One of `<`, `<=`, `>` and `>=`.
    operator: Operator,
    signature: Signature,
}

/// `left operator right` of lists or structs of one type; the operator is `<`, `<=`, `>` or `>=`.
pub(in crate::query) fn nested_order(left: Expr, operator: Operator, right: Expr) -> Expr {
    let function = NestedOrder { operator, signature: Signature::any(2, Volatility::Immutable) };
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::from(function)), vec![left, right]))
}

impl ScalarUDFImpl for NestedOrder {
    fn name(&self) -> &str {
        "nested_order"
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        let [left, right] = take_function_args(self.name(), arguments)?;
        Ok(format!("{} {} {}", left.schema_name(), self.operator, right.schema_name()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), DataType::Boolean, nullable)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let sides = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [left, right] = take_function_args(self.name(), sides)?;
        let order = make_comparator(left.as_ref(), right.as_ref(), SortOptions::new(false, false))?;
        let holds = |row: usize| match self.operator {
            Operator::Lt => order(row, row).is_lt(),
            Operator::LtEq => order(row, row).is_le(),
            Operator::Gt => order(row, row).is_gt(),
            _ => order(row, row).is_ge(),
        };
        let values = BooleanBuffer::collect_bool(left.len(), holds);
        let result: ArrayRef = Arc::new(BooleanArray::new(values, NullBuffer::union(left.nulls(), right.nulls())));
        Ok(match is_constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?),
            false => ColumnarValue::Array(result),
        })
    }
}
