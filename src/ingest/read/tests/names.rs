//! Names of columns and keys: in any case they are what they name, and what only looks like one is said.

use std::sync::Arc;

use arrow::array::{ArrayRef, NullArray, StringArray};

use super::parquet::file_of;
use super::{Rows, TestFile, options};
use crate::ingest::read::ReadOptions;

/// The same columns and rows of text as a file of each format.
fn files(columns: &[&str], rows: &[&[&str]]) -> Vec<TestFile> {
    let mut csv = columns.join(",") + "\n";
    let mut ndjson = String::new();
    for row in rows {
        csv += &(row.join(",") + "\n");
        let filled = columns.iter().zip(*row).filter(|(_, value)| !value.is_empty());
        let members = filled.map(|(column, value)| format!("\"{column}\":\"{value}\""));
        ndjson += &format!("{{{}}}\n", members.collect::<Vec<_>>().join(","));
    }
    let arrays = columns.iter().enumerate().map(|(at, column)| {
        let texts = rows.iter().map(|row| Some(row[at]).filter(|value| !value.is_empty()));
        (*column, Arc::new(texts.collect::<StringArray>()) as ArrayRef)
    });
    vec![TestFile::new("t.csv", csv), TestFile::new("t.ndjson", ndjson), file_of(arrays.collect())]
}

fn read_all(columns: &[&str], rows: &[&[&str]], options: &ReadOptions) -> Vec<(Rows, Vec<String>)> {
    files(columns, rows).iter().map(|file| file.read_with_notes(options.clone()).unwrap()).collect()
}

/// Case A9.
#[test]
fn fields_are_named_in_any_case_also_in_a_mapping() {
    let columns = ["ORDER_ID", "TS", "USER_ID", "REVENUE", "CURRENCY", "Type", "messageid", "Mail"];
    let row: &[&str] = &["o1", "2024-01-01", "u1", "9.50", "eur", "TRACK", "m1", "a@x.cn"];
    for mapping in ["ts=TS,id.Email=mail", "TS=ts,id.email=MAIL"] {
        for (rows, notes) in read_all(&columns, &[row], &options(mapping)) {
            let found = ["order_id", "user_id", "revenue", "currency", "message_id"].map(|column| rows.get(0, column));
            assert_eq!(found, ["o1", "u1", "9.5000", "eur", "m1"]);
            assert_eq!(rows.get(0, "ts"), "2024-01-01T00:00:00Z");
            assert_eq!(rows.get(0, "identifiers"), "[{type: email, value: a@x.cn}]");
            assert_eq!(rows.get(0, "properties"), "-");
            assert_eq!(notes, Vec::<String>::new());
        }
    }
}

/// Of rows of NDJSON the exact one counts, and the note says how many rows have another value beside it.
#[test]
fn of_several_spellings_the_exact_one_counts_and_the_others_are_told() {
    let text = r#"{"ts":"2024-01-01","User_Id":"a","user_id":"b","userId":"c","orderid":"","ORDERID":"o2"}
{"ts":"2024-01-01","User_Id":"a","user_id":"b","userId":7}
{"ts":"2024-01-01","user_id":7,"userId":"7","User_Id":" ","properties":{"order_id":"1","order_ID":"2","Price":1,"price":2}}
"#;
    let (rows, notes) = TestFile::new("t.ndjson", text).read_with_notes(options("")).unwrap();
    assert_eq!(rows.all("user_id"), ["b", "b", "7"]);
    assert_eq!(rows.all("order_id")[2], "1");
    let properties = rows.get(0, "properties");
    assert!(properties.contains(r#""User_Id":"a""#) && properties.contains(r#""userId":"c""#), "{properties}");
    let count = |part: &str| notes.iter().filter(|note| note.starts_with(part)).count();
    for told in [
        "2 rows have both 'user_id' and 'User_Id' with different values, and 'user_id' alone counts: rename one; --map \
         'user_id=User_Id' takes the other one, of all rows",
        "2 rows have both 'user_id' and 'userId' with different values",
        "1 row has both 'order_id' and 'order_ID' with different values, and 'order_id' alone counts: rename one",
        "1 row has both 'price' and 'Price' with different values, and 'price' alone counts: rename one",
    ] {
        assert_eq!(count(told), 1, "{told}: {notes:?}");
    }
    let same =
        r#"{"ts":"2024-01-01","userId":"a","USERID":"a","properties":{"total":5,"Total":"5","Colour":1,"colour":2}}"#;
    assert_eq!(TestFile::new("t.ndjson", same).read_with_notes(options("")).unwrap().1, Vec::<String>::new());
}

/// A file whose columns are known before the first row is refused, and the remedy that is named reads it.
#[test]
fn columns_that_are_one_field_are_refused_until_one_is_mapped() {
    let refused = |file: &TestFile| file.read(options("")).err().unwrap().message().to_owned();
    let row: &[&str] = &["2024-01-01", "1", "2"];
    for (columns, field) in [
        (["ts", "REVENUE", "revenue"], "revenue"),
        (["ts", "order_id", "Order_ID"], "order_id"),
        (["ts", "userId", "user_id"], "user_id"),
        (["ts", "quantity", "Quantity"], "quantity"),
    ] {
        let [csv, _, parquet] = files(&columns, &[row]).try_into().ok().unwrap();
        for file in [csv, parquet] {
            let told = refused(&file);
            let (first, second) = (columns[1], columns[2]);
            let both = format!("both '{first}' and '{second}' name the field {field}, and only one can be it");
            let remedy = format!("add --map '{field}={first}' or --map '{field}={second}'");
            assert!(told.contains(&both) && told.contains(&remedy), "{told}");
            for (mapped, value) in [(first, "1"), (second, "2")] {
                let rows = file.read(options(&format!("{field}={mapped}"))).unwrap();
                let found = rows.get(0, field);
                assert_eq!(found.trim_end_matches('0').trim_end_matches('.'), value, "{mapped}");
            }
        }
    }
    let blank = TestFile::new("t.csv", "ts,REVENUE,\"revenue \"\n2024-01-01,1,2\n");
    assert!(refused(&blank).contains("both 'REVENUE' and 'revenue' name the field revenue"));
    let [csv, _, parquet] = files(&["ts", "Price", "price"], &[row]).try_into().ok().unwrap();
    for file in [csv, parquet] {
        let told = refused(&file);
        assert!(told.contains("both 'Price' and 'price' name one property that is read"), "{told}");
        assert!(told.contains("--map 'properties.other=price'"), "{told}");
        let properties = file.read(options("properties.other=price")).unwrap().get(0, "properties");
        assert!(properties.contains("\"other\":") && properties.contains("\"Price\":"), "{properties}");
    }
    // What is kept under its own name is none the less there.
    let kept = TestFile::new("t.csv", "ts,Colour,colour\n2024-01-01,red,blue\n").read(options("")).unwrap();
    assert_eq!(kept.get(0, "properties"), r#"{"Colour":"red","colour":"blue"}"#);
    // A mapping that gives a column the name of another one.
    let taken = TestFile::new("t.csv", "ts,x,colour\n2024-01-01,red,blue\n").read(options("properties.colour=x"));
    assert!(taken.err().unwrap().message().contains("both 'x' and 'colour' name one property"));
    let file = TestFile::new("t.csv", "ts,Day,DAY\n2024-01-01,1,2\n");
    let error = file.read(options("ts=day")).err().unwrap();
    assert!(error.message().contains("both 'Day' and 'DAY' may be the column 'day'"), "{error}");
    assert_eq!(file.read(options("ts=ts,brand=DAY")).unwrap().get(0, "brand"), "2");
}

#[test]
fn what_only_looks_like_a_field_is_named_once() {
    let columns = ["ts", "e-mail", "order id", "OrderNo", "cust_id", "curency", "Qty", "colour", "Total"];
    let row: &[&str] = &["2024-01-01", "a@x.cn", "1", "2", "u1", "EUR", "3", "red", "9"];
    for (rows, notes) in read_all(&columns, &[row, row], &options("")) {
        assert_eq!(
            (rows.get(0, "user_id"), rows.get(0, "order_id"), rows.get(0, "identifiers")),
            ("-".into(), "-".into(), "[]".into())
        );
        let [note] = notes.as_slice() else { panic!("{notes:?}") };
        for part in [
            "'e-mail' (--map 'id.email=e-mail')",
            "'order id' (--map 'order_id=order id')",
            "'OrderNo' (--map 'order_id=OrderNo')",
            "'cust_id' (--map 'user_id=cust_id')",
            "'curency' (--map 'currency=curency')",
            "'Qty' (--map 'quantity=Qty')",
        ] {
            assert!(note.contains(part), "{part}: {note}");
        }
        assert!(!note.contains("colour") && !note.contains("Total"), "{note}");
    }
    // What is mapped, to a field or on purpose to a property, is not named; nor what has another column.
    let mapping =
        "id.email=e-mail,order_id=order id,properties.OrderNo=OrderNo,user_id=cust_id,currency=curency,quantity=Qty";
    for (rows, notes) in read_all(&columns, &[row], &options(mapping)) {
        assert_eq!(rows.get(0, "order_id"), "1");
        assert_eq!(notes, Vec::<String>::new());
    }
}

/// What the common shops call the amount of an order, as they write it.
#[test]
fn amounts_of_common_exports_are_named() {
    for column in [
        "total_price",
        "TotalPrice",
        "current_total_price",
        "total_paid",
        "order_total_amount",
        "total_inc_tax",
        "Total incl. tax",
        "grand_total",
        "order_total",
        "amount_paid",
        "Total Sales",
        "refund_amount",
        "totalRefunded",
    ] {
        let file = TestFile::new("t.csv", format!("ts,{column}\n2024-01-01,9\n"));
        let (_, notes) = file.read_with_notes(options("")).unwrap();
        let told = format!("'{column}' (--map 'revenue={column}')");
        assert!(notes.len() == 1 && notes[0].contains(&told), "{told}: {notes:?}");
    }
    for (column, field) in [
        ("Lineitem sku", "product_id"),
        ("qty_ordered", "quantity"),
        ("increment_id", "order_id"),
        ("cust_no", "user_id"),
    ] {
        let file = TestFile::new("t.csv", format!("ts,{column}\n2024-01-01,9\n"));
        let (_, notes) = file.read_with_notes(options("")).unwrap();
        assert!(notes.iter().any(|note| note.contains(&format!("'{column}' (--map '{field}={column}'"))), "{notes:?}");
    }
    // Beside a revenue it is another amount, and a part of the total is none of an order.
    for columns in ["revenue,total_price", "brand,subtotal_price"] {
        let file = TestFile::new("t.csv", format!("ts,{columns}\n2024-01-01,9,9\n"));
        assert_eq!(file.read_with_notes(options("")).unwrap().1, Vec::<String>::new(), "{columns}");
    }
}

/// A field within properties has no column of its own to be mapped from.
#[test]
fn keys_of_properties_that_look_like_a_field_are_named() {
    let line = |properties: &str| format!("{{\"ts\":\"2024-01-01\",\"properties\":{{{properties}}}}}\n");
    let notes = |lines: &[&str], mapping: &str| {
        let text: String = lines.iter().map(|properties| line(properties)).collect();
        TestFile::new("n.ndjson", text).read_with_notes(options(mapping)).unwrap().1
    };
    let odd = r#""orderNo":"1","Qty":2,"e-mail":"a@x.cn","colour":"red","cust_id":"u1""#;
    let said = notes(&[odd, odd], "");
    assert_eq!(
        said,
        [
            "keys of properties or traits that look like a field and are not read as one: 'Qty' (to be read as quantity, name it so), \
             'cust_id' (to be read as user_id, write it so beside the properties), 'e-mail' (to be read as id.email, write \
             it among the identifiers of the event, of type email), 'orderNo' (to be read as order_id, name it so)"
        ]
    );
    assert!(notes(&[r#""orderId":"1","QUANTITY":2"#], "").is_empty(), "read as fields");
    assert!(notes(&[r#""orderNo":"1","order_id":"1""#], "").is_empty(), "the field has its key");
    // What comes from elsewhere is not looked for in the properties.
    let mapped = TestFile::new("m.ndjson", "{\"ts\":\"2024-01-01\",\"no\":\"1\",\"properties\":{\"orderNo\":\"1\"}}\n");
    assert!(mapped.read_with_notes(options("order_id=no")).unwrap().1.is_empty());
    let traits = "{\"ts\":\"2024-01-01\",\"type\":\"identify\",\"traits\":{\"orderNo\":\"1\"}}\n";
    assert!(TestFile::new("i.ndjson", traits).read_with_notes(options("")).unwrap().1.is_empty());
    // What names a person is told there, too: it joins nobody.
    let named = "{\"ts\":\"2024-01-01\",\"type\":\"identify\",\"traits\":{\"email\":\"a@x.cn\",\"name\":\"A\"}}\n";
    let said = TestFile::new("i.ndjson", named).read_with_notes(options("")).unwrap().1;
    assert!(said.len() == 1 && said[0].contains("traits that look like a field"), "{said:?}");
    assert!(said[0].contains("'email' (to be read as id.email"), "{said:?}");
}

/// A row with the field says nothing of the rows without: each is judged by itself.
#[test]
fn a_look_alike_is_named_though_other_rows_have_the_field() {
    let text = r#"{"ts":"2024-01-01","properties":{"order_id":"1","revenue":10}}
{"ts":"2024-01-01","properties":{"orderNo":"2","amount":99}}
{"ts":"2024-01-01","properties":{"Order ID":"3","grand_total":50,"E-Mail":"x@y.cn","sku":null,"Qty":""}}
{"ts":"2024-01-01","user_id":"u1","identifiers":[{"type":"email","value":"x@y.cn"}],"properties":{"customer_id":"7","Email":"x@y.cn","source_":"s"}}
"#;
    let notes =
        |text: &str, mapping: &str| TestFile::new("n.ndjson", text).read_with_notes(options(mapping)).unwrap().1;
    let said = notes(text, "");
    let [note] = said.as_slice() else { panic!("{said:?}") };
    for part in [
        "'orderNo' (to be read as order_id, name it so)",
        "'Order ID' (to be read as order_id, name it so)",
        "'amount' (to be read as revenue, name it so)",
        "'grand_total' (to be read as revenue, name it so)",
        "'E-Mail' (to be read as id.email, write it among the identifiers of the event, of type email)",
    ] {
        assert!(note.contains(part), "{part}: {note}");
    }
    for part in ["customer_id", "'Email'", "sku", "Qty", "source"] {
        assert!(!note.contains(part), "its row has the field, or it says nothing: {part}: {note}");
    }
    for (key, target) in [("Email", "id.email"), ("user_ID", "user_id"), ("customer_id", "user_id")] {
        let text = format!("{{\"ts\":\"2024-01-01\",\"properties\":{{\"{key}\":\"x\"}}}}\n");
        let said = notes(&text, "");
        assert!(said.len() == 1 && said[0].contains(&format!("'{key}' (to be read as {target}, ")), "{said:?}");
    }
    // Beside the properties a mapping would take the field from the rows that have it.
    let beside =
        "{\"ts\":\"2024-01-01\",\"order_id\":\"1\"}\n{\"ts\":\"2024-01-01\",\"orderNo\":\"2\",\"e-mail\":\"x@y.cn\"}\n";
    let said = notes(beside, "");
    let part = "'e-mail' (--map 'id.email=e-mail'), 'orderNo' (other rows have order_id: name it so in these, too)";
    assert!(said.len() == 1 && said[0].contains(part), "{said:?}");
    assert!(notes(beside, "id.email=e-mail,properties.orderNo=orderNo").is_empty());
    // After many rows, too.
    let late = "{\"ts\":\"2024-01-01\",\"properties\":{\"revenue\":1}}\n".repeat(1_500)
        + "{\"ts\":\"2024-01-01\",\"properties\":{\"amount\":1}}\n";
    assert!(notes(&late, "").concat().contains("'amount' (to be read as revenue"));
}

/// Case B1: the spec lets `previousId` be an anonymous id or a user id.
#[test]
fn an_alias_links_its_previous_id() {
    for previous in ["previousId", "previous_id", "PREVIOUSID"] {
        let columns = ["ts", "type", "userId", previous];
        let rows: &[&[&str]] = &[
            &["2024-01-01", "alias", "u1", " c9 "],
            &["2024-01-01", "track", "u1", "c8"],
            &["2024-01-01", "alias", "u1", ""],
        ];
        for (rows, _) in read_all(&columns, rows, &options("")) {
            assert_eq!(rows.rejected(), 0, "{:?}", rows.all("reject_reason"));
            assert_eq!(
                rows.all("identifiers"),
                ["[{type: user_id, value: c9}, {type: anonymous_id, value: c9}]", "[]", "[]"],
                "{previous}"
            );
            assert!(rows.get(1, "properties").contains("c8"), "elsewhere it is a property like any other");
        }
    }
    let numbers = TestFile::new("n.ndjson", r#"{"ts":"2024-01-01","type":"alias","userId":7,"previousId":123.0}"#);
    let identifiers = numbers.read(options("")).unwrap().get(0, "identifiers");
    assert_eq!(identifiers, "[{type: user_id, value: 123}, {type: anonymous_id, value: 123}]");
}

#[test]
fn whole_numbers_of_json_are_digits_in_identifiers() {
    let file = TestFile::new(
        "n.ndjson",
        r#"{"ts":"2024-01-01","user_id":123.0,"product_id":1e5,"mail":12.50,"identifiers":[{"type":"Phone","value":1.38001380E10}],"properties":{"Order_ID":77.0}}"#,
    );
    let rows = file.read(options("id.email=mail")).unwrap();
    assert_eq!(rows.rejected(), 0, "{:?}", rows.all("reject_reason"));
    assert_eq!(["user_id", "product_id", "order_id"].map(|column| rows.get(0, column)), ["123", "100000", "77"]);
    let identifiers = rows.get(0, "identifiers");
    assert!(identifiers.contains("{type: phone, value: 13800138000}"), "{identifiers}");
    assert!(identifiers.contains("{type: email, value: 12.50}"), "{identifiers}");
}

/// Case C19: what a data frame writes where a column has no value.
#[test]
fn columns_without_a_type_are_nulls_of_every_field() {
    let fields = [
        "message_id",
        "event",
        "anonymous_id",
        "user_id",
        "identifiers",
        "channel",
        "source",
        "brand",
        "store_id",
        "campaign_id",
        "order_id",
        "revenue",
        "cost",
        "currency",
        "product_id",
        "category",
        "quantity",
        "properties",
        "context",
        "mail",
        "previous_id",
        "colour",
    ];
    let mut columns: Vec<(&str, ArrayRef)> =
        vec![("ts", Arc::new(StringArray::from(vec!["2024-01-01", "2024-01-02"])))];
    columns.extend(fields.map(|field| (field, Arc::new(NullArray::new(2)) as ArrayRef)));
    let rows = file_of(columns).read(options("id.email=mail")).unwrap();
    assert_eq!((rows.len(), rows.rejected()), (2, 0), "{:?}", rows.all("reject_reason"));
    assert_eq!(rows.all("event"), ["sale", "sale"], "the default, as for a column that is not there");
    assert_eq!(rows.all("identifiers"), ["[]", "[]"]);
    for field in ["user_id", "revenue", "category", "quantity", "properties", "context", "currency"] {
        assert_eq!(rows.all(field), ["-", "-"], "{field}");
    }
    let no_times = file_of(vec![("ts", Arc::new(NullArray::new(1)))]).read(options("")).unwrap();
    assert_eq!(no_times.get(0, "reject_reason"), "column 'ts': the time of the event is missing");
}

/// With a product each row is a line of its order, and totals add up: the hint that leads there says so.
#[test]
fn a_mapping_that_makes_lines_of_rows_says_what_it_changes() {
    let row: &[&str] = &["o1", "2024-01-01", "10", "S1", "2"];
    for (_, notes) in read_all(&["order_id", "ts", "Total", "SKU", "Qty"], &[row], &options("")) {
        let [note] = notes.as_slice() else { panic!("{notes:?}") };
        let said = "'SKU' (--map 'product_id=SKU': a row with a product is one line of its order, and what it says as its \
                    total adds up with the other lines)";
        assert!(note.contains(said) && note.contains("'Qty' (--map 'quantity=Qty')"), "{note}");
    }
}
