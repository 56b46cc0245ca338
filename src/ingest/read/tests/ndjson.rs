use super::{TestFile, options};
use crate::ingest::read::{FileReader, ReadOptions};

#[test]
fn segment_objects_work_as_they_are() {
    let file = TestFile::new(
        "s.ndjson",
        r#"{"type":"track","event":"Order Completed","userId":"u1","anonymousId":"a1","messageId":"m1","timestamp":"2024-05-31T13:45:00.5Z","properties":{"orderId":"o1","revenue":19.90,"currency":"CNY","products":[{"sku":"1"}],"empty":"","none":null},"context":{"ip":"1.2.3.4"},"integrations":{"All":true}}
{"type":"identify","userId":"u1","timestamp":"2024-05-31T13:45:00Z","traits":{"email":"a@x.cn","age":30}}
{"type":"page","anonymousId":"a1","timestamp":1717163100000,"name":"Home","properties":{"path":"/"}}
"#,
    );
    let rows = file.read(ReadOptions::default()).unwrap();
    assert_eq!(rows.rejected(), 0, "{:?}", rows.all("reject_reason"));
    assert_eq!(rows.all("message_id"), ["m1", "-", "-"]);
    assert_eq!(rows.get(0, "ts"), "2024-05-31T13:45:00.500Z");
    assert_eq!(rows.get(2, "ts"), "2024-05-31T13:45:00Z");
    assert_eq!(rows.all("event"), ["Order Completed", "-", "-"]);
    assert_eq!(rows.all("user_id"), ["u1", "u1", "-"]);
    assert_eq!(
        (rows.get(0, "order_id"), rows.get(0, "revenue"), rows.get(0, "currency")),
        ("o1".into(), "19.9000".into(), "CNY".into())
    );
    assert_eq!(
        rows.get(0, "properties"),
        r#"{"currency":"CNY","empty":"","orderId":"o1","products":[{"sku":"1"}],"revenue":19.90,"integrations":{"All":true}}"#
    );
    assert_eq!(rows.get(0, "context"), r#"{"ip":"1.2.3.4"}"#);
    assert_eq!(rows.get(1, "properties"), r#"{"age":30,"email":"a@x.cn"}"#);
    assert_eq!(rows.get(2, "properties"), r#"{"path":"/","name":"Home"}"#);
}

#[test]
fn own_names_win_over_aliases() {
    let file = TestFile::new(
        "o.jsonl",
        r#"{"ts":"2024-01-01","timestamp":"x","event":"e","user_id":7,"userId":"z","userid":"k"}"#,
    );
    let rows = file.read(ReadOptions::default()).unwrap();
    assert_eq!(rows.get(0, "ts"), "2024-01-01T00:00:00Z");
    assert_eq!(rows.get(0, "user_id"), "7");
    assert_eq!(rows.get(0, "properties"), r#"{"timestamp":"x","userId":"z","userid":"k"}"#);
}

#[test]
fn mapped_keys_lists_and_exact_money() {
    let file = TestFile::new(
        "m.json",
        r#"{"at":"20240101","sum":12345678901234.5678,"mail":"a@x","l1":"women","l2":"a/b","identifiers":[{"type":"phone","value":"1"},{"type":"member_no","value":null}],"properties":"{\"a\":1}"}
{"at":"20240101","sum":"1.00005","category":["x","",null],"identifiers":[]}
"#,
    );
    let rows = file.read(options("ts=at,revenue=sum,id.email=mail,category=l1/l2,properties.cat=category")).unwrap();
    assert_eq!(rows.rejected(), 0, "{:?}", rows.all("reject_reason"));
    assert_eq!(rows.all("revenue"), ["12345678901234.5678", "1.0001"]);
    assert_eq!(rows.all("category"), ["[women, a/b]", "-"]);
    let identifiers = rows.get(0, "identifiers");
    assert!(identifiers.contains("{type: email, value: a@x}") && identifiers.contains("{type: phone, value: 1}"));
    assert!(!identifiers.contains("member_no"));
    assert_eq!(rows.all("properties"), [r#"{"a":1}"#, r#"{"cat":["x","",null]}"#]);
}

#[test]
fn a_first_line_that_was_cut_off_is_a_row_to_reject() {
    let file = TestFile::new("c.ndjson", "{\"ts\":\"2024-01-01\",\n{\"ts\":\"2024-01-01\",\"event\":\"a\"}\n");
    let rows = file.read(ReadOptions::default()).unwrap();
    assert_eq!((rows.len(), rows.rejected()), (2, 1));
}

#[test]
fn bad_lines_are_rejected_with_their_text() {
    let file = TestFile::new(
        "b.ndjson",
        "{\"ts\":\"2024-01-01\",\"event\":\"a\"}\n{oops\n\n[1,2]\n{\"ts\":\"2024-01-01\",\"event\":{\"a\":1}}\n{\"ts\":\"2024-01-01\",\"event\":\"a\",\"cost\":\"x\"}\n{\"event\":\"a\"}\n{\"ts\":\"2024-01-01\",\"event\":\"a\",\"properties\":{\"revenue\":\"1,5\"}}\n{\"ts\":\"2024-01-01\",\"event\":\"a\",\"identifiers\":[{\"type\":\"E Mail\",\"value\":\"x\"}]}\n{\"ts\":\"2024-01-01\",\"event\":\"a\",\"properties\":5}\r\n",
    );
    let rows = file.read(ReadOptions::default()).unwrap();
    assert_eq!(rows.all("row"), ["1", "2", "4", "5", "6", "7", "8", "9", "10"]);
    let reasons = rows.all("reject_reason");
    let starts = [
        "-",
        "'{oops' is not a JSON object: ",
        "'[1,2]' is not a JSON object",
        "column 'event': '{\"a\":1}' is not one value",
        "column 'cost': 'x' is not a decimal number",
        "column 'ts': the time of the event is missing",
        "column 'revenue': '1,5' has a comma",
        "column 'identifiers': 'E Mail' is not an identifier type",
        "column 'properties': '5' is not a JSON object",
    ];
    for (reason, start) in reasons.iter().zip(starts) {
        assert!(reason.starts_with(start), "{reason}");
    }
    assert_eq!(rows.get(1, "raw"), "{oops");
    assert_eq!(rows.get(8, "raw"), "{\"ts\":\"2024-01-01\",\"event\":\"a\",\"properties\":5}");
}

#[test]
fn lines_that_a_later_check_may_reject_keep_their_text() {
    let doubtful = [
        r#"{"event":"a",  "ts":"2076-01-01"}"#,
        r#"{"ts":"2024-01-01","event":"a","identifiers":[{"type":"loyalty","value":"1"}]}"#,
        r#"{"ts":"2024-01-01","event":"a","properties":{"total":123456789012345}}"#,
    ];
    let certain = [
        r#"{"ts":"2024-01-01","event":"a","identifiers":[{"type":"email","value":"a@x.cn"}]}"#,
        r#"{"ts":"2024-01-01","event":"a","properties":{"session":123456789012345}}"#,
    ];
    let file = TestFile::new("late.ndjson", [doubtful.join("\n"), certain.join("\n")].join("\r\n"));
    let rows = file.read(ReadOptions::default()).unwrap();
    assert_eq!(rows.rejected(), 0);
    assert_eq!(rows.all("raw"), [doubtful[0], doubtful[1], doubtful[2], "-", "-"]);
}

#[test]
fn a_line_too_long_is_cut_and_the_next_one_read() {
    let mut text = String::from("{\"ts\":\"2024-01-01\",\"event\":\"");
    text.push_str(&"x".repeat(17 << 20));
    text.push_str("\"}\n{\"ts\":\"2024-01-01\",\"event\":\"b\"}\n");
    let rows = TestFile::new("long.ndjson", text).read(ReadOptions::default()).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows.get(0, "reject_reason"), "is longer than 16 MiB");
    assert_eq!(rows.get(0, "raw").len(), 64 << 10);
    assert_eq!(rows.get(1, "event"), "b");
}

#[test]
fn deep_nesting_is_text_like_any_other() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let file = TestFile::new("deep.ndjson", format!("{{\"ts\":\"2024-01-01\",\"event\":\"a\",\"p\":{deep}}}\n"));
    assert_eq!(file.read(ReadOptions::default()).unwrap().len(), 1);
}

/// What a CSV file says in columns, an object may say in its properties.
#[test]
fn fields_of_a_single_product_are_lifted_out_of_the_properties() {
    let file = TestFile::new(
        "p.ndjson",
        r#"{"ts":"2024-01-01","event":"Order Completed","properties":{"brand":"north","channel":"web","productId":12.0,"category":"Women/Tops","quantity":"2","price":5,"storeId":7,"campaign_id":"c","cost":1.5}}
{"ts":"2024-01-01","event":"Order Completed","brand":"own","category":["a"],"properties":{"Brand":"north","category":["x","y"],"product_id":{"id":1},"quantity":null}}
{"ts":"2024-01-01","event":"Product Viewed","properties":{"category":["x",null,"y"],"quantity":"3 pcs","cost":"","BRAND":"south","brand":null}}
{"ts":"2024-01-01","type":"identify","userId":"u","traits":{"brand":"north","channel":"mail","revenue":3}}
"#,
    );
    let rows = file.read(ReadOptions::default()).unwrap();
    assert_eq!(rows.rejected(), 0, "{:?}", rows.all("reject_reason"));
    assert_eq!(rows.all("brand"), ["north", "own", "south", "-"]);
    assert_eq!(rows.all("channel"), ["web", "-", "-", "-"]);
    assert_eq!(rows.all("product_id"), ["12", "-", "-", "-"]);
    assert_eq!(rows.all("category"), ["[Women, Tops]", "[a]", "[x, y]", "-"]);
    assert_eq!(rows.all("quantity"), ["2.000000000000000000000000", "-", "-", "-"]);
    assert_eq!(rows.all("cost"), ["1.5000", "-", "-", "-"]);
    assert_eq!((rows.get(0, "store_id"), rows.get(0, "campaign_id")), ("7".into(), "c".into()));
    assert_eq!(rows.get(3, "revenue"), "3.0000");
    assert!(rows.get(0, "properties").contains(r#""brand":"north""#), "the properties keep them");
    // A field that was mapped comes from there or not at all.
    let mapped = TestFile::new("q.ndjson", r#"{"ts":"2024-01-01","event":"e","b":"x","properties":{"brand":"north"}}"#);
    assert_eq!(mapped.read(options("brand=b")).unwrap().all("brand"), ["x"]);
}

#[test]
fn quantities_in_properties_that_are_no_numbers_are_counted() {
    let line = |quantity: &str| {
        format!("{{\"ts\":\"2024-01-01\",\"event\":\"a\",\"properties\":{{\"quantity\":{quantity}}}}}\n")
    };
    let file = TestFile::new("n.ndjson", [line("\"3 pcs\""), line("2"), line("\" \""), line("\"x\"")].concat());
    let reader = FileReader::open(&file.path, ReadOptions::default()).unwrap();
    let notes = reader.notes();
    assert!(reader.batches().all(|batch| batch.is_ok()));
    assert_eq!(notes.to_vec(), ["2 quantities or costs in the properties are no numbers: they count as absent"]);
}

#[test]
fn an_object_without_a_time_names_the_fields_that_there_are() {
    let file =
        TestFile::new("t.ndjson", "{\"event\":\"a\",\"created_at\":\"2024-01-01\"}\n{\"ts\":null,\"event\":\"a\"}\n");
    let reasons = file.read(ReadOptions::default()).unwrap().all("reject_reason");
    let missing = "column 'ts': the time of the event is missing";
    let fields = reasons[0].strip_prefix(&format!("{missing}: add --map ts=FIELD (its columns are ")).unwrap();
    let mut fields: Vec<&str> = fields.trim_end_matches(')').split(", ").collect();
    fields.sort_unstable();
    assert_eq!(fields, ["created_at", "event"]);
    assert_eq!(reasons[1], missing, "it has the field");
    let mapped = file.read(options("ts=created_at")).unwrap();
    assert_eq!(mapped.all("reject_reason"), ["-", "column 'created_at': the time of the event is missing"]);
}
