//! The one way from a SQL text to rows, whatever the protocol.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::execution::SendableRecordBatchStream;
use serde::{Deserialize, Serialize};

use crate::auth::Caller;
use crate::error::{Error, Result};

/// State of a workspace that a plan was made for: all of a query reads this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SnapshotId {
    /// Version of the events table.
    pub version: u64,
    /// Version of the identity graph.
    pub epoch: u64,
}

/// What a session may set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionOptions {
    /// IANA name for `date_trunc`, `extract` and display; `None` is the workspace's zone.
    pub time_zone: Option<String>,
    /// Schema of unqualified table names; `None` is `main`.
    pub schema: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementKind {
    /// Yields rows.
    Query,
    /// Changes something and yields a row count.
    Update,
    /// `SET TIME ZONE '...'`: the session of the protocol keeps the new options.
    SetSession(SessionOptions),
}

/// A planned statement. `schema` is that of the logical plan before optimisation: the promise to the client.
#[derive(Debug)]
pub struct Prepared {
    pub sql: String,
    pub kind: StatementKind,
    pub snapshot: SnapshotId,
    pub schema: SchemaRef,
    /// One field a parameter, in order `$1`, `$2`, ...; Utf8 where the plan does not say.
    pub parameters: Vec<FieldRef>,
}

/// A running statement: dropping the stream cancels it.
pub struct Execution {
    pub stream: SendableRecordBatchStream,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    Table,
    View,
    System,
}

/// One table that a caller may see.
#[derive(Debug, Clone)]
pub struct TableEntry {
    pub catalog: String,
    pub schema: String,
    pub name: String,
    pub kind: TableKind,
    pub columns: SchemaRef,
}

/// Plans and runs SQL. Cheap to clone.
#[derive(Clone)]
pub struct Engine {}

impl Engine {
    /// Plans `sql` for the caller, at `snapshot` or else at the newest one. Plans are cached by
    /// (workspace, session, statement, snapshot), so Prepare, GetFlightInfo and DoGet plan once.
    ///
    /// # Errors
    /// `InvalidInput` for text that does not parse or plan, `Forbidden` for a role or a statement kind that is not
    /// allowed, `Conflict` when `snapshot` is no longer held.
    pub async fn prepare(
        &self,
        caller: &Caller,
        _session: &SessionOptions,
        _sql: &str,
        _snapshot: Option<SnapshotId>,
    ) -> Result<Arc<Prepared>> {
        caller.check_can_query()?;
        Err(Error::internal("stub"))
    }

    /// Runs a planned statement with its parameters. Time and memory limits hold for this execution alone.
    pub async fn execute(
        &self,
        caller: &Caller,
        _session: &SessionOptions,
        _prepared: &Prepared,
        _parameters: Vec<ScalarValue>,
    ) -> Result<Execution> {
        caller.check_can_query()?;
        Err(Error::internal("stub"))
    }

    /// All tables that the caller may see, ordered by schema and name.
    pub async fn tables(&self, caller: &Caller) -> Result<Vec<TableEntry>> {
        caller.check_can_query()?;
        Err(Error::internal("stub"))
    }
}
