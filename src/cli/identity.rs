//! `convoke identity`: shows and changes the rules of identity stitching, over a folder or a server.

use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use futures::TryStreamExt;

use super::arguments::{IdentityCommand, IdentityRulesArguments};
use super::output;
use super::source::Source;
use crate::error::{Error, Result};

pub(super) async fn run(command: IdentityCommand) -> Result<()> {
    match command {
        IdentityCommand::Rules(arguments) => rules(arguments).await,
    }
}

async fn rules(arguments: IdentityRulesArguments) -> Result<()> {
    let text = arguments.file.as_deref().map(read).transpose()?;
    let mut source = Source::open(&arguments.connect, &arguments.data, &arguments.settings).await?;
    let Some((file, text)) = arguments.file.as_deref().zip(text) else {
        let answer = answer(&mut source, "SHOW IDENTITY RULES").await?;
        let texts = cast(answer.column(0), &DataType::Utf8)?;
        return output::say(texts.as_string::<i32>().value(0).trim_end());
    };
    let statement = format!("CREATE OR REPLACE IDENTITY RULES FROM '{}'", text.replace('\'', "''"));
    let of_file = |error: Error| error.context(format!("file '{}'", file.display()));
    let answer = answer(&mut source, &statement).await.map_err(of_file)?;
    let changed = cast(answer.column(0), &DataType::Int64)?;
    match changed.as_primitive::<Int64Type>().value(0) {
        0 => output::say("these rules are in force already: nothing is changed"),
        _ => output::say(
            "the rules are in force for all events from now on; those that are stored keep the identifiers that they have",
        ),
    }
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).map_err(|error| Error::from(error).context(format!("file '{}'", file.display())))
}

/// The one row that a statement yields.
async fn answer(source: &mut Source, statement: &str) -> Result<RecordBatch> {
    let rows = source.run(statement).await?.ok_or_else(without_answer)?;
    let batches: Vec<RecordBatch> = rows.batches.try_collect().await?;
    let answer = batches.into_iter().find(|batch| batch.num_rows() == 1 && batch.num_columns() == 1);
    answer.ok_or_else(without_answer)
}

fn without_answer() -> Error {
    Error::internal("the statement has no answer")
}
