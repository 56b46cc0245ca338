use std::sync::Arc;

use arrow::array::{
    DictionaryArray, Int32Array, LargeStringArray, ListArray, StringArray, StringViewArray, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{Field, Fields, Int32Type};

use super::*;

fn bytes(column: ArrayRef) -> usize {
    expanded_bytes(&RecordBatch::try_from_iter_with_nullable([("c", column, true)]).unwrap())
}

/// A text of 1,000 bytes that 50 rows name is 50,000 bytes, however it is sent.
#[test]
fn a_text_counts_as_often_as_it_is_named() {
    let text = "x".repeat(1_000);
    let keys = || (0..51).map(|row| (row < 50).then_some(0)).collect::<Int32Array>();
    let values: [ArrayRef; 3] = [
        Arc::new(StringArray::from(vec![text.as_str()])),
        Arc::new(LargeStringArray::from(vec![text.as_str()])),
        Arc::new(StringViewArray::from(vec![text.as_str()])),
    ];
    for values in values {
        let dictionary = DictionaryArray::<Int32Type>::try_new(keys(), values).unwrap();
        assert_eq!(bytes(Arc::new(dictionary)), 50_000);
    }
    let one = StringViewArray::from(vec![text.as_str()]);
    let views = arrow::compute::take(&one, &keys(), None).unwrap();
    assert_eq!(bytes(Arc::clone(&views)), 50_000);
    // Behind three offsets of four bytes, the second list empty.
    let element = Arc::new(Field::new("element", DataType::Utf8View, true));
    let offsets = OffsetBuffer::from_lengths([51, 0]);
    assert_eq!(bytes(Arc::new(ListArray::try_new(element, offsets, Arc::clone(&views), None).unwrap())), 50_012);
    let fields = Fields::from(vec![Field::new("value", DataType::Utf8View, true)]);
    assert_eq!(bytes(Arc::new(StructArray::try_new(fields, vec![views], None).unwrap())), 50_000);
}

/// Of a slice the slice counts: two texts of three bytes and three offsets of four.
#[test]
fn plain_columns_count_as_they_are() {
    let texts = StringArray::from(vec!["abc", "def", "ghi"]);
    assert_eq!(bytes(Arc::new(texts.slice(1, 2))), 18);
    let nothing = DictionaryArray::<Int32Type>::try_new(Int32Array::new_null(9), Arc::new(StringArray::new_null(0)));
    assert_eq!(bytes(Arc::new(nothing.unwrap())), 0);
}
