use super::{TestFile, options};
use crate::ingest::read::{EventKind, FileReader, Mapping, ReadOptions};

#[test]
fn a_purchase_log_with_padded_columns() {
    let file = TestFile::new(
        "log.csv",
        "customer,date,cds,dollars\n00001,19970101, 1,  11.77\n00002,19970112,  5, 77.00\n00002,19970112,,0\n",
    );
    let rows = file.read(options("user_id=customer,ts=date,revenue=dollars,quantity=cds")).unwrap();
    assert_eq!(rows.rejected(), 0);
    assert_eq!(rows.all("row"), ["1", "2", "3"]);
    assert_eq!(rows.all("user_id"), ["00001", "00002", "00002"]);
    assert_eq!(rows.get(0, "ts"), "1997-01-01T00:00:00Z");
    assert_eq!(rows.all("revenue"), ["11.7700", "77.0000", "0.0000"]);
    assert_eq!(rows.all("quantity"), ["1.000000000000000000000000", "5.000000000000000000000000", "-"]);
    assert_eq!(rows.all("event"), ["sale", "sale", "sale"]);
    assert_eq!(rows.all("type"), ["track", "track", "track"]);
    assert_eq!(rows.all("properties"), ["-", "-", "-"]);
}

#[test]
fn unmapped_columns_are_fields_or_properties() {
    let file = TestFile::new(
        "a.csv",
        "ts,event,source,userId,zip,size,big,open,note,exp,code,neg\n\
         2024-01-01,buy,,u1,01234,42,1234567890123456789,true,\"say \"\"hi\"\"\n\",1e-05,1E5,-1.50\n",
    );
    let rows = file.read(ReadOptions { source: Some("shop".into()), ..ReadOptions::default() }).unwrap();
    assert_eq!(
        (rows.get(0, "event"), rows.get(0, "source"), rows.get(0, "user_id")),
        ("buy".into(), "shop".into(), "u1".into())
    );
    assert_eq!(
        rows.get(0, "properties"),
        r#"{"zip":"01234","size":42,"big":"1234567890123456789","open":true,"note":"say \"hi\"\n","exp":1e-05,"code":"1E5","neg":-1.50}"#
    );
}

#[test]
fn bad_rows_keep_their_number_reason_and_text() {
    let file = TestFile::new(
        "bad.csv",
        "ts,event,revenue\r\n2024-01-01,a,1\r\n2024-01-01,a,abc\r\n\r\n2024-01-01,a\r\nyesterday,a,1\r\n2024-01-01,a,1,\"x\ny\"\r\n,a,1\r\n2024-01-01,a,\"1,000\"\r\n2024-01-01,a,5",
    );
    let rows = file.read(ReadOptions::default()).unwrap();
    assert_eq!(rows.all("row"), ["1", "2", "3", "4", "5", "6", "7", "8"]);
    let reasons = rows.all("reject_reason");
    assert_eq!(reasons[0], "-");
    assert_eq!(reasons[1], "column 'revenue': 'abc' is not a decimal number");
    assert!(reasons[2].starts_with("has 2 fields, the header has 3: write a ',' for each cell"), "{}", reasons[2]);
    assert!(reasons[3].starts_with("column 'ts': 'yesterday' is not a time"), "{}", reasons[3]);
    assert!(reasons[4].starts_with("has 4 fields, the header has 3: a value with a ',' in it needs"), "{}", reasons[4]);
    assert!(reasons[4].ends_with("--delimiter names another separator than ','"), "{}", reasons[4]);
    assert_eq!(reasons[5], "column 'ts': the time of the event is missing");
    assert!(reasons[6].contains("'1,000' has a comma"), "{}", reasons[6]);
    assert_eq!(reasons[7], "-");
    assert_eq!(rows.get(1, "raw"), "2024-01-01,a,abc");
    assert_eq!(rows.get(2, "raw"), "2024-01-01,a");
    assert_eq!(rows.get(4, "raw"), "2024-01-01,a,1,\"x\ny\"");
    assert_eq!((rows.get(1, "ts"), rows.get(1, "event")), ("-".into(), "-".into()));
    assert_eq!(rows.get(7, "revenue"), "5.0000");
}

/// What the loader may reject is to stand in the dead letters as the file has it; of other rows the text is not carried.
#[test]
fn rows_that_a_later_check_may_reject_keep_their_text() {
    let long = format!("2024-01-01,{},,,,", "m".repeat(101));
    let lines = [
        "2024-01-01,m1,usd,,5,p",
        "2076-01-01,m2,,,,",
        "2024-01-01,\"m,3\",dollars,,,",
        "2024-01-01,m4,,77,,",
        long.as_str(),
        "2024-01-01,m6,,,99999999.5,p",
        "2024-01-01,m7,,,0.123456789,p",
    ];
    let file =
        TestFile::new("late.csv", format!("ts,message_id,currency,card,price,product_id\n{}\n", lines.join("\n")));
    let rows = file.read(options("id.loyalty=card")).unwrap();
    assert_eq!(rows.rejected(), 0);
    let expected = ["-", lines[1], lines[2], lines[3], lines[4], lines[5], "-"];
    assert_eq!(rows.all("raw"), expected);
}

/// SQL.md 1, "Amount": what is no number is absent, and another says the amount.
#[test]
fn a_revenue_that_is_no_number_is_absent_where_another_says_the_amount() {
    let file = TestFile::new(
        "r.csv",
        "ts,event,revenue,total,product_id,price\n2024-01-01,a,abc,7,,\n2024-01-01,a,abc,,,5\n2024-01-01,a,abc,,p,5\n2024-01-01,a,abc,x,,\n2024-01-01,a,1e15,7,,\n",
    );
    let (rows, notes) = file.read_with_notes(ReadOptions::default()).unwrap();
    let reasons = rows.all("reject_reason");
    assert_eq!([&reasons[0], &reasons[2]], ["-", "-"], "by total; by price and product");
    let unread = "column 'revenue': 'abc' is not a decimal number";
    assert_eq!([&reasons[1], &reasons[3]], [unread, unread], "a price without a product and a text say nothing");
    assert!(reasons[4].contains("more than 14 digits"), "too large is a number: {}", reasons[4]);
    assert_eq!(rows.all("revenue"), ["-", "-", "-", "-", "-"]);
    assert_eq!(notes, ["2 events have a revenue that is no number: what else says their amounts counts"]);
}

#[test]
fn types_and_event_names() {
    let file = TestFile::new(
        "t.csv",
        "ts,type,event\n2024-01-01,identify,\n2024-01-01,,\n2024-01-01,shirt,x\n2024-01-01,page,\n",
    );
    let rows = file.read(ReadOptions::default()).unwrap();
    assert_eq!(rows.all("type"), ["identify", "-", "-", "page"]);
    assert!(rows.get(1, "reject_reason").starts_with("column 'event': an event of type track needs a name"));
    for option in ["--map 'properties.type=type'", "--map 'event=type'"] {
        assert!(rows.get(2, "reject_reason").contains(option), "{}", rows.get(2, "reject_reason"));
    }
    let rows = file.read(options("properties.type=type")).unwrap();
    assert_eq!(rows.rejected(), 0);
    assert_eq!(rows.get(2, "properties"), r#"{"type":"shirt"}"#);
    assert_eq!(rows.all("event"), ["sale", "sale", "x", "sale"]);
}

#[test]
fn traits_of_persons() {
    let file = TestFile::new("p.tsv", "ts\tuser_id\tmail\tcity\n2024-01-01\tu1\t a@x.cn \t广州\n");
    let options = ReadOptions {
        kind: Some(EventKind::Identify),
        mapping: Mapping::parse("id.email=mail").unwrap(),
        ..ReadOptions::default()
    };
    let rows = file.read(options).unwrap();
    assert_eq!(rows.get(0, "type"), "identify");
    assert_eq!(rows.get(0, "event"), "-");
    assert_eq!(rows.get(0, "identifiers"), "[{type: email, value: a@x.cn}]");
    assert_eq!(rows.get(0, "properties"), r#"{"city":"广州"}"#);
}

#[test]
fn categories_from_levels_and_from_text() {
    let file =
        TestFile::new("c.csv", "ts,a,b,c,category\n2024-01-01,women,tops/knit,,men\\/boys/shirts\n2024-01-01,,,,\n");
    let rows = file.read(options("category=a/b/c,properties.x=category")).unwrap();
    assert_eq!(rows.all("category"), ["[women, tops/knit]", "-"]);
    let rows = file.read(options("properties.a=a,properties.b=b,properties.c=c")).unwrap();
    assert_eq!(rows.all("category"), ["[men/boys, shirts]", "-"]);
}

#[test]
fn properties_and_identifiers_as_json_text() {
    let file = TestFile::new(
        "j.csv",
        "ts;properties;identifiers;context;color\n\
         2024-01-01;{\"color\":\"red\",\"n\":1.10};[{\"type\":\"phone\",\"value\":\" 138 \"}];{\"ip\":\"::1\"};blue\n\
         2024-01-01;;;;blue\n2024-01-01;[1];;;\n2024-01-01;;{};;\n2024-01-01;;;nope;\n",
    );
    let rows = file.read(ReadOptions { delimiter: Some(b';'), ..options("") }).unwrap();
    assert_eq!(rows.get(0, "properties"), r#"{"color":"red","n":1.10}"#);
    assert_eq!(rows.get(0, "identifiers"), "[{type: phone, value: 138}]");
    assert_eq!(rows.get(0, "context"), r#"{"ip":"::1"}"#);
    assert_eq!(rows.get(1, "properties"), r#"{"color":"blue"}"#);
    assert!(rows.get(2, "reject_reason").starts_with("column 'properties': '[1]' is not a JSON object"));
    assert!(rows.get(3, "reject_reason").starts_with("column 'identifiers': '{}' is not an array"));
    assert!(rows.get(4, "reject_reason").starts_with("column 'context': 'nope' is not a JSON object"));
}

#[test]
fn byte_order_mark_and_missing_last_line_end() {
    let file = TestFile::new("bom.csv", "\u{feff}ts,event\n2024-01-01,\"a\"\nx,b");
    let rows = file.read(ReadOptions::default()).unwrap();
    assert_eq!(rows.get(0, "event"), "a");
    assert_eq!(rows.get(1, "raw"), "x,b");
}

#[test]
fn many_rows_come_in_batches_and_are_counted() {
    let mut text = String::from("ts,event,n\n");
    for n in 0..20_000 {
        text.push_str(&format!("2024-01-01,e,{n}\n"));
    }
    let file = TestFile::new("many.csv", &text);
    let reader = FileReader::open(&file.path, ReadOptions::default()).unwrap();
    assert_eq!(reader.size_bytes(), text.len() as u64);
    let progress = reader.progress();
    let sizes: Vec<usize> = reader.batches().map(|batch| batch.unwrap().num_rows()).collect();
    assert_eq!(sizes, [8192, 8192, 3616]);
    assert_eq!(progress.load(std::sync::atomic::Ordering::Relaxed), text.len() as u64);
}

#[test]
fn the_hash_tells_contents_and_meanings_apart() {
    let hash = |text: &str, options: ReadOptions| {
        let file = TestFile::new("h.csv", text);
        FileReader::open(&file.path, options).unwrap().hashes().unwrap()
    };
    let file = |text: &str, options: ReadOptions| hash(text, options).file;
    let hash = |text: &str, options: ReadOptions| hash(text, options).content;
    assert_eq!(
        file("ts,event,d\n2024-01-01,a,x\n", options("brand=d")),
        file("ts,event,d\n2024-01-01,a,x\n", options(""))
    );
    assert_ne!(file("ts,event,d\n2024-01-01,a,x\n", options("")), file("ts,event,d\n2024-01-01,a,y\n", options("")));
    let base = hash("ts,event,d\n2024-01-01,a,x\n", ReadOptions::default());
    assert_eq!(base.len(), 64);
    let same = ReadOptions { delimiter: Some(b','), kind: Some(EventKind::Track), ..ReadOptions::default() };
    assert_eq!(base, hash("ts,event,d\n2024-01-01,a,x\n", same));
    assert_ne!(base, hash("ts,event,d\n2024-01-01,a,y\n", ReadOptions::default()));
    let zone = ReadOptions { time_zone: chrono_tz::Asia::Shanghai, ..ReadOptions::default() };
    assert_ne!(base, hash("ts,event,d\n2024-01-01,a,x\n", zone));
    assert_ne!(base, hash("ts,event,d\n2024-01-01,a,x\n", options("")));
    assert_ne!(
        hash("ts,event,d\n2024-01-01,a,x\n", options("")),
        hash("ts,event,d\n2024-01-01,a,x\n", options("brand=d"))
    );
}

/// cases/README.md C9: the rows that a quote too many would swallow are read, its own row is told.
#[test]
fn a_stray_quote_swallows_no_rows() {
    let header = "order_id,ts,event,revenue,note\n";
    let row = |n: usize, note: &str| format!("{n},2024-01-0{n},buy,{n}0,{note}\n");
    let text = |notes: [&str; 4]| {
        let rows: String = (1..).zip(notes).map(|(n, note)| row(n, note)).collect();
        format!("{header}{rows}")
    };
    // (notes, rows that are kept, the line that is named)
    let cases = [
        (["\"size 5", "x", "\"fine\"", "y"], vec!["2", "3", "4"], "line 2: a field begins with a quote, and text"),
        (
            ["x", "\"size 5", "12\"", "y"],
            vec!["1", "3", "4"],
            "line 3: a field begins with a quote that ends lines below",
        ),
        (["a", "\"fine\" or so", "b", "c"], vec!["1", "3", "4"], "line 3: a field begins with a quote, and text"),
    ];
    for (notes, kept, reason) in cases {
        for text in [text(notes), text(notes).replace('\n', "\r\n")] {
            let rows = TestFile::new("c9.csv", &text).read(ReadOptions::default()).unwrap();
            let ids: Vec<String> = rows.all("order_id").into_iter().filter(|id| id != "-").collect();
            assert_eq!(ids, kept, "{notes:?}");
            assert_eq!(rows.all("row"), ["1", "2", "3", "4"]);
            let at = (0..4).find(|at| rows.get(*at, "reject_reason") != "-").unwrap();
            assert!(rows.get(at, "reject_reason").starts_with(reason), "{}", rows.get(at, "reject_reason"));
            assert_eq!(rows.get(at, "raw"), row(at + 1, notes[at]).trim_end(), "its own line alone");
        }
    }
}

#[test]
fn rows_that_cannot_be_told_from_a_text_go_together() {
    let file =
        TestFile::new("mixed.csv", "ts,event,note\n2024-01-01,a,\"x\n2024-01-02,b,y\nno row\"\n2024-01-03,c,z\n");
    let rows = file.read(ReadOptions::default()).unwrap();
    assert_eq!(rows.all("event"), ["-", "c"]);
    assert_eq!(rows.get(0, "raw"), "2024-01-01,a,\"x\n2024-01-02,b,y\nno row\"");
}

/// RFC 4180, 2.6 and 2.7: line breaks, separators and doubled quotes inside of quotes are text.
#[test]
fn texts_of_several_lines_are_texts() {
    let text = "ts,event,note,size\r\n\
                2024-01-01,a,\"12 Main St, Springfield, IL\r\nsay \"\"hi\"\", twice, or so\r\n\",5\" wide\r\n\
                2024-01-02,\"b\",\"\",\"\"\"\"\r\n";
    let rows = TestFile::new("lines.csv", text).read(ReadOptions::default()).unwrap();
    assert_eq!(rows.all("reject_reason"), ["-", "-"]);
    assert_eq!(
        rows.get(0, "properties"),
        r#"{"note":"12 Main St, Springfield, IL\r\nsay \"hi\", twice, or so\r\n","size":"5\" wide"}"#
    );
    assert_eq!((rows.get(1, "event"), rows.get(1, "properties")), ("b".into(), r#"{"size":"\""}"#.into()));
}

#[test]
fn a_fault_in_every_line_is_read_to_the_end() {
    let mut text = String::from("ts,event,note\n");
    for _ in 0..3_000 {
        text.push_str("2024-01-01,a,\"5\n");
    }
    text.push_str("2024-01-01,a,\"x\"\n");
    let file = TestFile::new("all.csv", &text);
    let reader = FileReader::open(&file.path, ReadOptions::default()).unwrap();
    let progress = reader.progress();
    let rows: usize = reader.batches().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 3_001);
    assert_eq!(progress.load(std::sync::atomic::Ordering::Relaxed), text.len() as u64, "bytes read again count once");
}
