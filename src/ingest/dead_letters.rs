//! Rejected rows of a load, kept with reason and raw text in one object that the load's commit names.

use std::sync::{Arc, LazyLock};

use arrow::array::{Int64Builder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::Utc;
use uuid::Uuid;

use crate::error::Result;
use crate::store::events::schema::instant;
use crate::store::objects;
use crate::workspace::Workspace;

/// Rows held before they are packed into a batch.
const BATCH_ROWS: usize = 8_192;

/// Columns of `system.dead_letters`.
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("received_at", instant(), false),
            Field::new("source", DataType::Utf8, false),
            Field::new("row", DataType::Int64, true),
            Field::new("reason", DataType::Utf8, false),
            Field::new("raw", DataType::Utf8, true),
        ]))
    });
    Arc::clone(&SCHEMA)
}

pub(super) struct DeadLetters {
    source: String,
    row: Int64Builder,
    reason: StringBuilder,
    raw: StringBuilder,
    rows: usize,
    batches: Vec<RecordBatch>,
}

impl DeadLetters {
    pub(super) fn new(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            row: Int64Builder::new(),
            reason: StringBuilder::new(),
            raw: StringBuilder::new(),
            rows: 0,
            batches: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, row: Option<i64>, reason: &str, raw: Option<&str>) -> Result<()> {
        self.row.append_option(row);
        self.reason.append_value(reason);
        self.raw.append_option(raw);
        self.rows += 1;
        if self.rows >= BATCH_ROWS { self.pack() } else { Ok(()) }
    }

    fn pack(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let received = vec![Utc::now().timestamp_micros(); rows];
        let source = StringArray::from_iter_values(std::iter::repeat_n(&self.source, rows));
        self.batches.push(RecordBatch::try_new(
            schema(),
            vec![
                Arc::new(TimestampMicrosecondArray::from(received).with_timezone("UTC")),
                Arc::new(source),
                Arc::new(self.row.finish()),
                Arc::new(self.reason.finish()),
                Arc::new(self.raw.finish()),
            ],
        )?);
        Ok(())
    }

    /// Writes the object, if there is anything in it, and returns its path below the workspace.
    pub(super) async fn write(&mut self, workspace: &Workspace, load: Uuid) -> Result<Option<String>> {
        if self.rows > 0 {
            self.pack()?;
        }
        if self.batches.is_empty() {
            return Ok(None);
        }
        let bytes = objects::encode_parquet(schema(), &std::mem::take(&mut self.batches))?;
        let path = crate::store::paths::dead_letters_in_workspace(load);
        objects::create(workspace.store().as_ref(), &path, bytes).await?;
        Ok(Some(path.to_string()))
    }
}
