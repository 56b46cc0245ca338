use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::{DataType, Field, Int64Type};

use super::*;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn rows(parts: &[RecordBatch]) -> usize {
    parts.iter().map(RecordBatch::num_rows).sum()
}

#[test]
fn a_small_batch_stays_whole() {
    let small = batch(vec![("n", Arc::new(Int64Array::from_iter_values(0..1000)))]);
    assert_eq!(split(small.clone()), vec![small]);
}

#[test]
fn no_message_is_larger_than_the_aim() {
    let numbers = Int64Array::from_iter_values(0..1_000_000);
    let texts = StringArray::from_iter_values((0..1_000_000).map(|n| format!("text {n}")));
    let large = batch(vec![("n", Arc::new(numbers)), ("t", Arc::new(texts))]);
    let parts = split(large.clone());
    assert_eq!(rows(&parts), 1_000_000);
    let mut encoder = Encoder::new(&large.schema()).unwrap();
    for part in &parts {
        let message = encoder.batch(part).unwrap();
        assert!(message.body_bytes() <= MESSAGE_BYTES + 4096, "{}", message.body_bytes());
    }
    // Order and values are kept.
    let joined = arrow::compute::concat_batches(&large.schema(), &parts).unwrap();
    assert_eq!(joined, large);
    assert!(parts.len() < 20, "{} parts", parts.len());
}

#[test]
fn skewed_rows_are_cut_again_and_one_huge_row_goes_alone() {
    let huge = "x".repeat(MESSAGE_BYTES * 2);
    let texts = StringArray::from_iter_values((0..100).map(|n| if n == 50 { huge.as_str() } else { "small" }));
    let parts = split(batch(vec![("t", Arc::new(texts))]));
    assert_eq!(rows(&parts), 100);
    assert_eq!(parts.iter().filter(|part| wire_bytes(part.column(0).as_ref()) > MESSAGE_BYTES).count(), 1);
    assert!(parts.iter().all(|p| p.num_rows() == 1 || wire_bytes(p.column(0).as_ref()) <= MESSAGE_BYTES));
}

#[test]
fn a_slice_counts_only_what_it_shows() {
    let numbers = Int64Array::from_iter_values(0..1_000_000);
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>((0..100_000).map(|n| Some(vec![Some(n); 10])));
    let strings = StringArray::from_iter_values((0..100_000).map(|n| n.to_string()));
    let slices: [ArrayRef; 3] =
        [Arc::new(numbers.slice(10, 10)), Arc::new(lists.slice(10, 10)), Arc::new(strings.slice(10, 10))];
    for slice in slices {
        assert!(wire_bytes(slice.as_ref()) < 2000, "{}", slice.data_type());
        let batch = batch(vec![("c", slice)]);
        let message = Encoder::new(&batch.schema()).unwrap().batch(&batch).unwrap();
        assert!(message.body_bytes() < 4000);
    }
}

#[test]
fn a_keep_alive_is_a_batch_without_rows() {
    let schema = Arc::new(Schema::new(vec![Field::new("t", DataType::Utf8, false)]));
    let message = Encoder::new(&schema).unwrap().keep_alive(&schema).unwrap();
    let (data_header, data_body) = (message.header, message.body.concat().into());
    let message = FlightData { data_header, data_body, ..FlightData::default() };
    let decoded = arrow_flight::utils::flight_data_to_arrow_batch(&message, schema, &Default::default()).unwrap();
    assert_eq!(decoded.num_rows(), 0);
}
