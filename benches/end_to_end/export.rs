//! What both engines read besides the events table: the shop as an input file, and the person of each identifier.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::Schema;
use convoke::ingest::input;
use convoke::shop::Shop;
use convoke::workspace::Workspace;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

/// Columns of an input batch that no file of a user has.
const INTERNAL: [&str; 3] = ["row", "reject_reason", "raw"];
/// Batches of 8,192 rows in a row group.
const ROW_GROUP_BATCHES: usize = 16;

/// A written input file.
pub struct Input {
    pub rows: u64,
    pub bytes: u64,
}

/// All events of the shop as one Parquet file whose columns are event fields.
pub fn write_shop(shop: &Shop, path: &Path) -> anyhow::Result<Input> {
    let schema = input::schema();
    let columns: Vec<usize> =
        (0..schema.fields().len()).filter(|at| !INTERNAL.contains(&schema.field(*at).name().as_str())).collect();
    let mut writer = writer(path, &schema.project(&columns)?)?;
    let mut rows = 0;
    for (number, batch) in shop.batches().enumerate() {
        let batch = batch?.project(&columns)?;
        rows += batch.num_rows() as u64;
        writer.write(&batch)?;
        if number % ROW_GROUP_BATCHES == ROW_GROUP_BATCHES - 1 {
            writer.flush()?;
        }
    }
    writer.close()?;
    Ok(Input { rows, bytes: std::fs::metadata(path)?.len() })
}

/// (node, id_type, id_value, person): what DuckDB needs in place of the identity graph.
pub fn write_nodes(workspace: &Workspace, path: &Path) -> anyhow::Result<()> {
    let identity = workspace.snapshot().identity.clone();
    let batch = identity.node_rows(0..identity.nodes())?;
    let mut writer = writer(path, &batch.schema())?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}

/// A Parquet file as users hand it over.
pub fn writer(path: &Path, schema: &Schema) -> anyhow::Result<ArrowWriter<File>> {
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    Ok(ArrowWriter::try_new(File::create(path)?, Arc::new(schema.clone()), Some(properties))?)
}
