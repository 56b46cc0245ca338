//! The one way from a SQL text to rows, whatever the protocol.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::{DFSchemaRef, ScalarValue};
use datafusion::execution::context::{SQLOptions, SessionState};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::EmptyRecordBatchStream;
use datafusion::sql::parser::Statement as DfStatement;
use parking_lot::Mutex;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::history::{History, QueryRecord, RunningQuery};
use super::limits::{LimitedStream, out_of_time};
use super::memory::{SharedMemory, StatementPool};
use super::panics::Panics;
use super::parameters::{Parameters, has_parameter, take_stand_ins};
use super::places::Places;
use super::rules::logical::{RuleContext, apply_to_written};
use super::session::{SessionOptions, Template, TemplateParts, Templates};
use super::spill_folder::SpillFolder;
use super::spilling_join::Attempt;
use super::statement::{self, FunctionKinds, Parsed, Written, input_names};
use super::stop::Stop;
use super::threads::QueryThreads;
use super::write::{self, Change, Once};
use super::{damage, promise, runtime, suggest, table_functions};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::request;
use crate::settings::{QuerySettings, Settings};
use crate::workspace::{SnapshotId, Workspaces};

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
    /// Statements that panicked so far.
    pub panics: u64,
}

/// A planned statement. `schema` is that of the logical plan, coerced and before optimisation: the promise to the client.
/// While parameters have no values it may be a guess: [`Engine::prepare_for`] makes it a promise.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub sql: String,
    pub kind: StatementKind,
    pub snapshot: SnapshotId,
    pub schema: SchemaRef,
    pub parameters: Parameters,
    /// `None` for a statement that only changes the session.
    pub(super) plan: Option<LogicalPlan>,
    /// Some parameter stands in a table function: binding means planning again.
    pub(super) plan_again: bool,
    /// The values that the schema holds for, and with `plan_again` the plan.
    pub(super) planned_for: Option<Vec<ScalarValue>>,
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

/// A statement at a state, with the types of the values that it is planned for.
pub(super) type PlanKey = (WorkspaceName, SnapshotId, SessionOptions, String, Vec<Option<DataType>>);

/// Plans and runs SQL. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(super) workspaces: Workspaces,
    pub(super) settings: Arc<Settings>,
    runtime: Arc<RuntimeEnv>,
    spill: SpillFolder,
    pub(super) threads: Arc<QueryThreads>,
    pub(super) history: History,
    templates: Arc<Templates>,
    plans: Arc<Mutex<HashMap<PlanKey, Arc<Prepared>>>>,
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
            history: History::default(),
            templates: Arc::default(),
            plans: Arc::default(),
            places: Arc::new(Places::new(&settings.query)),
            workspaces,
            settings,
            panics,
        })
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Memory, disk and queue as they are now.
    pub fn load(&self) -> EngineLoad {
        EngineLoad {
            queued: self.places.waiting(),
            memory_used: self.memory.used(),
            memory_limit: self.memory.size(),
            spill_used: self.spill.used(),
            panics: self.panics.count(),
        }
    }

    /// Plans `sql` for the caller, at `snapshot` or else at the newest one. Plans are cached by
    /// (workspace, session, statement, snapshot), so Prepare, GetFlightInfo and DoGet plan once.
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
    ) -> Result<Arc<Prepared>> {
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
    ) -> Result<Arc<Prepared>> {
        caller.check_can_query()?;
        let template = self.template(caller, snapshot).await?;
        let key = (caller.workspace.clone(), template.snapshot.id(), session.clone(), sql.to_owned(), Vec::new());
        if let Some(prepared) = self.cached_plan(&key) {
            return Ok(prepared);
        }
        let prepared = Arc::new(self.panics.contain(self.plan(&template, session, sql)).await?);
        if prepared.kind == StatementKind::Update {
            caller.check_can_write_tables()?;
        }
        self.cache_plan(key, &prepared);
        Ok(prepared)
    }

    pub(super) fn cached_plan(&self, key: &PlanKey) -> Option<Arc<Prepared>> {
        self.plans.lock().get(key).cloned()
    }

    pub(super) fn cache_plan(&self, key: PlanKey, prepared: &Arc<Prepared>) {
        let mut plans = self.plans.lock();
        if plans.len() >= self.settings.query.cached_plans {
            // All at once: plans of old snapshots go, and what is in use comes back with its next call.
            plans.clear();
        }
        plans.insert(key, Arc::clone(prepared));
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
        prepared: &Arc<Prepared>,
        parameters: Vec<ScalarValue>,
    ) -> Result<Execution> {
        caller.check_can_query()?;
        if prepared.plan.is_none() {
            // The session of the protocol has changed already: there are no rows.
            let stream = EmptyRecordBatchStream::new(Arc::clone(&prepared.schema));
            return Ok(Execution { stream: Box::pin(stream) });
        }
        if prepared.kind == StatementKind::Update {
            return self.change(caller, session, prepared, vec![parameters], Once::default()).await;
        }
        let query = self.history.start(caller, &prepared.sql);
        let outcome = self.panics.contain(self.start(caller, session, prepared, parameters, &query)).await;
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
        let template = self.template(caller, None).await?;
        let mut entries: Vec<TableEntry> = template
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

    pub(super) async fn template(&self, caller: &Caller, snapshot: Option<SnapshotId>) -> Result<Arc<Template>> {
        let workspace = self.workspaces.get(&caller.workspace).await?;
        let snapshot = match snapshot {
            Some(id) => workspace.snapshot_at(id)?,
            None => workspace.snapshot(),
        };
        let parts = TemplateParts {
            workspace: &workspace,
            settings: &self.settings,
            runtime: &self.runtime,
            history: &self.history,
        };
        self.templates.get(&parts, snapshot).await
    }

    async fn plan(&self, template: &Template, session: &SessionOptions, sql: &str) -> Result<Prepared> {
        let snapshot = template.snapshot.id();
        let (written, count) = match statement::parse(sql)? {
            Parsed::Query { written, parameters } => (written, parameters),
            Parsed::SetTimeZone(name) => {
                let kind = StatementKind::SetSession(session.with_time_zone(&name)?);
                return Ok(Prepared {
                    sql: sql.to_owned(),
                    kind,
                    snapshot,
                    schema: Arc::new(Schema::empty()),
                    parameters: Parameters::default(),
                    plan: None,
                    plan_again: false,
                    planned_for: None,
                });
            }
        };
        let planned = self.plan_open(template, session, *written, count).await?;
        let (assumed, zone) = (planned.assumed.as_ref(), template.zone(session));
        let (parameters, all_in_plan) = Parameters::of(&planned.plan, count, assumed, zone)?;
        // A parameter of a table function may stand elsewhere, too.
        let plan_again = !all_in_plan || planned.in_table_function;
        let (state, plan) = (planned.state, planned.plan);
        let (kind, schema) = match write::is_change(&plan) {
            true => {
                // Refused here, not when it runs.
                Change::of(&plan, template, session)?;
                (StatementKind::Update, write::count_schema())
            }
            // Who binds values that do not fit in is told so when they are bound.
            false if count > 0 => (StatementKind::Query, promise::columns_unbound(&state, &plan)),
            false => (StatementKind::Query, promise::columns(&state, &plan)?),
        };
        let (sql, plan) = (sql.to_owned(), Some(plan));
        Ok(Prepared { sql, kind, snapshot, schema, parameters, plan, plan_again, planned_for: None })
    }

    pub(super) async fn logical_plan(
        &self,
        template: &Template,
        state: &SessionState,
        session: &SessionOptions,
        written: Written,
    ) -> Result<LogicalPlan> {
        if let Some(query) = written.described_query() {
            let described = Box::pin(self.logical_plan(template, state, session, query)).await?;
            // What the query is refused for without parameters, no value of a parameter will mend.
            let columns = match has_parameter(&described)? {
                true => promise::columns_unbound(state, &described),
                false => promise::columns(state, &described)?,
            };
            return promise::description(columns);
        }
        let changes = statement::changes(&written.statement);
        let plan = take_stand_ins(statement_plan(template, state, session, written).await?, state)?;
        // What the grammar of SELECT still hides, such as SELECT INTO.
        let reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        match write::is_change(&plan) && changes {
            true => plan.inputs().into_iter().try_for_each(|input| reads.verify_plan(input))?,
            false => reads.verify_plan(&plan)?,
        }
        let context = rule_context(template, session);
        for subquery in table_functions::subqueries_of(&plan)? {
            reads.verify_plan(&subquery)?;
            apply_to_written(Arc::unwrap_or_clone(subquery), &context)?;
        }
        apply_to_written(plan, &context)
    }

    async fn start(
        &self,
        caller: &Caller,
        session: &SessionOptions,
        prepared: &Arc<Prepared>,
        values: Vec<ScalarValue>,
        query: &RunningQuery,
    ) -> Result<Started> {
        let started = Instant::now();
        let seconds = self.settings.query.seconds;
        let deadline = started + Duration::from_secs(seconds);
        let place = self.place(deadline).await?;
        query.run();
        let template = self.template(caller, Some(prepared.snapshot)).await?;
        let prepared = self.prepare_for(caller, session, prepared, std::slice::from_ref(&values)).await?;
        let plan = self.bound_plan(&template, session, &prepared, &values, deadline).await?;
        let stop = Stop::default();
        let attempt = Attempt { state: template.session(session), plan, stop: stop.clone() };
        let (shared, memory, limit) =
            (Arc::clone(&self.runtime), Arc::clone(&self.memory), self.settings.query.memory.0);
        let context = move |state: &SessionState| {
            let pool = Arc::new(StatementPool::new(limit, Arc::clone(&memory)));
            Ok(TaskContext::from(state).with_runtime(runtime::with_pool(&shared, pool)?))
        };
        let start = self.threads.run(async move { Ok(attempt.start(context).await?) });
        let stream = match timeout_at(deadline, start).await.map_err(|_| out_of_time(seconds))? {
            Ok(stream) => stream,
            Err(error) => return Err(damage::name(error, &template.workspace, &template.snapshot).await),
        };
        let stream = promise::with_names(stream, &prepared.schema);
        let stream = damage::named(stream, &template.workspace, &template.snapshot);
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

impl Prepared {
    pub(super) fn plan(&self) -> Option<&LogicalPlan> {
        self.plan.as_ref()
    }
}

/// The plan of a statement that the planner does in full, or an error.
async fn statement_plan(
    template: &Template,
    state: &SessionState,
    session: &SessionOptions,
    mut written: Written,
) -> Result<LogicalPlan> {
    written.rewrite(&|name| template.columns_of(name, session), &FunctionKinds::of(state))?;
    for replaced in written.replaced() {
        if let Some(tables) = columns_of_tables(state, replaced.question.clone()).await {
            replaced.check(&tables)?;
        }
    }
    let questions = written.questions();
    let statement = written.statement;
    if questions.is_empty() {
        return plan_in_full(template, state, session, &statement).await;
    }
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        answers.push(columns_of_tables(state, question).await);
    }
    let mut bound = statement.clone();
    if input_names::bind(&mut bound, answers).is_ok()
        && let Ok(plan) = plan_in_full(template, state, session, &bound).await
    {
        return Ok(plan);
    }
    // What is wrong beside the names is told first.
    plan_in_full(template, state, session, &statement).await.and_then(|_| Err(input_names::refusal()))
}

/// The columns of the tables that `SELECT *` is from; `None` where it does not plan.
async fn columns_of_tables(state: &SessionState, question: DfStatement) -> Option<DFSchemaRef> {
    let all = state.statement_to_plan(question).await.ok()?;
    all.inputs().first().map(|tables| Arc::clone(tables.schema()))
}

async fn plan_in_full(
    template: &Template,
    state: &SessionState,
    session: &SessionOptions,
    statement: &DfStatement,
) -> Result<LogicalPlan> {
    let columns_of = |name: &_| template.columns_of(name, session);
    let error = match state.statement_to_plan(statement.clone()).await {
        Ok(plan) => return Ok(plan),
        Err(error) => error,
    };
    let others: [&(dyn Fn() -> Option<DfStatement> + Sync); 7] = [
        &|| statement::mark(statement),
        &|| statement::mark_unread(statement),
        &|| statement::mark_unread(statement).and_then(|marked| statement::mark(&marked)),
        &|| statement::name_keys(statement, &columns_of),
        &|| statement::tell_apart(statement),
        &|| statement::tell_apart(statement).and_then(|apart| statement::mark(&apart)),
        &|| statement::as_factors(statement),
    ];
    for other in others.iter().filter_map(|write| write()) {
        if let Ok(plan) = state.statement_to_plan(other).await {
            return Ok(plan);
        }
    }
    for repair in statement::repairs(statement, &FunctionKinds::of(state)) {
        if state.statement_to_plan(repair.statement).await.is_ok() {
            return Err(Error::invalid(repair.advice));
        }
    }
    Err(suggest::planning_error(error, statement, state, &template.table_names))
}

/// What the rules over plans know of the session.
pub(super) fn rule_context(template: &Template, session: &SessionOptions) -> RuleContext<'static> {
    RuleContext::new(template.zone(session).name())
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
