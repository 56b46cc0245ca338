//! The threads that statements run on, apart from those that answer the network.
//!
//! Some operators compute for long without giving way (a join by nested loops, for one). Here they hold up at most
//! other statements; the deadline, the drop of a stream and the next caller are still served.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use futures::{FutureExt, Stream, StreamExt};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::panics::{Panics, request_id};
use super::stop::Stop;
use crate::error::{Error, Result};

/// Finished batches that wait for the client.
const BATCHES_AHEAD: usize = 2;
/// Recursive plans are deep.
const STACK_BYTES: usize = 32 << 20;

/// A runtime of its own. More threads than cores, so that one that does not give way leaves room for others.
pub(super) struct QueryThreads {
    handle: Handle,
    panics: Panics,
    /// Its drop tells the runtime's owner to end it.
    _kept: oneshot::Sender<()>,
}

impl QueryThreads {
    /// The runtime is owned by a thread that does nothing but end it. The end waits for all threads, which must not be
    /// done on a thread of another runtime; and not to wait is no choice: glibc before 2.41 reads the memory of a
    /// thread that ends while it is being detached (its bug 19951), which is gone at once where stacks are this large.
    pub(super) fn new(concurrency: usize, panics: Panics) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(cores + concurrency.min(cores)).thread_name("query").thread_stack_size(STACK_BYTES);
        let (started, start) = std::sync::mpsc::channel();
        let (kept, dropped) = oneshot::channel::<()>();
        std::thread::Builder::new().name("query owner".to_owned()).spawn(move || {
            match builder.enable_all().build() {
                Ok(runtime) => {
                    started.send(Ok(runtime.handle().clone())).ok();
                    dropped.blocking_recv().ok();
                }
                Err(error) => drop(started.send(Err(error))),
            }
        })?;
        let handle = start.recv().map_err(|_| Error::internal("the threads of statements did not start"))?;
        Ok(Self { handle: handle?, panics, _kept: kept })
    }

    /// Runs work of a statement here.
    ///
    /// # Errors
    /// `Internal` when the work panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let task = self.handle.spawn(work);
        let _cancel = AbortOnDrop(task.abort_handle());
        match task.await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => Err(self.panics.note(panic.as_ref(), request_id())),
                Err(_) => Err(Error::internal("the statement broke off: the server is stopping")),
            },
        }
    }

    /// Moves the work of a stream here; dropping the returned stream ends it.
    pub(super) fn stream(
        threads: &Arc<Self>,
        mut inner: SendableRecordBatchStream,
        stop: Stop,
    ) -> SendableRecordBatchStream {
        let schema = inner.schema();
        let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
        let (panics, request) = (threads.panics.clone(), request_id());
        let task = threads.handle.spawn(async move {
            let broken = sender.clone();
            let pump = async move {
                while let Some(batch) = inner.next().await {
                    if sender.send(Some(batch)).await.is_err() {
                        return;
                    }
                }
                sender.send(None).await.ok();
            };
            // Without this a panic would look like the end of the rows.
            if let Err(panic) = std::panic::AssertUnwindSafe(pump).catch_unwind().await {
                let error = panics.note(panic.as_ref(), request);
                broken.send(Some(Err(error.into()))).await.ok();
            }
        });
        let threads = Arc::clone(threads);
        Box::pin(Pumped {
            schema,
            receiver,
            stop,
            ended: false,
            _cancel: AbortOnDrop(task.abort_handle()),
            _threads: threads,
        })
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Pumped {
    schema: SchemaRef,
    /// `None` marks the end: a channel that closes without it broke off.
    receiver: mpsc::Receiver<Option<DfResult<RecordBatch>>>,
    stop: Stop,
    ended: bool,
    _cancel: AbortOnDrop,
    /// The threads live as long as a stream does.
    _threads: Arc<QueryThreads>,
}

impl Drop for Pumped {
    fn drop(&mut self) {
        self.stop.set();
    }
}

impl Stream for Pumped {
    type Item = DfResult<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = match self.receiver.poll_recv(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(next)) => next,
            Poll::Ready(None) => {
                Some(Err(DataFusionError::Internal("the statement broke off: the server is stopping".to_owned())))
            }
        };
        self.ended = !matches!(next, Some(Ok(_)));
        Poll::Ready(next)
    }
}

impl RecordBatchStream for Pumped {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

#[cfg(test)]
mod tests;
