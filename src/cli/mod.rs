//! Commands, progress and tables on a terminal. The only place with `anyhow`-like text for people and exit codes.

mod arguments;
mod demo;
mod embedded;
mod import;
mod ingest;
mod output;
mod progress;
pub mod questions;
mod remote;
mod serve;
mod sql;
mod token;
mod workspace;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use self::arguments::{Cli, Command};
use crate::error::{Error, Result};

/// Parses the command line, runs the command, and says how it went: 0 done, 1 failed, 2 wrong usage.
pub fn main() -> ExitCode {
    // Two crypto backends are in the tree; without a choice the first TLS handshake panics. An error means that the
    // choice was made already.
    rustls::crypto::ring::default_provider().install_default().ok();
    let cli = Cli::parse();
    start_logging();
    let outcome = runtime().and_then(|runtime| {
        // On a worker thread, whose stack is larger than that of the main one.
        let outcome = runtime.block_on(async {
            let command = tokio::spawn(run(cli));
            command.await.map_err(|error| Error::internal(format!("the command broke off: {error}")))?
        });
        // A blocked reader thread must not keep the program.
        runtime.shutdown_background();
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

/// Logs go to standard error; `CONVOKE_LOG` sets what is said, such as `debug` or `convoke=trace`.
fn start_logging() {
    let filter = EnvFilter::try_from_env("CONVOKE_LOG").unwrap_or_else(|_| EnvFilter::new("warn,convoke=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
}

async fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Ingest(arguments) => ingest::run(arguments).await,
        Command::Sql(arguments) => sql::run(arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Workspace(command) => workspace::run(command).await,
        Command::Import(command) => import::run(command).await,
        Command::Token(command) => token::run(command).await,
    }
}
