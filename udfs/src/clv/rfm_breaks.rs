//! `rfm_breaks(value, k)`: the values that part the rows into k groups of about equal size.
//!
//! State: all values, 8 bytes each, so that the breaks are exact and the same for any partitioning.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, DocSection, Documentation, Signature, Volatility};

use super::arguments::{Argument, Kind, coerce, refused, signature_text};

const NAME: &str = "rfm_breaks";
const ARGUMENTS: [Argument; 2] = [("value", Kind::Number), ("k", Kind::Integer)];
const MOST_GROUPS: i64 = 1_000;

/// A list of doubles, as this family writes it.
pub(super) fn breaks_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)))
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Breaks {
    signature: Signature,
}

impl Breaks {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for Breaks {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        coerce(NAME, &ARGUMENTS, ARGUMENTS.len(), given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(breaks_type())
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Values::default()))
    }

    fn state_fields(&self, _args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new("values", breaks_type(), true)), Arc::new(Field::new("k", DataType::Int64, true))])
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "The k - 1 breaks that part the values into k groups of about equal size: break i is the smallest value \
                 that at least i/k of the rows do not exceed. Equal values are never parted, unlike with NTILE. NULLs are \
                 skipped; no rows give NULL.",
                signature_text(NAME, &ARGUMENTS, ARGUMENTS.len()),
            )
            .with_argument("value", "a number: days since the last order, orders, spend")
            .with_argument("k", "number of groups, from 2 to 1000; one constant")
            .with_sql_example("SELECT rfm_breaks(orders, 5) FROM (SELECT count(*) AS orders FROM orders GROUP BY person)")
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

#[derive(Debug, Default)]
struct Values {
    held: Vec<f64>,
    groups: Option<i64>,
}

impl Values {
    fn set_groups(&mut self, column: &ArrayRef) -> Result<()> {
        for groups in column.as_primitive::<Int64Type>().iter().flatten() {
            if !(2..=MOST_GROUPS).contains(&groups) {
                return exec_err!(
                    "{NAME}: argument 2 (k) is {groups}: it is a number of groups from 2 to {MOST_GROUPS}"
                );
            }
            match self.groups.replace(groups) {
                Some(held) if held != groups => {
                    return exec_err!("{NAME}: argument 2 (k) is {held} and {groups}: it is one number for all rows");
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Moves to each of some ascending places what sorting would put there. The values are those from place `first` on.
fn put_in_place(values: &mut [f64], first: usize, places: &[usize]) {
    let Some(middle) = places.get(places.len() / 2) else { return };
    let (below, _, above) = values.select_nth_unstable_by(middle - first, f64::total_cmp);
    put_in_place(below, first, &places[..places.partition_point(|place| place < middle)]);
    put_in_place(above, middle + 1, &places[places.partition_point(|place| place <= middle)..]);
}

impl Accumulator for Values {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.set_groups(&values[1])?;
        for value in values[0].as_primitive::<Float64Type>().iter().flatten() {
            if value.is_nan() {
                return Err(refused(NAME, 1, "value", value, "it is a number"));
            }
            self.held.push(value);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let Some(groups) = self.groups.filter(|_| !self.held.is_empty()) else {
            return ScalarValue::try_from(breaks_type());
        };
        let mut values = self.held.clone();
        let (rows, groups) = (values.len() as u128, groups as u128);
        // The smallest place p with (p + 1) / rows >= i / k; below `rows`, since i < k.
        let places: Vec<usize> = (1..groups).map(|i| ((i * rows).div_ceil(groups) - 1) as usize).collect();
        put_in_place(&mut values, 0, &places);
        let breaks = Float64Array::from_iter_values(places.iter().map(|place| values[*place]));
        Ok(SingleRowListArrayBuilder::new(Arc::new(breaks)).build_list_scalar())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.held.capacity() * size_of::<f64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: Float64Array = self.held.iter().copied().map(Some).collect();
        let list = SingleRowListArrayBuilder::new(Arc::new(values)).build_list_scalar();
        Ok(vec![list, ScalarValue::Int64(self.groups)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.set_groups(&states[1])?;
        for list in states[0].as_list::<i32>().iter().flatten() {
            self.held.extend(list.as_primitive::<Float64Type>().values());
        }
        Ok(())
    }
}
