//! Rules of identity stitching by statement: shown, and replaced while the server runs.

use std::sync::Arc;
use std::time::Duration;

use datafusion::common::DataFusionError;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use tokio::time::Instant;

use super::once::Once;
use super::run::{count_batch, count_schema};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::query::engine::{Engine, Execution, Prepared, Started};
use crate::query::history::RunningQuery;
use crate::query::stop::Stop;
use crate::query::threads::QueryThreads;
use crate::workspace::Workspace;

impl Engine {
    /// Makes the rules of `text` those of the workspace. It yields one row: how many rulebooks were changed, 0 where these
    /// rules were in force already.
    pub(in crate::query) async fn replace_identity_rules(
        &self,
        caller: &Caller,
        prepared: &Prepared,
        text: Arc<str>,
        once: Once,
    ) -> Result<Execution> {
        caller.check_can_change_identity_rules()?;
        let query = self.history.start(caller, &prepared.sql);
        match self.panics.contain(self.start_rules(prepared, text, once, &query)).await {
            Ok(started) => Ok(started.into_execution(&self.settings.query, query)),
            Err(error) => {
                query.fail(&error);
                Err(error)
            }
        }
    }

    async fn start_rules(
        &self,
        prepared: &Prepared,
        text: Arc<str>,
        once: Once,
        query: &RunningQuery,
    ) -> Result<Started> {
        let started = Instant::now();
        let place = self.place(started + Duration::from_secs(self.settings.query.seconds)).await?;
        query.run();
        let workspace = Arc::clone(&prepared.binding.workspace);
        let work = async move {
            let mut turn = once.turn().await;
            if let Some(count) = *turn {
                return count_batch(count);
            }
            // Brought to its end whoever goes away.
            let change = tokio::spawn(async move {
                let changed = replace(&workspace, &text).await?;
                *turn = Some(u64::from(changed));
                count_batch(u64::from(changed))
            });
            change.await.map_err(|error| Error::internal(format!("changing identity rules: {error}")))?
        };
        let work = futures::stream::once(async move { work.await.map_err(DataFusionError::from) });
        let stop = Stop::default();
        let stream = Box::pin(RecordBatchStreamAdapter::new(count_schema(), work));
        let stream = QueryThreads::stream(&self.threads, stream, stop.clone());
        Ok(Started { started, place, stream, stop })
    }
}

async fn replace(workspace: &Arc<Workspace>, text: &str) -> Result<bool> {
    workspace.writer().await?.change_identity_rules(text).await
}
