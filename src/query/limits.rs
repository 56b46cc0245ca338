//! Limits of one running statement: time, rows, and its place among those that run at once.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result as DfResult;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use futures::{Future, Stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};

use super::history::RunningQuery;
use super::stop::Stop;
use crate::error::Error;
use crate::settings::QuerySettings;

/// A result stream that ends at its deadline or at its last allowed row, counts what it yields, and holds its place
/// until it is dropped.
pub(super) struct LimitedStream {
    inner: SendableRecordBatchStream,
    deadline: Pin<Box<Sleep>>,
    seconds: u64,
    /// Most rows; 0 is no limit.
    rows: u64,
    query: RunningQuery,
    stop: Stop,
    _place: OwnedSemaphorePermit,
}

impl LimitedStream {
    pub(super) fn new(
        inner: SendableRecordBatchStream,
        started: Instant,
        settings: &QuerySettings,
        query: RunningQuery,
        stop: Stop,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let (seconds, rows) = (settings.seconds, settings.rows);
        let deadline = Box::pin(tokio::time::sleep_until(started + Duration::from_secs(seconds)));
        Self { inner, deadline, seconds, rows, query, stop, _place: place }
    }

    /// Ends the statement with an error.
    fn break_off(&mut self, error: Error) -> Poll<Option<DfResult<RecordBatch>>> {
        self.stop.set();
        self.query.fail(&error);
        Poll::Ready(Some(Err(error.into())))
    }
}

/// What a statement is told at its deadline.
pub(super) fn out_of_time(seconds: u64) -> Error {
    Error::busy(format!("the statement ran longer than {seconds} s (setting query.seconds): narrow it down"))
}

fn too_many_rows(rows: u64) -> Error {
    Error::busy(format!(
        "the result has more than {rows} rows (setting query.rows): aggregate, filter, or end the statement with LIMIT {rows}"
    ))
}

impl Stream for LimitedStream {
    type Item = DfResult<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.deadline.as_mut().poll(cx).is_ready() {
            let error = out_of_time(self.seconds);
            return self.break_off(error);
        }
        let next = Pin::new(&mut self.inner).poll_next(cx);
        match &next {
            Poll::Ready(Some(Ok(batch))) => {
                let rows = self.query.count(batch);
                if self.rows > 0 && rows > self.rows {
                    let error = too_many_rows(self.rows);
                    return self.break_off(error);
                }
            }
            Poll::Ready(Some(Err(error))) => self.query.fail(error),
            Poll::Ready(None) => self.query.finish(),
            Poll::Pending => {}
        }
        next
    }
}

impl RecordBatchStream for LimitedStream {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }
}
