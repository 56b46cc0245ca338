//! The one way from a SQL text to rows, whatever the protocol.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use datafusion::common::ScalarValue;
use datafusion::execution::context::SessionState;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::EmptyRecordBatchStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::binding::Binding;
use super::history::{History, QueryRecord, RunningQuery};
use super::limits::{LimitedStream, out_of_time};
use super::memory::{SharedMemory, StatementPool};
use super::panics::Panics;
use super::parameters::Parameters;
use super::places::Places;
use super::session::{SessionOptions, Templates};
use super::spill_folder::SpillFolder;
use super::spilling_join::Attempt;
use super::statement::RulesStatement;
use super::stop::Stop;
use super::threads::QueryThreads;
use super::write::Once;
use super::{damage, promise, runtime};
use crate::auth::Caller;
use crate::error::Result;
use crate::request;
use crate::settings::{QuerySettings, Settings};
use crate::workspace::{Leases, SnapshotId, Workspaces};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementKind {
    /// Yields rows.
    Query,
    /// Changes something and yields a row count.
    Update,
    /// `SET TIME ZONE '...'`: the session of the protocol keeps the new options.
    SetSession(SessionOptions),
}

impl StatementKind {
    pub fn as_str(&self) -> &'static str {
        match self {
            StatementKind::Query => "query",
            StatementKind::Update => "update",
            StatementKind::SetSession(_) => "set",
        }
    }
}

/// What an engine holds at the moment.
#[derive(Debug, Clone, Copy)]
pub struct EngineLoad {
    pub queued: usize,
    pub memory_used: usize,
    pub memory_limit: usize,
    pub spill_used: u64,
    /// States kept for tickets, and the bytes that they alone hold.
    pub leased_states: usize,
    pub leased_bytes: usize,
    /// Statements that panicked so far.
    pub panics: u64,
}

/// A statement as it was planned for all states of a shape. `schema` is that of the logical plan, coerced and before
/// optimisation: the promise to the client. While parameters have no values it may be a guess: [`Engine::prepare_for`]
/// makes it a promise.
#[derive(Debug, Clone)]
pub struct PlannedStatement {
    pub sql: String,
    pub kind: StatementKind,
    pub schema: SchemaRef,
    pub parameters: Parameters,
    /// `None` for a statement that only changes the session, or the rules of identity stitching.
    pub(super) plan: Option<LogicalPlan>,
    /// What it is to do with these rules, if anything.
    pub(super) of_rules: Option<RulesStatement>,
    /// A parameter or a call of a function stands in a table function: binding means planning again.
    pub(super) plan_again: bool,
    /// The values that the schema holds for, and with `plan_again` the plan.
    pub(super) planned_for: Option<Vec<ScalarValue>>,
}

impl PlannedStatement {
    /// The text of the rules that the statement puts in force.
    pub(super) fn new_rules(&self) -> Option<Arc<str>> {
        match &self.of_rules {
            Some(RulesStatement::Replace(text)) => Some(text.as_str().into()),
            Some(RulesStatement::Show) | None => None,
        }
    }
}

/// A planned statement and the state that it reads when it runs. Cheap to clone.
#[derive(Clone)]
pub struct Prepared {
    pub(super) statement: Arc<PlannedStatement>,
    pub(super) binding: Binding,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Prepared").field(&self.statement).finish()
    }
}

impl Deref for Prepared {
    type Target = PlannedStatement;

    fn deref(&self) -> &PlannedStatement {
        &self.statement
    }
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

/// Of the memory of statements that part which states that tickets were given out for may take.
const LEASE_SHARE: usize = 20;

/// Plans and runs SQL. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(super) workspaces: Workspaces,
    pub(super) settings: Arc<Settings>,
    runtime: Arc<RuntimeEnv>,
    spill: SpillFolder,
    pub(super) threads: Arc<QueryThreads>,
    pub(super) history: History,
    pub(super) templates: Arc<Templates>,
    /// States that tickets were given out for.
    pub(super) leases: Arc<Leases>,
    memory: Arc<SharedMemory>,
    places: Arc<Places>,
    pub(super) panics: Panics,
}

impl Engine {
    pub fn new(workspaces: Workspaces, settings: Arc<Settings>) -> Result<Self> {
        let spill = SpillFolder::new(settings.query.spill.0)?;
        let runtime = runtime::shared_runtime(&settings.query, spill.clone())?;
        let pool = Arc::clone(&runtime.memory_pool);
        let panics = Panics::default();
        Ok(Self {
            memory: Arc::new(SharedMemory::new(pool, settings.query.pool_memory.0)),
            runtime,
            spill,
            threads: Arc::new(QueryThreads::new(settings.query.concurrency, panics.clone())?),
            history: History::new(workspaces.root().clock().clone()),
            templates: Arc::default(),
            leases: Arc::new(Leases::new(settings.query.pool_memory.0 / LEASE_SHARE)),
            places: Arc::new(Places::new(&settings.query)),
            workspaces,
            settings,
            panics,
        })
    }

    /// What all statements run in.
    pub(super) fn runtime(&self) -> &Arc<RuntimeEnv> {
        &self.runtime
    }

    pub fn workspaces(&self) -> &Workspaces {
        &self.workspaces
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Memory, disk and queue as they are now.
    pub fn load(&self) -> EngineLoad {
        let (leased_states, leased_bytes) = self.leases.size();
        EngineLoad {
            leased_states,
            leased_bytes,
            queued: self.places.waiting(),
            memory_used: self.memory.used(),
            memory_limit: self.memory.size(),
            spill_used: self.spill.used(),
            panics: self.panics.count(),
        }
    }

    /// Plans `sql` for the caller, and binds it to the state `snapshot` or else to the newest one.
    /// Plans are cached by (shape of the workspace, session, statement), so Prepare, GetFlightInfo and DoGet plan once.
    ///
    /// # Errors
    /// `InvalidInput` for text that does not parse or plan, `Forbidden` for a role that may not query, `Conflict` when
    /// `snapshot` is no longer held.
    pub async fn prepare(
        &self,
        caller: &Caller,
        session: &SessionOptions,
        sql: &str,
        snapshot: Option<SnapshotId>,
    ) -> Result<Prepared> {
        let prepared = self.planned(caller, session, sql, snapshot).await?;
        request::note_statement(prepared.kind.as_str(), sql);
        Ok(prepared)
    }

    async fn planned(
        &self,
        caller: &Caller,
        session: &SessionOptions,
        sql: &str,
        snapshot: Option<SnapshotId>,
    ) -> Result<Prepared> {
        caller.check_can_query()?;
        let binding = self.bind(caller, snapshot).await?;
        let key = (session.clone(), sql.to_owned(), Vec::new());
        let statement = match binding.plans.get(&key) {
            Some(statement) => statement,
            None => {
                let statement = Arc::new(self.panics.contain(self.plan(&binding, session, sql)).await?);
                binding.remember(key, &statement);
                statement
            }
        };
        match (&statement.of_rules, &statement.kind) {
            (Some(_), _) => caller.check_can_change_identity_rules()?,
            (None, StatementKind::Update) => caller.check_can_write_tables()?,
            (None, _) => {}
        }
        Ok(Prepared { statement, binding })
    }

    /// Runs a planned statement with its parameters. Time and memory limits hold for this execution alone. The rows have
    /// the columns that [`Engine::prepare_for`] tells for these parameters.
    ///
    /// # Errors
    /// `Busy` when a limit is reached, here or later in the stream.
    pub async fn execute(
        &self,
        caller: &Caller,
        session: &SessionOptions,
        prepared: &Prepared,
        parameters: Vec<ScalarValue>,
    ) -> Result<Execution> {
        caller.check_can_query()?;
        if prepared.kind == StatementKind::Update {
            return self.change(caller, session, prepared, vec![parameters], Once::default()).await;
        }
        if prepared.plan.is_none() {
            // The session of the protocol has changed already: there are no rows.
            let stream = EmptyRecordBatchStream::new(Arc::clone(&prepared.schema));
            return Ok(Execution { stream: Box::pin(stream) });
        }
        let query = self.history.start(caller, &prepared.sql);
        let outcome = self.panics.contain(self.start(session, prepared, parameters, &query)).await;
        match outcome {
            Ok(started) => Ok(started.into_execution(&self.settings.query, query)),
            Err(error) => {
                query.fail(&error);
                Err(error)
            }
        }
    }

    /// All tables that the caller may see, ordered by schema and name.
    pub async fn tables(&self, caller: &Caller) -> Result<Vec<TableEntry>> {
        caller.check_can_query()?;
        let binding = self.bind(caller, None).await?;
        let mut entries: Vec<TableEntry> = binding
            .tables
            .iter()
            .map(|shown| TableEntry {
                catalog: caller.workspace.to_string(),
                schema: shown.schema.to_owned(),
                name: shown.name.clone(),
                kind: shown.kind,
                columns: Arc::clone(&shown.columns),
            })
            .collect();
        entries.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
        Ok(entries)
    }

    /// The last statements of the caller's workspace, oldest first.
    pub fn queries(&self, caller: &Caller) -> Vec<QueryRecord> {
        self.history.records(&caller.workspace)
    }

    async fn start(
        &self,
        session: &SessionOptions,
        prepared: &Prepared,
        values: Vec<ScalarValue>,
        query: &RunningQuery,
    ) -> Result<Started> {
        let started = Instant::now();
        let seconds = self.settings.query.seconds;
        let deadline = started + Duration::from_secs(seconds);
        let place = self.place(deadline).await?;
        query.run();
        let prepared = self.prepare_for(session, prepared, std::slice::from_ref(&values)).await?;
        let binding = &prepared.binding;
        let plan = self.bound_plan(session, &prepared, &values, deadline).await?;
        let stop = Stop::default();
        let attempt = Attempt { state: binding.session(session), plan, stop: stop.clone() };
        let (shared, memory, limit) =
            (Arc::clone(&self.runtime), Arc::clone(&self.memory), self.settings.query.memory.0);
        let context = move |state: &SessionState| {
            let pool = Arc::new(StatementPool::new(limit, Arc::clone(&memory)));
            Ok(TaskContext::from(state).with_runtime(runtime::with_pool(&shared, pool)?))
        };
        let start = self.threads.run(async move { Ok(attempt.start(context).await?) });
        let stream = match timeout_at(deadline, start).await.map_err(|_| out_of_time(seconds))? {
            Ok(stream) => stream,
            Err(error) => return Err(damage::name(error, &binding.workspace, &binding.snapshot).await),
        };
        let stream = promise::with_names(stream, &prepared.schema);
        let stream = damage::named(stream, &binding.workspace, &binding.snapshot);
        let stream = QueryThreads::stream(&self.threads, stream, stop.clone());
        Ok(Started { started, place, stream, stop })
    }

    /// A place among the statements that run at once.
    pub(super) async fn place(&self, deadline: Instant) -> Result<OwnedSemaphorePermit> {
        self.places.take(deadline).await
    }

    /// The runtime of all with a statement's own memory.
    pub(super) fn statement_runtime(&self) -> Result<Arc<RuntimeEnv>> {
        let pool = StatementPool::new(self.settings.query.memory.0, Arc::clone(&self.memory));
        runtime::with_pool(&self.runtime, Arc::new(pool))
    }
}

/// A statement that has begun.
pub(super) struct Started {
    pub(super) started: Instant,
    pub(super) place: OwnedSemaphorePermit,
    pub(super) stream: SendableRecordBatchStream,
    pub(super) stop: Stop,
}

impl Started {
    pub(super) fn into_execution(self, settings: &QuerySettings, query: RunningQuery) -> Execution {
        Execution {
            stream: Box::pin(LimitedStream::new(self.stream, self.started, settings, query, self.stop, self.place)),
        }
    }
}
