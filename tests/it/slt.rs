//! SQL text files: each `tests/slt/*.slt` runs against a fresh workspace that holds the events of `tests/slt/events`.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use convoke::ingest::read::{FileReader, ReadOptions};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

use convoke::settings::Settings;
use datafusion::config::ConfigOptions;

use crate::harness::{World, texts, world_with};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/slt")
}

struct Database<'a> {
    world: &'a World,
}

#[async_trait]
impl AsyncDB for Database<'_> {
    type Error = convoke::error::Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, convoke::error::Error> {
        let batches = self.world.query(sql).await?;
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

async fn load_events(world: &World) {
    let path = folder().join("events/shop.ndjson");
    let reader = FileReader::open(&path, ReadOptions::default()).unwrap();
    let summary = world.load_batches("slt", reader.batches().collect()).await.unwrap();
    assert_eq!(summary.rejected, 0, "the events of the SQL tests are all good");
}

/// Runs files, each against a fresh workspace.
async fn run(paths: &[PathBuf], settings: &Settings, when: &str) {
    assert!(!paths.is_empty());
    for path in paths {
        let world = world_with(settings.clone(), "UTC").await;
        load_events(&world).await;
        let mut runner = Runner::new(|| async { Ok(Database { world: &world }) });
        runner.run_file_async(path).await.unwrap_or_else(|error| panic!("{}{when}: {error}", path.display()));
    }
}

fn files() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .collect();
    paths.sort();
    paths
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sql_files_give_what_they_say() {
    run(&files(), &Settings::defaults().unwrap(), "").await;
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

/// An answer that depends on a switch is wrong with one of its values. `tests/run --long` turns every switch, over all
/// files; else three are turned over the files about wrong rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_do_not_depend_on_the_optimizer() {
    let is_long = std::env::var("CONVOKE_TEST_LONG").is_ok_and(|value| !value.is_empty());
    let about_rows = ["correlated", "membership", "set_operations", "using_join", "volatile"];
    let paths: Vec<PathBuf> = files()
        .into_iter()
        .filter(|path| is_long || about_rows.iter().any(|name| path.file_stem().is_some_and(|stem| stem == *name)))
        .collect();
    let short = ["enable_dynamic_filter_pushdown", "prefer_hash_join", "filter_null_join_keys"];
    let switches = turned_switches();
    assert!(switches.len() > 10, "DataFusion has many switches: {switches:?}");
    for (key, value) in switches {
        if is_long || short.iter().any(|name| key.ends_with(name)) {
            let mut settings = Settings::defaults().unwrap();
            let when = format!(" with {key} = {value}");
            settings.query.planner.push((key, value));
            run(&paths, &settings, &when).await;
        }
    }
}
