//! `first_examples(value)`: the three smallest distinct texts, cut to a readable length. Bounded whatever comes in.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

const EXAMPLES: usize = 3;
const LONGEST: usize = 60;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct FirstExamples {
    signature: Signature,
}

impl FirstExamples {
    pub(super) fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Utf8], Volatility::Immutable) }
    }
}

fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

impl AggregateUDFImpl for FirstExamples {
    fn name(&self) -> &str {
        "first_examples"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        Ok(list_type())
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        Ok(Box::new(Smallest::default()))
    }

    fn state_fields(&self, _args: StateFieldsArgs) -> DfResult<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new("examples", list_type(), true))])
    }
}

#[derive(Debug, Default)]
struct Smallest {
    held: BTreeSet<String>,
}

impl Smallest {
    fn add(&mut self, text: &str) {
        let cut: String = text.chars().take(LONGEST).collect();
        self.held.insert(cut);
        if self.held.len() > EXAMPLES {
            self.held.pop_last();
        }
    }

    fn to_list(&self) -> ScalarValue {
        let texts: Vec<ScalarValue> = self.held.iter().map(|text| ScalarValue::from(text.as_str())).collect();
        ScalarValue::List(ScalarValue::new_list_nullable(&texts, &DataType::Utf8))
    }
}

impl Accumulator for Smallest {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        values[0].as_string::<i32>().iter().flatten().for_each(|text| self.add(text));
        Ok(())
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        Ok(self.to_list())
    }

    fn size(&self) -> usize {
        size_of_val(self) + EXAMPLES * LONGEST
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        Ok(vec![self.to_list()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        for list in states[0].as_list::<i32>().iter().flatten() {
            list.as_string::<i32>().iter().flatten().for_each(|text| self.add(text));
        }
        Ok(())
    }
}
