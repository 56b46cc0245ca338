//! A table whose rows are made batch by batch from what is in memory, when a query reads it.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::Result as DfResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::stream;

use crate::error::Result;
use crate::query::pinned_state::pinned;
use crate::workspace::Snapshot;

/// Rows made at once.
pub(super) const BATCH_ROWS: usize = 8_192;

pub(super) type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// Makes the batches of a table; called once for each query that reads it.
pub(super) struct Rows {
    schema: SchemaRef,
    make: Box<dyn Fn(&Snapshot) -> Batches + Send + Sync>,
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rows")
    }
}

impl PartitionStream for Rows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        match pinned(context.session_config().options()) {
            Ok(state) => {
                let batches = (self.make)(state).map(|batch| -> DfResult<RecordBatch> { Ok(batch?) });
                Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(batches)))
            }
            Err(error) => Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter([Err(error)]))),
        }
    }
}

/// The table; `make` gets the state that the query reads.
pub(super) fn table(
    schema: SchemaRef,
    make: impl Fn(&Snapshot) -> Batches + Send + Sync + 'static,
) -> Result<Arc<dyn TableProvider>> {
    let rows = Rows { schema: Arc::clone(&schema), make: Box::new(make) };
    Ok(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(rows)])?))
}
