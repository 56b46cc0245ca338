//! Commands, progress and tables on a terminal. The only place with `anyhow`-like text for people and exit codes.

mod arguments;
mod checkpoint;
mod connector;
mod demo;
mod embedded;
mod identity;
mod import;
mod ingest;
mod logging;
mod open_files;
mod output;
mod progress;
mod prompt;
pub mod questions;
mod reachable;
mod remote;
mod serve;
mod source;
mod sql;
mod token;
mod upkeep;
mod workspace;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use self::arguments::{Cli, Command};
use crate::error::{Error, Result};
use crate::settings::note_unknown_variables;
use crate::store::end_terms;

/// Parses the command line, runs the command, and says how it went: 0 done, 1 failed, 2 wrong usage.
pub fn main() -> ExitCode {
    // Two crypto backends are in the tree; without a choice the first TLS handshake panics. An error means that the
    // choice was made already.
    rustls::crypto::ring::default_provider().install_default().ok();
    let cli = Cli::parse();
    logging::start(&cli.command);
    // One line in the log in place of the text and the backtrace that Rust writes to the terminal.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a thread panicked");
    }));
    let outcome = runtime().and_then(|runtime| {
        // On a worker thread, whose stack is larger than that of the main one.
        let outcome = runtime.block_on(async {
            let command = tokio::spawn(run(cli));
            let outcome = command.await;
            // However the command ended: the next one need not wait for this process to be taken for gone.
            end_terms().await;
            outcome.map_err(|error| Error::internal(format!("the command broke off: {error}")))?
        });
        // A blocked reader thread must not keep the program; the others mostly end in this time. (Threads that end while
        // they are detached are what glibc does not bear: see `query/threads.rs`.)
        runtime.shutdown_timeout(Duration::from_millis(200));
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::debug!(source = ?std::error::Error::source(&error), "command failed");
            output::complain(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Plans are deep recursions.
        .thread_stack_size(32 << 20)
        .build();
    runtime.map_err(Error::from)
}

/// Tells of variables that were meant as settings.
fn note_variables() -> Result<()> {
    // Names that are no texts are none of ours.
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    note_unknown_variables(variables)?.iter().for_each(|note| output::complain(note));
    Ok(())
}

async fn run(cli: Cli) -> Result<()> {
    note_variables()?;
    match cli.command {
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Ingest(arguments) => ingest::run(arguments).await,
        Command::Sql(arguments) => sql::run(arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Checkpoint(arguments) => checkpoint::run(arguments).await,
        Command::Workspace(command) => workspace::run(command).await,
        Command::Identity(command) => identity::run(command).await,
        Command::Import(command) => import::run(command).await,
        Command::Token(command) => token::run(command).await,
        Command::Compact(arguments) => upkeep::compact(arguments).await,
        Command::Vacuum(arguments) => upkeep::vacuum(arguments).await,
        Command::Check(arguments) => upkeep::check(arguments).await,
    }
}
