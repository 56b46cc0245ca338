//! SQL text files: each `tests/slt/*.slt` runs against a fresh workspace that holds the events of `tests/slt/events`.
//!
//! Files of `tests/slt/zones/Asia/Shanghai` run in a workspace of that zone, files of `tests/slt/zones/every` in one of
//! each; their events are those of `tests/slt/zones/month.ndjson`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use convoke::ingest::read::{FileReader, ReadOptions};
use convoke::query::{SessionOptions, StatementKind};
use convoke::settings::Settings;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner, parse_file};

use datafusion::config::ConfigOptions;

use crate::harness::{World, texts, world_with};

/// Zones that stay ahead of UTC, change their clock on both sides of it, and have none.
const ZONES: [&str; 4] = ["UTC", "Asia/Shanghai", "America/New_York", "Europe/Berlin"];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/slt")
}

struct Database<'a> {
    world: &'a World,
    session: SessionOptions,
}

#[async_trait]
impl AsyncDB for Database<'_> {
    type Error = convoke::error::Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, convoke::error::Error> {
        let prepared = self.world.engine.prepare(&self.world.caller, &self.session, sql, None).await?;
        if let StatementKind::SetSession(session) = &prepared.kind {
            self.session = session.clone();
            return Ok(DBOutput::StatementComplete(0));
        }
        let batches = self.world.query_with(sql, &self.session, Vec::new()).await?;
        let columns = batches.first().map_or(0, |batch| batch.num_columns());
        let rows = texts(&batches).into_iter().map(|row| vec![row]).collect();
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Any; columns], rows })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &str {
        "convoke"
    }

    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

async fn load_events(world: &World, file: &str) {
    let path = folder().join(file);
    let reader = FileReader::open(&path, ReadOptions::default()).unwrap();
    let summary = world.load_batches("slt", reader.batches().collect()).await.unwrap();
    assert_eq!(summary.rejected, 0, "the events of the SQL tests are all good");
}

/// The files right in a folder, in their order.
fn sql_files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .collect();
    paths.sort();
    paths
}

/// What is wrong in a file, run against a fresh workspace: all of it. `when` says what is different this time.
async fn faults_of(path: &Path, zone: &str, events: &str, settings: &Settings, when: &str) -> Vec<String> {
    let world = world_with(settings.clone(), zone).await;
    load_events(&world, events).await;
    let mut runner = Runner::new(|| async { Ok(Database { world: &world, session: SessionOptions::default() }) });
    let mut faults = Vec::new();
    for record in parse_file(path).unwrap() {
        if let Err(error) = runner.run_async(record).await {
            faults.push(format!("in {zone}{when}: {error}"));
        }
    }
    faults
}

async fn faults_of_shop_file(path: &Path, settings: &Settings, when: &str) -> Vec<String> {
    faults_of(path, "UTC", "events/shop.ndjson", settings, when).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sql_files_give_what_they_say() {
    let paths = sql_files(&folder());
    assert!(!paths.is_empty());
    let mut faults = Vec::new();
    for path in paths {
        faults.extend(faults_of_shop_file(&path, &Settings::defaults().unwrap(), "").await);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sql_files_of_zones_give_what_they_say() {
    let zones = folder().join("zones");
    let everywhere = sql_files(&zones.join("every"));
    assert!(!everywhere.is_empty());
    let settings = Settings::defaults().unwrap();
    let mut faults = Vec::new();
    for zone in ZONES {
        let of_zone = zones.join(zone);
        let own = if of_zone.is_dir() { sql_files(&of_zone) } else { Vec::new() };
        assert!(zone == "UTC" || !own.is_empty(), "{zone}");
        for path in own.iter().chain(&everywhere) {
            faults.extend(faults_of(path, zone, "zones/month.ndjson", &settings, "").await);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The switches of DataFusion's optimizer, each the other way round than we run it. The one that is a guard of ours stays.
fn turned_switches() -> Vec<(String, String)> {
    let guard = "datafusion.optimizer.enable_leaf_expression_pushdown";
    let entries = ConfigOptions::new().entries().into_iter();
    entries
        .filter(|entry| entry.key.starts_with("datafusion.optimizer.") && entry.key != guard)
        .filter_map(|entry| match entry.value.as_deref() {
            Some("true") => Some((entry.key, "false".to_owned())),
            Some("false") => Some((entry.key, "true".to_owned())),
            _ => None,
        })
        .collect()
}

#[test]
fn clients_turn_every_switch() {
    let turned = turned_switches().into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
    let listed: Vec<&str> = include_str!("../data/optimizer_switches.txt").lines().collect();
    assert_eq!(turned, listed, "tests/clients/python/test_optimizer_switches.py turns those of tests/data");
}

/// An answer that depends on a switch is wrong with one of its values. `tests/run --long` turns every switch, over all
/// files; else three are turned over the files about wrong rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_do_not_depend_on_the_optimizer() {
    let is_long = std::env::var("CONVOKE_TEST_LONG").is_ok_and(|value| !value.is_empty());
    let about_rows = ["correlated", "membership", "outer_constants", "set_operations", "using_join", "volatile"];
    let paths: Vec<PathBuf> = sql_files(&folder())
        .into_iter()
        .filter(|path| is_long || about_rows.iter().any(|name| path.file_stem().is_some_and(|stem| stem == *name)))
        .collect();
    assert!(!paths.is_empty());
    let short = ["enable_dynamic_filter_pushdown", "prefer_hash_join", "filter_null_join_keys"];
    let mut faults = Vec::new();
    let switches = turned_switches();
    assert!(switches.len() > 10, "DataFusion has many switches: {switches:?}");
    for (key, value) in switches {
        if is_long || short.iter().any(|name| key.ends_with(name)) {
            let mut settings = Settings::defaults().unwrap();
            let when = format!(" with {key} = {value}");
            settings.query.planner.push((key, value));
            for path in &paths {
                faults.extend(faults_of_shop_file(path, &settings, &when).await);
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
