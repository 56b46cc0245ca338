//! Convoke inside another program: open a folder, load a CSV file, ask a question. No server.
//!
//! Run with `cargo run --release --example query_embedded`.

// Printing is what an example is for.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::sync::Arc;

use arrow::util::pretty::pretty_format_batches;
use convoke::auth::Caller;
use convoke::error::Result;
use convoke::ids::WorkspaceName;
use convoke::ingest::read::{FileReader, Mapping, ReadOptions};
use convoke::ingest::{LoadRequest, LoadSummary, Loader};
use convoke::query::{Engine, SessionOptions};
use convoke::settings::Settings;
use convoke::store::Root;
use convoke::workspace::{Manifest, Workspaces};
use futures::{StreamExt, TryStreamExt};

/// Three customer numbers; `mail` tells that two of them are one person.
const PURCHASES: &str = "\
customer,mail,date,dollars
1001,ann@example.com,2024-03-01,19.90
1002,bob@example.com,2024-03-02,5.00
1003,ann@example.com,2024-04-11,30.10
";

const QUESTION: &str =
    "SELECT person, count(*) AS orders, sum(net) AS net FROM orders GROUP BY person ORDER BY net DESC";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let csv = folder.path().join("purchases.csv");
    std::fs::write(&csv, PURCHASES)?;

    // One root holds many workspaces; a caller belongs to one of them.
    let settings = Arc::new(Settings::defaults()?);
    let root = Root::open(&folder.path().join("data").to_string_lossy())?;
    let workspaces = Workspaces::new(root);
    let name = WorkspaceName::default();
    workspaces.get_or_create(&name, &Manifest::new(chrono_tz::Tz::UTC)).await?;
    let caller = Caller::local_admin(name);

    let loader = Loader::new(workspaces.clone(), Arc::clone(&settings));
    let summary = load(&loader, &caller, &csv).await?;
    println!("{} rows loaded in {:.3} s", summary.kept, summary.seconds);

    let engine = Engine::new(workspaces, settings)?;
    let session = SessionOptions::default();
    let prepared = engine.prepare(&caller, &session, QUESTION, None).await?;
    let execution = engine.execute(&caller, &session, &prepared, Vec::new()).await?;
    let rows: Vec<_> = execution.stream.try_collect().await?;
    println!("{}", pretty_format_batches(&rows)?);
    Ok(())
}

/// All rows of the file in one commit, durable when this returns.
async fn load(loader: &Loader, caller: &Caller, csv: &Path) -> Result<LoadSummary> {
    let options = ReadOptions {
        mapping: Mapping::parse("ts=date,user_id=customer,id.email=mail,revenue=dollars")?,
        event: Some("Order Completed".to_owned()),
        ..ReadOptions::default()
    };
    let reader = FileReader::open(csv, options)?;
    let hashes = reader.hashes()?;
    let request = LoadRequest {
        source: csv.display().to_string(),
        content_hash: hashes.content,
        file_hash: Some(hashes.file),
        again: false,
        checked: true,
    };
    loader.load(caller, request, futures::stream::iter(reader.batches()).boxed()).await
}
