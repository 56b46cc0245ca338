//! Against the groups that DataFusion makes of the numbers of each frame.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::Int64Array;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::{AggregateUDF, EmitTo};
use proptest::prelude::*;

use super::super::queue::{BLOCK, SMALL};
use super::super::tests::{X, call, steps};
use super::*;

fn column(numbers: impl IntoIterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(numbers.into_iter().collect::<Float64Array>())
}

fn result(sliding: &mut SlidingDoubles) -> Option<f64> {
    match sliding.evaluate().unwrap() {
        ScalarValue::Float64(number) => number,
        other => panic!("{other:?} is no DOUBLE"),
    }
}

/// What GROUP BY gives for the numbers.
fn group(function: Arc<AggregateUDF>, numbers: &ArrayRef) -> Option<f64> {
    // A group comes into being with its first row.
    if numbers.is_empty() {
        return None;
    }
    let call = call(function, &[X]);
    let mut groups = call.function.create_groups_accumulator(call.args()).unwrap();
    groups.update_batch(&[Arc::clone(numbers)], &vec![0; numbers.len()], None, 1).unwrap();
    groups.evaluate(EmitTo::All).unwrap().as_primitive::<Float64Type>().iter().next().flatten()
}

/// To the last bit in a small frame. In a greater one the order of additions is another, and how far the results may
/// differ is a matter of the numbers that the frame holds: what has left it counts for nothing.
fn assert_alike(found: Option<f64>, expected: Option<f64>, frame: &ArrayRef, is_average: bool) {
    let (Some(found), Some(expected)) = (found, expected) else {
        assert_eq!(found, expected);
        return;
    };
    let frame: Vec<f64> = frame.as_primitive::<Float64Type>().iter().flatten().collect();
    let magnitude =
        frame.iter().map(|number| number.abs()).sum::<f64>() / if is_average { frame.len() as f64 } else { 1.0 };
    let tolerance = if frame.len() <= SMALL { 0.0 } else { 1e-12 * magnitude };
    let is_alike = match expected.is_finite() {
        true => (found - expected).abs() <= tolerance,
        false => found == expected || (found.is_nan() && expected.is_nan()),
    };
    assert!(is_alike, "{found} is not {expected}, of {frame:?}");
}

/// Tenths, which are rounded wherever they are added.
fn number() -> impl Strategy<Value = Option<f64>> {
    let tenths = (-4000..4000_i32).prop_map(|tenths| f64::from(tenths) / 10.0);
    proptest::option::weighted(0.9, tenths)
}

/// Where they stand, and numbers that spoil those beside them.
fn strange() -> impl Strategy<Value = Vec<(usize, f64)>> {
    let number = prop_oneof![
        4 => Just(1e100),
        2 => Just(-1e100),
        2 => Just(-1e17),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
        1 => Just(f64::NAN),
    ];
    proptest::collection::vec((0..1500_usize, number), 0..5)
}

/// Columns come as parts of a greater one, as DataFusion gives them.
fn check(numbers: &ArrayRef, steps: &[(usize, f64)]) {
    for (is_average, function) in [(false, sum_udaf()), (true, avg_udaf())] {
        let mut sliding = SlidingDoubles::new(is_average);
        let mut frame: Range<usize> = 0..0;
        for (added, leaving) in steps {
            sliding.update_batch(&[numbers.slice(frame.end, *added)]).unwrap();
            frame.end += added;
            let gone = (frame.len() as f64 * leaving).ceil() as usize;
            sliding.retract_batch(&[numbers.slice(frame.start, gone)]).unwrap();
            frame.start += gone;

            let held = numbers.slice(frame.start, frame.len());
            let expected = group(Arc::clone(&function), &held);
            // Twice: to ask changes nothing.
            for _ in 0..2 {
                assert_alike(result(&mut sliding), expected, &held, is_average);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_frame_gives_what_its_numbers_give(
        pool in proptest::collection::vec(number(), 1..200),
        strange in strange(),
        steps in steps(),
    ) {
        let rows: usize = steps.iter().map(|(added, _)| added).sum();
        let mut numbers: Vec<Option<f64>> = pool.into_iter().cycle().take(rows).collect();
        for (at, by) in strange {
            if let Some(number) = numbers.get_mut(at) {
                *number = Some(by);
            }
        }
        check(&column(numbers), &steps);
    }
}

/// The rows of `ROWS n PRECEDING`, one by one: past a small frame, and past a block.
#[test]
fn strange_numbers_leave_nothing_behind() {
    let strange = [1e100, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e300];
    for size in [1, 2, SMALL - 1, SMALL, SMALL + 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
        let rows = 4 * size + 16;
        let number = |at: usize| strange.get(at).copied().unwrap_or(at as f64);
        let numbers = column((0..rows).map(|at| Some(number(at))));
        let (mut sum, mut average) = (SlidingDoubles::new(false), SlidingDoubles::new(true));
        for at in 0..rows {
            let first = (at + 1).saturating_sub(size);
            for sliding in [&mut sum, &mut average] {
                sliding.update_batch(&[numbers.slice(at, 1)]).unwrap();
                if let Some(gone) = first.checked_sub(1) {
                    sliding.retract_batch(&[numbers.slice(gone, 1)]).unwrap();
                }
            }
            // Whole numbers are added exactly.
            let expected: f64 = (first..=at).map(number).sum();
            let (sum, average) = (result(&mut sum).unwrap(), result(&mut average).unwrap());
            if first >= strange.len() {
                assert_eq!(sum, expected, "rows {first} to {at}");
                assert_eq!(average, expected / (at + 1 - first) as f64, "rows {first} to {at}");
            } else if expected.is_nan() {
                assert!(sum.is_nan() && average.is_nan(), "rows {first} to {at}");
            }
        }
    }
}

/// One after the other, by IEEE 754: 0.1 + 0.2 is 0.30000000000000004, and 0.3 + 0.2 is 0.5. So does DuckDB 2.0.0.
#[test]
fn the_numbers_of_a_small_frame_are_added_in_their_order() {
    let mut sliding = SlidingDoubles::new(false);
    sliding.update_batch(&[column([0.1, 0.2, 0.3].map(Some))]).unwrap();
    assert_eq!(result(&mut sliding), Some(0.6000000000000001));
    let mut sliding = SlidingDoubles::new(false);
    sliding.update_batch(&[column([0.3, 0.2, 0.1].map(Some))]).unwrap();
    assert_eq!(result(&mut sliding), Some(0.6));
}

#[test]
fn a_null_is_no_number_of_a_frame() {
    let mut sliding = SlidingDoubles::new(true);
    assert_eq!(result(&mut sliding), None);
    sliding.update_batch(&[column([None, Some(1.0), None, Some(4.0)])]).unwrap();
    assert_eq!(result(&mut sliding), Some(2.5));
    sliding.retract_batch(&[column([None, Some(1.0)])]).unwrap();
    assert_eq!(result(&mut sliding), Some(4.0));
    sliding.retract_batch(&[column([None])]).unwrap();
    assert_eq!(result(&mut sliding), Some(4.0));
    sliding.retract_batch(&[column([Some(4.0)])]).unwrap();
    assert_eq!(result(&mut sliding), None);
    sliding.retract_batch(&[column([None])]).unwrap();
    assert!(sliding.retract_batch(&[column([Some(4.0)])]).is_err());
}

#[test]
fn what_is_no_double_is_refused() {
    let mut sliding = SlidingDoubles::new(false);
    let integers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    assert!(sliding.update_batch(&[integers]).is_err() && sliding.update_batch(&[]).is_err());
    assert!(sliding.state().is_err() && sliding.merge_batch(&[column([Some(1.0)])]).is_err());
    assert_eq!(result(&mut sliding), None);
}
