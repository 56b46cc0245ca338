//! Memory of statements: a limit for each, a fair share of the server's pool for all that run.
//!
//! A share is what each would have if one more statement came. Up to it a statement gets what is free; beyond it, only as
//! long as a whole share stays free for the one to come. Then its sorts and aggregates spill.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// The pool of the server, with the count of those who share it.
#[derive(Debug)]
pub(super) struct SharedMemory {
    pool: Arc<dyn MemoryPool>,
    size: usize,
    statements: AtomicUsize,
}

impl SharedMemory {
    pub(super) fn new(pool: Arc<dyn MemoryPool>, size: usize) -> Self {
        Self { pool, size, statements: AtomicUsize::new(0) }
    }

    pub(super) fn used(&self) -> usize {
        self.pool.reserved()
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    fn share(&self) -> usize {
        self.size / (self.statements.load(Ordering::Relaxed) + 1)
    }

    /// Whether a statement that holds `held` may take `additional` of it.
    fn has_room(&self, held: usize, additional: usize) -> bool {
        let share = self.share();
        held <= share || self.pool.reserved().saturating_add(additional) <= self.size - share
    }
}

/// The memory of one statement: its own limit, inside the pool of the server. It counts as a sharer while it lives.
#[derive(Debug)]
pub(super) struct StatementPool {
    own: FairSpillPool,
    limit: usize,
    shared: Arc<SharedMemory>,
}

impl StatementPool {
    pub(super) fn new(limit: usize, shared: Arc<SharedMemory>) -> Self {
        shared.statements.fetch_add(1, Ordering::Relaxed);
        Self { own: FairSpillPool::new(limit), limit, shared }
    }
}

impl Drop for StatementPool {
    fn drop(&mut self) {
        self.shared.statements.fetch_sub(1, Ordering::Relaxed);
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
        self.shared.pool.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.own.unregister(consumer);
        self.shared.pool.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.own.grow(reservation, additional);
        self.shared.pool.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.own.shrink(reservation, shrink);
        self.shared.pool.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> DfResult<()> {
        self.own.try_grow(reservation, additional).map_err(|_| {
            DataFusionError::ResourcesExhausted(format!(
                "the statement needs more than its {} MiB of memory (setting query.memory): select fewer rows or \
                 columns, or group before joining",
                self.limit >> 20
            ))
        })?;
        let granted = match self.shared.has_room(self.own.reserved(), additional) {
            true => self.shared.pool.try_grow(reservation, additional).is_ok(),
            false => false,
        };
        if granted {
            return Ok(());
        }
        self.own.shrink(reservation, additional);
        Err(DataFusionError::ResourcesExhausted(
            "the memory for statements is taken by others now (setting query.pool_memory): try again later".to_owned(),
        ))
    }

    fn reserved(&self) -> usize {
        self.own.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}

#[cfg(test)]
mod tests;
