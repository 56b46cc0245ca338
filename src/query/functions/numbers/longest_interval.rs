//! `max`, `min`, `greatest` and `least` of intervals: they compare lengths, as all comparisons do, and give one of the
//! intervals as it is. A month that is the longest stays a month.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, IntervalMonthDayNanoArray};
use arrow::datatypes::{DataType, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, ReversedUDAF, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};

use super::operands::sql_name;
use crate::error::Error;

const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);
const DAYS_OF_A_MONTH: i128 = 30;
const NANOSECONDS_OF_A_DAY: i128 = 86_400_000_000_000;

/// The function of intervals in place of `max` or `min`; `None` for another one.
pub(in crate::query) fn extreme_of_group(name: &str) -> Option<Arc<AggregateUDF>> {
    let [longest, shortest] = aggregates();
    match name {
        "max" => Some(longest),
        "min" => Some(shortest),
        _ => None,
    }
}

/// The function of intervals in place of `greatest` or `least`; `None` for another one.
pub(in crate::query) fn extreme_of_row(name: &str) -> Option<Arc<ScalarUDF>> {
    let [longest, shortest] = functions();
    match name {
        "greatest" => Some(longest),
        "least" => Some(shortest),
        _ => None,
    }
}

const BOTH: [Extreme; 2] = [Extreme::Longest, Extreme::Shortest];

pub(super) fn aggregates() -> [Arc<AggregateUDF>; 2] {
    static AGGREGATES: LazyLock<[Arc<AggregateUDF>; 2]> =
        LazyLock::new(|| BOTH.map(|extreme| Arc::new(AggregateUDF::from(ExtremeOfGroup::new(extreme)))));
    AGGREGATES.clone()
}

pub(super) fn functions() -> [Arc<ScalarUDF>; 2] {
    static FUNCTIONS: LazyLock<[Arc<ScalarUDF>; 2]> =
        LazyLock::new(|| BOTH.map(|extreme| Arc::new(ScalarUDF::from(ExtremeOfRow::new(extreme)))));
    FUNCTIONS.clone()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Extreme {
    Longest,
    Shortest,
}

impl Extreme {
    /// Of two that are as long the first one stays.
    fn prefers(self, new: i128, held: i128) -> bool {
        match self {
            Extreme::Longest => new > held,
            Extreme::Shortest => new < held,
        }
    }
}

/// The length in nanoseconds, which 128 bits hold of every interval.
fn length_of(interval: IntervalMonthDayNano) -> i128 {
    let days = i128::from(interval.months) * DAYS_OF_A_MONTH + i128::from(interval.days);
    days * NANOSECONDS_OF_A_DAY + i128::from(interval.nanoseconds)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExtremeOfGroup {
    extreme: Extreme,
    signature: Signature,
}

impl ExtremeOfGroup {
    fn new(extreme: Extreme) -> Self {
        Self { extreme, signature: Signature::exact(vec![INTERVAL], Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for ExtremeOfGroup {
    fn name(&self) -> &str {
        match self.extreme {
            Extreme::Longest => "longest_interval",
            Extreme::Shortest => "shortest_interval",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> DfResult<DataType> {
        Ok(INTERVAL)
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        Ok(Box::new(Best::new(self.extreme, false)))
    }

    fn create_sliding_accumulator(&self, _args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        Ok(Box::new(Best::new(self.extreme, true)))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// One that may be the result.
#[derive(Debug)]
struct Candidate {
    /// Its number among the rows so far.
    row: u64,
    length: i128,
    interval: IntervalMonthDayNano,
}

/// The best of one group, or of a frame that moves: then rows leave in the order in which they came.
#[derive(Debug)]
struct Best {
    extreme: Extreme,
    slides: bool,
    /// The best one, and behind it, of a frame that moves, those that are the best when all before them have left.
    candidates: VecDeque<Candidate>,
    rows: u64,
    left: u64,
}

impl Best {
    fn new(extreme: Extreme, slides: bool) -> Self {
        Self { extreme, slides, candidates: VecDeque::new(), rows: 0, left: 0 }
    }

    fn offer(&mut self, interval: IntervalMonthDayNano) {
        let candidate = Candidate { row: self.rows, length: length_of(interval), interval };
        if self.slides {
            while self.candidates.back().is_some_and(|held| self.extreme.prefers(candidate.length, held.length)) {
                self.candidates.pop_back();
            }
            self.candidates.push_back(candidate);
        } else if self.candidates.front().is_none_or(|held| self.extreme.prefers(candidate.length, held.length)) {
            self.candidates.clear();
            self.candidates.push_back(candidate);
        }
    }
}

impl Accumulator for Best {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        for interval in values[0].as_primitive::<IntervalMonthDayNanoType>() {
            if let Some(interval) = interval {
                self.offer(interval);
            }
            self.rows += 1;
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        self.left += values[0].len() as u64;
        while self.candidates.front().is_some_and(|candidate| candidate.row < self.left) {
            self.candidates.pop_front();
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        self.slides
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        Ok(ScalarValue::IntervalMonthDayNano(self.candidates.front().map(|best| best.interval)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.candidates.capacity() * size_of::<Candidate>()
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        self.update_batch(states)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExtremeOfRow {
    extreme: Extreme,
    signature: Signature,
}

impl ExtremeOfRow {
    fn new(extreme: Extreme) -> Self {
        Self { extreme, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for ExtremeOfRow {
    fn name(&self) -> &str {
        match self.extreme {
            Extreme::Longest => "greatest_interval",
            Extreme::Shortest => "least_interval",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        let is_length = |given: &DataType| {
            matches!(given, DataType::Interval(_) | DataType::Duration(_)) || given.is_string() || given.is_null()
        };
        if types.is_empty() || !types.iter().all(is_length) {
            let given: Vec<String> = types.iter().map(sql_name).collect();
            return Err(Error::invalid(format!("{}(intervals) was given {}", self.name(), given.join(", "))).into());
        }
        Ok(vec![INTERVAL; types.len()])
    }

    fn return_type(&self, _types: &[DataType]) -> DfResult<DataType> {
        Ok(INTERVAL)
    }

    /// Of its type: of bounds without one DataFusion forgets how the rows are sorted.
    fn evaluate_bounds(&self, _inputs: &[&Interval]) -> DfResult<Interval> {
        Interval::make_unbounded(&INTERVAL)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let is_one = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let columns: Vec<_> = columns.iter().map(|column| column.as_primitive::<IntervalMonthDayNanoType>()).collect();
        let best = |row: usize| {
            let intervals = columns.iter().filter(|column| column.is_valid(row)).map(|column| column.value(row));
            intervals.reduce(|held, new| match self.extreme.prefers(length_of(new), length_of(held)) {
                true => new,
                false => held,
            })
        };
        let rows = columns.first().map_or(0, |column| column.len());
        let chosen: IntervalMonthDayNanoArray = (0..rows).map(best).collect();
        Ok(match is_one {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&chosen, 0)?),
            false => ColumnarValue::Array(Arc::new(chosen)),
        })
    }
}
