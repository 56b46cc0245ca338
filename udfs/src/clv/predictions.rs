//! What a fitted model of purchases says of one customer: `clv_p_alive`, `clv_expected_purchases` and siblings.
//!
//! One implementation: the functions differ in the arguments between the model and the customer, and in the formula.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Float64Builder};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::arguments::{Argument, Kind, coerce, customer, numbers, refused, signature_text};
use super::fitted::Models;
use super::model::{Forecast, Row};

const MODEL: Argument = ("model", Kind::Struct);
const CUSTOMER: [Argument; 3] = [("frequency", Kind::Number), ("recency", Kind::Number), ("age", Kind::Number)];

/// A formula: `extra` is the argument after the model (a time, a rate), 0 where the function has none.
type Formula = fn(forecast: &mut Forecast, extra: f64, row: &Row) -> f64;

/// How one function is called and what it computes.
#[derive(Debug, Clone, Copy)]
struct Shape {
    name: &'static str,
    extra: Option<Argument>,
    /// The least that `extra` may be: 0, or the smallest number above it.
    least: f64,
    of_customer: bool,
    formula: Formula,
    description: &'static str,
    example: &'static str,
}

const SHAPES: [Shape; 5] = [
    Shape {
        name: "clv_p_alive",
        extra: None,
        least: 0.0,
        of_customer: true,
        formula: |forecast, _, row| forecast.model.p_alive(row),
        description: "Probability that the customer has not dropped out; bg_nbd says 1 for everyone without a repeat \
                      purchase, mbg_nbd and pareto_nbd let it decay.",
        example: "SELECT person, clv_p_alive(m, s['frequency'], s['recency'], s['age']) FROM summaries, model",
    },
    Shape {
        name: "clv_expected_purchases",
        extra: Some(("t", Kind::Number)),
        least: 0.0,
        of_customer: true,
        formula: Forecast::expected_purchases,
        description: "Expected repeat purchases of the customer in the next t units of the model's time.",
        example: "SELECT clv_expected_purchases(m, 52, s['frequency'], s['recency'], s['age']) FROM summaries, model",
    },
    Shape {
        name: "clv_expected_purchases_new",
        extra: Some(("t", Kind::Number)),
        least: 0.0,
        of_customer: false,
        formula: |forecast, time, _| forecast.expected_purchases_new(time),
        description: "Expected repeat purchases of a new customer in the first t units after the first purchase.",
        example: "SELECT clv_expected_purchases_new(m, 52) FROM model",
    },
    Shape {
        name: "clv_dert",
        extra: Some(("discount", Kind::Number)),
        least: f64::from_bits(1),
        of_customer: true,
        formula: |forecast, discount, row| forecast.model.discounted_expected_transactions(discount, row),
        description: "Discounted expected residual transactions: all purchases to come, each discounted to today. \
                      `discount` is a continuous rate per unit of the model's time (15 % a year on weeks: ln(1.15) / 52); \
                      for bg_bb a rate per opportunity.",
        example: "SELECT clv_dert(m, ln(1.15) / 52, s['frequency'], s['recency'], s['age']) FROM summaries, model",
    },
    Shape {
        name: "clv_log_likelihood",
        extra: None,
        least: 0.0,
        of_customer: true,
        formula: |forecast, _, row| forecast.model.log_likelihood(row),
        description: "Natural logarithm of the likelihood of one customer under the model.",
        example: "SELECT sum(clv_log_likelihood(m, s['frequency'], s['recency'], s['age'])) FROM summaries, model",
    },
];

/// All functions of this file.
pub(super) fn all() -> Vec<Prediction> {
    SHAPES.into_iter().map(Prediction::new).collect()
}

#[derive(Debug)]
pub(super) struct Prediction {
    shape: Shape,
    arguments: Vec<Argument>,
    signature: Signature,
    documentation: Documentation,
}

impl PartialEq for Prediction {
    fn eq(&self, other: &Self) -> bool {
        self.shape.name == other.shape.name
    }
}

impl Eq for Prediction {}

impl std::hash::Hash for Prediction {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.shape.name.hash(state);
    }
}

fn description_of(argument: &str) -> &'static str {
    match argument {
        "model" => "what clv_fit returned",
        "t" => "a time in the model's unit, not below 0",
        "discount" => "a rate above 0",
        "frequency" => "repeat periods of the customer",
        "recency" => "age at the last purchase, in the model's unit",
        _ => "time since the first purchase, in the model's unit",
    }
}

impl Prediction {
    fn new(shape: Shape) -> Self {
        let mut arguments = vec![MODEL];
        arguments.extend(shape.extra);
        if shape.of_customer {
            arguments.extend(CUSTOMER);
        }
        let text = signature_text(shape.name, &arguments, arguments.len());
        let mut documentation = Documentation::builder(DocSection::default(), shape.description, text);
        for (argument, _) in &arguments {
            documentation = documentation.with_argument(*argument, description_of(argument));
        }
        Self {
            documentation: documentation.with_sql_example(shape.example).build(),
            signature: Signature::user_defined(Volatility::Immutable),
            arguments,
            shape,
        }
    }

    /// Appends what the model says of some rows.
    fn predict(
        &self,
        forecast: &mut Forecast,
        columns: &Columns,
        rows: Range<usize>,
        values: &mut Float64Builder,
    ) -> Result<()> {
        for row in rows {
            match columns.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                true => values.append_null(),
                false => values.append_value(self.value(forecast, columns, row)?),
            }
        }
        Ok(())
    }

    #[inline]
    fn value(&self, forecast: &mut Forecast, columns: &Columns, row: usize) -> Result<f64> {
        let name = self.shape.name;
        let extra = columns.extra.as_ref().map_or(0.0, |column| column.value(row));
        if let Some((argument, _)) = self.shape.extra
            && !(self.shape.least..f64::INFINITY).contains(&extra)
        {
            return Err(refused(name, 2, argument, extra, description_of(argument)));
        }
        let customer = match &columns.customer {
            Some([frequency, recency, age]) => {
                let first = if columns.extra.is_some() { 3 } else { 2 };
                let figures = [frequency.value(row), recency.value(row), age.value(row)];
                customer(name, first, forecast.model.family, figures)?
            }
            None => Row { frequency: 0, recency: 0.0, age: 0.0, weight: 1 },
        };
        Ok((self.shape.formula)(forecast, extra, &customer))
    }
}

impl ScalarUDFImpl for Prediction {
    fn name(&self) -> &str {
        self.shape.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.shape.name, &self.arguments, self.arguments.len(), given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = Columns::new(&args.args[1..], args.number_rows, self.shape.extra.is_some())?;
        let one_model = matches!(args.args[0], ColumnarValue::Scalar(_));
        let array: ArrayRef = match &args.args[0] {
            ColumnarValue::Array(array) => Arc::clone(array),
            ColumnarValue::Scalar(value) => value.to_array()?,
        };
        let mut values = Float64Builder::with_capacity(args.number_rows);
        if array.data_type() == &DataType::Null {
            values.append_nulls(args.number_rows);
            return Ok(ColumnarValue::Array(Arc::new(values.finish())));
        }
        let models = Models::new(self.shape.name, &array)?;
        let all = || std::iter::once(0..args.number_rows).collect();
        let ranges: Vec<_> = if one_model { all() } else { models.ranges()? };
        for rows in ranges {
            let fitted = models.purchases(if one_model { 0 } else { rows.start })?;
            match fitted {
                Some(fitted) => self.predict(&mut Forecast::new(fitted.model), &columns, rows, &mut values)?,
                None => values.append_nulls(rows.len()),
            }
        }
        let values = values.finish();
        match args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_))) {
            true if args.number_rows == 1 => {
                Ok(ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&values, 0)?))
            }
            _ => Ok(ColumnarValue::Array(Arc::new(values))),
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The arguments after the model, and where one of them is NULL.
struct Columns {
    extra: Option<Float64Array>,
    /// Frequency, recency, age.
    customer: Option<[Float64Array; 3]>,
    nulls: Option<NullBuffer>,
}

impl Columns {
    fn new(values: &[ColumnarValue], rows: usize, has_extra: bool) -> Result<Self> {
        let columns: Vec<Float64Array> =
            values.iter().map(|value| numbers(&value.to_array(rows)?)).collect::<Result<_>>()?;
        let nulls = NullBuffer::union_many(columns.iter().map(Array::nulls));
        let mut columns = columns.into_iter();
        let extra = if has_extra { columns.next() } else { None };
        // None are left for a function that speaks of new customers.
        let customer = columns.collect::<Vec<_>>().try_into().ok();
        Ok(Self { extra, customer, nulls })
    }
}
