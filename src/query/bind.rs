//! Statements with values in the place of their parameters.
//!
//! At Prepare nobody knows the types of parameters whose place tells none: the statement is planned without them, and
//! its columns are a guess. With values it is planned again for their types, and a client that binds before it asks for
//! the columns is told the right ones.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt};
use tokio::time::Instant;

use super::binding::Binding;
use super::engine::{Engine, Execution, PlannedStatement, Prepared, StatementKind};
use super::parameters::{Parameters, PlanningParameters, put_stand_ins};
use super::planning::rule_context;
use super::promise;
use super::rules::logical::apply_to_bound;
use super::session::{PlanKey, SessionOptions};
use super::statement::{self, Parsed, Written};
use crate::auth::Caller;
use crate::error::{Error, Result};

/// A statement as it was planned, with what is needed to look at it further.
pub(super) struct Planned {
    pub(super) state: SessionState,
    pub(super) plan: LogicalPlan,
    /// The type that parameters were taken to have; `None` where the plan stands without.
    pub(super) assumed: Option<DataType>,
    /// A parameter stands in the arguments of a table function.
    pub(super) in_table_function: bool,
}

impl Engine {
    /// The statement as planned for these rows of values, each with all its parameters: what the places of parameters
    /// leave open has the types of the values.
    ///
    /// # Errors
    /// `InvalidInput` for a wrong number of values, values that their places cannot take, or a statement that makes no
    /// sense with their types.
    pub async fn prepare_for(
        &self,
        session: &SessionOptions,
        prepared: &Prepared,
        rows: &[Vec<ScalarValue>],
    ) -> Result<Prepared> {
        let types = prepared.parameters.types_for(rows)?;
        let Some(first) = rows.first().filter(|row| !row.is_empty()) else { return Ok(prepared.clone()) };
        let open = types.iter().any(Option::is_some) || prepared.plan_again;
        if !open && types == prepared.parameters.types() || prepared.planned_for.as_ref() == Some(first) {
            return Ok(prepared.clone());
        }
        let untyped = Parameters::without_nulls(&types, rows);
        let may_be_untyped = untyped != types;
        match self.prepare_typed(session, prepared, types, rows).await {
            // A NULL is one of any type, whatever the client had to call it: `nullif(1, ?)`.
            Err(refused) if may_be_untyped => {
                self.prepare_typed(session, prepared, untyped, rows).await.map_err(|_| refused)
            }
            planned => planned,
        }
    }

    /// The statement as planned for types of its values, with the columns that the first row of them gives.
    async fn prepare_typed(
        &self,
        session: &SessionOptions,
        prepared: &Prepared,
        types: Vec<Option<DataType>>,
        rows: &[Vec<ScalarValue>],
    ) -> Result<Prepared> {
        let binding = &prepared.binding;
        let bound_to = |statement| Prepared { statement, binding: binding.clone() };
        let open = types.iter().any(Option::is_some) || prepared.plan_again;
        let typed = match prepared.plan_again {
            true => Arc::new(self.plan_for(session, prepared, types, rows.first()).await?),
            false => self.typed_plan(session, prepared, types).await?,
        };
        let Some(first) = rows.first().filter(|_| open && typed.kind == StatementKind::Query) else {
            return Ok(bound_to(typed));
        };
        // The columns may hang on a value, too: `round(net, ?)`.
        let Some(plan) = typed.plan.clone() else { return Ok(bound_to(typed)) };
        let bound = typed.parameters.bind(plan, first)?;
        let schema = promise::columns(&binding.session(session), &bound)?;
        // Another row may hold NULL where the first does not.
        let schema = if rows.len() > 1 { promise::nullable_as(&schema, &typed.schema) } else { schema };
        let planned_for = Some(first.clone());
        Ok(bound_to(Arc::new(PlannedStatement { schema, planned_for, ..typed.as_ref().clone() })))
    }

    /// Runs a planned query once for each row of parameters, one after the other; the results come in this order in one
    /// stream. Limits hold for each execution by itself.
    ///
    /// # Errors
    /// As [`Engine::execute`], of the first execution; those of the others come in the stream.
    pub async fn execute_each(
        &self,
        caller: &Caller,
        session: &SessionOptions,
        prepared: &Prepared,
        rows: Vec<Vec<ScalarValue>>,
    ) -> Result<Execution> {
        let mut rows = rows.into_iter();
        let first = self.execute(caller, session, prepared, rows.next().unwrap_or_default()).await?;
        if rows.len() == 0 {
            return Ok(first);
        }
        let (engine, caller, session, prepared) = (self.clone(), caller.clone(), session.clone(), prepared.clone());
        let others = futures::stream::iter(rows).then(move |row| {
            let (engine, caller, session, prepared) =
                (engine.clone(), caller.clone(), session.clone(), prepared.clone());
            async move {
                let execution =
                    engine.execute(&caller, &session, &prepared, row).await.map_err(DataFusionError::from)?;
                Ok::<_, DataFusionError>(execution.stream)
            }
        });
        let columns = first.stream.schema();
        let stream = first.stream.chain(others.try_flatten());
        Ok(Execution { stream: Box::pin(RecordBatchStreamAdapter::new(columns, stream)) })
    }

    /// The plan of the cache for the types.
    async fn typed_plan(
        &self,
        session: &SessionOptions,
        prepared: &Prepared,
        types: Vec<Option<DataType>>,
    ) -> Result<Arc<PlannedStatement>> {
        let binding = &prepared.binding;
        let key: PlanKey = (session.clone(), prepared.sql.clone(), types.clone());
        if let Some(typed) = binding.plans.get(&key) {
            return Ok(typed);
        }
        let typed = Arc::new(self.plan_for(session, prepared, types, None).await?);
        binding.remember(key, &typed);
        Ok(typed)
    }

    /// Plans a statement for types of values, or for the values themselves.
    async fn plan_for(
        &self,
        session: &SessionOptions,
        prepared: &Prepared,
        types: Vec<Option<DataType>>,
        row: Option<&Vec<ScalarValue>>,
    ) -> Result<PlannedStatement> {
        let parameters = prepared.parameters.with_types(types);
        let planning = match row {
            Some(row) => PlanningParameters::bound(parameters.types().to_vec(), parameters.arrange(row)?),
            None => PlanningParameters::typed(parameters.types().to_vec()),
        };
        let planned = self.plan_with(&prepared.binding, session, parsed_again(&prepared.sql)?, planning).await?;
        let schema = match prepared.kind {
            StatementKind::Query => promise::columns_unbound(&planned.state, &planned.plan),
            _ => Arc::clone(&prepared.schema),
        };
        let planned_for = row.cloned();
        let plan = Some(planned.plan);
        Ok(PlannedStatement { parameters, schema, plan, planned_for, ..prepared.statement.as_ref().clone() })
    }

    /// Plans a statement of which nobody knows the values. What cannot be planned without types is planned with those
    /// that parameters most often have: to run, it is planned again.
    pub(super) async fn plan_open(
        &self,
        binding: &Binding,
        session: &SessionOptions,
        written: Written,
        count: usize,
    ) -> Result<Planned> {
        if count == 0 {
            return self.plan_with(binding, session, written, PlanningParameters::default()).await;
        }
        let refused = match self.plan_with(binding, session, written.clone(), PlanningParameters::default()).await {
            Err(refused) => refused,
            planned => return planned,
        };
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let list = DataType::new_list(DataType::Int64, true);
        // Beside an instant: `ts + ?`.
        let length = DataType::Duration(TimeUnit::Microsecond);
        for assumed in [DataType::Float64, DataType::Int64, DataType::Utf8, instant, length, DataType::Binary, list] {
            let planning = PlanningParameters::typed(vec![Some(assumed.clone()); count]);
            if let Ok(planned) = self.plan_with(binding, session, written.clone(), planning).await {
                // Table functions of DataFusion take whole numbers and no others.
                let assumed = if planned.in_table_function { DataType::Int64 } else { assumed };
                return Ok(Planned { assumed: Some(assumed), ..planned });
            }
        }
        Err(refused)
    }

    async fn plan_with(
        &self,
        binding: &Binding,
        session: &SessionOptions,
        mut written: Written,
        parameters: PlanningParameters,
    ) -> Result<Planned> {
        let mut state = binding.session(session);
        put_stand_ins(&parameters, &mut state, &mut written.statement)?;
        let parameters = Arc::new(parameters);
        state.config_mut().set_extension(Arc::clone(&parameters));
        let plan = self.logical_plan(binding, &state, session, written).await?;
        Ok(Planned { state, plan, assumed: None, in_table_function: parameters.in_table_function() })
    }

    /// The plan with a row of values in it, those of the subqueries of table functions included. The statement must
    /// have been planned for values of these types.
    pub(super) async fn bound_plan(
        &self,
        session: &SessionOptions,
        prepared: &Prepared,
        row: &[ScalarValue],
        deadline: Instant,
    ) -> Result<LogicalPlan> {
        let plan = self.with_parameters(session, prepared, row).await?;
        self.with_subquery_values(&prepared.binding, session, plan, deadline).await
    }

    async fn with_parameters(
        &self,
        session: &SessionOptions,
        prepared: &Prepared,
        row: &[ScalarValue],
    ) -> Result<LogicalPlan> {
        let mut plan = prepared.plan.clone().ok_or_else(|| Error::invalid("this statement yields no rows"))?;
        let (parameters, binding) = (&prepared.parameters, &prepared.binding);
        if prepared.plan_again && prepared.planned_for.as_deref() != Some(row) {
            let planning = PlanningParameters::bound(parameters.types().to_vec(), parameters.arrange(row)?);
            plan = self.plan_with(binding, session, parsed_again(&prepared.sql)?, planning).await?.plan;
        }
        apply_to_bound(parameters.bind(plan, row)?, &rule_context(binding, session))
    }
}

fn parsed_again(sql: &str) -> Result<Written> {
    match statement::parse(sql)? {
        Parsed::Query { written, .. } => Ok(*written),
        Parsed::SetTimeZone(_) | Parsed::IdentityRules(_) => {
            Err(Error::internal("a planned query is no query any more"))
        }
    }
}
