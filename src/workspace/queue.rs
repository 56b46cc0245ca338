//! Events of many senders wait here for the writer, who makes one record of all that wait: while one is being made durable,
//! the next ones gather.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::append::{BatchResults, MOST_EVENTS, NewEvents, refuse};
use super::memory::WorkspaceMemory;
use super::shared_budget::{Reservation, Share};
use super::state::Workspace;
use crate::error::Error;

/// Events take as many bytes at least.
const LEAST_BYTES: usize = 1 << 10;

/// Events of one record, unless one sender alone has more bytes.
const RECORD_BYTES: usize = 8 << 20;

pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Memory for those that wait.
    space: Arc<Share>,
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
    answer: oneshot::Sender<BatchResults>,
    _space: Reservation,
}

/// The answer that the events of one sender get.
pub struct Answer {
    results: oneshot::Receiver<BatchResults>,
    batches: usize,
}

impl Answer {
    /// A result for each batch. Its errors are those of [`super::writer::Writer::append`]; one that a load under way has
    /// messages of is refused alone.
    pub async fn wait(self) -> BatchResults {
        let Self { results, batches } = self;
        let broken = || refuse(&Error::internal("the writer of the workspace broke off"), batches);
        results.await.unwrap_or_else(|_| broken())
    }
}

impl Queue {
    pub(super) fn new(memory: &WorkspaceMemory) -> Self {
        Self { waiting: Mutex::default(), space: Arc::clone(&memory.waiting_events) }
    }
}

impl Workspace {
    /// Hands events of about so many bytes over to the writer. They become durable behind those that were handed over
    /// before, whether anybody waits for the answer or not.
    pub async fn enqueue(self: &Arc<Self>, events: NewEvents, bytes: usize) -> Answer {
        let space = self.queue().space.reserve(bytes.max(LEAST_BYTES)).await;
        let (answer, results) = oneshot::channel();
        let batches = events.batches.len();
        let mut waiting = self.queue().waiting.lock();
        waiting.requests.push_back(Request { events, bytes, answer, _space: space });
        if !std::mem::replace(&mut waiting.is_led, true) {
            tokio::spawn(lead(Leader { workspace: Arc::clone(self), has_ended: false }));
        }
        Answer { results, batches }
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
        let writer = match workspace.make_room().await {
            Ok(()) => workspace.writer_of_records().await,
            Err(error) => Err(error),
        };
        let group = workspace.queue().waiting.lock().take_group();
        let parts = |request: Request| {
            let batches = request.events.batches.len();
            (request.events, (request.answer, batches, request._space))
        };
        let (events, answers): (Vec<_>, Vec<_>) = group.into_iter().map(parts).unzip();
        let outcome = match writer {
            Ok(mut writer) => writer.append_group(events).await,
            Err(error) => Err(error),
        };
        workspace.flush_if_due();
        match outcome {
            Ok(results) => {
                answers.into_iter().zip(results).for_each(|((answer, ..), results)| drop(answer.send(results)));
            }
            Err(error) => {
                answers.into_iter().for_each(|(answer, batches, _)| drop(answer.send(refuse(&error, batches))));
            }
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
