//! `clv_fit(model, unit, frequency, recency, age [, weight])`: fits a purchase model to the customers of a group.
//!
//! State: the exact multiset of (frequency, recency, age) with integer weights; equal customers cost one entry of 32 bytes.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, DocSection, Documentation, Signature, Volatility};
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_plan::PhysicalExpr;

use super::arguments::{Argument, Kind, any_null, coerce, customer, numbers, signature_text};
use super::fit::fit_purchases;
use super::fitted::{UNITS, known_models, purchase_fields, purchase_result};
use super::model::{Family, Row};
use super::multiset::Multiset;

const NAME: &str = "clv_fit";
const REQUIRED: usize = 5;
const ARGUMENTS: [Argument; 6] = [
    ("model", Kind::Text),
    ("unit", Kind::Text),
    ("frequency", Kind::Number),
    ("recency", Kind::Number),
    ("age", Kind::Number),
    ("weight", Kind::Integer),
];

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct FitPurchases {
    signature: Signature,
}

impl FitPurchases {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for FitPurchases {
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
        Ok(DataType::Struct(purchase_fields()))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let name = constant(args.exprs, 0)?;
        let Some(family) = Family::from_name(&name) else {
            return plan_err!("{NAME}: argument 1 (model) is '{name}'; {}", known_models());
        };
        let unit = constant(args.exprs, 1)?;
        if !UNITS.contains(&unit.as_str()) {
            return plan_err!("{NAME}: argument 2 (unit) is '{unit}'; use one of {}", UNITS.join(", "));
        }
        Ok(Box::new(Customers { family, unit, customers: Multiset::new(NAME) }))
    }

    fn state_fields(&self, _args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new("customers", DataType::LargeBinary, true))])
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "Fits a model of repeat purchases by maximum likelihood. Rows with a NULL are skipped; no rows give NULL. \
                 A fit that does not converge says so in `converged` and has no parameters.",
                signature_text(NAME, &ARGUMENTS, REQUIRED),
            )
            .with_argument("model", "'mbg_nbd' (advised), 'bg_nbd', 'pareto_nbd' or 'bg_bb'")
            .with_argument("unit", "unit of recency and age: 'day', 'week', 'month' or 'period'")
            .with_argument("frequency", "repeat periods of the customer, as clv_summary counts them")
            .with_argument("recency", "age at the last purchase; 0 without a repeat")
            .with_argument("age", "time from the first purchase to the end of observation; bg_bb: opportunities")
            .with_argument("weight", "number of customers that the row stands for; 1 without it")
            .with_sql_example(
                "SELECT clv_fit('mbg_nbd', 'week', s['frequency'], s['recency'], s['age'])\n\
                 FROM (SELECT clv_summary(ts, net, DATE '2026-06-30') AS s FROM orders GROUP BY person)",
            )
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

/// The text of a constant argument.
fn constant(exprs: &[Arc<dyn PhysicalExpr>], place: usize) -> Result<String> {
    let argument = ARGUMENTS[place].0;
    let literal = exprs.get(place).and_then(|expr| (expr.as_ref() as &dyn std::any::Any).downcast_ref::<Literal>());
    match literal.and_then(|literal| literal.value().try_as_str().flatten()) {
        Some(text) => Ok(text.to_owned()),
        None => plan_err!(
            "{}: argument {} ({argument}) must be a constant text",
            signature_text(NAME, &ARGUMENTS, REQUIRED),
            place + 1
        ),
    }
}

#[derive(Debug)]
struct Customers {
    family: Family,
    unit: String,
    /// By frequency, bits of recency, bits of age.
    customers: Multiset<3>,
}

impl Accumulator for Customers {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (frequency, recency, age) = (numbers(&values[2])?, numbers(&values[3])?, numbers(&values[4])?);
        let weights = values.get(5).map(|weights| weights.as_primitive::<Int64Type>());
        for row in 0..frequency.len() {
            if any_null([&frequency as &dyn Array, &recency, &age], row)
                || weights.is_some_and(|weights| weights.is_null(row))
            {
                continue;
            }
            let figures = [frequency.value(row), recency.value(row), age.value(row)];
            let customer = customer(NAME, 3, self.family, figures)?;
            let weight = weights.map_or(1, |weights| weights.value(row));
            let Ok(weight) = u64::try_from(weight) else {
                return exec_err!("{NAME}: argument 6 (weight) is {weight}: it is a number of customers, not below 0");
            };
            if weight > 0 {
                let key = [u64::from(customer.frequency), customer.recency.to_bits(), customer.age.to_bits()];
                self.customers.add(key, weight)?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.customers.is_empty() {
            return ScalarValue::try_from(DataType::Struct(purchase_fields()));
        }
        let row = |([frequency, recency, age], weight): ([u64; 3], u64)| Row {
            // It came from a u32.
            frequency: frequency as u32,
            recency: f64::from_bits(recency),
            age: f64::from_bits(age),
            weight,
        };
        let rows: Vec<Row> = self.customers.sorted().into_iter().map(row).collect();
        let fit = fit_purchases(self.family, &rows);
        let count = |rows: &mut dyn Iterator<Item = &Row>| rows.map(|row| row.weight).sum::<u64>();
        let all = count(&mut rows.iter());
        let without_repeat = count(&mut rows.iter().filter(|row| row.frequency == 0));
        purchase_result(self.family, &self.unit, &fit, all, without_repeat)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.unit.len() + self.customers.heap_size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.customers.state()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.customers.merge(&states[0])
    }
}
