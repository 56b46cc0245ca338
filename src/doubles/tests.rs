use arrow::array::{Float32Array, Float64Array, Int64Array, ListArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{Field, Fields};

use super::*;

/// Bits of IEEE 754: 0, and the NaN that is quiet, without a sign and without a payload.
const ZERO: u64 = 0;
const NAN: u64 = 0x7ff8_0000_0000_0000;

fn bits(column: &ArrayRef) -> Vec<u64> {
    column.as_primitive::<Float64Type>().values().iter().map(|value| value.to_bits()).collect()
}

fn strange() -> ArrayRef {
    let nans = [0xfff8_0000_0000_0000, 0x7ff8_0000_0000_0001, 0xfff4_0000_0000_0000].map(f64::from_bits);
    Arc::new(Float64Array::from(vec![-0.0, 0.0, nans[0], nans[1], nans[2], -1.5]))
}

fn plain() -> ArrayRef {
    Arc::new(Float64Array::from(vec![Some(0.0), None, Some(-5e-324), Some(f64::NEG_INFINITY)]))
}

fn unified_bits() -> Vec<u64> {
    vec![ZERO, ZERO, NAN, NAN, NAN, (-1.5_f64).to_bits()]
}

#[test]
fn zeros_and_nans_are_one() {
    assert_eq!(bits(&one_zero(&strange()).unwrap()), unified_bits());
    let each: Vec<f64> = strange().as_primitive::<Float64Type>().values().to_vec();
    assert_eq!(each.into_iter().map(|value| one_zero_double(value).to_bits()).collect::<Vec<u64>>(), unified_bits());
    let reals: ArrayRef = Arc::new(Float32Array::from(vec![-0.0, f32::from_bits(0xffc0_0000), -1.5]));
    let unified = one_zero(&reals).unwrap();
    let bits: Vec<u32> = unified.as_primitive::<Float32Type>().values().iter().map(|value| value.to_bits()).collect();
    assert_eq!(bits, [0, 0x7fc0_0000, (-1.5_f32).to_bits()]);
}

#[test]
fn a_column_without_them_is_not_copied() {
    let whole: ArrayRef = Arc::new(Int64Array::from(vec![0, -1]));
    for column in [plain(), whole, list_of(plain()), record_of(plain())] {
        assert!(Arc::ptr_eq(&column, &one_zero(&column).unwrap()), "{column:?}");
    }
}

#[test]
fn nulls_stay() {
    let column: ArrayRef = Arc::new(Float64Array::from(vec![None, Some(-0.0)]));
    let unified = one_zero(&column).unwrap();
    assert_eq!(unified.nulls(), column.nulls());
    assert_eq!(bits(&unified)[1], ZERO);
}

#[test]
fn lists_and_structs_hold_one_zero() {
    let list = one_zero(&list_of(strange())).unwrap();
    assert_eq!(bits(list.as_list::<i32>().values()), unified_bits());
    let record = one_zero(&record_of(strange())).unwrap();
    assert_eq!(bits(record.as_struct().column(1)), unified_bits());
    let field = Arc::new(Field::new_list_field(DataType::Float64, true));
    let fixed: ArrayRef = Arc::new(FixedSizeListArray::new(field, 2, strange(), None));
    assert_eq!(bits(one_zero(&fixed).unwrap().as_fixed_size_list().values()), unified_bits());
    assert!(holds_doubles(list.data_type()) && holds_doubles(record.data_type()) && !holds_doubles(&DataType::Utf8));
}

/// One row.
fn list_of(values: ArrayRef) -> ArrayRef {
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([values.len()]);
    Arc::new(ListArray::new(field, offsets, values, None))
}

/// The values beside a number for each, one row in which is NULL.
fn record_of(values: ArrayRef) -> ArrayRef {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..values.len() as i64));
    let fields: Fields =
        vec![Field::new("n", DataType::Int64, true), Field::new("x", values.data_type().clone(), true)].into();
    let nulls = NullBuffer::from_iter((0..values.len()).map(|row| row != 1));
    Arc::new(StructArray::new(fields, vec![numbers, values], Some(nulls)))
}
