//! The live core: what a commit costs while many persons are there, how fast events come in through DoPut, beside
//! ClickHouse and beside questions and queries, and what a start costs when all of them are in the log.
//!
//! `cargo bench --bench live [-- graph stream chdb beside query recovery]`, by name, or all. Prints Markdown; asserts nothing
//! about speed, but does fail when an event gets lost. `README.md` beside this file says what each line means.

// A bench prints its figures.
#![allow(clippy::print_stdout)]

#[path = "live/beside.rs"]
mod beside;
#[path = "live/chdb.rs"]
mod chdb;
#[path = "end_to_end/client.rs"]
#[allow(dead_code)]
mod client;
#[path = "live/events.rs"]
mod events;
#[path = "live/graph.rs"]
mod graph;
#[path = "end_to_end/instance.rs"]
#[allow(dead_code)]
mod instance;
#[path = "end_to_end/machine.rs"]
mod machine;
#[path = "end_to_end/memory.rs"]
#[allow(dead_code)]
mod memory;
#[path = "live/messages.rs"]
mod messages;
#[path = "end_to_end/peer.rs"]
#[allow(dead_code)]
mod peer;
#[path = "end_to_end/program.rs"]
#[allow(dead_code)]
mod program;
#[path = "live/query.rs"]
mod query;
#[path = "live/recovery.rs"]
mod recovery;
#[path = "end_to_end/samples.rs"]
mod samples;
#[path = "live/served.rs"]
mod served;
#[path = "live/stream.rs"]
mod stream;
#[path = "live/upload.rs"]
mod upload;

use std::time::Duration;

/// The same as in the program, or memory would be measured that no user has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What can be chosen by name: `cargo bench --bench live -- stream beside`.
const TOPICS: [&str; 6] = ["graph", "stream", "chdb", "beside", "query", "recovery"];
/// Persons of the graphs, unless others are named: `cargo bench --bench live -- graph 1000000`.
const SIZES: [usize; 2] = [1_000_000, 10_000_000];

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(8 << 20).build()?;
    let outcome = runtime.block_on(run());
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome
}

async fn run() -> anyhow::Result<()> {
    // Cargo itself hands `--bench` over.
    let arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let (numbers, named): (Vec<String>, Vec<String>) =
        arguments.partition(|argument| argument.parse::<usize>().is_ok());
    if let Some(unknown) = named.iter().find(|name| !TOPICS.contains(&name.as_str())) {
        anyhow::bail!("there is no '{unknown}' to measure: choose from {}", TOPICS.join(", "));
    }
    let is_all = named.is_empty() && numbers.is_empty();
    let is_chosen = |topic: &str| is_all || named.iter().any(|name| name == topic);
    let duration = duration()?;
    // On the disk of the target folder: the usual temporary folder may be memory, where durability is free.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    println!("{}\n", machine::describe()?);
    if is_chosen("graph") || !numbers.is_empty() {
        let sizes = numbers.iter().map(|size| size.parse()).collect::<Result<Vec<usize>, _>>()?;
        graph::measure(if sizes.is_empty() { SIZES.as_slice() } else { sizes.as_slice() })?;
    }
    if is_chosen("stream") {
        stream::measure(&folder.path().join("stream"), duration).await?;
    }
    if is_chosen("chdb") {
        chdb::measure(&folder.path().join("chdb"), duration).await?;
    }
    if is_chosen("beside") {
        beside::measure(&folder.path().join("beside"), duration).await?;
    }
    if is_chosen("query") {
        query::measure(&folder.path().join("query"), duration).await?;
    }
    if is_chosen("recovery") {
        recovery::measure(&folder.path().join("recovery")).await?;
    }
    Ok(())
}

/// How long events are sent.
fn duration() -> anyhow::Result<Duration> {
    const NAME: &str = "CONVOKE_BENCH_SECONDS";
    let seconds = match std::env::var(NAME) {
        Ok(text) => text.parse::<u32>().map_err(|error| anyhow::anyhow!("{NAME}={text}: {error}"))?,
        Err(_) => 10,
    };
    Ok(Duration::from_secs(u64::from(seconds.max(1))))
}
