use super::*;

#[test]
fn products_become_lines_with_exact_amounts() {
    let lines = lines_of(
        r#"{"products":[{"product_id":"p1","category":["Women","Tops"],"price":19.99,"quantity":3,"cost":"7.5"},
                        {"sku":4711,"category":"Home / Kitchen","total":"12.00"},{}]}"#,
    )
    .unwrap();
    // 3 x 19.99 = 59.97 and 3 x 7.5 = 22.5, by hand.
    assert_eq!(lines[0].amount, Some(599_700));
    assert_eq!(lines[0].cost, Some(225_000));
    assert_eq!(lines[0].category, Some(vec!["Women".into(), "Tops".into()]));
    assert_eq!(lines[1].product_id.as_deref(), Some("4711"));
    assert_eq!(lines[1].category, Some(vec!["Home".into(), "Kitchen".into()]));
    assert_eq!((lines[1].amount, lines[1].quantity), (Some(120_000), ONE));
    assert_eq!(lines[2], Line { quantity: ONE, ..Line::default() });
}

#[test]
fn texts_without_a_products_array_have_no_lines() {
    for text in ["{}", r#"{"products":7}"#, r#"{"a":"products"}"#, "not json with \"products\""] {
        assert_eq!(lines_of(text), None, "{text}");
    }
    assert_eq!(lines_of(r#"{"products":[]}"#), Some(vec![]));
}
