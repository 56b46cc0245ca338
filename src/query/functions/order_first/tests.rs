//! Against a plain sort, whatever phases the engine runs the aggregate in.

use arrow::compute::concat;
use proptest::prelude::*;

use super::*;

/// (group, value, is refund, ts, received_at); the place is the message id.
type Row = (usize, Option<i64>, bool, i64, i64);

const GROUPS: usize = 3;

fn columns(rows: &[Row], first: usize, as_text: bool) -> Vec<ArrayRef> {
    let instants = |of: fn(&Row) -> i64| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(of)).with_timezone("UTC"))
    };
    let value: ArrayRef = match as_text {
        true => Arc::new(rows.iter().map(|row| row.1.map(|value| format!("v{value}"))).collect::<StringArray>()),
        false => Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
    };
    vec![
        value,
        Arc::new(rows.iter().map(|row| Some(row.2)).collect::<BooleanArray>()),
        instants(|row| row.3),
        instants(|row| row.4),
        Arc::new(StringArray::from_iter_values((0..rows.len()).map(|at| format!("m{:03}", first + at)))),
    ]
}

/// What the earliest purchase that has a value says, or the earliest refund where there is no purchase.
fn expected(rows: &[Row], as_text: bool) -> ArrayRef {
    let of_group = |group: usize| {
        let own: Vec<(usize, &Row)> = rows.iter().enumerate().filter(|(_, row)| row.0 == group).collect();
        let bought = own.iter().any(|(_, row)| !row.2);
        let says = own.into_iter().filter(|(_, row)| row.2 != bought && row.1.is_some());
        says.min_by_key(|(at, row)| (row.3, row.4, *at)).and_then(|(_, row)| row.1)
    };
    let values = (0..GROUPS).map(of_group);
    match as_text {
        true => Arc::new(values.map(|value| value.map(|value| format!("v{value}"))).collect::<StringArray>()),
        false => Arc::new(values.collect::<Int64Array>()),
    }
}

fn groups(as_text: bool) -> Groups {
    Groups::of(&if as_text { DataType::Utf8 } else { DataType::Int64 })
}

proptest! {
    #[test]
    fn the_earliest_purchase_that_has_it_tells(
        rows in proptest::collection::vec(
            (0..GROUPS, proptest::option::of(0..50_i64), any::<bool>(), 0..4_i64, 0..2_i64), 0..24),
        as_text: bool,
        cut in 0.0..1.0,
    ) {
        let expected = expected(&rows, as_text);
        let of_rows: Vec<usize> = rows.iter().map(|row| row.0).collect();
        let mut all = groups(as_text);
        all.update_batch(&columns(&rows, 0, as_text), &of_rows, None, GROUPS).unwrap();
        let parts: Vec<ArrayRef> = (0..GROUPS).map(|_| all.evaluate(EmitTo::First(1)).unwrap()).collect();
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        prop_assert_eq!(&concat(&parts).unwrap(), &expected);

        let cut = (rows.len() as f64 * cut) as usize;
        let (early, late) = rows.split_at(cut);
        let mut merged = groups(as_text);
        let converted = merged.convert_to_state(&columns(late, cut, as_text), None).unwrap();
        merged.merge_batch(&converted, &of_rows[cut..], GROUPS).unwrap();
        let mut other = groups(as_text);
        other.update_batch(&columns(early, 0, as_text), &of_rows[..cut], None, GROUPS).unwrap();
        let (first, rest) = (other.state(EmitTo::First(2)).unwrap(), other.state(EmitTo::All).unwrap());
        merged.merge_batch(&first, &[0, 1], GROUPS).unwrap();
        merged.merge_batch(&rest, &[2], GROUPS).unwrap();
        prop_assert_eq!(&merged.evaluate(EmitTo::All).unwrap(), &expected);
    }
}
