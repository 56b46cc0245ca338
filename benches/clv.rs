//! Fit and predictions of customer lifetime value for a million customers, beside the Python package `lifetimes`.
//!
//! `cargo bench --workspace --bench clv [-- filter]`. Both sides hold the same customers, drawn from a BG/NBD model by a seed, in
//! memory; theirs runs as its users run it, in a process of its own. Parameters and predictions are compared first, and a
//! difference ends the run. What each line means: `benches/README.md`.

#![allow(clippy::print_stdout)]

#[path = "clv/customers.rs"]
mod customers;
#[path = "behaviour/dice.rs"]
mod dice;
#[path = "end_to_end/machine.rs"]
mod machine;
#[path = "end_to_end/memory.rs"]
mod memory;
#[allow(dead_code)]
#[path = "end_to_end/peer.rs"]
mod peer;
#[allow(dead_code)]
#[path = "end_to_end/samples.rs"]
mod samples;
#[path = "behaviour/side.rs"]
mod side;

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use customers::Customers;
use datafusion::prelude::{SessionConfig, SessionContext};
use side::Side;
use tokio::runtime::Runtime;

/// The engine's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Largest relative difference of a parameter or a sum of predictions: both sides stop at a maximum that is flat there.
const TOLERANCE: f64 = 2e-3;

/// One line of the table.
struct Work {
    /// Also the name of the request to the other side.
    name: &'static str,
    form: &'static str,
    sql: String,
    goal: f64,
    /// How often theirs is measured: a fit takes it most of a minute.
    theirs: usize,
}

fn works() -> Vec<Work> {
    let fit = |name, table: &str, weight: &str, goal, theirs| {
        let sql = format!(
            "SELECT m['r'], m['alpha'], m['a'], m['b'] FROM (
                SELECT clv_fit('bg_nbd', 'day', frequency, recency, age{weight}) AS m FROM {table})"
        );
        Work { name, form: "", sql, goal, theirs }
    };
    // Predictions read a fitted model; fitting is not part of them.
    let predict = |name, call: &str, joined: bool| {
        let (call, from) = match joined {
            true => (call.to_owned(), "customers, model"),
            false => (call.replace("(m,", "((SELECT m FROM model),"), "customers"),
        };
        let sql = format!("SELECT sum(p) FROM (SELECT {call} AS p FROM {from})");
        Work { name, form: if joined { ", model joined" } else { ", model by subquery" }, sql, goal: 10.0, theirs: 3 }
    };
    let expected = "clv_expected_purchases(m, 90.0, frequency, recency, age)";
    let alive = "clv_p_alive(m, frequency, recency, age)";
    vec![
        fit("fit", "customers", "", 50.0, 1),
        fit("fit of grouped rows", "grouped", ", weight", 5.0, 2),
        predict("expected purchases in 90 days", expected, false),
        predict("expected purchases in 90 days", expected, true),
        predict("probability alive", alive, false),
        predict("probability alive", alive, true),
    ]
}

fn main() -> anyhow::Result<()> {
    let number =
        |name: &str, default: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let count = number("CONVOKE_BENCH_CUSTOMERS", 1_000_000);
    let (whole, grouped) = customers::prepare(&peer::cache()?, count)?;
    let runtime = Runtime::new()?;
    let session = runtime.block_on(session(&whole, &grouped))?;
    let mut peer = match peer::python("CONVOKE_LIFETIMES_PYTHON", "lifetimes") {
        Some(python) => {
            let script = peer::script("lifetimes_peer.py");
            let arguments = [script.as_os_str(), whole.file.as_os_str(), grouped.file.as_os_str()];
            Some(Side::start(&python, &arguments)?)
        }
        None => None,
    };
    let theirs = peer.as_ref().map_or("nobody", |peer| &peer.name).to_owned();
    println!("{}\n{count} customers, {} distinct.\n", machine::describe()?, grouped.rows.num_rows());
    println!("| work | Convoke, ms (median) | {theirs}, ms | runs | theirs / ours | goal |\n|---|---|---|---|---|---|");
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).unwrap_or_default();
    for work in works().into_iter().filter(|work| work.name.contains(&filter)) {
        let batches = runtime.block_on(collect(&session, &work.sql))?;
        let mut our_times = Vec::new();
        for _ in 0..number("CONVOKE_BENCH_REPEATS", 7) {
            let start = Instant::now();
            runtime.block_on(collect(&session, &work.sql))?;
            our_times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let mut their_times = Vec::new();
        if let Some(peer) = &mut peer {
            for _ in 0..work.theirs {
                their_times.push(peer.milliseconds(work.name)?);
            }
            compare(work.name, &figures(&batches), &peer.rows(work.name)?)?;
        }
        let (ours, theirs) = (samples::median(&our_times), samples::median(&their_times));
        let (runs, ratio) = (their_times.len(), theirs / ours);
        println!("| {}{} | {ours:.1} | {theirs:.0} | {runs} | {ratio:.1} | {} |", work.name, work.form, work.goal);
    }
    Ok(())
}

async fn session(whole: &Customers, grouped: &Customers) -> anyhow::Result<SessionContext> {
    let cores = std::thread::available_parallelism()?.get();
    let mut session = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(cores));
    convoke_udfs::register_all(&mut session)?;
    session.register_table("customers", Arc::new(whole.table(cores)?))?;
    session.register_table("grouped", Arc::new(grouped.table(cores)?))?;
    let model = "SELECT clv_fit('bg_nbd', 'day', frequency, recency, age) AS m FROM customers";
    let model = session.sql(model).await?.cache().await?;
    session.register_table("model", model.into_view())?;
    Ok(session)
}

async fn collect(session: &SessionContext, sql: &str) -> anyhow::Result<Vec<RecordBatch>> {
    Ok(session.sql(sql).await?.collect().await?)
}

fn figures(batches: &[RecordBatch]) -> Vec<f64> {
    let columns = batches.iter().flat_map(RecordBatch::columns);
    columns.flat_map(|column| column.as_primitive::<Float64Type>().values().to_vec()).collect()
}

fn compare(work: &str, ours: &[f64], theirs: &str) -> anyhow::Result<()> {
    let theirs: Vec<f64> = theirs.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let close = |(one, other): (&f64, &f64)| ((one - other) / other).abs() <= TOLERANCE;
    let same = ours.len() == theirs.len() && ours.iter().zip(&theirs).all(close);
    anyhow::ensure!(same, "{work}: ours say {ours:?}, theirs {theirs:?}");
    Ok(())
}
