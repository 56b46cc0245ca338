//! `sessionize(ts, gap)`: window function, the number of the session of each row.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    DocSection, Documentation, LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;

use super::arguments::constant_length;
use super::events::times_of;
use super::sessions::{begins, types};

const NAME: &str = "sessionize";
const SIGNATURE: &str = "sessionize(ts, gap)";

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Sessionize {
    signature: Signature,
}

impl Sessionize {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl WindowUDFImpl for Sessionize {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        types(SIGNATURE, given)
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        let Some(times) = args.input_fields().first() else { return exec_err!("{SIGNATURE}: ts is missing") };
        let gap = constant_length(NAME, 2, "gap", args.input_exprs(), times.data_type())?;
        Ok(Box::new(Numbers { gap }))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int64, true)))
    }

    fn limit_effect(&self, _args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "Window function: the number of the row's session within its partition, from 1. A row more than `gap` later \
                 than the one before it begins a session. Rows are taken in the order of ts, whatever ORDER BY and frame say; \
                 a row with a NULL ts has none.",
                SIGNATURE,
            )
            .with_argument("ts", "time of the row: a timestamp, a date or a number of seconds")
            .with_argument("gap", "an INTERVAL of days or less, or a whole number of seconds, above 0; one constant")
            .with_sql_example(
                "SELECT person, ts, sessionize(ts, INTERVAL '30 minutes') OVER (PARTITION BY person ORDER BY ts) FROM events",
            )
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

#[derive(Debug)]
struct Numbers {
    gap: i64,
}

/// The rows that have a time, in its order.
pub(super) fn in_order(times: &ArrayRef) -> Vec<usize> {
    let (values, valid) = times_of(times);
    let mut rows: Vec<usize> = (0..times.len()).filter(|row| valid.is_none_or(|valid| valid.is_valid(*row))).collect();
    if !rows.is_sorted_by_key(|row| values[*row]) {
        rows.sort_by_key(|row| values[*row]);
    }
    rows
}

impl PartitionEvaluator for Numbers {
    fn evaluate_all(&mut self, values: &[ArrayRef], num_rows: usize) -> Result<ArrayRef> {
        let (times, _) = times_of(&values[0]);
        let mut numbers = vec![None; num_rows];
        let (mut number, mut before) = (0_i64, None);
        for row in in_order(&values[0]) {
            let time = times[row];
            if before.is_none_or(|before| begins(before, time, self.gap)) {
                number += 1;
            }
            before = Some(time);
            numbers[row] = Some(number);
        }
        Ok(Arc::new(Int64Array::from(numbers)))
    }
}
