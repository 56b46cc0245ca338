use std::time::Duration;

use super::*;

fn seeded(seed: u64) -> Clock {
    // 2024-02-29T00:00:00Z by `date -d 2024-02-29Z +%s`.
    Clock::seeded(seed, DateTime::from_timestamp(1_709_164_800, 0).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_seed_gives_the_same_times_and_ids_again() {
    let (one, same, other) = (seeded(7), seeded(7), seeded(8));
    tokio::time::advance(Duration::from_millis(1_500)).await;
    assert_eq!(one.now().to_rfc3339(), "2024-02-29T00:00:01.500+00:00");
    assert_eq!((one.now_seconds(), one.now_micros()), (1_709_164_801, 1_709_164_801_500_000));
    let ids = |clock: &Clock| Vec::from_iter((0..10_000).map(|_| clock.new_id()));
    let given = ids(&one);
    assert_eq!(given, ids(&same));
    assert_ne!(given, ids(&other));
    assert!(given.is_sorted_by(|id, next| id < next), "ids of one millisecond are in their order");
    assert!(given.iter().all(|id| id.get_version_num() == 7));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_goes_on_from_there() {
    let clock = seeded(7);
    let same = clock.clone();
    clock.jump(TimeDelta::days(-2));
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(same.now().to_rfc3339(), "2024-02-27T00:01:00+00:00");
    same.jump(TimeDelta::days(4));
    assert_eq!(clock.now().to_rfc3339(), "2024-03-02T00:01:00+00:00");
}
