//! Where `convoke sql` and `convoke identity` send their statements: an engine over a folder, or a server.

use super::arguments::{ConnectArguments, DataArguments, SettingsArguments};
use super::embedded::{self, Embedded};
use super::output::ResultRows;
use super::remote::Remote;
use crate::auth::Caller;
use crate::error::Result;
use crate::query::{SessionOptions, StatementKind};

/// A session that lasts for all statements of a command.
pub(super) enum Source {
    Folder(Box<Folder>),
    Server(Remote),
}

/// A data folder with the options that statements have set.
pub(super) struct Folder {
    embedded: Embedded,
    caller: Caller,
    session: SessionOptions,
}

impl Source {
    pub(super) async fn open(
        connect: &ConnectArguments,
        data: &DataArguments,
        settings: &SettingsArguments,
    ) -> Result<Self> {
        if let Some(remote) = Remote::of(connect).await? {
            return Ok(Self::Server(remote));
        }
        let settings = embedded::settings(settings, None)?;
        let embedded = Embedded::open_existing(&data.data, settings).await?;
        let caller = embedded::local_caller(data);
        Ok(Self::Folder(Box::new(Folder { embedded, caller, session: SessionOptions::default() })))
    }

    /// The rows of a statement; `None` for one that only changes the session.
    pub(super) async fn run(&mut self, statement: &str) -> Result<Option<ResultRows>> {
        match self {
            Self::Folder(folder) => folder.run(statement).await,
            Self::Server(remote) => {
                let rows = remote.query(statement).await?;
                Ok(Some(rows).filter(|rows| !rows.schema.fields().is_empty()))
            }
        }
    }
}

impl Folder {
    async fn run(&mut self, statement: &str) -> Result<Option<ResultRows>> {
        let engine = &self.embedded.engine;
        let prepared = engine.prepare(&self.caller, &self.session, statement, None).await?;
        if let StatementKind::SetSession(session) = &prepared.kind {
            self.session = session.clone();
            return Ok(None);
        }
        let execution = engine.execute(&self.caller, &self.session, &prepared, Vec::new()).await?;
        Ok(Some(ResultRows::of_engine(&prepared.schema, execution.stream)))
    }
}
