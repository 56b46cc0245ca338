//! A hash join holds one side in memory and cannot spill. Where that is too much for a statement that has sent no row
//! yet, it is run again with joins that sort both sides, and sorts spill.

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::context::SessionState;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{StreamExt, TryStreamExt, stream};

use super::stop::{self, Stop};

/// DataFusion plans no sorting join for one partition.
const LEAST_PARTITIONS: usize = 2;

/// What a statement is run from, once or twice.
pub(super) struct Attempt {
    pub(super) state: SessionState,
    pub(super) plan: LogicalPlan,
    pub(super) stop: Stop,
}

impl Attempt {
    /// Starts the statement; `context` makes a context with fresh memory for each attempt.
    pub(super) async fn start(
        self,
        context: impl Fn(&SessionState) -> DfResult<TaskContext> + Send + 'static,
    ) -> DfResult<SendableRecordBatchStream> {
        let physical = self.physical().await?;
        let may_run_again = has_hash_join(&physical);
        let schema = physical.schema();
        let mut rows = execute_stream(physical, Arc::new(context(&self.state)?))?;
        if !may_run_again {
            return Ok(rows);
        }
        let rows = stream::once(async move {
            let first = rows.next().await;
            match first {
                Some(Err(error)) if is_out_of_memory(&error) => {
                    drop(rows);
                    tracing::debug!("a hash join needs too much memory: the statement runs again with sorting joins");
                    self.with_sorting_joins().rows(context).await.map_err(|_| error)
                }
                first => Ok(stream::iter(first).chain(rows).boxed()),
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows.try_flatten())))
    }

    async fn physical(&self) -> DfResult<Arc<dyn ExecutionPlan>> {
        stop::stoppable(self.state.create_physical_plan(&self.plan).await?, &self.stop)
    }

    fn with_sorting_joins(mut self) -> Self {
        let options = self.state.config_mut().options_mut();
        options.optimizer.prefer_hash_join = false;
        options.execution.target_partitions = options.execution.target_partitions.max(LEAST_PARTITIONS);
        self
    }

    async fn rows(
        self,
        context: impl Fn(&SessionState) -> DfResult<TaskContext>,
    ) -> DfResult<stream::BoxStream<'static, DfResult<arrow::record_batch::RecordBatch>>> {
        let physical = self.physical().await?;
        Ok(execute_stream(physical, Arc::new(context(&self.state)?))?.boxed())
    }
}

fn has_hash_join(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.name() == "HashJoinExec" || plan.children().into_iter().any(has_hash_join)
}

fn is_out_of_memory(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}
