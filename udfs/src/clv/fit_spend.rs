//! `clv_fit_spend(frequency, monetary_value [, weight])`: fits the Gamma-Gamma model of mean spend.
//!
//! State: the exact multiset of (frequency, mean spend), as in `clv_fit`: the same bits for any partitioning.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, UInt64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, DocSection, Documentation, Signature, Volatility};

use super::arguments::{Argument, Kind, any_null, coerce, numbers, refused, signature_text};
use super::fit::fit_spend;
use super::fitted::{spend_fields, spend_result};
use super::model::SpendRow;
use super::multiset::Multiset;

const NAME: &str = "clv_fit_spend";
const REQUIRED: usize = 2;
const ARGUMENTS: [Argument; 3] =
    [("frequency", Kind::Number), ("monetary_value", Kind::Number), ("weight", Kind::Integer)];

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
        Ok(Box::new(Spenders { spenders: Multiset::new(NAME), skipped: 0 }))
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

#[derive(Debug)]
struct Spenders {
    /// By frequency, bits of mean spend.
    spenders: Multiset<2>,
    skipped: u64,
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
                self.spenders.add([u64::from(x as u32), z.to_bits()], weight)?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.spenders.is_empty() {
            return ScalarValue::try_from(DataType::Struct(spend_fields()));
        }
        let row = |([frequency, spend], weight): ([u64; 2], u64)| SpendRow {
            // It came from a u32.
            frequency: frequency as u32,
            spend: f64::from_bits(spend),
            weight,
        };
        let rows: Vec<SpendRow> = self.spenders.sorted().into_iter().map(row).collect();
        let customers = rows.iter().map(|row| row.weight).sum();
        spend_result(&fit_spend(&rows), customers, self.skipped)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.spenders.heap_size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.spenders.state(), ScalarValue::UInt64(Some(self.skipped))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.spenders.merge(&states[0])?;
        self.skipped += states[1].as_primitive::<UInt64Type>().iter().flatten().sum::<u64>();
        Ok(())
    }
}
