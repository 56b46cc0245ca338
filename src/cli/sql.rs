//! `convoke sql`: one statement, embedded or against a server.

use super::arguments::SqlArguments;
use super::embedded::{self, Embedded};
use super::output::{self, ResultRows};
use super::remote::Remote;
use crate::error::Result;
use crate::query::{SessionOptions, StatementKind};

pub(super) async fn run(arguments: SqlArguments) -> Result<()> {
    let rows = match &arguments.connect.connect {
        Some(address) => {
            let mut remote = Remote::connect(address, arguments.connect.token.as_deref()).await?;
            remote.query(&arguments.statement).await?
        }
        None => match query_folder(&arguments).await? {
            Some(rows) => rows,
            None => return Ok(()),
        },
    };
    output::print(rows, arguments.format).await?;
    Ok(())
}

/// `None` for a statement without rows.
async fn query_folder(arguments: &SqlArguments) -> Result<Option<ResultRows>> {
    let settings = embedded::settings(&arguments.settings, None)?;
    let embedded = Embedded::open_existing(&arguments.data.data, settings).await?;
    let caller = embedded::local_caller(&arguments.data);
    let session = SessionOptions::default();
    let prepared = embedded.engine.prepare(&caller, &session, &arguments.statement, None).await?;
    if prepared.kind != StatementKind::Query {
        return Ok(None);
    }
    let execution = embedded.engine.execute(&caller, &session, &prepared, Vec::new()).await?;
    Ok(Some(ResultRows::of_engine(&prepared.schema, execution.stream)))
}
