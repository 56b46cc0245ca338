//! One source of events in, one commit out.

use arrow::record_batch::RecordBatch;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::auth::Caller;
use crate::error::{Error, Result};

/// What is loaded: travels as JSON in the descriptor of a `DoPut` (path `ingest`), too.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoadRequest {
    /// Name of the source as the user knows it, such as a file's path.
    pub source: String,
    /// Hash of the source's content and of how it is read: the same hash is loaded once.
    pub content_hash: String,
    /// Loads the same content once more, as new events.
    pub again: bool,
}

/// What one load did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LoadSummary {
    pub read: u64,
    pub kept: u64,
    pub rejected: u64,
    /// The same content was loaded before: nothing was done.
    pub skipped: bool,
    pub seconds: f64,
    /// Version of the events table that holds the rows.
    pub version: u64,
}

/// Loads events into workspaces. Cheap to clone.
#[derive(Clone)]
pub struct Loader {}

impl Loader {
    /// Loads all rows of `batches` (of [`super::input::schema`]) in one commit: all of them or none.
    pub async fn load(
        &self,
        caller: &Caller,
        _request: LoadRequest,
        _batches: BoxStream<'_, Result<RecordBatch>>,
    ) -> Result<LoadSummary> {
        caller.check_can_ingest()?;
        Err(Error::internal("stub"))
    }
}
