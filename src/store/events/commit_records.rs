//! Records of all commits up to a version, as one object: they outlive the entries of the log that hold them.

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::path::Path;

use super::table::CommitRecord;
use crate::error::{Error, Kind, RUN_CHECK, Result};
use crate::store::{objects, paths};

/// A commit record with its version.
pub(super) type Numbered = (u64, CommitRecord);

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("version", DataType::Int64, false),
        // JSON as in `commitInfo`, so that a new field needs no new format.
        Field::new("record", DataType::Utf8, false),
    ]))
}

/// Writes the records of all commits up to `version`, unless they are there.
pub(super) async fn write(store: &dyn ObjectStore, version: u64, commits: &[Numbered]) -> Result<()> {
    let texts: Vec<String> =
        commits.iter().map(|(_, record)| serde_json::to_string(record)).collect::<Result<_, _>>()?;
    let batch = RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(commits.iter().map(|(version, _)| Some(*version as i64)).collect::<Int64Array>()),
            Arc::new(StringArray::from_iter_values(texts)),
        ],
    )?;
    let bytes = objects::encode_parquet(schema(), &[batch])?;
    match objects::create(store, &paths::loads_in_workspace(version), bytes).await {
        Err(error) if error.kind() != Kind::Conflict => Err(error),
        _ => Ok(()),
    }
}

/// Versions with such an object, ascending.
pub(super) async fn versions(store: &Arc<dyn ObjectStore>) -> Result<Vec<u64>> {
    let found: Vec<_> = store.list(Some(&Path::from(paths::EVENTS_LOADS))).try_collect().await?;
    let mut versions: Vec<u64> = found.iter().filter_map(|object| paths::loads_version(&object.location)).collect();
    versions.sort_unstable();
    Ok(versions)
}

/// # Errors
/// `Corrupt` when the object is not what [`write`] writes.
pub(super) async fn read(store: &Arc<dyn ObjectStore>, version: u64) -> Result<Vec<Numbered>> {
    let path = paths::loads_in_workspace(version);
    let damaged = |why: &str| Error::corrupt(format!("object '{path}' {why}")).with_help(RUN_CHECK);
    let bytes = objects::read(store, &path).await?.ok_or_else(|| damaged("is missing"))?;
    let batches = objects::decode_parquet(bytes).map_err(|error| damaged(&format!("cannot be read ({error})")))?;
    let mut commits = Vec::new();
    for batch in batches {
        let versions = batch.column_by_name("version").and_then(|column| column.as_primitive_opt::<Int64Type>());
        let records = batch.column_by_name("record").and_then(|column| column.as_string_opt::<i32>());
        let (Some(versions), Some(records)) = (versions, records) else {
            return Err(damaged("has other columns than commit records"));
        };
        for (version, record) in versions.values().iter().zip(records.iter().flatten()) {
            let record = serde_json::from_str(record).map_err(|error| damaged(&error.to_string()))?;
            commits.push((version.unsigned_abs(), record));
        }
    }
    Ok(commits)
}
