use bytes::Bytes;

use super::super::cache::BlockCache;

#[test]
fn the_budget_holds_and_what_is_used_stays() {
    let cache = BlockCache::new(20_000);
    let block = Bytes::from(vec![7; 1000]);
    cache.insert((1, 0), &block);
    for number in 1..200 {
        cache.insert((1, number), &block);
        assert!(cache.bytes() <= 20_000, "{} bytes", cache.bytes());
        assert_eq!(cache.get((1, 0)), Some(block.clone()), "used each time");
    }
    assert_eq!(cache.get((1, 100)), None, "not used for long");
    assert_eq!(cache.get((2, 199)), None, "another run");
    assert_eq!(cache.get((1, 199)), Some(block.clone()));
    cache.clear();
    assert_eq!((cache.bytes(), cache.get((1, 199))), (0, None));
}

#[test]
fn a_block_that_comes_twice_counts_once() {
    let cache = BlockCache::new(20_000);
    let block = Bytes::from(vec![7; 1000]);
    cache.insert((1, 0), &block);
    let once = cache.bytes();
    cache.insert((1, 0), &block);
    assert_eq!(cache.bytes(), once);
}

#[test]
fn what_is_larger_than_the_budget_is_not_kept() {
    for budget in [0, 1500] {
        let cache = BlockCache::new(budget);
        cache.insert((1, 0), &Bytes::from(vec![7; 1000]));
        assert_eq!((cache.bytes(), cache.get((1, 0))), (0, None));
    }
}
