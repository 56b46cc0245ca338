//! The dedupe runs that commits name: message ids and batch keys that were stored, which the log holds no more.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::{Report, without_help};
use crate::error::{Kind, Result};
use crate::store::dedupe::Run;

/// What helps against a run that is damaged.
const REBUILD: &str = "restore it from a backup: without it, events that are sent again may be stored twice";

/// Reads the runs at these paths below the workspace.
pub(super) async fn check(
    store: &Arc<dyn ObjectStore>,
    runs: &[&str],
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<()> {
    for run in runs {
        let path = Path::from(*run);
        let outcome = verify(store, &path).await;
        let size = store.head(&path).await.map_or(0, |head| head.size);
        report.looked_at(size);
        match outcome {
            Ok(()) => {}
            Err(error) if error.kind() == Kind::Corrupt => {
                report.fault(&format!("{prefix}{run}"), without_help(&error), REBUILD);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn verify(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<()> {
    let run = Run::open(Arc::clone(store), path.clone()).await?;
    Arc::new(run).verify().await
}
