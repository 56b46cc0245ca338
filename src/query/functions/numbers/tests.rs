use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, DurationMicrosecondArray, Int64Array,
    IntervalMonthDayNanoArray,
};
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, Float64Type, Int64Type, IntervalMonthDayNano, TimeUnit,
};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::continuous_percentile;
use super::exact_sums::{DistinctSum, ExactSum, GroupSums};
use super::interval_sums::IntervalSum;
use super::length_factor::Factor;
use super::operands::{common_types, of_product, of_remainder, of_sum};
use super::plain_number::without_exponent;
use super::round_cast::loses_digits;
use super::sum_output::Output;

const GROUPS: usize = 7;

/// Rows of a column, the group of each, and which of them a FILTER keeps.
struct Rows {
    values: Vec<Option<i64>>,
    groups: Vec<usize>,
    filter: Vec<Option<bool>>,
}

fn rows(dice: &mut StdRng, count: usize) -> Rows {
    let value = |dice: &mut StdRng| (dice.random_range(0..5) > 0).then(|| dice.random_range(-1_000_000..1_000_000_i64));
    let filter = |dice: &mut StdRng| (dice.random_range(0..5) > 0).then(|| dice.random_range(0..3) > 0);
    Rows {
        values: (0..count).map(|_| value(dice)).collect(),
        groups: (0..count).map(|_| dice.random_range(0..GROUPS)).collect(),
        filter: (0..count).map(|_| filter(dice)).collect(),
    }
}

/// What the rows add up to, one by one: (sum, count) by group.
fn add_up(all: &[Rows]) -> BTreeMap<usize, (i128, u64)> {
    let mut sums = BTreeMap::new();
    for rows in all {
        for ((value, group), kept) in rows.values.iter().zip(&rows.groups).zip(&rows.filter) {
            if let (Some(value), Some(true)) = (value, kept) {
                let (sum, count): &mut (i128, u64) = sums.entry(*group).or_default();
                *sum += i128::from(*value);
                *count += 1;
            }
        }
    }
    sums
}

fn accumulator(output: Output) -> GroupSums<Int64Type> {
    GroupSums::new(&DataType::Int64, output)
}

/// Batches are added in pieces, handed over as states, converted without adding, and merged: the result is that of adding
/// row by row.
#[test]
fn groups_add_up_however_the_work_is_divided() {
    let mut dice = StdRng::seed_from_u64(7);
    for output in [Output::Sum(DataType::Int64), Output::Average(0)] {
        let all: Vec<Rows> = [100, 1, 64, 1_000].into_iter().map(|count| rows(&mut dice, count)).collect();
        let expected = add_up(&all);
        let mut last = accumulator(output.clone());
        for (place, rows) in all.iter().enumerate() {
            let values: ArrayRef = Arc::new(Int64Array::from(rows.values.clone()));
            let filter = BooleanArray::from(rows.filter.clone());
            if place % 2 == 0 {
                let mut part = accumulator(output.clone());
                part.update_batch(&[values], &rows.groups, Some(&filter), GROUPS).unwrap();
                let mut first = part.state(EmitTo::First(3)).unwrap();
                let rest = part.state(EmitTo::All).unwrap();
                for (column, rest) in first.iter_mut().zip(&rest) {
                    *column = arrow::compute::concat(&[column.as_ref(), rest.as_ref()]).unwrap();
                }
                last.merge_batch(&first, &(0..GROUPS).collect::<Vec<_>>(), GROUPS).unwrap();
            } else {
                let states = last.convert_to_state(&[values], Some(&filter)).unwrap();
                last.merge_batch(&states, &rows.groups, GROUPS).unwrap();
            }
        }
        let got = last.evaluate(EmitTo::All).unwrap();
        for group in 0..GROUPS {
            let (sum, count) = expected.get(&group).copied().unwrap_or_default();
            assert_eq!(got.is_null(group), count == 0, "group {group}");
            if count > 0 && output == Output::Average(0) {
                assert_eq!(got.as_primitive::<Float64Type>().value(group), sum as f64 / count as f64);
            } else if count > 0 {
                assert_eq!(i128::from(got.as_primitive::<Int64Type>().value(group)), sum);
            }
        }
    }
}

/// Sums of groups leave 64 bits and come back; the others stay as they were.
#[test]
fn groups_may_leave_64_bits_on_the_way() {
    let mut groups = accumulator(Output::Sum(DataType::Int64));
    let values: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, 5, i64::MAX, i64::MIN, i64::MIN, 1]));
    groups.update_batch(&[values], &[0, 1, 0, 0, 0, 0], None, 2).unwrap();
    groups.update_batch(&[Arc::new(Int64Array::from(vec![7]))], &[2], None, 3).unwrap();
    let got = groups.evaluate(EmitTo::First(2)).unwrap();
    assert_eq!(got.as_primitive::<Int64Type>().values()[..], [-1, 5]);
    assert_eq!(groups.evaluate(EmitTo::All).unwrap().as_primitive::<Int64Type>().values()[..], [7]);
}

fn one(values: &[Option<i128>]) -> ArrayRef {
    let decimals = Decimal128Array::from_iter(values.iter().copied());
    Arc::new(decimals.with_precision_and_scale(38, 2).unwrap())
}

#[test]
fn frames_give_back_what_leaves_them() {
    let decimal = DataType::Decimal128(28, 2);
    for distinct in [false, true] {
        let mut frame: Box<dyn Accumulator> = match distinct {
            true => Box::new(DistinctSum::new(&decimal, Output::Sum(decimal.clone()))),
            false => Box::new(ExactSum::new(&decimal, Output::Sum(decimal.clone()))),
        };
        frame.update_batch(&[one(&[Some(150), Some(150), None])]).unwrap();
        let both = if distinct { 150 } else { 300 };
        assert_eq!(frame.evaluate().unwrap(), ScalarValue::Decimal128(Some(both), 28, 2));
        frame.retract_batch(&[one(&[Some(150)])]).unwrap();
        assert_eq!(frame.evaluate().unwrap(), ScalarValue::Decimal128(Some(150), 28, 2));
        frame.retract_batch(&[one(&[Some(150), None])]).unwrap();
        assert_eq!(frame.evaluate().unwrap(), ScalarValue::Decimal128(None, 28, 2), "no value is left");
    }
}

/// 2^63 - 1 and 1 make no BIGINT; with -1 behind they do, whatever comes first.
#[test]
fn a_sum_fails_by_its_value_never_by_the_order_of_its_parts() {
    for values in [[i64::MAX, 1, -1], [1, i64::MAX, -1], [-1, 1, i64::MAX]] {
        let mut sum = ExactSum::new(&DataType::Int64, Output::Sum(DataType::Int64));
        for value in values {
            sum.update_batch(&[Arc::new(Int64Array::from(vec![value]))]).unwrap();
        }
        assert_eq!(sum.evaluate().unwrap(), ScalarValue::Int64(Some(i64::MAX)));
        sum.update_batch(&[Arc::new(Int64Array::from(vec![1]))]).unwrap();
        assert!(sum.evaluate().unwrap_err().to_string().contains("sum is beyond BIGINT"));
    }
    let mut groups =
        GroupSums::<Decimal128Type>::new(&DataType::Decimal128(38, 0), Output::Sum(DataType::Decimal128(38, 0)));
    let large = Decimal128Array::from(vec![6 * 10_i128.pow(37); 2]).with_precision_and_scale(38, 0).unwrap();
    groups.update_batch(&[Arc::new(large)], &[0, 0], None, 1).unwrap();
    assert!(groups.evaluate(EmitTo::All).unwrap_err().to_string().contains("beyond DECIMAL(38,0)"));
}

/// By the rules of Hive, which Arrow's kernels follow.
#[test]
fn decimals_get_the_digits_that_their_result_needs() {
    assert_eq!(of_sum((18, 4), (10, 2)).data_type(), DataType::Decimal128(19, 4));
    assert_eq!(of_product((18, 4), (19, 0)).unwrap().data_type(), DataType::Decimal128(38, 4));
    assert!(!of_product((18, 4), (19, 0)).unwrap().may_overflow());
    assert!(of_product((20, 4), (19, 0)).unwrap().may_overflow());
    assert!(of_product((38, 20), (38, 20)).is_err());
    assert_eq!(of_remainder((18, 4), (10, 2)).data_type(), DataType::Decimal128(12, 4));
}

#[test]
fn operands_meet_without_losing_digits() {
    let common = |left, right| common_types(&left, &right).unwrap();
    assert_eq!(common(DataType::Int8, DataType::UInt32), (DataType::Int64, DataType::Int64));
    assert_eq!(common(DataType::Float32, DataType::Float32), (DataType::Float32, DataType::Float32));
    assert_eq!(common(DataType::Float32, DataType::Int64), (DataType::Float64, DataType::Float64));
    assert_eq!(
        common(DataType::Decimal128(9, 2), DataType::Int32),
        (DataType::Decimal128(9, 2), DataType::Decimal128(10, 0))
    );
    assert_eq!(common_types(&DataType::Utf8, &DataType::Int64), None);
}

#[test]
fn casts_that_lose_digits_are_known_by_their_types() {
    let money = DataType::Decimal128(18, 4);
    for (from, to, loses) in [
        (&money, DataType::Int64, true),
        (&money, DataType::Decimal128(20, 2), true),
        (&money, DataType::Decimal128(20, 4), false),
        (&DataType::Float64, DataType::Int32, true),
        (&DataType::Float64, money.clone(), true),
        (&DataType::Int32, DataType::Int64, false),
        (&DataType::Int64, money.clone(), false),
        (&money, DataType::Float64, false),
        (&DataType::Utf8, DataType::Int64, false),
    ] {
        assert_eq!(loses_digits(from, &to), loses, "{from} to {to}");
    }
}

const LENGTH: DataType = DataType::Duration(TimeUnit::Microsecond);

fn lengths(values: &[i64]) -> ArrayRef {
    Arc::new(DurationMicrosecondArray::from(values.to_vec()))
}

/// What one accumulator hands to another.
fn states(accumulator: &mut dyn Accumulator) -> Vec<ArrayRef> {
    accumulator.state().unwrap().iter().map(|state| state.to_array().unwrap()).collect()
}

/// (2^63 - 1) * 3 is no length, its mean is one; by hand.
#[test]
fn averages_of_lengths_pass_beyond_64_bits() {
    let mut groups = GroupSums::<DurationMicrosecondType>::new(&LENGTH, Output::AverageLength);
    groups.update_batch(&[lengths(&[i64::MAX, i64::MAX, 5, i64::MAX])], &[0, 0, 1, 0], None, 2).unwrap();
    let state = groups.state(EmitTo::All).unwrap();
    let mut merged = GroupSums::<DurationMicrosecondType>::new(&LENGTH, Output::AverageLength);
    merged.merge_batch(&state, &[0, 1], 2).unwrap();
    merged.merge_batch(&state, &[0, 1], 2).unwrap();
    let means = merged.evaluate(EmitTo::All).unwrap();
    assert_eq!(means.as_primitive::<DurationMicrosecondType>().values()[..], [i64::MAX, 5]);

    let mut sum = ExactSum::new(&LENGTH, Output::Sum(LENGTH));
    sum.update_batch(&[lengths(&[i64::MAX, 1])]).unwrap();
    assert!(sum.evaluate().unwrap_err().to_string().contains("292,000 years"));
    sum.retract_batch(&[lengths(&[1])]).unwrap();
    assert_eq!(sum.evaluate().unwrap(), ScalarValue::DurationMicrosecond(Some(i64::MAX)));
}

#[test]
fn sums_of_intervals_are_merged_and_given_back() {
    let interval = IntervalMonthDayNano::new;
    let column = |values: Vec<Option<IntervalMonthDayNano>>| -> Vec<ArrayRef> {
        vec![Arc::new(IntervalMonthDayNanoArray::from(values))]
    };
    let mut part = IntervalSum::default();
    let nothing = states(&mut part);
    part.update_batch(&column(vec![Some(interval(1, -2, i64::MAX)), None, Some(interval(2, 5, i64::MAX))])).unwrap();
    let mut whole = IntervalSum::default();
    whole.merge_batch(&nothing).unwrap();
    assert_eq!(whole.evaluate().unwrap(), ScalarValue::IntervalMonthDayNano(None));
    whole.merge_batch(&states(&mut part)).unwrap();
    assert!(whole.evaluate().unwrap_err().to_string().contains("beyond INTERVAL"));
    part.retract_batch(&column(vec![None, Some(interval(1, -2, i64::MAX))])).unwrap();
    assert_eq!(part.evaluate().unwrap(), ScalarValue::IntervalMonthDayNano(Some(interval(2, 5, i64::MAX))));
}

#[test]
fn percentiles_of_lengths_are_merged_and_given_back() {
    for (is_distinct, expected) in [(false, 20), (true, 25)] {
        let mut first = continuous_percentile::accumulator(&LENGTH, Some(0.5), is_distinct);
        first.update_batch(&[lengths(&[20, 10, 20])]).unwrap();
        let mut whole = continuous_percentile::accumulator(&LENGTH, Some(0.5), is_distinct);
        whole.update_batch(&[lengths(&[40, 30, 10])]).unwrap();
        whole.merge_batch(&states(first.as_mut())).unwrap();
        // 10, 10, 20, 20, 30, 40.
        assert_eq!(whole.evaluate().unwrap(), ScalarValue::DurationMicrosecond(Some(expected)));
        whole.retract_batch(&[lengths(&[10])]).unwrap();
        // 10, 20, 20, 30, 40: of two equal lengths one is left.
        assert_eq!(whole.evaluate().unwrap(), ScalarValue::DurationMicrosecond(Some(expected)));
    }
    let mut largest = continuous_percentile::accumulator(&LENGTH, Some(0.5), false);
    largest.update_batch(&[lengths(&[i64::MAX, i64::MAX - 2])]).unwrap();
    assert_eq!(largest.evaluate().unwrap(), ScalarValue::DurationMicrosecond(Some(i64::MAX - 1)));
}

/// 2^63 - 1 by 3 and by 10^38 steps, which no DOUBLE holds; by hand.
#[test]
fn lengths_are_scaled_exactly() {
    assert_eq!(Factor::divide_by(3, 0).unwrap().scale(i64::MAX), Some(3_074_457_345_618_258_602));
    assert_eq!(Factor::multiply_by(10_i128.pow(37), 38).scale(i64::MAX), Some(922_337_203_685_477_581));
    assert_eq!(Factor::divide_by(10_i128.pow(37), 38).unwrap().scale(7), Some(70));
    assert_eq!(Factor::divide_by(-2, 0).unwrap().scale(-7), Some(4));
    assert_eq!(Factor::multiply_by(2, 0).scale(i64::MAX), None);
    assert!(Factor::divide_by(0, 2).is_none());
}

#[test]
fn texts_of_numbers_lose_their_exponents() {
    // By hand: the point moves as many digits as the exponent says.
    let numbers = [
        ("1.5e3", "1500"),
        ("1e-7", "0.0000001"),
        ("-1.23456E+2", "-123.456"),
        ("12345e-2", "123.45"),
        ("5e-1", "0.5"),
        ("-5e-2", "-0.05"),
        ("2e0", "2"),
        ("1.50e1", "15.0"),
        ("1e37", "10000000000000000000000000000000000000"),
        // Less than any decimal has digits for.
        ("1e-400", "0"),
    ];
    for (text, plain) in numbers {
        assert_eq!(without_exponent(text), plain, "{text}");
    }
    let others =
        ["19.90", "true", "e", "", "1e", "e5", "-e5", "1.2.3e4", "Ae5", "1e5x", "1e400", "1e99999999999999999999"];
    for text in others {
        assert_eq!(without_exponent(text), text);
    }
}
