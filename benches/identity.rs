//! Resolution of links into persons: union-find over integer links beside petgraph, and what a batch of links costs while
//! many persons are there.
//!
//! `cargo bench --bench identity [-- forest batches]`, by name, or both; a number is the persons that are there. Prints
//! Markdown; asserts nothing about speed, but does fail when two sides differ. `README.md` beside this file says what each
//! line means.

// A bench prints its figures.
#![allow(clippy::print_stdout)]

#[path = "identity/batches.rs"]
mod batches;
#[path = "identity/forest.rs"]
mod forest;
#[path = "end_to_end/machine.rs"]
mod machine;
#[path = "end_to_end/samples.rs"]
mod samples;

/// The same as in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TOPICS: [&str; 2] = ["forest", "batches"];
const PERSONS: usize = 10_000_000;

fn main() -> anyhow::Result<()> {
    // Cargo itself hands `--bench` over.
    let arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let (numbers, named): (Vec<String>, Vec<String>) =
        arguments.partition(|argument| argument.parse::<usize>().is_ok());
    if let Some(unknown) = named.iter().find(|name| !TOPICS.contains(&name.as_str())) {
        anyhow::bail!("there is no '{unknown}' to measure: choose from {}", TOPICS.join(", "));
    }
    let is_chosen = |topic: &str| named.is_empty() || named.iter().any(|name| name == topic);
    println!("{}\n", machine::describe()?);
    if is_chosen("forest") {
        forest::measure()?;
    }
    if is_chosen("batches") {
        let persons = numbers.first().map_or(Ok(PERSONS), |number| number.parse())?;
        batches::measure(persons)?;
    }
    Ok(())
}
