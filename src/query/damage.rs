//! A statement that met damaged data says which object it is.
//!
//! Most errors name it already; one from inside the Parquet decoder does not, and the file is looked for then.

use std::sync::Arc;
use std::time::Duration;

use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use crate::error::{Error, Kind, RUN_CHECK};
use crate::store::delta::verify;
use crate::store::events::{self, Order};
use crate::store::tables;
use crate::workspace::{Snapshot, Workspace};

/// How long the damaged file is looked for.
const LOOKING: Duration = Duration::from_secs(20);

/// The stream with errors that name the object.
pub(super) fn named(
    stream: SendableRecordBatchStream,
    workspace: &Arc<Workspace>,
    snapshot: &Arc<Snapshot>,
) -> SendableRecordBatchStream {
    let schema = stream.schema();
    let (workspace, snapshot) = (Arc::clone(workspace), Arc::clone(snapshot));
    let named = stream.then(move |item| {
        let (workspace, snapshot) = (Arc::clone(&workspace), Arc::clone(&snapshot));
        async move {
            match item {
                Ok(batch) => Ok(batch),
                Err(error) => Err(name(error, &workspace, &snapshot).await.into()),
            }
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, named))
}

/// The error with the name of the object that it is about, if that is damage.
pub(super) async fn name(error: impl Into<Error>, workspace: &Workspace, snapshot: &Snapshot) -> Error {
    let ours = error.into();
    // One with help is ours, and names what is damaged.
    if ours.kind() != Kind::Corrupt || ours.help().is_some() {
        return ours;
    }
    let found = tokio::time::timeout(LOOKING, damaged_file(workspace, snapshot)).await.ok().flatten();
    let named = found.unwrap_or_else(|| format!("a data file is damaged ({})", ours.message()));
    // Without its source: DataFusion would take the innermost error for what is to be said.
    tracing::warn!(error = %ours, "damaged data");
    Error::corrupt(named).with_help(RUN_CHECK)
}

async fn damaged_file(workspace: &Workspace, snapshot: &Snapshot) -> Option<String> {
    let events = (events::file_layout(Order::AsLoaded), Arc::clone(&snapshot.events.files));
    let of_users = snapshot.tables.tables.values().filter_map(|table| {
        Some((tables::file_layout(table.folder, &table.columns).ok()?, Arc::clone(&table.live.files)))
    });
    let all: Vec<_> = std::iter::once(events).chain(of_users).collect();
    for (layout, files) in &all {
        for file in files.iter() {
            let Ok(verified) = verify(&workspace.store(), layout, file).await else { continue };
            if let Some(fault) = verified.faults.first() {
                let path = layout.location(&file.path);
                return Some(format!("object '{path}' {fault}"));
            }
        }
    }
    None
}
