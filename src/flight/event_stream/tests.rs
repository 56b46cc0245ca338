use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray, TimestampMicrosecondArray};

use super::*;
use crate::error::Kind;

/// One event of these columns, and its time.
fn event(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0]).with_timezone("UTC"));
    RecordBatch::try_from_iter(columns.iter().cloned().chain([("ts", time)])).unwrap()
}

fn revenues(revenue: i64) -> RecordBatch {
    event(&[("revenue", Arc::new(Int64Array::from(vec![revenue])))])
}

fn schema() -> Result<(Received, Bytes)> {
    Ok((Received::Schema(revenues(1).schema()), Bytes::new()))
}

fn batch(revenue: i64, key: &'static str) -> Result<(Received, Bytes)> {
    Ok((Received::Batch(revenues(revenue)), Bytes::from(key)))
}

/// A batch of more rows than one may have.
fn too_long() -> Result<(Received, Bytes)> {
    let one = revenues(1);
    let rows = concat_batches(one.schema_ref(), std::iter::repeat_n(&one, 65_537)).unwrap();
    Ok((Received::Batch(rows), Bytes::new()))
}

/// Numbers of the batches of each group, or what is wrong with one.
fn read(reader: &mut BatchReader, messages: Vec<Result<(Received, Bytes)>>) -> Vec<Result<(u64, usize), String>> {
    let shown = reader.groups_of(messages).map(|group| match group {
        Ok(group) => {
            assert_eq!(group.rows.num_rows(), group.sizes.iter().sum::<usize>());
            Ok((group.first, group.sizes.len()))
        }
        Err(error) => {
            assert_eq!(error.kind(), Kind::InvalidInput);
            Err(error.message().to_owned())
        }
    });
    shown.collect()
}

#[test]
fn batches_are_counted_from_one_whatever_their_groups() {
    let mut reader = BatchReader::default();
    let small = || batch(5, "");
    assert_eq!(read(&mut reader, vec![schema(), small(), small(), small()]), [Ok((1, 3))]);
    assert_eq!(read(&mut reader, vec![small()]), [Ok((4, 1))]);
    let with_keys = vec![small(), batch(5, "one"), batch(5, "two"), small(), small()];
    assert_eq!(read(&mut reader, with_keys), [Ok((5, 1)), Ok((6, 1)), Ok((7, 1)), Ok((8, 2))]);
}

#[test]
fn what_is_wrong_with_a_batch_names_it() {
    let malformed = || Err(Error::invalid("malformed"));
    for (bad, said) in [(too_long(), "batch 3: a batch of 65537 rows: "), (malformed(), "batch 3: malformed")] {
        let mut reader = BatchReader::default();
        assert_eq!(read(&mut reader, vec![schema(), batch(1, "one"), batch(1, "two")]).len(), 2);
        let groups = read(&mut reader, vec![bad]);
        let [Err(message)] = groups.as_slice() else { panic!("it is not refused: {groups:?}") };
        assert!(message.starts_with(said), "{message}");
    }
    // Among others, of which those before it stand alone.
    let messages = vec![schema(), batch(1, ""), too_long(), batch(1, "")];
    let groups = read(&mut BatchReader::default(), messages);
    let [Ok((1, 1)), Err(message), Ok((3, 1))] = groups.as_slice() else { panic!("each stands alone: {groups:?}") };
    assert!(message.starts_with("batch 2: a batch of 65537 rows: "), "{message}");
    let messages = vec![schema(), batch(1, ""), batch(1, ""), malformed()];
    let expected = [Ok((1, 2)), Err("batch 3: malformed".to_owned())];
    assert_eq!(read(&mut BatchReader::default(), messages), expected);
}

#[test]
fn what_is_wrong_before_the_first_batch_names_none() {
    let unknown = RecordBatch::try_from_iter([("colour", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]).unwrap();
    let timeless = RecordBatch::try_from_iter([("revenue", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]).unwrap();
    let bad = [
        (Ok((Received::Schema(unknown.schema()), Bytes::new())), "events have no column 'colour'"),
        (Ok((Received::Schema(timeless.schema()), Bytes::new())), "events need a column 'ts'"),
        (batch(1, ""), "a batch came before the schema"),
        (Err(Error::invalid("malformed")), "malformed"),
    ];
    for (message, said) in bad {
        let groups = read(&mut BatchReader::default(), vec![message]);
        let [Err(message)] = groups.as_slice() else { panic!("it is not refused: {groups:?}") };
        assert!(message.starts_with(said), "{message}");
    }
}

#[test]
fn batches_have_the_columns_of_the_schema_before_them() {
    let text = |value: &str| Arc::new(StringArray::from(vec![value])) as ArrayRef;
    let first = event(&[("user_id", text("u")), ("event", text("e"))]);
    let second = event(&[("event", text("e")), ("user_id", text("u"))]);
    let third = event(&[("event", text("e"))]);
    let messages = [&first, &second, &third].into_iter().flat_map(|batch| {
        let schema = Ok((Received::Schema(batch.schema()), Bytes::new()));
        [schema, Ok((Received::Batch(batch.clone()), Bytes::new()))]
    });
    let groups: Vec<_> = BatchReader::default().groups_of(messages.collect()).collect();
    let value = |group: &Result<Group>, name: &str| {
        let column = group.as_ref().unwrap().rows.column_by_name(name).unwrap().as_string::<i32>().clone();
        column.is_valid(0).then(|| column.value(0).to_owned())
    };
    let values: Vec<_> = groups.iter().map(|group| (value(group, "user_id"), value(group, "event"))).collect();
    let (user, name) = (Some("u".to_owned()), Some("e".to_owned()));
    assert_eq!(values, [(user.clone(), name.clone()), (user, name.clone()), (None, name)]);
}

#[test]
fn batches_that_are_checked_one_by_one_keep_their_rows_and_numbers() {
    let rows = RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from_iter_values(0..5)) as ArrayRef)]).unwrap();
    let group = Group { first: 7, rows, sizes: vec![3, 0, 2], key: Bytes::new() };
    let rows_of = |group: &Group| {
        let column: &Int64Array = group.rows.column(0).as_primitive();
        column.values().to_vec()
    };
    let alone: Vec<_> = group.split().iter().map(|group| (group.first, group.sizes.clone(), rows_of(group))).collect();
    assert_eq!(alone, [(7, vec![3], vec![0, 1, 2]), (8, vec![0], vec![]), (9, vec![2], vec![3, 4])]);
}

#[test]
fn a_batch_that_is_refused_among_others_names_itself() {
    let kept = AppendResult { kept: 1, ..AppendResult::default() };
    let results = vec![Ok(kept.clone()), Err(Error::busy("a load")), Ok(kept.clone())];
    let told: Vec<_> =
        with_numbers(7, results).into_iter().map(|result| result.map_err(|error| error.to_string())).collect();
    assert_eq!(told, [Ok(kept.clone()), Err("batch 8: a load".to_owned()), Ok(kept)]);
}
