//! Formulas as text, and the limit of what a batch may build. Results are tested in `tests/`, through SQL.

use std::sync::Arc;

use arrow::array::{AsArray, BinaryArray};
use arrow::datatypes::DataType;
use datafusion::common::DataFusionError;
use datafusion::logical_expr::ColumnarValue;

use super::evaluate_within;
use super::formula::Call;
use crate::bitmap::vocabulary::find;
use crate::kernel::{EMPTY, MAX_DEPTH, from_ids};

fn parse(text: &str) -> Call {
    Call::parse(text).unwrap()
}

#[test]
fn formulas_are_written_as_they_are_read() {
    for text in [
        "bitmap_count($1)",
        "bitmap_count(bitmap_and($1, bitmap_or($2, $3)))",
        "bitmap_threshold_count($4, $1, bitmap_flip(bitmap_add($2, $3), $5, $6), $1)",
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
    assert_eq!(parse(" bitmap_or ( $1,$2 ) ").to_string(), "bitmap_or($1, $2)");
}

#[test]
fn depth_counts_calls() {
    assert_eq!(parse("bitmap_count($1)").depth(), 1);
    assert_eq!(parse("bitmap_count(bitmap_and($1, bitmap_or($2, $3)))").depth(), 3);
}

#[test]
fn formulas_are_as_deep_as_the_kernel_goes() {
    let nested = |levels: usize| format!("{}$1{}", "bitmap_or(".repeat(levels), ")".repeat(levels));
    assert_eq!(parse(&nested(MAX_DEPTH)).depth(), MAX_DEPTH);
    assert!(Call::parse(&nested(MAX_DEPTH + 1)).unwrap_err().contains("deeper than 256"));
    assert!(Call::parse(&"bitmap_or(".repeat(1_000_000)).is_err());
    let set = ColumnarValue::Array(Arc::new(BinaryArray::from_iter_values([from_ids(vec![7])])));
    assert!(evaluate_within(&parse(&nested(MAX_DEPTH)), &[set], 1, 100).is_ok());
}

#[test]
fn a_leaf_belongs_to_the_call_right_around_its_first_use() {
    let call = parse("bitmap_and($1, bitmap_or($2, $1), bitmap_add($2, $3))");
    let origins: Vec<_> =
        call.origins(4).into_iter().map(|origin| origin.map(|o| (o.function.name, o.position))).collect();
    assert_eq!(origins, [Some(("bitmap_and", 1)), Some(("bitmap_or", 1)), Some(("bitmap_add", 2)), None]);
}

#[test]
fn leaves_have_the_types_of_their_places() {
    let call = parse("bitmap_contains(bitmap_or($1, $2), $3)");
    assert_eq!(call.check(&[&DataType::Binary, &DataType::BinaryView, &DataType::Int64]), Ok(()));
    assert_eq!(call.check(&[&DataType::Null, &DataType::LargeBinary, &DataType::UInt64]), Ok(()));
    assert!(call.check(&[&DataType::Binary, &DataType::Binary, &DataType::Binary]).is_err());
    // A leaf cannot be a set here and a number there.
    let both = parse("bitmap_add($1, $1)");
    assert!(both.check(&[&DataType::Binary]).is_err() && both.check(&[&DataType::Int64]).is_err());
}

/// Two results of 22 bytes each: 8 of header, 8 of the container's, 6 of three members (RoaringFormatSpec). The kernel
/// leaves the first 8 out of account.
#[test]
fn a_batch_builds_no_more_than_it_may() {
    let sets: Vec<Vec<u8>> = vec![from_ids(vec![1, 2, 3]), from_ids(vec![1, 2, 3])];
    let column = BinaryArray::from_iter_values(&sets);
    let arguments = [ColumnarValue::Array(Arc::new(column))];
    let call = Call::plain(find("bitmap_or").unwrap(), 1);
    let ColumnarValue::Array(built) = evaluate_within(&call, &arguments, 2, 44).unwrap() else { panic!("a column") };
    assert_eq!(built.as_binary::<i32>().iter().flatten().collect::<Vec<_>>(), sets);
    let refused = evaluate_within(&call, &arguments, 2, 35).unwrap_err();
    assert!(matches!(refused, DataFusionError::ResourcesExhausted(_)), "{refused}");
    assert!(refused.to_string().contains("bitmap_or: the results of one batch of rows need more than 35 bytes"));
}

/// Eight bytes become a container of runs for each of 65,536 keys.
#[test]
fn a_flip_of_everything_is_within_bounds_only_if_they_are_wide() {
    let bounds = [0_i64, 1 << 32].map(|bound| ColumnarValue::Scalar(bound.into()));
    let [from, to] = bounds;
    let empty = ColumnarValue::Array(Arc::new(BinaryArray::from_iter_values([EMPTY])));
    let call = Call::plain(find("bitmap_flip").unwrap(), 3);
    let arguments = [empty, from, to];
    assert!(evaluate_within(&call, &arguments, 1, 900_000).is_err());
    assert!(evaluate_within(&call, &arguments, 1, 1_000_000).is_ok());
}
