//! What a user waits for, from a file to an answer: bulk load, reading a table through Flight, the demo's questions, planning; and
//! at the size of a large retailer: a person's timeline, daily revenue, sending results, compaction.
//!
//! Measured against the goals of the design and against DuckDB on the same Parquet files. Prints Markdown; asserts
//! nothing about speed, but does fail when the two engines disagree about an answer. `README.md` beside this file says
//! what each line means and how to set sizes.

// A bench prints its figures.
#![allow(clippy::print_stdout)]

#[path = "end_to_end/answers.rs"]
mod answers;
#[path = "end_to_end/client.rs"]
mod client;
#[path = "end_to_end/compaction.rs"]
mod compaction;
#[path = "end_to_end/duckdb.rs"]
mod duckdb;
#[path = "end_to_end/export.rs"]
mod export;
#[path = "end_to_end/history.rs"]
mod history;
#[path = "end_to_end/ingest.rs"]
mod ingest;
#[path = "end_to_end/instance.rs"]
mod instance;
#[path = "end_to_end/machine.rs"]
mod machine;
#[path = "end_to_end/memory.rs"]
mod memory;
#[path = "end_to_end/peer.rs"]
mod peer;
#[path = "end_to_end/prepare.rs"]
mod prepare;
#[path = "end_to_end/program.rs"]
mod program;
#[path = "end_to_end/questions.rs"]
mod questions;
#[path = "end_to_end/reading.rs"]
mod reading;
#[path = "end_to_end/revenue.rs"]
mod revenue;
#[path = "end_to_end/samples.rs"]
mod samples;
#[path = "end_to_end/timeline.rs"]
mod timeline;
#[path = "end_to_end/transfer.rs"]
mod transfer;

use std::path::Path;

use convoke::shop::Shop;

/// The same as in the program, or memory would be measured that no user has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(8 << 20).build()?;
    let outcome = runtime.block_on(run());
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    outcome
}

/// What can be chosen by name: `cargo bench --bench end_to_end -- timeline revenue`.
const TOPICS: [&str; 6] = ["shop", "prepare", "timeline", "revenue", "transfer", "compaction"];

async fn run() -> anyhow::Result<()> {
    // Cargo itself hands `--bench` over.
    let named: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let Some(unknown) = named.iter().find(|name| !TOPICS.contains(&name.as_str())) {
        anyhow::bail!("there is no '{unknown}' to measure: choose from {}", TOPICS.join(", "));
    }
    let is_chosen = |topic: &str| named.is_empty() || named.iter().any(|name| name == topic);
    let repeats = setting("CONVOKE_BENCH_REPEATS", 11)? as usize;
    // On the disk of the target folder: the usual temporary folder may be memory, where durability is free.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    println!("{}\n", machine::describe()?);
    if is_chosen("shop") {
        shop(folder.path(), repeats).await?;
    }
    if is_chosen("prepare") {
        prepare::measure(&instance::Instance::open(&folder.path().join("prepare")).await?).await?;
    }
    if TOPICS.iter().skip(2).any(|topic| is_chosen(topic)) {
        let history = history::History::prepare(setting("CONVOKE_BENCH_HISTORY_PERSONS", 1_000_000)?)?;
        if is_chosen("compaction") {
            compaction::measure(&history)?;
        }
        if is_chosen("timeline") {
            timeline::measure(&history, repeats).await?;
        }
        if is_chosen("revenue") {
            revenue::measure(&history, repeats).await?;
        }
        if is_chosen("transfer") {
            transfer::measure(&history, folder.path(), repeats).await?;
        }
    }
    Ok(())
}

async fn shop(folder: &Path, repeats: usize) -> anyhow::Result<()> {
    let shop = Shop::new(setting("CONVOKE_BENCH_PERSONS", 50_000)?);
    let loads = setting("CONVOKE_BENCH_LOADS", 3)? as usize;
    let file = folder.join("events.parquet");

    eprintln!("writing the synthetic shop of {} persons", shop.persons);
    let input = export::write_shop(&shop, &file)?;
    println!(
        "Synthetic shop of {} persons: {} events, {:.1} MB of Parquet.\n",
        shop.persons,
        input.rows,
        input.bytes as f64 / 1e6
    );

    let data = folder.join("data");
    ingest::measure(&file, &data, loads).await?;

    let instance = instance::Instance::open(&data).await?;
    let address = instance.serve().await?;
    let mut client = client::Client::connect(&address, &instance.token().await?).await?;
    reading::measure(&mut client, repeats.min(5)).await?;
    compare(&shop, &instance, &mut client, folder, repeats).await
}

async fn compare(
    shop: &Shop,
    instance: &instance::Instance,
    client: &mut client::Client,
    folder: &Path,
    repeats: usize,
) -> anyhow::Result<()> {
    let nodes = folder.join("nodes.parquet");
    let workspace = instance.workspace().await?;
    export::write_nodes(&workspace, &nodes)?;
    let user = shop.example_user_id().unwrap_or_default();
    let peer = duckdb::DuckDb::start(&instance.event_files(), &nodes, &user, &folder.join("answers"))?;
    questions::measure(shop, client, peer, repeats).await
}

fn setting(name: &str, default: u32) -> anyhow::Result<u32> {
    match std::env::var(name) {
        Ok(text) => text.parse().map_err(|error| anyhow::anyhow!("{name}={text}: {error}")),
        Err(_) => Ok(default),
    }
}
