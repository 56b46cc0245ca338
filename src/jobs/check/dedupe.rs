//! The dedupe runs that commits name: message ids and batch keys that were stored, which the log holds no more.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::Report;
use crate::error::{Kind, Result};
use crate::store::dedupe::verify_run;

/// What helps against a run that is damaged.
const REBUILD: &str = "the next writer that needs it makes it anew from the stored events; batches that were answered \
                       before are then known by their message ids, not by their keys";

/// Reads the runs at these paths below the workspace.
pub(super) async fn check(
    store: &Arc<dyn ObjectStore>,
    runs: &[&str],
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<()> {
    for run in runs {
        let path = Path::from(*run);
        let outcome = verify_run(store, &path).await;
        let size = store.head(&path).await.map_or(0, |head| head.size);
        report.looked_at(size);
        match outcome {
            Ok(()) => {}
            Err(error) if error.kind() == Kind::Corrupt => {
                report.fault(&format!("{prefix}{run}"), error.what(), REBUILD);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
