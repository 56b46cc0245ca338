//! From a statement's text to its logical plan, for all states of a shape.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::DFSchemaRef;
use datafusion::execution::context::{SQLOptions, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement as DfStatement;

use super::binding::Binding;
use super::engine::{Engine, PlannedStatement, StatementKind};
use super::parameters::{Parameters, has_parameter, take_stand_ins};
use super::rules::logical::{RuleContext, apply_to_written};
use super::session::SessionOptions;
use super::statement::{self, FunctionKinds, Parsed, RulesStatement, Written, input_names};
use super::write::{self, Change};
use super::{promise, suggest, table_functions};
use crate::error::{Error, Result};

impl PlannedStatement {
    fn without_plan(sql: &str, kind: StatementKind, schema: SchemaRef) -> Self {
        Self {
            sql: sql.to_owned(),
            kind,
            schema,
            parameters: Parameters::default(),
            plan: None,
            of_rules: None,
            plan_again: false,
            planned_for: None,
        }
    }
}

impl Engine {
    pub(super) async fn plan(
        &self,
        binding: &Binding,
        session: &SessionOptions,
        sql: &str,
    ) -> Result<PlannedStatement> {
        let (written, count) = match statement::parse(sql)? {
            Parsed::Query { written, parameters } => (written, parameters),
            Parsed::SetTimeZone(name) => {
                let kind = StatementKind::SetSession(session.with_time_zone(&name)?);
                return Ok(PlannedStatement::without_plan(sql, kind, Arc::new(Schema::empty())));
            }
            Parsed::IdentityRules(replace @ RulesStatement::Replace(_)) => {
                let planned = PlannedStatement::without_plan(sql, StatementKind::Update, write::count_schema());
                return Ok(PlannedStatement { of_rules: Some(replace), ..planned });
            }
            Parsed::IdentityRules(RulesStatement::Show) => {
                // The shape of the workspace has the revision of its rules: this holds as long as the plan is kept.
                let rules = binding.snapshot.rules.rulebook.to_text().replace('\'', "''");
                let shown = Box::pin(self.plan(binding, session, &format!("SELECT '{rules}' AS rules"))).await?;
                return Ok(PlannedStatement { sql: sql.to_owned(), of_rules: Some(RulesStatement::Show), ..shown });
            }
        };
        let is_of_the_moment = written.is_of_the_moment();
        let planned = self.plan_open(binding, session, *written, count).await?;
        let (assumed, zone) = (planned.assumed.as_ref(), binding.zone(session));
        let (parameters, all_in_plan) = Parameters::of(&planned.plan, count, assumed, zone)?;
        // A parameter of a table function may stand elsewhere, too.
        let plan_again = !all_in_plan || planned.in_table_function || is_of_the_moment;
        let (state, plan) = (planned.state, planned.plan);
        let (kind, schema) = match write::is_change(&plan) {
            true => {
                // Refused here, not when it runs.
                Change::of(&plan, binding, session)?;
                (StatementKind::Update, write::count_schema())
            }
            // Who binds values that do not fit in is told so when they are bound.
            false if count > 0 => (StatementKind::Query, promise::columns_unbound(&state, &plan)),
            false => (StatementKind::Query, promise::columns(&state, &plan)?),
        };
        let (sql, plan) = (sql.to_owned(), Some(plan));
        Ok(PlannedStatement { sql, kind, schema, parameters, plan, plan_again, planned_for: None, of_rules: None })
    }

    /// The analysed plan of a statement, refused where it is not what a user may run.
    pub(super) async fn logical_plan(
        &self,
        binding: &Binding,
        state: &SessionState,
        session: &SessionOptions,
        written: Written,
    ) -> Result<LogicalPlan> {
        if let Some(query) = written.described_query() {
            let described = Box::pin(self.logical_plan(binding, state, session, query)).await?;
            // What the query is refused for without parameters, no value of a parameter will mend.
            let columns = match has_parameter(&described)? {
                true => promise::columns_unbound(state, &described),
                false => promise::columns(state, &described)?,
            };
            return promise::description(columns);
        }
        let changes = statement::changes(&written.statement);
        let plan = take_stand_ins(statement_plan(binding, state, session, written).await?, state)?;
        // What the grammar of SELECT still hides, such as SELECT INTO.
        let reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        match write::is_change(&plan) && changes {
            true => plan.inputs().into_iter().try_for_each(|input| reads.verify_plan(input))?,
            false => reads.verify_plan(&plan)?,
        }
        let context = rule_context(binding, session);
        for subquery in table_functions::subqueries_of(&plan)? {
            reads.verify_plan(&subquery)?;
            apply_to_written(Arc::unwrap_or_clone(subquery), &context)?;
        }
        apply_to_written(plan, &context)
    }
}

/// The plan of a statement that the planner does in full, or an error.
async fn statement_plan(
    binding: &Binding,
    state: &SessionState,
    session: &SessionOptions,
    mut written: Written,
) -> Result<LogicalPlan> {
    written.rewrite(&|name| binding.columns_of(name, session), &FunctionKinds::of(state))?;
    for replaced in written.replaced() {
        if let Some(tables) = columns_of_tables(state, replaced.question.clone()).await {
            replaced.check(&tables)?;
        }
    }
    let questions = written.questions();
    let statement = written.statement;
    if questions.is_empty() {
        return plan_in_full(binding, state, session, &statement).await;
    }
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        answers.push(columns_of_tables(state, question).await);
    }
    let mut bound = statement.clone();
    if input_names::bind(&mut bound, answers).is_ok()
        && let Ok(plan) = plan_in_full(binding, state, session, &bound).await
    {
        return Ok(plan);
    }
    // What is wrong beside the names is told first.
    plan_in_full(binding, state, session, &statement).await.and_then(|_| Err(input_names::refusal()))
}

/// The columns of the tables that `SELECT *` is from; `None` where it does not plan.
async fn columns_of_tables(state: &SessionState, question: DfStatement) -> Option<DFSchemaRef> {
    let all = state.statement_to_plan(question).await.ok()?;
    all.inputs().first().map(|tables| Arc::clone(tables.schema()))
}

async fn plan_in_full(
    binding: &Binding,
    state: &SessionState,
    session: &SessionOptions,
    statement: &DfStatement,
) -> Result<LogicalPlan> {
    let columns_of = |name: &_| binding.columns_of(name, session);
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
    Err(suggest::planning_error(error, statement, state, &binding.table_names))
}

/// What the rules over plans know of the session.
pub(super) fn rule_context(binding: &Binding, session: &SessionOptions) -> RuleContext<'static> {
    RuleContext::new(binding.zone(session).name())
}
