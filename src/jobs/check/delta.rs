//! The log of any Delta table: no version missing, every entry readable; and the files that it says are live.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::Value;

use super::{RESTORE, Report};
use crate::error::Result;
use crate::store::delta::{LogObjects, path_of};
use crate::store::objects;
use crate::store::paths::LogObject;

/// Size and row count of a live file, as far as the log has them.
pub(super) type LiveFiles = BTreeMap<String, (Option<u64>, Option<u64>)>;

/// Checks the log of the table in `table` and replays it; `None` where the beginning is in a checkpoint only.
pub(super) async fn check_log(
    store: &Arc<dyn ObjectStore>,
    table: &Path,
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<Option<LiveFiles>> {
    let log = LogObjects::new(Arc::clone(store), table.clone());
    let entries = log.list().await?;
    let (mut live, mut next, mut checkpoint) = (LiveFiles::new(), None, None);
    let mut complete = true;
    for entry in &entries {
        let path = format!("{prefix}{}", entry.path);
        let size = store.head(&entry.path).await.map_or(0, |head| head.size);
        let version = match entry.kind {
            LogObject::Entry(version) => version,
            LogObject::Checkpoint(version) => {
                checkpoint = checkpoint.max(Some(version));
                continue;
            }
        };
        report.looked_at(size);
        complete &= next.is_some() || version == 0;
        let expected: u64 = next.unwrap_or(version);
        if expected != version {
            complete = false;
            report.fault(&path, format!("comes after version {}: versions between are missing", expected - 1), RESTORE);
        }
        next = Some(version + 1);
        match log.actions(&entry.path).await {
            Ok(actions) => actions.iter().for_each(|action| replay(action, &mut live)),
            Err(error) => {
                complete = false;
                report.fault(&path, error.message().replace(&format!("object '{}' ", entry.path), ""), RESTORE);
            }
        }
    }
    let first = entries.iter().find_map(|entry| match entry.kind {
        LogObject::Entry(version) => Some(version),
        LogObject::Checkpoint(_) => None,
    });
    if first.is_some_and(|first| first > 0 && checkpoint.is_none_or(|checkpoint| checkpoint + 1 < first)) {
        report.fault(&format!("{prefix}{table}"), "has lost the first versions of its log", RESTORE);
    }
    Ok(complete.then_some(live))
}

fn replay(action: &Value, live: &mut LiveFiles) {
    if let Some(path) = path_of(action, "remove") {
        live.remove(&path);
    }
    if let Some(path) = path_of(action, "add") {
        let add = &action["add"];
        let statistics: Option<Value> = add["stats"].as_str().and_then(|text| serde_json::from_str(text).ok());
        live.insert(path, (add["size"].as_u64(), statistics.and_then(|stats| stats["numRecords"].as_u64())));
    }
}

/// Reads the live files of a table.
pub(super) async fn check_files(
    store: &Arc<dyn ObjectStore>,
    table: &Path,
    live: LiveFiles,
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<()> {
    for (file, (size, rows)) in live {
        let location = Path::from(format!("{table}/{file}"));
        let path = format!("{prefix}{location}");
        let Some(bytes) = objects::read(store, &location).await? else {
            report.fault(&path, "is missing", RESTORE);
            continue;
        };
        report.looked_at(bytes.len() as u64);
        if size.is_some_and(|size| size != bytes.len() as u64) {
            report.fault(&path, format!("has {} bytes, the log says {}", bytes.len(), size.unwrap_or(0)), RESTORE);
        }
        let read = tokio::task::spawn_blocking(move || objects::decode_parquet(bytes)).await;
        match read {
            Ok(Ok(batches)) => {
                let found: usize = batches.iter().map(|batch| batch.num_rows()).sum();
                if rows.is_some_and(|rows| rows != found as u64) {
                    let what = format!("has {found} rows, the log says {}", rows.unwrap_or(0));
                    report.fault(&path, what, RESTORE);
                }
            }
            Ok(Err(error)) => report.fault(&path, format!("cannot be read as Parquet ({error})"), RESTORE),
            Err(_) => report.fault(&path, "makes the Parquet reader break off", RESTORE),
        }
    }
    Ok(())
}
