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
fn a_statement_stays_below_its_limit() {
    let shared = Arc::new(SharedMemory::new(Arc::new(GreedyMemoryPool::new(2000)), 2000));
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
    // Four sharers and one to come: 200 each. 800 leave one share free.
    one.try_grow(800).unwrap();
    let message = one.try_grow(1).unwrap_err().to_string();
    assert!(message.contains("query.pool_memory"), "{message}");
    assert_eq!(shared.used(), 800, "what was refused is not held");
    others[0].1.try_grow(200).unwrap();
}

#[test]
fn a_statement_that_ended_shares_no_more() {
    let shared = shared();
    let (_one_pool, one) = statement(&shared);
    let (other_pool, other) = statement(&shared);
    other.try_grow(400).unwrap();
    assert!(one.try_grow(500).is_err(), "it is beyond its share, and would leave less than one free");
    drop((other, other_pool));
    one.try_grow(500).unwrap();
}
