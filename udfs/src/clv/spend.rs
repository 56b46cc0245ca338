//! `clv_expected_spend(g, frequency, monetary_value)`: mean spend to expect of a customer.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, Float64Builder};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::arguments::{Argument, Kind, coerce, numbers, refused, signature_text};
use super::fitted::Models;
use super::model::GammaGamma;

const NAME: &str = "clv_expected_spend";
const ARGUMENTS: [Argument; 3] =
    [("model", Kind::Struct), ("frequency", Kind::Number), ("monetary_value", Kind::Number)];

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ExpectedSpend {
    signature: Signature,
}

impl ExpectedSpend {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// The expectation of `function`'s arguments from place `first` on; a customer without a repeat has no spend to look at.
///
/// # Errors
/// Names the argument that no customer can have.
pub(super) fn expected_spend(
    function: &str,
    (frequency_place, spend_place): (usize, usize),
    model: &GammaGamma,
    frequency: f64,
    spend: Option<f64>,
) -> Result<Option<f64>> {
    if !(frequency >= 0.0 && frequency <= f64::from(u32::MAX) && frequency.fract() == 0.0) {
        let why = "it is a whole number of repeat periods, not below 0";
        return Err(refused(function, frequency_place, "frequency", frequency, why));
    }
    let spend = match spend {
        _ if frequency == 0.0 => 0.0,
        None => return Ok(None),
        Some(spend) if spend > 0.0 && spend.is_finite() => spend,
        Some(spend) => {
            let why = "the mean spend of repeat periods is above 0";
            return Err(refused(function, spend_place, "monetary_value", spend, why));
        }
    };
    let expected = model.expected_spend(frequency as u32, spend);
    Ok(expected.is_finite().then_some(expected))
}

impl ScalarUDFImpl for ExpectedSpend {
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
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let (frequency, spend) = (numbers(&args.args[1].to_array(rows)?)?, numbers(&args.args[2].to_array(rows)?)?);
        let one_model = matches!(args.args[0], ColumnarValue::Scalar(_));
        let array = args.args[0].to_array(if one_model { 1 } else { rows })?;
        let mut values = Float64Builder::with_capacity(rows);
        if array.data_type() == &DataType::Null {
            values.append_nulls(rows);
            return Ok(ColumnarValue::Array(Arc::new(values.finish())));
        }
        let models = Models::new(NAME, &array)?;
        for row in 0..rows {
            let model = models.spend(if one_model { 0 } else { row })?;
            let spent = (!spend.is_null(row)).then(|| spend.value(row));
            let value = match model {
                Some(model) if !frequency.is_null(row) => {
                    expected_spend(NAME, (2, 3), &model, frequency.value(row), spent)?
                }
                _ => None,
            };
            values.append_option(value);
        }
        Ok(ColumnarValue::Array(Arc::new(values.finish())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "Expected mean spend of the customer under the Gamma-Gamma model. Without a repeat period it is the mean \
                 of all customers, whatever monetary_value says; NULL where the model has no mean (q <= 1).",
                signature_text(NAME, &ARGUMENTS, ARGUMENTS.len()),
            )
            .with_argument("model", "what clv_fit_spend returned")
            .with_argument("frequency", "repeat periods of the customer")
            .with_argument("monetary_value", "mean spend of the repeat periods")
            .with_sql_example("SELECT clv_expected_spend(g, s['frequency'], s['monetary_value']) FROM summaries, model")
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
