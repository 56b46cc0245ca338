//! Events of many senders wait here for the writer, who makes one record of all that wait: while one is being made durable,
//! the next ones gather.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::append::{MOST_EVENTS, NewEvents};
use super::flush::FLUSH_BUFFER;
use super::hot::AppendResult;
use super::state::Workspace;
use crate::error::{Error, Result};

/// Bytes of events that may wait; who has more waits before it hands them over.
const WAITING_BYTES: usize = 128 << 20;

/// Bytes that one permit stands for.
const PERMIT_BYTES: usize = 1 << 10;

/// Events of one record, unless one sender alone has more bytes.
const RECORD_BYTES: usize = 8 << 20;

/// Bytes of rows in the log beyond which nothing more is written until they are in files.
const MOST_HOT_BYTES: usize = 512 << 20;

pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    space: Arc<Semaphore>,
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Request>,
    /// There is a task that takes them.
    is_led: bool,
}

struct Request {
    events: NewEvents,
    bytes: usize,
    answer: oneshot::Sender<Result<Vec<AppendResult>>>,
    _space: OwnedSemaphorePermit,
}

/// The answer that the events of one sender get: a result for each batch.
pub struct Answer(oneshot::Receiver<Result<Vec<AppendResult>>>);

impl Answer {
    /// # Errors
    /// As [`super::writer::Writer::append`].
    pub async fn wait(self) -> Result<Vec<AppendResult>> {
        self.0.await.unwrap_or_else(|_| Err(Error::internal("the writer of the workspace broke off")))
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self { waiting: Mutex::default(), space: Arc::new(Semaphore::new(WAITING_BYTES / PERMIT_BYTES)) }
    }
}

impl Workspace {
    /// Hands events of about so many bytes over to the writer. They become durable behind those that were handed over
    /// before, whether anybody waits for the answer or not.
    ///
    /// # Errors
    /// `Internal` when the process ends.
    pub async fn enqueue(self: &Arc<Self>, events: NewEvents, bytes: usize) -> Result<Answer> {
        let permits = bytes.div_ceil(PERMIT_BYTES).clamp(1, WAITING_BYTES / PERMIT_BYTES);
        let space = Arc::clone(&self.queue().space).acquire_many_owned(permits as u32).await;
        let space = space.map_err(|_| Error::internal("the queue of the writer has ended"))?;
        let (answer, answered) = oneshot::channel();
        let mut waiting = self.queue().waiting.lock();
        waiting.requests.push_back(Request { events, bytes, answer, _space: space });
        if !std::mem::replace(&mut waiting.is_led, true) {
            tokio::spawn(lead(Leader { workspace: Arc::clone(self), has_ended: false }));
        }
        Ok(Answer(answered))
    }
}

/// The right to take what waits. Where its task breaks off, those who wait are told so.
struct Leader {
    workspace: Arc<Workspace>,
    /// Nothing waits, and others may lead by now.
    has_ended: bool,
}

impl Leader {
    /// Whether nothing waits: the task is to end then.
    fn ends(&mut self) -> bool {
        let mut waiting = self.workspace.queue().waiting.lock();
        self.has_ended = waiting.requests.is_empty();
        if self.has_ended {
            // Under the lock: who comes now finds nobody and begins anew.
            waiting.is_led = false;
        }
        self.has_ended
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if !self.has_ended {
            let mut waiting = self.workspace.queue().waiting.lock();
            waiting.is_led = false;
            waiting.requests.clear();
        }
    }
}

async fn lead(mut leader: Leader) {
    let workspace = Arc::clone(&leader.workspace);
    while !leader.ends() {
        // Should rows come faster than they are brought into files, their senders wait.
        let has_room = match workspace.snapshot().hot.bytes() < MOST_HOT_BYTES {
            true => Ok(()),
            false => workspace.flush(FLUSH_BUFFER).await.map(|_| ()),
        };
        let writer = match has_room {
            Ok(()) => workspace.writer_of_records().await,
            Err(error) => Err(error),
        };
        let group = workspace.queue().waiting.lock().take_group();
        let (events, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|request| (request.events, (request.answer, request._space))).unzip();
        let outcome = match writer {
            Ok(mut writer) => writer.append_group(events).await,
            Err(error) => Err(error),
        };
        workspace.flush_if_due();
        match outcome {
            Ok(results) => answers.into_iter().zip(results).for_each(|((answer, _), result)| drop(answer.send(result))),
            Err(error) => answers.into_iter().for_each(|(answer, _)| drop(answer.send(Err(error.repeat())))),
        }
    }
}

impl Waiting {
    /// Those that become one record. Two of one batch key do not: the second one gets the first one's answer.
    fn take_group(&mut self) -> Vec<Request> {
        let mut group: Vec<Request> = Vec::new();
        let mut keys = HashSet::new();
        let (mut events, mut bytes) = (0, 0);
        while let Some(next) = self.requests.front() {
            let is_full = events + next.events.keys.len() > MOST_EVENTS || bytes + next.bytes > RECORD_BYTES;
            let repeats = next.events.key.is_some_and(|key| !keys.insert(key));
            if repeats || (is_full && !group.is_empty()) {
                break;
            }
            events += next.events.keys.len();
            bytes += next.bytes;
            group.extend(self.requests.pop_front());
        }
        group
    }
}
