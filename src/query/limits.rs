//! Limits of one statement: memory, time, and its place among those that run at once.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use futures::{Future, Stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};

use super::history::RunningQuery;
use super::stop::Stop;
use crate::error::Error;

/// The memory of one statement: its own fair share, inside that of the server.
#[derive(Debug)]
pub(super) struct StatementPool {
    own: FairSpillPool,
    limit: usize,
    shared: Arc<dyn MemoryPool>,
}

impl StatementPool {
    pub(super) fn new(limit: usize, shared: Arc<dyn MemoryPool>) -> Self {
        Self { own: FairSpillPool::new(limit), limit, shared }
    }
}

impl fmt::Display for StatementPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatementPool({} bytes)", self.limit)
    }
}

impl MemoryPool for StatementPool {
    fn name(&self) -> &str {
        "statement"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.own.register(consumer);
        self.shared.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.own.unregister(consumer);
        self.shared.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.own.grow(reservation, additional);
        self.shared.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.own.shrink(reservation, shrink);
        self.shared.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> DfResult<()> {
        self.own.try_grow(reservation, additional).map_err(|_| {
            DataFusionError::ResourcesExhausted(format!(
                "the statement needs more than its {} MiB of memory (setting query.memory): select fewer rows or \
                 columns, or group before joining",
                self.limit >> 20
            ))
        })?;
        self.shared.try_grow(reservation, additional).map_err(|_| {
            self.own.shrink(reservation, additional);
            DataFusionError::ResourcesExhausted(
                "the memory for statements is taken by others now (setting query.pool_memory): try again later"
                    .to_owned(),
            )
        })
    }

    fn reserved(&self) -> usize {
        self.own.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}

/// A result stream that ends at its deadline, counts what it yields, and holds its place until it is dropped.
pub(super) struct LimitedStream {
    inner: SendableRecordBatchStream,
    deadline: Pin<Box<Sleep>>,
    seconds: u64,
    query: RunningQuery,
    stop: Stop,
    _place: OwnedSemaphorePermit,
}

impl LimitedStream {
    pub(super) fn new(
        inner: SendableRecordBatchStream,
        started: Instant,
        seconds: u64,
        query: RunningQuery,
        stop: Stop,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let deadline = Box::pin(tokio::time::sleep_until(started + Duration::from_secs(seconds)));
        Self { inner, deadline, seconds, query, stop, _place: place }
    }
}

/// What a statement is told at its deadline.
pub(super) fn out_of_time(seconds: u64) -> Error {
    Error::busy(format!("the statement ran longer than {seconds} s (setting query.seconds): narrow it down"))
}

impl Stream for LimitedStream {
    type Item = DfResult<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.deadline.as_mut().poll(cx).is_ready() {
            let error = out_of_time(self.seconds);
            self.stop.set();
            self.query.fail(&error);
            return Poll::Ready(Some(Err(error.into())));
        }
        let next = Pin::new(&mut self.inner).poll_next(cx);
        match &next {
            Poll::Ready(Some(Ok(batch))) => self.query.count(batch),
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
