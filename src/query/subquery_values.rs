//! Scalar subqueries in the arguments of table functions: they run before the statement, at its snapshot and within its
//! limits, and their values stand in the plan then.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::execution::TaskContext;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use futures::StreamExt;
use futures::future::BoxFuture;
use tokio::time::{Instant, timeout_at};

use super::binding::Binding;
use super::damage;
use super::engine::Engine;
use super::limits::out_of_time;
use super::planning::rule_context;
use super::rules::logical::{apply_to_bound, apply_to_written};
use super::session::SessionOptions;
use super::spilling_join::Attempt;
use super::stop::{Stop, StopOnDrop};
use super::table_functions::{DeferredTable, constant, deferred_in, put_in};
use crate::error::{Error, Result};

impl Engine {
    /// The plan with every table function in it called with the values of its subqueries.
    ///
    /// # Errors
    /// `InvalidInput` for a subquery of more than one row, `Busy` when a limit of the statement is reached.
    pub(super) fn with_subquery_values<'a>(
        &'a self,
        binding: &'a Binding,
        session: &'a SessionOptions,
        mut plan: LogicalPlan,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<LogicalPlan>> {
        // Boxed: a subquery may call a table function with a subquery itself.
        Box::pin(async move {
            while let Some(provider) = deferred_in(&plan)? {
                let Some(deferred) = provider.downcast_ref::<DeferredTable>() else { break };
                let state = binding.session(session);
                let mut arguments = Vec::new();
                for argument in &deferred.arguments {
                    let mut values = Vec::new();
                    for subquery in argument.plans()? {
                        values.push(self.scalar(binding, session, subquery.as_ref().clone(), deadline).await?);
                    }
                    arguments.push(constant(&state, argument.with_values(values)?)?);
                }
                plan = put_in(plan, deferred, &deferred.table(&arguments)?)?;
            }
            Ok(plan)
        })
    }

    /// The one value of a subquery; NULL when it has no row.
    async fn scalar(
        &self,
        binding: &Binding,
        session: &SessionOptions,
        subquery: LogicalPlan,
        deadline: Instant,
    ) -> Result<ScalarValue> {
        let context = rule_context(binding, session);
        let subquery = apply_to_bound(apply_to_written(subquery, &context)?, &context)?;
        let subquery = self.with_subquery_values(binding, session, subquery, deadline).await?;
        // The second row is only read to refuse it.
        let plan = LogicalPlanBuilder::from(subquery).limit(0, Some(2))?.build()?;
        let attempt = Attempt { state: binding.session(session), plan, stop: Stop::default() };
        let _over = StopOnDrop(attempt.stop.clone());
        let runtime = self.statement_runtime()?;
        let context = move |state: &SessionState| Ok(TaskContext::from(state).with_runtime(Arc::clone(&runtime)));
        let work = self.threads.run(async move {
            let mut rows = attempt.start(context).await?;
            let mut values = Vec::new();
            while let Some(batch) = rows.next().await {
                let batch = batch?;
                for row in 0..batch.num_rows() {
                    values.push(ScalarValue::try_from_array(batch.column(0), row)?);
                }
            }
            Ok(values)
        });
        let outcome = timeout_at(deadline, work).await;
        let values = match outcome {
            Err(_) => return Err(out_of_time(self.settings.query.seconds)),
            Ok(Err(error)) => return Err(damage::name(error, &binding.workspace, &binding.snapshot).await),
            Ok(Ok(values)) => values,
        };
        match <[ScalarValue; 1]>::try_from(values) {
            Ok([value]) => Ok(value),
            Err(values) if values.is_empty() => Ok(ScalarValue::Null),
            Err(_) => Err(Error::invalid(
                "a scalar subquery in an argument of a table function yields more than one row: aggregate it, or end it \
                 with LIMIT 1",
            )),
        }
    }
}
