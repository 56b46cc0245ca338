//! `merge_traits(ts, message_id, properties)`: per key the last value wins; of one instant the larger message id.
//!
//! A value stays the text that it was sent as: read as numbers and written again, `1.10` and long digits would change, and
//! what is nested deep or has a number beyond a double would cost the event all its traits.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, TimestampMicrosecondType};
use datafusion::common::{DataFusionError, Result as DfResult, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::store::events::schema::instant;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct MergeTraits {
    signature: Signature,
}

impl MergeTraits {
    pub(super) fn new() -> Self {
        let arguments = vec![instant(), DataType::Utf8, DataType::Utf8];
        Self { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for MergeTraits {
    fn name(&self) -> &str {
        "merge_traits"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Utf8)
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        Ok(Box::new(Traits::default()))
    }

    fn state_fields(&self, _args: StateFieldsArgs) -> DfResult<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new("traits", DataType::Utf8, true))])
    }
}

/// When a trait was set: later wins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Stamp(i64, String);

#[derive(Debug, Default)]
struct Traits {
    held: BTreeMap<String, (Stamp, Box<RawValue>)>,
    bytes: usize,
}

impl Traits {
    fn set(&mut self, key: String, stamp: Stamp, value: &RawValue) {
        // An estimate: the text of the value is what may be large.
        let size = |stamp: &Stamp, value: &RawValue| key.len() + stamp.1.len() + value.get().len();
        match self.held.get(&key) {
            Some((held, _)) if *held >= stamp => return,
            Some((held, before)) => self.bytes -= size(held, before),
            None => {}
        }
        self.bytes += size(&stamp, value);
        self.held.insert(key, (stamp, value.to_owned()));
    }
}

fn external(error: serde_json::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl Accumulator for Traits {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let ts = values[0].as_primitive::<TimestampMicrosecondType>();
        let (ids, texts) = (values[1].as_string::<i32>(), values[2].as_string::<i32>());
        for row in 0..ts.len() {
            if texts.is_null(row) {
                continue;
            }
            let Ok(object) = serde_json::from_str::<BTreeMap<String, &RawValue>>(texts.value(row)) else { continue };
            for (key, value) in object {
                self.set(key, Stamp(ts.value(row), ids.value(row).to_owned()), value);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        // A trait set to null is taken back.
        let object: BTreeMap<&str, &RawValue> = self
            .held
            .iter()
            .map(|(key, (_, value))| (key.as_str(), &**value))
            .filter(|(_, value)| value.get() != "null")
            .collect();
        Ok(ScalarValue::from(serde_json::to_string(&object).map_err(external)?))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bytes
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::from(serde_json::to_string(&self.held).map_err(external)?)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        for text in states[0].as_string::<i32>().iter().flatten() {
            let other: BTreeMap<String, (Stamp, Box<RawValue>)> = serde_json::from_str(text).map_err(external)?;
            for (key, (stamp, value)) in other {
                self.set(key, stamp, &value);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
