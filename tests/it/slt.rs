//! SQL text files: each `tests/slt/*.slt` runs against a fresh workspace that holds the events of `tests/slt/events`.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use convoke::ingest::read::{FileReader, ReadOptions};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

use crate::harness::{World, texts, world};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sql_files_give_what_they_say() {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let world = world().await;
        load_events(&world).await;
        let mut runner = Runner::new(|| async { Ok(Database { world: &world }) });
        runner.run_file_async(&path).await.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}
