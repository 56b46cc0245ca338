//! JSON with many levels and long numbers, by each way in: one row that is too deep is rejected alone and makes nothing
//! unreadable, and what is kept reads as it was sent.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use convoke::ingest::LoadRequest;
use convoke::ingest::input::{InputBuilder, InputRow};
use convoke::ingest::read::{FileReader, ReadOptions};
use futures::StreamExt;
use parquet::arrow::ArrowWriter;

use crate::harness::{World, at, world};

const TIME: &str = "2024-01-05T00:00:00Z";

/// Python's `json.loads(text, parse_int=str, parse_float=str)` finds these digits.
const NUMBERS: &str = r#"{"big":12345678901234567890123,"far":1e999,"tax":1.10,"zero":-0}"#;

const REASONS: &str = "SELECT reason, count(*) FROM system.dead_letters GROUP BY reason";
const TRAITS: &str = "SELECT i.id_value, p.traits FROM persons p JOIN identities i ON i.person = p.person ORDER BY 1";
const LAST: &str = "SELECT properties ->> 'zz' FROM events WHERE user_id = 'limit'";
const CATALOG: &str = "SELECT property, type, rows, examples FROM event_catalog
                       WHERE property IN ('big', 'far', 'name', 'tax', 'zero', 'zz') ORDER BY property";

fn nested(levels: usize) -> String {
    let lists = levels - 1;
    format!(r#"{{"name":"Ann","x":{}{},"zz":"last"}}"#, "[".repeat(lists), "]".repeat(lists))
}

/// Users and what they are like: two that are kept and three that are too deep, 126 lists within an object among them.
fn people() -> Vec<(&'static str, String)> {
    vec![
        ("numbers", NUMBERS.to_owned()),
        ("limit", nested(64)),
        ("deep", nested(65)),
        ("deeper", nested(127)),
        ("deepest", nested(300)),
    ]
}

async fn check_world(world: &World) {
    assert_eq!(world.rows(REASONS).await, ["column 'properties': nested deeper than 64 levels 3"]);
    assert_eq!(world.rows(TRAITS).await, [format!("limit {}", nested(64)), format!("numbers {NUMBERS}")]);
    assert_eq!(world.row(LAST).await, "last");
    let catalog = [
        "big number 1 [12345678901234567890123]",
        "far number 1 [1e999]",
        "name text 1 [Ann]",
        "tax number 1 [1.10]",
        "zero number 1 [-0]",
        "zz text 1 [last]",
    ];
    assert_eq!(world.rows(CATALOG).await, catalog);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_rejects_what_is_too_deep() {
    let world = world().await;
    let people = people();
    let mut builder = InputBuilder::default();
    for (user, properties) in &people {
        let (user_id, properties) = (Some(*user), Some(properties.as_str()));
        builder.push(&InputRow { ts: at(TIME), kind: Some("identify"), user_id, properties, ..InputRow::default() });
    }
    let stream = world.loader.stream(&world.caller).await.unwrap();
    let checked = stream.check(builder.finish().unwrap(), b"").await.unwrap();
    let mut results = stream.send(checked).await.wait().await;
    let result = results.remove(0).unwrap();
    assert_eq!((result.kept, result.rejected), (2, 3));
    check_world(&world).await;
    world.flush().await;
    check_world(&world).await;
}

fn write_ndjson(path: &Path) -> Option<Vec<String>> {
    let line = |(user, traits): (&str, String)| {
        format!("{{\"type\":\"identify\",\"timestamp\":\"{TIME}\",\"userId\":\"{user}\",\"traits\":{traits}}}")
    };
    let lines: Vec<String> = people().into_iter().map(line).collect();
    fs::write(path, lines.join("\n") + "\n").unwrap();
    Some(lines)
}

fn write_csv(path: &Path) -> Option<Vec<String>> {
    let line =
        |(user, properties): (&str, String)| format!("identify,{TIME},{user},\"{}\"", properties.replace('"', "\"\""));
    let lines: Vec<String> = people().into_iter().map(line).collect();
    fs::write(path, format!("type,ts,user_id,properties\n{}\n", lines.join("\n"))).unwrap();
    Some(lines)
}

fn write_parquet(path: &Path) -> Option<Vec<String>> {
    let people = people();
    let times = TimestampMicrosecondArray::from_value(at(TIME).unwrap(), people.len()).with_timezone("UTC");
    let texts = |texts: Vec<&str>| Arc::new(StringArray::from(texts)) as ArrayRef;
    let columns = [
        ("ts", Arc::new(times) as ArrayRef),
        ("type", texts(vec!["identify"; people.len()])),
        ("user_id", texts(people.iter().map(|(user, _)| *user).collect())),
        ("properties", texts(people.iter().map(|(_, properties)| properties.as_str()).collect())),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    None
}

/// Writes a file of people; gives their rows, where these are lines of text.
type Write = fn(&Path) -> Option<Vec<String>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_each_format_reject_what_is_too_deep() {
    let formats: [(&str, Write); 3] =
        [("people.ndjson", write_ndjson), ("people.csv", write_csv), ("people.parquet", write_parquet)];
    let folder = tempfile::tempdir().unwrap();
    for (name, write) in formats {
        let path = folder.path().join(name);
        let lines = write(&path);
        let reader = FileReader::open(&path, ReadOptions::default()).unwrap();
        let (source, content_hash) = (name.into(), name.into());
        let request = LoadRequest { source, content_hash, file_hash: None, again: false, checked: true };
        let world = world().await;
        let batches = futures::stream::iter(reader.batches()).boxed();
        let summary = world.loader.load(&world.caller, request, batches).await.unwrap();
        assert_eq!((summary.kept, summary.rejected), (2, 3), "{name}");
        check_world(&world).await;
        if let Some(lines) = lines {
            // To be corrected and loaded again.
            assert_eq!(world.rows("SELECT raw FROM system.dead_letters ORDER BY row").await, lines[2..], "{name}");
        }
    }
}
