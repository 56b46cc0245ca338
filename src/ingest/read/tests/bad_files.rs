use super::{options, refusal};
use crate::ingest::read::{FileReader, ReadOptions};

#[test]
fn refusals_name_the_file_and_the_remedy() {
    let none = ReadOptions::default;
    let cases: [(&str, &[u8], ReadOptions, &str); 28] = [
        ("a.xls", b"x", none(), "unknown kind of file: known are .csv"),
        ("noextension", b"x", none(), "unknown kind of file"),
        ("a.csv", b"", none(), "is empty"),
        ("a.csv", b"\n\n", none(), "no header line"),
        ("a.csv", b"ts,event,ts\n", none(), "names the column 'ts' twice"),
        ("a.csv", b"ts,event\n2024-01-01,a\n2024-01-01,\xff\n", none(), "row 2 is not UTF-8"),
        ("a.csv", b"ts,ev\xb4nt\n", none(), "the header is not UTF-8"),
        ("a.csv", b"\xff\xfet\0s\0", none(), "is UTF-16"),
        (
            "a.csv",
            b"date,event\n",
            none(),
            "no column holds the time of the event: add --map ts=COLUMN (its columns are date, event)",
        ),
        ("a.csv", b"ts,what\n", none(), "no column holds the name of the event"),
        (
            "a.csv",
            b"ts,event\n",
            options("revenue=dolars"),
            "no column 'dolars' to map 'revenue' from: (its columns are ts, event)",
        ),
        ("a.csv", b"ts,event,dollars\n", options("revenue=dolars"), "did you mean dollars?"),
        (
            "a.csv",
            b"ts,event\n",
            options("currency=eur"),
            "no value: amounts without a currency are in the workspace's base_currency, which `convoke workspace set NAME \
             base_currency=EUR` makes EUR",
        ),
        ("a.ndjson", b"{\"ts\":\"2024-01-01\"}\n", options("currency=EUR"), "base_currency=EUR"),
        ("a.csv", b"ts,what\n", options("event=Sale"), "no value: --event gives one to all rows without"),
        (
            "a.csv",
            b"ts,event\n2024-01-01,a\n2024-01-01,\"b\nc,d\n",
            none(),
            "row 2: a quote is opened and never closed, in line 3",
        ),
        ("a.csv", b"ts,event\r\n\r\n2024-01-01,\"x\ny\"\r\n2024-01-01,\"b", none(), "closed, in line 5"),
        ("a.csv", b"ts,\"event\n2024-01-01,a\n", none(), "the header: a quote is opened and never closed"),
        ("a.csv", b"ts,\"ev\"ent,b\n2024-01-01,a,b\n", none(), "the header: a field begins with a quote"),
        ("a.csv", b"ts;event\n2024-01-01;a\n", none(), "if ';' separates its columns, add --delimiter ';'"),
        ("a.csv", b"ts\tevent\n", none(), "if '\\t' separates its columns, add --delimiter '\\t'"),
        ("a.ndjson", b"", none(), "is empty"),
        ("a.json", b"  [\n{}]", none(), "holds a JSON array"),
        ("a.json", b"{\n  \"event\": \"a\"\n}\n", none(), "write one object a line, for example with jq -c ."),
        ("a.json", b"{ \"event\": \"a\",\n  \"ts\": \"2024-01-01\" }", none(), "goes over several lines"),
        (
            "a.ndjson",
            b"{\"ts\":\"2024-01-01\"}\n",
            options("revenue=dollars"),
            "no column 'dollars' to map 'revenue' from",
        ),
        ("a.ndjson", b"{}\n\"\xff\"\n", none(), "row 2 is not UTF-8"),
        (
            "a.ndjson",
            b"{oops\n{\"at\":\"2024-01-01\",\"event\":\"a\"}\n{\"event\":\"b\"}\n",
            none(),
            "no field holds the time of the event: add --map ts=FIELD (its columns are at, event)",
        ),
    ];
    for (name, content, options, expected) in cases {
        let message = refusal(name, content, options);
        assert!(message.contains(expected) && message.contains(name), "{name}: {message}");
    }
    for content in [&b""[..], b"PAR1", b"PAR1PAR1PAR1", b"no parquet at all, but long enough"] {
        let message = refusal("a.parquet", content, none());
        assert!(message.contains("a.parquet: is not a readable Parquet file"), "{message}");
    }
}

/// Exports that a newcomer has: what is wrong is said of the line above the rows, not of the fields that it lacks.
#[test]
fn first_lines_that_name_no_columns_are_told() {
    let none = ReadOptions::default;
    let cases: [(&str, &[u8], ReadOptions, &str); 7] = [
        (
            "a.csv",
            b"1,2024-01-05,a,5\n2,2024-01-06,b,6\n",
            none(),
            "its first line reads as a row and not as names of columns, '1', '2024-01-05', 'a', '5': the file seems to have \
             no header line. Put one above it that names its 4 columns",
        ),
        ("a.csv", b"1,05/01/2024,a,1\n", none(), "the file seems to have no header line"),
        // A column may be named by a day, beside others that say what the line is.
        ("a.csv", b"ts,event,user_id,2024-01-31\n2024-01-01,a,u,5\n", options("order_id=ordr"), "'ordr'"),
        ("a.csv", b"customer,2023,2024,2025\nc,1,2,3\n", none(), "no column holds the time of the event"),
        (
            "a.csv",
            b"Orders of January,,\nts,event,user_id\n2024-01-01,a,u\n",
            none(),
            "its first line holds nothing but 'Orders of January', and the next one 3 cells: if it is a title, remove all \
             lines above",
        ),
        (
            "a.csv",
            b"\xef\xbb\xbfsep=;\r\nts;event\r\n",
            none(),
            "its first line, 'sep=;', is one that Excel alone reads: remove it, and add --delimiter ';'",
        ),
        (
            "a.ndjson",
            b"{\"ts\":\"2024-01-01\",\"event\":\"a\",\"ecommerce\":{\"transaction_id\":\"T\"}}\n",
            options("order_id=ecommerce.transaction_id"),
            "it is a field inside of 'ecommerce', and only whole columns can be mapped: write it as a column of its own \
             first, for example with jq -c '.transaction_id = .ecommerce.transaction_id', and map that",
        ),
    ];
    for (name, content, options, expected) in cases {
        let message = refusal(name, content, options);
        assert!(message.contains(expected) && message.contains(name), "{name}: {message}");
    }
}

#[test]
fn a_quote_without_end_does_not_fill_the_memory() {
    let mut text = String::from("ts,event\n2024-01-01,\"");
    text.push_str(&"2024-01-01,a\n".repeat(2 << 20));
    let message = refusal("q.csv", text, ReadOptions::default());
    assert!(message.contains("row 1 is longer than 16 MiB"), "{message}");
}

#[test]
fn options_that_cannot_work() {
    let delimiter = ReadOptions { delimiter: Some(b'"'), ..ReadOptions::default() };
    assert!(refusal("a.csv", "ts,event\n", delimiter).contains("cannot separate fields"));
    let format = ReadOptions { ts_format: Some("%Q".into()), ..ReadOptions::default() };
    assert!(refusal("a.csv", "ts,event\n", format).contains("'%Q' is not a time format"));
    let format = ReadOptions { ts_format: Some("DD/MM/YYYY".into()), ..ReadOptions::default() };
    let told = format.check().unwrap_err().to_string();
    assert!(told.contains("its parts begin with %: write it like '%d/%m/%Y'"), "{told}");
    let missing = FileReader::open("nowhere.csv".as_ref(), ReadOptions::default()).err().unwrap();
    assert!(missing.message().contains("nowhere.csv"), "{missing}");
}
