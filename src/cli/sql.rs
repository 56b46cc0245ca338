//! `convoke sql`: a statement, a file or a stream of them, or a prompt; embedded or against a server.

use std::io::{IsTerminal, Read};

use super::arguments::{Format, SqlArguments};
use super::output;
use super::prompt;
use super::source::Source;
use crate::error::{Error, Result};
use crate::query::split;

pub(super) async fn run(arguments: SqlArguments) -> Result<()> {
    arguments.statement.as_deref().map_or(Ok(()), check_single)?;
    let mut source = Source::open(&arguments.connect, &arguments.data, &arguments.settings).await?;
    if let Some(statement) = &arguments.statement {
        return run_one(&mut source, statement, arguments.format).await;
    }
    if let Some(file) = &arguments.file {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Error::from(error).context(format!("file '{}'", file.display())))?;
        return run_all(&mut source, &text, arguments.format).await;
    }
    if std::io::stdin().is_terminal() {
        return prompt::run(source, arguments.format).await;
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| Error::from(error).context("standard input"))?;
    run_all(&mut source, &text, arguments.format).await
}

/// Of several statements a server would say only that it takes one at a time.
fn check_single(text: &str) -> Result<()> {
    let cut = split(text);
    match cut.statements.len() + usize::from(!cut.rest.is_empty()) {
        0 | 1 => Ok(()),
        count => Err(Error::invalid(format!(
            "the argument holds {count} statements, and one is run from there: write them to a file and run convoke sql \
             -f FILE, or send them to standard input"
        ))),
    }
}

async fn run_one(source: &mut Source, statement: &str, format: Format) -> Result<()> {
    if let Some(rows) = source.run(statement).await? {
        output::print(rows, format).await?;
    }
    Ok(())
}

/// Runs statements until one fails. The last one needs no semicolon.
async fn run_all(source: &mut Source, text: &str, format: Format) -> Result<()> {
    let cut = split(text);
    let statements: Vec<&str> =
        cut.statements.into_iter().chain(Some(cut.rest).filter(|rest| !rest.is_empty())).collect();
    for (index, statement) in statements.iter().enumerate() {
        let outcome = run_one(source, statement, format).await;
        outcome.map_err(|error| error.context(format!("statement {} of {}", index + 1, statements.len())))?;
    }
    Ok(())
}
