//! `clv_value(m, g, frequency, recency, age, monetary_value, months, monthly_discount [, margin])`: the value of a
//! customer over the next months as a monthly discounted sum, as `lifetimes.customer_lifetime_value` defines it.
//!
//! The other definition in use, all purchases to come discounted continuously, is `clv_dert` times `clv_expected_spend`.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, Float64Array, Float64Builder};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::arguments::{Argument, Kind, coerce, customer, numbers, refused, signature_text};
use super::fitted::Models;
use super::model::{Forecast, GammaGamma};
use super::spend::expected_spend;

const NAME: &str = "clv_value";
const REQUIRED: usize = 8;
const ARGUMENTS: [Argument; 9] = [
    ("model", Kind::Struct),
    ("spend_model", Kind::Struct),
    ("frequency", Kind::Number),
    ("recency", Kind::Number),
    ("age", Kind::Number),
    ("monetary_value", Kind::Number),
    ("months", Kind::Number),
    ("monthly_discount", Kind::Number),
    ("margin", Kind::Number),
];
const MOST_MONTHS: f64 = 1_200.0;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Value {
    signature: Signature,
}

impl Value {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// Units of the model's time in a month, as lifetimes counts them; one opportunity of BG/BB is a month.
fn units_in_month(unit: &str) -> Result<f64> {
    match unit {
        "day" => Ok(30.0),
        "week" => Ok(4.345),
        "month" | "period" => Ok(1.0),
        other => exec_err!("{NAME}: the model's unit is '{other}'"),
    }
}

/// The numbers of one row, in the order of the arguments after the models; margin is 1 without one.
struct Figures {
    customer: [f64; 3],
    spend: Option<f64>,
    months: f64,
    discount: f64,
    margin: f64,
}

fn value(forecast: &mut Forecast, unit: &str, spend: &GammaGamma, figures: &Figures) -> Result<Option<f64>> {
    let row = customer(NAME, 3, forecast.model.family, figures.customer)?;
    if !(figures.months >= 0.0 && figures.months <= MOST_MONTHS && figures.months.fract() == 0.0) {
        return Err(refused(NAME, 7, "months", figures.months, "it is a whole number from 0 to 1200"));
    }
    if !(figures.discount > -1.0 && figures.discount.is_finite()) {
        return Err(refused(NAME, 8, "monthly_discount", figures.discount, "it is a rate such as 0.01"));
    }
    if !figures.margin.is_finite() {
        return Err(refused(NAME, 9, "margin", figures.margin, "it is a share such as 0.3"));
    }
    let Some(mean) = expected_spend(NAME, (3, 6), spend, figures.customer[0], figures.spend)? else {
        return Ok(None);
    };
    let month = units_in_month(unit)?;
    let (mut sum, mut before) = (0.0, 0.0);
    for i in 1..=figures.months as i32 {
        let expected = forecast.expected_purchases(f64::from(i) * month, &row);
        sum += (expected - before) / (1.0 + figures.discount).powi(i);
        before = expected;
    }
    Ok(Some(sum * mean * figures.margin))
}

/// The columns of numbers.
struct Columns(Vec<Float64Array>);

impl Columns {
    fn row(&self, row: usize) -> Option<Figures> {
        let spend_place = 3;
        if self.0.iter().enumerate().any(|(place, column)| place != spend_place && column.is_null(row)) {
            return None;
        }
        let at = |place: usize| self.0[place].value(row);
        Some(Figures {
            customer: [at(0), at(1), at(2)],
            spend: (!self.0[spend_place].is_null(row)).then(|| at(spend_place)),
            months: at(4),
            discount: at(5),
            margin: self.0.get(6).map_or(1.0, |column| column.value(row)),
        })
    }
}

impl ScalarUDFImpl for Value {
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
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let columns = args.args[2..].iter().map(|value| numbers(&value.to_array(rows)?));
        let columns = Columns(columns.collect::<Result<_>>()?);
        let constant = args.args[..2].iter().all(|model| matches!(model, ColumnarValue::Scalar(_)));
        let (purchases, spend) = (args.args[0].to_array(rows)?, args.args[1].to_array(rows)?);
        let mut values = Float64Builder::with_capacity(rows);
        if [&purchases, &spend].iter().any(|array| array.data_type() == &DataType::Null) {
            values.append_nulls(rows);
            return Ok(ColumnarValue::Array(Arc::new(values.finish())));
        }
        let (purchases, spend) = (Models::new(NAME, &purchases)?, Models::new(NAME, &spend)?);
        let mut held = None;
        for row in 0..rows {
            if held.is_none() || !constant {
                let fitted = purchases.purchases(row)?;
                held = Some((fitted.map(|fitted| (Forecast::new(fitted.model), fitted.unit)), spend.spend(row)?));
            }
            let computed = match (&mut held, columns.row(row)) {
                (Some((Some((forecast, unit)), Some(spend))), Some(figures)) => value(forecast, unit, spend, &figures)?,
                _ => None,
            };
            values.append_option(computed);
        }
        Ok(ColumnarValue::Array(Arc::new(values.finish())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "Value of the customer over the next months: for each month the expected purchases times the expected \
                 spend, discounted monthly. A month is 30 days or 4.345 weeks of the model's unit (of a model in periods: \
                 one period). All purchases to come, discounted continuously, are clv_dert times clv_expected_spend.",
                signature_text(NAME, &ARGUMENTS, REQUIRED),
            )
            .with_argument("model", "what clv_fit returned")
            .with_argument("spend_model", "what clv_fit_spend returned")
            .with_argument("frequency", "repeat periods of the customer")
            .with_argument("recency", "age at the last purchase")
            .with_argument("age", "time since the first purchase")
            .with_argument("monetary_value", "mean spend of the repeat periods; not looked at where frequency is 0")
            .with_argument("months", "months to look ahead")
            .with_argument("monthly_discount", "such as 0.01")
            .with_argument("margin", "share of the spend that is counted; 1 without it")
            .with_sql_example(
                "SELECT person, clv_value(m, g, s['frequency'], s['recency'], s['age'], s['monetary_value'], 12, 0.01)\n\
                 FROM summaries, models ORDER BY 2 DESC LIMIT 100",
            )
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
