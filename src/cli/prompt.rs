//! The prompt of `convoke sql`: lines with history and completion, statements over several lines, commands with `\`.
//!
//! An error or Ctrl-C ends the statement, not the prompt. Must not know where statements run.

mod commands;
mod completion;
mod lines;

use std::time::Instant;

use parking_lot::RwLock;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

use self::commands::Command;
use self::completion::Names;
use self::lines::{Line, Lines};
use super::arguments::Format;
use super::output;
use super::source::Source;
use crate::error::{Error, Result};
use crate::query::split;

const WELCOME: &str = "Statements end with ';'. \\? helps, \\q leaves.";

struct Prompt {
    source: Source,
    names: Arc<RwLock<Names>>,
    format: Format,
    timing: bool,
}

/// Reads and runs until the end of input or `\q`.
pub(super) async fn run(source: Source, format: Format) -> Result<()> {
    let names = Arc::new(RwLock::new(Names::default()));
    let mut lines = Lines::open(Arc::clone(&names))?;
    let mut prompt = Prompt { source, names, format, timing: false };
    output::say(&format!("convoke {}. {WELCOME}", env!("CARGO_PKG_VERSION")))?;
    prompt.learn_names().await;
    let mut begun = String::new();
    loop {
        let line = lines.next(std::mem::take(&mut begun)).await?;
        let text = match line {
            Line::Interrupted => continue,
            Line::End => return Ok(()),
            Line::Text(text) => text,
        };
        let goes_on = match commands::below_statement(&text) {
            // The statement is not lost: it is typed on.
            Some((statement, command)) => {
                begun = format!("{statement}\n");
                prompt.obey(command).await?
            }
            None => prompt.obey(&text).await?,
        };
        if !goes_on {
            return Ok(());
        }
    }
}

impl Prompt {
    /// Runs what was typed; says whether to go on.
    async fn obey(&mut self, text: &str) -> Result<bool> {
        let command = match commands::parse(text) {
            None => {
                self.run_statements(text).await?;
                return Ok(true);
            }
            Some(Err(error)) => {
                complain(&error);
                return Ok(true);
            }
            Some(Ok(command)) => command,
        };
        match command {
            Command::Quit => return Ok(false),
            Command::Help => output::say(commands::HELP)?,
            Command::Timing(on) => {
                self.timing = on.unwrap_or(!self.timing);
                output::say(if self.timing { "Timing is on." } else { "Timing is off." })?;
            }
            Command::Format(Some(format)) => self.format = format,
            Command::Format(None) => output::say(&format!("The format is {}.", commands::format_name(self.format)))?,
            Command::Look { statement, nothing } => self.look(&statement, &nothing).await?,
        }
        Ok(true)
    }

    async fn run_statements(&mut self, text: &str) -> Result<()> {
        for statement in split(text).statements {
            let started = Instant::now();
            let outcome = self.until_interrupted(statement, self.format).await?;
            match outcome {
                Ok(rows) => self.say_time(rows, started)?,
                Err(error) => {
                    complain(&error);
                    return Ok(());
                }
            }
            if commands::changes_names(statement) {
                self.learn_names().await;
            }
        }
        Ok(())
    }

    fn say_time(&self, rows: Option<u64>, started: Instant) -> Result<()> {
        if !self.timing {
            return Ok(());
        }
        let ms = started.elapsed().as_secs_f64() * 1_000.0;
        output::say(&match rows {
            Some(rows) => format!("{rows} rows, {ms:.1} ms"),
            None => format!("{ms:.1} ms"),
        })
    }

    /// Prints the rows of a statement; Ctrl-C drops it, which cancels it wherever it runs. The outer error is that of
    /// the prompt itself.
    async fn until_interrupted(&mut self, statement: &str, format: Format) -> Result<Result<Option<u64>>> {
        // A listener of its own for each statement: it hears only what comes from now on.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let work = async {
            match self.source.run(statement).await? {
                Some(rows) => output::print(rows, format).await.map(Some),
                None => Ok(None),
            }
        };
        Ok(tokio::select! {
            outcome = work => outcome,
            _ = interrupt.recv() => Err(Error::invalid("the statement was cancelled")),
        })
    }

    /// A table about tables, whatever the format of results; a sentence where it is empty.
    async fn look(&mut self, statement: &str, nothing: &str) -> Result<()> {
        match self.until_interrupted(statement, Format::Table).await? {
            Ok(Some(0)) => output::say(nothing),
            Ok(_) => Ok(()),
            Err(error) => {
                complain(&error);
                Ok(())
            }
        }
    }

    /// Asks for the names to complete. Without them the prompt works all the same.
    async fn learn_names(&mut self) {
        match Names::learn(&mut self.source).await {
            Ok(names) => *self.names.write() = names,
            Err(error) => tracing::debug!(%error, "the names to complete cannot be read"),
        }
    }
}

fn complain(error: &Error) {
    output::complain(&format!("error: {error}"));
}
