//! Against the aggregate of the rows that the frame holds, made anew, whatever comes in and leaves.

use std::ops::Range;

use arrow::array::{BooleanArray, Float64Array, StringArray};
use arrow::datatypes::{DataType, Field};
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::bit_and_or_xor::bit_xor_udaf;
use datafusion::functions_aggregate::bool_and_or::bool_and_udaf;
use datafusion::functions_aggregate::correlation::corr_udaf;
use datafusion::functions_aggregate::min_max::max_udaf;
use datafusion::functions_aggregate::string_agg::string_agg_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_aggregate::variance::var_pop_udaf;
use datafusion::physical_expr::expressions::{Column, lit};
use proptest::prelude::*;

use super::queue::{BLOCK, SMALL};
use super::*;

/// Two numbers and a truth.
type Values = (Option<f64>, Option<f64>, Option<bool>);

pub(super) const X: (&str, DataType) = ("x", DataType::Float64);
const Y: (&str, DataType) = ("y", DataType::Float64);

pub(super) fn call(function: Arc<AggregateUDF>, columns: &[(&str, DataType)]) -> Call {
    let fields: Vec<FieldRef> =
        columns.iter().map(|(name, kind)| Arc::new(Field::new(*name, kind.clone(), true))).collect();
    let exprs = columns
        .iter()
        .enumerate()
        .map(|(at, (name, _))| Arc::new(Column::new(name, at)) as Arc<dyn PhysicalExpr>)
        .collect();
    Call {
        return_field: function.return_field(&fields).unwrap(),
        function,
        schema: Schema::new(fields.clone()),
        ignore_nulls: false,
        order_bys: Vec::new(),
        is_reversed: false,
        name: "call".to_owned(),
        is_distinct: false,
        exprs,
        expr_fields: fields,
    }
}

fn joined_text() -> Call {
    let mut call = call(string_agg_udaf(), &[("s", DataType::Utf8), ("by", DataType::Utf8)]);
    call.exprs[1] = lit("+");
    call
}

fn numbers(of: fn(&Values) -> Option<f64>, rows: &[Values]) -> ArrayRef {
    Arc::new(rows.iter().map(of).collect::<Float64Array>())
}

fn one_number(rows: &[Values]) -> Vec<ArrayRef> {
    vec![numbers(|row| row.0, rows)]
}

fn two_numbers(rows: &[Values]) -> Vec<ArrayRef> {
    vec![numbers(|row| row.0, rows), numbers(|row| row.1, rows)]
}

fn truths(rows: &[Values]) -> Vec<ArrayRef> {
    vec![Arc::new(rows.iter().map(|row| row.2).collect::<BooleanArray>())]
}

fn texts(rows: &[Values]) -> Vec<ArrayRef> {
    let texts: StringArray = rows.iter().map(|row| row.0.map(|number| number.to_string())).collect();
    vec![Arc::new(texts), Arc::new(StringArray::from(vec!["+"; rows.len()]))]
}

fn column(numbers: Vec<f64>) -> Vec<ArrayRef> {
    vec![Arc::new(Float64Array::from(numbers))]
}

/// Rows that come again and again, but for one.
#[derive(Debug)]
struct Source {
    pool: Vec<Values>,
    spoilt: usize,
    by: f64,
}

impl Source {
    fn rows(&self, range: Range<usize>) -> Vec<Values> {
        let row = |at: usize| match at == self.spoilt {
            true => (Some(self.by), Some(self.by), None),
            false => self.pool[at % self.pool.len()],
        };
        range.map(row).collect()
    }
}

/// Numbers that are added without rounding.
fn number() -> impl Strategy<Value = Option<f64>> {
    let quarters = (-400..400_i32).prop_map(|quarters| f64::from(quarters) / 4.0);
    proptest::option::weighted(0.9, quarters)
}

fn source() -> impl Strategy<Value = Source> {
    let pool = proptest::collection::vec((number(), number(), proptest::option::of(any::<bool>())), 1..200);
    let by = prop_oneof![Just(1e100), Just(-1e17), Just(f64::INFINITY), Just(f64::NAN)];
    (pool, 0..40_usize, by).prop_map(|(pool, spoilt, by)| Source { pool, spoilt, by })
}

/// How many rows come in, and which part of the frame leaves; some steps go beyond a block.
pub(super) fn steps() -> impl Strategy<Value = Vec<(usize, f64)>> {
    let added = prop_oneof![8 => 0..4_usize, 4 => 4..100_usize, 1 => 2 * BLOCK..3 * BLOCK];
    let leaving = prop_oneof![6 => Just(0.0), 6 => 0.0..0.1, 2 => 0.0..1.0, 1 => Just(1.0)];
    proptest::collection::vec((added, leaving), 1..24)
}

fn assert_alike(found: &ScalarValue, expected: &ScalarValue, is_spoilt: bool) {
    match (found, expected) {
        // Beside such a number it is the order of additions that says what is left of the others.
        (ScalarValue::Float64(_), ScalarValue::Float64(_)) if is_spoilt => {}
        (ScalarValue::Float64(Some(found)), ScalarValue::Float64(Some(expected))) => {
            let tolerance = 1e-9 * expected.abs().max(1.0);
            let is_alike = (found - expected).abs() <= tolerance || (found.is_nan() && expected.is_nan());
            assert!(is_alike, "{found} is not {expected}");
        }
        _ => assert_eq!(found, expected),
    }
}

fn check(call: Call, columns: fn(&[Values]) -> Vec<ArrayRef>, source: &Source, steps: &[(usize, f64)]) {
    let mut sliding = SlidingFrame::new(Call::of(&call.function, &call.args()));
    let mut frame: Range<usize> = 0..0;
    for (added, leaving) in steps {
        let end = frame.end + added;
        sliding.update_batch(&columns(&source.rows(frame.end..end))).unwrap();
        frame.end = end;
        let start = frame.start + (frame.len() as f64 * leaving).ceil() as usize;
        sliding.retract_batch(&columns(&source.rows(frame.start..start))).unwrap();
        frame.start = start;

        let mut anew = call.accumulator().unwrap();
        anew.update_batch(&columns(&source.rows(frame.clone()))).unwrap();
        let expected = anew.evaluate().unwrap();
        // Twice: to ask changes nothing.
        for _ in 0..2 {
            assert_alike(&sliding.evaluate().unwrap(), &expected, frame.contains(&source.spoilt));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_frame_gives_what_its_rows_give(source in source(), steps in steps()) {
        check(call(sum_udaf(), &[X]), one_number, &source, &steps);
        check(call(avg_udaf(), &[X]), one_number, &source, &steps);
        check(call(var_pop_udaf(), &[X]), one_number, &source, &steps);
        check(call(bool_and_udaf(), &[("b", DataType::Boolean)]), truths, &source, &steps);
        check(joined_text(), texts, &source, &steps);
    }

    /// Pairs that differ: of equal numbers the correlation is what rounding makes it.
    #[test]
    fn a_frame_of_pairs_gives_what_they_give(spoilt in 0..40_usize, steps in steps()) {
        let pair = |at: u32| -> Values {
            (Some(f64::from(at * 7919 % 499)), (!at.is_multiple_of(11)).then(|| f64::from(at * 7907 % 491)), None)
        };
        let source = Source { pool: (0..490).map(pair).collect(), spoilt, by: 1e100 };
        check(call(corr_udaf(), &[X, Y]), two_numbers, &source, &steps);
    }
}

/// The rows of `ROWS n PRECEDING`, one by one: past a small frame, and past a block.
#[test]
fn a_frame_of_each_size_moves_on_by_a_row() {
    for size in [1, 2, SMALL - 1, SMALL, SMALL + 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
        let mut sliding = SlidingFrame::new(call(sum_udaf(), &[X]));
        let number = |at: usize| if at == 3 { 1e100 } else { at as f64 };
        for at in 0..4 * size + 8 {
            sliding.update_batch(&column(vec![number(at)])).unwrap();
            let first = (at + 1).saturating_sub(size);
            if let Some(gone) = first.checked_sub(1) {
                sliding.retract_batch(&column(vec![number(gone)])).unwrap();
            }
            let found = sliding.evaluate().unwrap();
            // Whole numbers are added exactly.
            if first > 3 {
                let sum: f64 = (first..=at).map(number).sum();
                assert_eq!(found, ScalarValue::Float64(Some(sum)), "rows {first} to {at}");
            }
        }
        assert_eq!(sliding.queue.len(), size);
    }
}

#[test]
fn a_frame_without_rows_gives_what_an_aggregate_of_none_gives() {
    let mut sliding = SlidingFrame::new(call(sum_udaf(), &[X]));
    assert_eq!(sliding.evaluate().unwrap(), ScalarValue::Float64(None));
    sliding.update_batch(&column(vec![f64::NAN])).unwrap();
    sliding.retract_batch(&column(vec![f64::NAN])).unwrap();
    assert_eq!(sliding.evaluate().unwrap(), ScalarValue::Float64(None));
    assert!(sliding.retract_batch(&column(vec![f64::NAN])).is_err());
}

/// Exact ones keep their accumulators; DataFusion's own `bit_xor` gives 0 for a frame of NULLs.
#[test]
fn only_what_cannot_take_rows_out_gets_a_queue() {
    let kind = |call: &Call| {
        let accumulator = sliding_accumulator(&call.function, call.args()).unwrap();
        format!("{accumulator:?}").split([' ', '(', '{']).next().unwrap().to_owned()
    };
    let integer = [("i", DataType::Int64)];
    let distinct = |function: Arc<AggregateUDF>| Call { is_distinct: true, ..call(function, &[X]) };
    for call in [
        call(bit_xor_udaf(), &integer),
        call(var_pop_udaf(), &[X]),
        joined_text(),
        distinct(sum_udaf()),
        distinct(avg_udaf()),
    ] {
        assert_eq!(kind(&call), "SlidingFrame", "{}", call.function.name());
    }
    for call in [call(sum_udaf(), &[X]), call(avg_udaf(), &[X])] {
        assert_eq!(kind(&call), "SlidingDoubles", "{}", call.function.name());
    }
    for call in [call(sum_udaf(), &integer), call(max_udaf(), &[X])] {
        assert!(!["SlidingFrame", "SlidingDoubles"].contains(&kind(&call).as_str()), "{}", call.function.name());
    }
}
