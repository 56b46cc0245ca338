//! `clv_fit_spend(frequency, monetary_value [, weight])`: fits the Gamma-Gamma model of mean spend.
//!
//! State: the exact multiset of (frequency, mean spend), as in `clv_fit`: the same bits for any partitioning.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, UInt64Type};
use datafusion::common::{HashMap, Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, DocSection, Documentation, Signature, Volatility};

use super::arguments::{Argument, Kind, any_null, coerce, numbers, refused, signature_text};
use super::fit::fit_spend;
use super::fitted::{spend_fields, spend_result};
use super::model::SpendRow;

const NAME: &str = "clv_fit_spend";
const REQUIRED: usize = 2;
const ARGUMENTS: [Argument; 3] =
    [("frequency", Kind::Number), ("monetary_value", Kind::Number), ("weight", Kind::Integer)];
/// Bytes of one entry of a state: frequency, spend, weight.
const ENTRY: usize = 4 + 8 + 8;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct FitSpend {
    signature: Signature,
}

impl FitSpend {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for FitSpend {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        coerce(NAME, &ARGUMENTS, REQUIRED, given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(spend_fields()))
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Spenders::default()))
    }

    fn state_fields(&self, _args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![
            Arc::new(Field::new("spenders", DataType::LargeBinary, true)),
            Arc::new(Field::new("skipped", DataType::UInt64, true)),
        ])
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "Fits the Gamma-Gamma model of the mean spend of a repeat period. Rows without a repeat period or \
                 without a positive spend are skipped and counted in `n_skipped`, rows with a NULL frequency are not \
                 counted; no rows give NULL.",
                signature_text(NAME, &ARGUMENTS, REQUIRED),
            )
            .with_argument("frequency", "repeat periods of the customer")
            .with_argument("monetary_value", "mean spend of a repeat period")
            .with_argument("weight", "number of customers that the row stands for; 1 without it")
            .with_sql_example(
                "SELECT clv_fit_spend(s['frequency'], s['monetary_value'])\n\
                 FROM (SELECT clv_summary(ts, net, DATE '2026-06-30') AS s FROM orders GROUP BY person)",
            )
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

/// (frequency, bits of spend).
type Key = (u32, u64);

#[derive(Debug, Default)]
struct Spenders {
    weights: HashMap<Key, u64>,
    skipped: u64,
}

impl Spenders {
    fn add(&mut self, key: Key, weight: u64) -> Result<()> {
        let held = self.weights.entry(key).or_default();
        match held.checked_add(weight) {
            Some(sum) => *held = sum,
            None => return exec_err!("{NAME}: the weights add up to more than 2^64"),
        }
        Ok(())
    }
}

impl Accumulator for Spenders {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (frequency, spend) = (numbers(&values[0])?, numbers(&values[1])?);
        let weights = values.get(2).map(|weights| weights.as_primitive::<Int64Type>());
        for row in 0..frequency.len() {
            if any_null([&frequency as &dyn Array], row) || weights.is_some_and(|weights| weights.is_null(row)) {
                continue;
            }
            let weight = weights.map_or(1, |weights| weights.value(row));
            let Ok(weight) = u64::try_from(weight) else {
                return exec_err!("{NAME}: argument 3 (weight) is {weight}: it is a number of customers, not below 0");
            };
            let (x, z) = (frequency.value(row), if spend.is_null(row) { 0.0 } else { spend.value(row) });
            if !(x >= 0.0 && x <= f64::from(u32::MAX) && x.fract() == 0.0) {
                return Err(refused(NAME, 1, "frequency", x, "it is a whole number of repeat periods, not below 0"));
            }
            if !z.is_finite() {
                return Err(refused(NAME, 2, "monetary_value", z, "it is an amount"));
            }
            if x == 0.0 || z <= 0.0 {
                self.skipped += weight;
            } else if weight > 0 {
                self.add((x as u32, z.to_bits()), weight)?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.weights.is_empty() {
            return ScalarValue::try_from(DataType::Struct(spend_fields()));
        }
        let mut rows: Vec<(Key, u64)> = self.weights.iter().map(|(key, weight)| (*key, *weight)).collect();
        rows.sort_unstable();
        let rows: Vec<SpendRow> = rows
            .into_iter()
            .map(|((frequency, spend), weight)| SpendRow { frequency, spend: f64::from_bits(spend), weight })
            .collect();
        let customers = rows.iter().map(|row| row.weight).sum();
        spend_result(&fit_spend(&rows), customers, self.skipped)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.weights.capacity() * (size_of::<(Key, u64)>() + 1)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut bytes = Vec::with_capacity(self.weights.len() * ENTRY);
        for ((frequency, spend), weight) in &self.weights {
            bytes.extend_from_slice(&frequency.to_le_bytes());
            bytes.extend_from_slice(&spend.to_le_bytes());
            bytes.extend_from_slice(&weight.to_le_bytes());
        }
        Ok(vec![ScalarValue::LargeBinary(Some(bytes)), ScalarValue::UInt64(Some(self.skipped))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for state in states[0].as_binary::<i64>().iter().flatten() {
            if state.len() % ENTRY != 0 {
                return exec_err!("{NAME}: a state of {} bytes is damaged", state.len());
            }
            for entry in state.chunks_exact(ENTRY) {
                let word =
                    |at: usize| entry[at..at + 8].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
                let frequency = entry[..4].iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
                self.add((frequency, word(4)), word(12))?;
            }
        }
        self.skipped += states[1].as_primitive::<UInt64Type>().iter().flatten().sum::<u64>();
        Ok(())
    }
}
