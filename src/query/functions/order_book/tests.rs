//! The aggregates give the same whatever phases the engine runs them in: all at once, in pieces, over states.

use arrow::array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, ListBuilder, StringArray, StringBuilder, TimestampMicrosecondArray,
    new_null_array,
};
use arrow::compute::concat;
use datafusion::logical_expr::EmitTo;

use super::*;
use crate::settings::Settings;
use crate::workspace::Rules;

const GROUPS: usize = 4;
/// The longest list.
const ARGUMENTS: usize = LENGTHS[2];

fn base() -> Arc<BaseCurrency> {
    let settings = Settings::defaults().unwrap().orders;
    Arc::new(BaseCurrency::new(&Rules::default(), &settings, chrono_tz::Tz::UTC))
}

/// Rows `from..to` of a fixed history of [`GROUPS`] orders, with the group of each.
fn rows(from: i64, to: i64) -> (Vec<ArrayRef>, Vec<usize>) {
    let at = || from..to;
    let decimals = |of: fn(i64) -> Option<i128>| -> ArrayRef {
        Arc::new(at().map(of).collect::<Decimal128Array>().with_data_type(DECIMAL))
    };
    let instants = |of: fn(i64) -> i64| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from_iter_values(at().map(of)).with_timezone("UTC"))
    };
    let length = (to - from) as usize;
    let mut categories = ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true));
    at().for_each(|row| match row % 3 {
        0 => categories.append_null(),
        _ => categories.append_value([Some(format!("c{row}"))]),
    });
    let columns: Vec<ArrayRef> = vec![
        Arc::new(at().map(|row| Some(row % 5 == 4)).collect::<BooleanArray>()),
        instants(|row| row * 7 % 11),
        instants(|_| 0),
        Arc::new(StringArray::from_iter_values(at().map(|row| format!("m{row}")))),
        decimals(|row| (row % 7 != 4).then_some(i128::from(row) * 10_000)),
        Arc::new(at().map(|row| Some(row % 6 == 5)).collect::<BooleanArray>()),
        Arc::new(at().map(|row| (row % 2 == 0).then_some("USD")).collect::<StringArray>()),
        decimals(|_| None),
        decimals(|row| Some(i128::from(row % 3) * 10_000)),
        decimals(|_| None),
        new_null_array(&DataType::Boolean, length),
        Arc::new(at().map(|row| Some(format!("p{}", row % 3))).collect::<StringArray>()),
        new_null_array(&schema::products(), length),
        new_null_array(&DataType::Utf8, length),
        Arc::new(categories.finish()),
    ];
    (columns, at().map(|row| (row * 3 % GROUPS as i64) as usize).collect())
}

fn whole(book: &OrderBook, pieces: &[(i64, i64)]) -> OrderGroups {
    let mut groups = book.groups(ARGUMENTS);
    for (from, to) in pieces {
        let (columns, of_rows) = rows(*from, *to);
        groups.update_batch(&columns, &of_rows, None, GROUPS).unwrap();
    }
    groups
}

fn evaluated(groups: &mut OrderGroups) -> ArrayRef {
    groups.evaluate(EmitTo::All).unwrap()
}

#[test]
fn phases_change_nothing() {
    let base = base();
    for book in [OrderBook::sums(&base), OrderBook::bookings(&base), OrderBook::parts(&base)] {
        let expected = evaluated(&mut whole(&book, &[(0, 40)]));
        assert_eq!(expected.len(), GROUPS);
        assert_eq!(&evaluated(&mut whole(&book, &[(20, 40), (0, 7), (7, 20)])), &expected, "in pieces");

        let mut merged = book.groups(ARGUMENTS);
        let (columns, of_rows) = rows(0, 15);
        let states = merged.convert_to_state(&columns, None).unwrap();
        merged.merge_batch(&states, &of_rows, GROUPS).unwrap();
        let mut other = whole(&book, &[(15, 40)]);
        // States come out in pieces, too: the rest is still there.
        let first = other.state(EmitTo::First(3)).unwrap();
        let rest = other.state(EmitTo::All).unwrap();
        merged.merge_batch(&first, &[0, 1, 2], GROUPS).unwrap();
        merged.merge_batch(&rest, &[3], GROUPS).unwrap();
        assert_eq!(&evaluated(&mut merged), &expected, "over states");

        let mut emitted = whole(&book, &[(0, 40)]);
        let parts =
            [emitted.evaluate(EmitTo::First(1)), emitted.evaluate(EmitTo::First(2)), emitted.evaluate(EmitTo::All)];
        let parts: Vec<ArrayRef> = parts.into_iter().map(Result::unwrap).collect();
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        assert_eq!(&concat(&parts).unwrap(), &expected, "group by group");
        assert!(emitted.batches_are_released());
    }
}

#[test]
fn filters_leave_events_out() {
    let book = OrderBook::sums(&base());
    let (columns, of_rows) = rows(0, 40);
    let kept: BooleanArray = (0..40).map(|row| (row != 3).then_some(row < 25)).collect();
    let mut filtered = book.groups(columns.len());
    filtered.update_batch(&columns, &of_rows, Some(&kept), GROUPS).unwrap();
    let mut merged = book.groups(columns.len());
    let states = merged.convert_to_state(&columns, Some(&kept)).unwrap();
    merged.merge_batch(&states, &of_rows, GROUPS).unwrap();
    let expected = evaluated(&mut whole(&book, &[(0, 3), (4, 25)]));
    assert_eq!(&evaluated(&mut filtered), &expected);
    assert_eq!(&evaluated(&mut merged), &expected);
}
