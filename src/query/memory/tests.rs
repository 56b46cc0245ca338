use datafusion::execution::memory_pool::GreedyMemoryPool;

use super::*;

/// A pool of 1000 bytes, for statements of at most 900.
fn shared() -> Arc<SharedMemory> {
    Arc::new(SharedMemory::new(Arc::new(GreedyMemoryPool::new(1000)), 1000))
}

fn statement(shared: &Arc<SharedMemory>) -> (Arc<dyn MemoryPool>, MemoryReservation) {
    let pool: Arc<dyn MemoryPool> = Arc::new(StatementPool::new(900, Arc::clone(shared)));
    let reservation = MemoryConsumer::new("test").register(&pool);
    (pool, reservation)
}

#[test]
fn one_statement_alone_has_the_pool_up_to_its_limit() {
    let shared = shared();
    let (_pool, one) = statement(&shared);
    one.try_grow(900).unwrap();
    let message = one.try_grow(1).unwrap_err().to_string();
    assert!(message.contains("query.memory"), "{message}");
    assert_eq!(shared.used(), 900);
}

#[test]
fn beyond_its_share_a_statement_leaves_a_share_free() {
    let shared = shared();
    let (_one_pool, one) = statement(&shared);
    let others: Vec<_> = (0..3).map(|_| statement(&shared)).collect();
    // Four sharers: 250 each. 750 leave one share free.
    one.try_grow(750).unwrap();
    let message = one.try_grow(1).unwrap_err().to_string();
    assert!(message.contains("query.pool_memory"), "{message}");
    assert_eq!(shared.used(), 750, "what was refused is not held");
    others[0].1.try_grow(250).unwrap();
}

#[test]
fn a_statement_that_ended_shares_no_more() {
    let shared = shared();
    let (_one_pool, one) = statement(&shared);
    let (other_pool, other) = statement(&shared);
    other.try_grow(400).unwrap();
    assert!(one.try_grow(600).is_err(), "it would leave nothing free, and is beyond its half");
    drop((other, other_pool));
    one.try_grow(600).unwrap();
}
