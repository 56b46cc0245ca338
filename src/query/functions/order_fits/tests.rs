use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::Field;
use datafusion::config::ConfigOptions;

use super::*;
use crate::error::Kind;

fn checked(values: ArrayRef, keys: ArrayRef) -> Result<ArrayRef, Error> {
    let fields = [&values, &keys].map(|column| Arc::new(Field::new("", column.data_type().clone(), true)));
    let arguments = ScalarFunctionArgs {
        number_rows: values.len(),
        return_field: Arc::clone(&fields[0]),
        arg_fields: fields.to_vec(),
        args: vec![ColumnarValue::Array(values), ColumnarValue::Array(keys)],
        config_options: Arc::new(ConfigOptions::new()),
    };
    match OrderFits::new().invoke_with_args(arguments)? {
        ColumnarValue::Array(fitting) => Ok(fitting),
        ColumnarValue::Scalar(_) => panic!("columns make a column"),
    }
}

#[test]
fn what_fits_comes_back_whatever_its_key_is() {
    let values: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let keys: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
    assert_eq!(&checked(Arc::clone(&values), keys).unwrap(), &values);
}

#[test]
fn the_first_order_that_does_not_fit_is_named() {
    let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, None]));
    let keys: ArrayRef = Arc::new(StringArray::from(vec!["a", "it's", "b"]));
    let refusal = checked(values, keys).unwrap_err();
    assert_eq!(refusal.kind(), Kind::InvalidInput);
    let message = refusal.message();
    assert!(message.contains("order 'it's'") && message.contains("WHERE order_key <> 'it''s'"), "{message}");
}

/// No key is not the key `''`: the condition has to leave out this order and no other.
#[test]
fn an_order_without_a_key_is_left_out_by_its_lack() {
    let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
    let keys: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
    let all_null: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>, None]));
    for keys in [keys, all_null] {
        let refusal = checked(Arc::clone(&values), keys).unwrap_err();
        assert_eq!(refusal.kind(), Kind::InvalidInput);
        let message = refusal.message();
        assert!(message.contains("an order without a key"), "{message}");
        assert!(message.contains("WHERE order_key IS NOT NULL leaves the order out"), "{message}");
        assert!(!message.contains("''"), "{message}");
    }
}
