//! Funnel, retention, cohorts and RFM over a large history, beside DuckDB and ClickHouse (chdb).
//!
//! `cargo bench --workspace --bench behaviour [-- filter]`. Each side is a process of its own that uses all cores. All
//! answer first, and a difference ends the run; then they run in turns. What each line means: `benches/README.md`.

#![allow(clippy::print_stdout)]

#[path = "behaviour/dice.rs"]
mod dice;
#[path = "behaviour/history.rs"]
mod history;
#[path = "end_to_end/machine.rs"]
mod machine;
#[path = "end_to_end/memory.rs"]
mod memory;
#[path = "behaviour/ordered.rs"]
mod ordered;
#[path = "behaviour/ours.rs"]
mod ours;
#[allow(dead_code)]
#[path = "end_to_end/peer.rs"]
mod peer;
#[path = "behaviour/questions.rs"]
mod questions;
#[allow(dead_code)]
#[path = "end_to_end/samples.rs"]
mod samples;
#[path = "behaviour/side.rs"]
mod side;

use std::ffi::OsStr;
use std::path::Path;

use history::History;
use questions::Question;
use side::Side;

/// The engine's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Asks this program to be our side; the history's folder follows.
const SERVE: &str = "--serve-behaviour";

/// A side with the text of a question and the table that it reads.
struct Form {
    label: String,
    side: usize,
    sql: String,
    times: Vec<f64>,
    peak: f64,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|argument| argument == SERVE) {
        return ours::serve(Path::new(arguments.get(at + 1).map_or("", String::as_str)));
    }
    let filter = arguments.into_iter().find(|argument| !argument.starts_with("--")).unwrap_or_default();
    let number =
        |name: &str, default: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let history = History::prepare(&peer::cache()?, number("CONVOKE_BENCH_HISTORY_PERSONS", 1_000_000))?;
    let mut sides = sides(&history)?;
    println!("{}\n{} persons, {} events.\n", machine::describe()?, history.persons, history.events());
    println!(
        "| question | form | ms (median) | fastest | peak memory, MB | ours / theirs |\n|---|---|---|---|---|---|"
    );
    for question in questions::all().iter().filter(|question| question.name.contains(&filter)) {
        measure(question, &mut sides, number("CONVOKE_BENCH_REPEATS", 7))?;
    }
    Ok(())
}

/// Ours first, then those rivals that this machine has.
fn sides(history: &History) -> anyhow::Result<Vec<Side>> {
    let folder = history.folder.as_os_str();
    let mut sides = vec![Side::start(&std::env::current_exe()?, &[OsStr::new(SERVE), folder])?];
    if let Some(python) = peer::python("CONVOKE_DUCKDB_PYTHON", "duckdb, chdb") {
        let script = peer::script("behaviour_peer.py");
        for engine in ["duckdb", "chdb"] {
            sides.push(Side::start(&python, &[script.as_os_str(), OsStr::new(engine), folder])?);
        }
    }
    Ok(sides)
}

fn forms(question: &Question, sides: &[Side]) -> Vec<Form> {
    let texts = [&question.ours, &question.duckdb, &question.chdb];
    let mut forms = Vec::new();
    for (side, text) in texts.into_iter().enumerate().take(sides.len()) {
        let tables: &[&str] = if side == 0 { &["by_time", "by_person"] } else { &["native", "by_time", "by_person"] };
        for table in tables {
            let (label, sql) = (format!("{}, {table}", sides[side].name), text.replace("{events}", table));
            forms.push(Form { label, side, sql, times: Vec::new(), peak: f64::NAN });
        }
    }
    forms
}

fn measure(question: &Question, sides: &mut [Side], repeats: u64) -> anyhow::Result<()> {
    let mut forms = forms(question, sides);
    let mut expected: Option<String> = None;
    for form in &mut forms {
        sides[form.side].peer.forget_peak_memory();
        let answer = sides[form.side].rows(&form.sql)?;
        form.peak = sides[form.side].peer.peak_memory();
        let expected = expected.get_or_insert_with(|| answer.clone());
        anyhow::ensure!(
            *expected == answer,
            "{}: {} answers {answer:.2000}, not {expected:.2000}",
            question.name,
            form.label
        );
    }
    for _ in 0..repeats {
        for form in &mut forms {
            form.times.push(sides[form.side].milliseconds(&form.sql)?);
        }
    }
    let best =
        forms.iter().filter(|form| form.side == 0).map(|form| samples::median(&form.times)).fold(f64::NAN, f64::min);
    for form in &forms {
        let time = samples::median(&form.times);
        let fastest = form.times.iter().copied().fold(f64::NAN, f64::min);
        let ratio = if form.side == 0 { String::new() } else { format!("{:.2}", best / time) };
        println!("| {} | {} | {time:.0} | {fastest:.0} | {:.0} | {ratio} |", question.name, form.label, form.peak);
    }
    println!("| | goal: ours / the better native form | | | | {:.2} |", question.goal);
    Ok(())
}
