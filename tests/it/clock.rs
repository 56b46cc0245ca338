//! What is stored takes its times and ids from the clock of its root: the same seed stores the same again.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use chrono::DateTime;
use convoke::auth::Caller;
use convoke::clock::Clock;
use convoke::ids::WorkspaceName;
use convoke::ingest::input::{InputBuilder, InputRow};
use convoke::ingest::{LoadRequest, Loader};
use convoke::settings::Settings;
use convoke::store::Root;
use convoke::store::tables::{TableLimits, TableWriter};
use convoke::workspace::reference::FxRates;
use convoke::workspace::{Manifest, NewTable, RuleChange, Workspace, Workspaces};
use futures::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::{Value, json};

use crate::harness::at;

/// 2024-02-29T00:00:00Z by `date -d 2024-02-29Z +%s`.
const START: i64 = 1_709_164_800;

fn rows(user: &str) -> RecordBatch {
    let event =
        InputRow { user_id: Some(user), event: Some("seen"), ts: at("2024-02-28T12:00:00Z"), ..Default::default() };
    let bad = InputRow { row: Some(2), reject_reason: Some("bad"), raw: Some("1,2"), ..Default::default() };
    let mut builder = InputBuilder::default();
    [event, bad].iter().for_each(|row| builder.push(row));
    builder.finish().unwrap()
}

/// A load, a batch of a stream, settings, a user table and a checkpoint.
async fn fill(workspaces: &Workspaces) {
    let name = WorkspaceName::default();
    let workspace = workspaces.create(&name, &Manifest::new(chrono_tz::Tz::UTC)).await.unwrap();
    let loader = Loader::new(workspaces.clone(), Arc::new(Settings::defaults().unwrap()));
    let caller = Caller::local_admin(name);
    let request = LoadRequest {
        source: "file".into(),
        content_hash: "hash".into(),
        file_hash: None,
        again: false,
        checked: false,
    };
    loader.load(&caller, request, futures::stream::iter([Ok(rows("u1"))]).boxed()).await.unwrap();
    let stream = loader.stream(&caller).await.unwrap();
    let checked = stream.check(rows("u2"), b"").await.unwrap();
    stream.send(checked).await.wait().await.remove(0).unwrap();
    let rates = FxRates { base: "CNY".into(), ..Default::default() };
    let change = RuleChange { fx_rates: Some(rates), ..Default::default() };
    workspace.writer().await.unwrap().change_rules(change).await.unwrap();
    create_table(&workspace).await;
    workspace.flush(1 << 20).await.unwrap();
    workspace.checkpoint_identity(&Arc::default()).await.unwrap();
}

async fn create_table(workspace: &Arc<Workspace>) {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let batch = RecordBatch::try_from_iter_with_nullable([("number", numbers, true)]).unwrap();
    let (store, clock, folder) = (workspace.store(), workspace.clock().clone(), workspace.clock().new_id());
    let mut writer =
        TableWriter::new(store, clock, folder, batch.schema(), TableLimits { rows: u64::MAX, bytes: u64::MAX }, (0, 0));
    writer.write(&batch).await.unwrap();
    let new = NewTable { folder, columns: batch.schema(), written: writer.finish().await.unwrap() };
    workspace.writer().await.unwrap().create_table("numbers", new, false).await.unwrap();
}

/// What lies under a root of this seed: of each object its lines where it is JSON, else the hash of its bytes.
async fn stored(seed: u64) -> BTreeMap<String, Value> {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let clock = Clock::seeded(seed, DateTime::from_timestamp(START, 0).unwrap());
    fill(&Workspaces::new(Root::in_store(Arc::clone(&store)).unwrap().with_clock(clock))).await;
    let objects: Vec<_> = store.list(None).try_collect().await.unwrap();
    let mut stored = BTreeMap::new();
    for object in objects {
        let bytes = store.get(&object.location).await.unwrap().bytes().await.unwrap();
        let path = object.location.to_string();
        let content: Value = match path.ends_with(".json") {
            true => serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>().map(Result::unwrap).collect(),
            false => json!(blake3::hash(&bytes).to_hex().as_str()),
        };
        // The library gives the first version of a Delta table an id and a time of its own.
        let is_first_version = path.ends_with("_delta_log/00000000000000000000.json");
        stored.insert(path, if is_first_version { Value::Null } else { content });
    }
    stored
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_stores_the_same() {
    let first = stored(7).await;
    assert_eq!(first, stored(7).await);
    let other = stored(8).await;
    let folders =
        ["/events/month=", "/dead_letters/", "/dedupe/", "/identity/checkpoints/", "/reference/", "/tables/0"];
    for folder in folders {
        let mut paths = first.keys().filter(|path| path.contains(folder)).peekable();
        assert!(paths.peek().is_some(), "nothing in {folder}: {:?}", first.keys());
        assert!(paths.all(|path| !other.contains_key(path)), "names in {folder} are of another seed, too");
    }
}

#[tokio::test(start_paused = true)]
async fn times_in_what_is_stored_are_those_of_the_clock() {
    let stored = stored(7).await;
    let of = |end: &str| stored.iter().find(|(path, _)| path.ends_with(end)).map(|(_, lines)| lines).unwrap();
    assert_eq!(of("/workspace.json")[0]["created_at"], json!("2024-02-29T00:00:00Z"));
    let commit = of("/events/_delta_log/00000000000000000001.json").as_array().unwrap();
    let action = |name: &str| commit.iter().find_map(|line| line.get(name)).unwrap();
    assert_eq!(action("commitInfo")["timestamp"], json!(START * 1_000));
    assert_eq!(action("add")["modificationTime"], json!(START * 1_000));
    assert_eq!(
        of("/tables/_catalog/00000000000000000001.json")[0]["tables"]["numbers"]["created_at"],
        json!("2024-02-29T00:00:00Z")
    );
}
