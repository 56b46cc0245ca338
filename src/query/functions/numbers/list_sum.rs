//! `array_sum`: the sum of a list's elements, of the type that `sum` has. DataFusion 55.2 adds up all numbers as DOUBLE,
//! which has 15 digits: `array_sum([0.1, 0.2])` was 0.30000000000000004. NULLs are left out; of no elements it is NULL.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, GenericListArray, OffsetSizeTrait, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Int64Type};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::operands::{Class, sql_name};
use super::sum_output::Output;
use crate::error::Error;

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ListSum {
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl ListSum {
    /// Around the function that adds up lists of DOUBLEs.
    pub(super) fn new(inner: Arc<ScalarUDF>) -> Self {
        Self { inner, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// The type as which elements are added up.
fn coerce_element(element: &FieldRef) -> Option<FieldRef> {
    let class = Class::of(element.data_type())?;
    let data_type = if class.is_float() { DataType::Float64 } else { class.data_type() };
    Some(Arc::new(element.as_ref().clone().with_data_type(data_type)))
}

fn coerce_list(list: &DataType) -> Option<DataType> {
    match list {
        DataType::Null => Some(DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)))),
        DataType::List(element) | DataType::FixedSizeList(element, _) => coerce_element(element).map(DataType::List),
        DataType::LargeList(element) => coerce_element(element).map(DataType::LargeList),
        _ => None,
    }
}

impl ScalarUDFImpl for ListSum {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        let list = match types {
            [list] => coerce_list(list),
            _ => None,
        };
        match list {
            Some(list) => Ok(vec![list]),
            None => {
                let given: Vec<String> = types.iter().map(sql_name).collect();
                Err(Error::invalid(format!(
                    "array_sum takes one list of numbers, not {}: cast the elements where the list is made, as in \
                     [CAST(a AS DOUBLE), CAST(b AS DOUBLE)], or write sum(x) over SELECT unnest(l) AS x",
                    given.join(", ")
                ))
                .into())
            }
        }
    }

    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        match types {
            [DataType::List(element) | DataType::LargeList(element)] => {
                sum_udaf().return_type(&[element.data_type().clone()])
            }
            _ => Err(Error::internal("array_sum without a list").into()),
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let output = arguments.return_field.data_type().clone();
        if output == DataType::Float64 {
            return self.inner.invoke_with_args(arguments);
        }
        let list = arguments.args.first().ok_or_else(|| Error::internal("array_sum without a list"))?;
        let column = list.to_array(1)?;
        let sums = match column.as_list_opt::<i32>() {
            Some(lists) => add_up(lists, output)?,
            None => add_up(column.as_list::<i64>(), output)?,
        };
        Ok(match list {
            ColumnarValue::Array(_) => ColumnarValue::Array(sums),
            ColumnarValue::Scalar(_) => ColumnarValue::Scalar(ScalarValue::try_from_array(&sums, 0)?),
        })
    }
}

fn add_up<O: OffsetSizeTrait>(lists: &GenericListArray<O>, output: DataType) -> DfResult<ArrayRef> {
    let output = Output::Sum(output);
    let elements: PrimitiveArray<Decimal128Type> = match lists.values().as_primitive_opt::<Int64Type>() {
        Some(integers) => integers.unary::<_, Decimal128Type>(i128::from),
        None => lists.values().as_primitive::<Decimal128Type>().clone(),
    };
    let mut sums = Vec::with_capacity(lists.len());
    let mut known = Vec::with_capacity(lists.len());
    for (row, range) in lists.value_offsets().windows(2).enumerate() {
        let places = if lists.is_valid(row) { range[0].as_usize()..range[1].as_usize() } else { 0..0 };
        let mut values = places.filter(|place| elements.is_valid(*place)).map(|place| elements.value(place)).peekable();
        known.push(values.peek().is_some());
        let sum = values.try_fold(0_i128, i128::checked_add).ok_or_else(|| output.beyond())?;
        sums.push(sum);
    }
    output.column(sums, &[], Some(NullBuffer::from(known)))
}
