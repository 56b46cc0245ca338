use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};

use super::*;
use crate::error::Kind;

fn revenues(revenue: i64) -> RecordBatch {
    RecordBatch::try_from_iter([("revenue", Arc::new(Int64Array::from(vec![revenue])) as ArrayRef)]).unwrap()
}

fn schema() -> Result<(Received, Bytes)> {
    Ok((Received::Schema(revenues(1).schema()), Bytes::new()))
}

fn batch(revenue: i64, key: &'static str) -> Result<(Received, Bytes)> {
    Ok((Received::Batch(revenues(revenue)), Bytes::from(key)))
}

/// More digits than an amount has.
const TOO_MUCH: i64 = i64::MAX;

/// Numbers of the batches of each group, or what is wrong with one.
fn read(reader: &mut BatchReader, messages: Vec<Result<(Received, Bytes)>>) -> Vec<Result<(u64, usize), String>> {
    let groups = reader.groups_of(messages).into_iter();
    let shown = groups.map(|group| match group {
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
    for (bad, said) in [(batch(TOO_MUCH, ""), "batch 3: column 'revenue': "), (malformed(), "batch 3: malformed")] {
        let mut reader = BatchReader::default();
        assert_eq!(read(&mut reader, vec![schema(), batch(1, "one"), batch(1, "two")]).len(), 2);
        let groups = read(&mut reader, vec![bad]);
        let [Err(message)] = groups.as_slice() else { panic!("it is not refused: {groups:?}") };
        assert!(message.starts_with(said), "{message}");
    }
    // Among others, of which those before it stand alone.
    let messages = vec![schema(), batch(1, ""), batch(TOO_MUCH, ""), batch(1, "")];
    let groups = read(&mut BatchReader::default(), messages);
    let [Ok((1, 1)), Err(message), Ok((3, 1))] = groups.as_slice() else { panic!("each stands alone: {groups:?}") };
    assert!(message.starts_with("batch 2: column 'revenue': "), "{message}");
    let messages = vec![schema(), batch(1, ""), batch(1, ""), malformed()];
    let expected = [Ok((1, 2)), Err("batch 3: malformed".to_owned())];
    assert_eq!(read(&mut BatchReader::default(), messages), expected);
}

#[test]
fn what_is_wrong_before_the_first_batch_names_none() {
    let unknown = RecordBatch::try_from_iter([("colour", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]).unwrap();
    let bad = [
        (Ok((Received::Schema(unknown.schema()), Bytes::new())), "events have no column 'colour'"),
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
    let first = RecordBatch::try_from_iter([("user_id", text("u")), ("event", text("e"))]).unwrap();
    let second = RecordBatch::try_from_iter([("event", text("e")), ("user_id", text("u"))]).unwrap();
    let third = RecordBatch::try_from_iter([("event", text("e"))]).unwrap();
    let messages = [&first, &second, &third].into_iter().flat_map(|batch| {
        let schema = Ok((Received::Schema(batch.schema()), Bytes::new()));
        [schema, Ok((Received::Batch(batch.clone()), Bytes::new()))]
    });
    let groups = BatchReader::default().groups_of(messages.collect());
    let value = |group: &Result<Group>, name: &str| {
        let column = group.as_ref().unwrap().rows.column_by_name(name).unwrap().as_string::<i32>().clone();
        column.is_valid(0).then(|| column.value(0).to_owned())
    };
    let values: Vec<_> = groups.iter().map(|group| (value(group, "user_id"), value(group, "event"))).collect();
    let (user, event) = (Some("u".to_owned()), Some("e".to_owned()));
    assert_eq!(values, [(user.clone(), event.clone()), (user, event.clone()), (None, event)]);
}

#[test]
fn batches_that_are_written_together_fail_together() {
    let named = |first, count| BatchNumbers { first, count }.name_in(Error::busy("full")).message().to_owned();
    assert_eq!(named(7, 1), "batch 7: full");
    assert_eq!(named(7, 3), "batches 7 to 9: full");
}
