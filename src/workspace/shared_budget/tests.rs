use futures::FutureExt;
use proptest::prelude::*;

use super::*;

const LIMIT: usize = 1_000;

fn reserve_now(share: &Arc<Share>, bytes: usize) -> Option<Reservation> {
    share.reserve(bytes).now_or_never()
}

#[test]
fn one_alone_has_all_of_it() {
    let budget = SharedBudget::new(LIMIT);
    let alone = &Arc::new(budget.share());
    let (first, second) = (reserve_now(alone, 500), reserve_now(alone, 500));
    assert!(first.is_some() && second.is_some() && budget.is_used_up());
    assert!(reserve_now(alone, 1).is_none());
    drop(first);
    assert!(reserve_now(alone, 500).is_some());
}

#[test]
fn who_needs_no_more_than_his_part_waits_for_nobody() {
    let budget = SharedBudget::new(LIMIT);
    let (large, small) = (&Arc::new(budget.share()), &Arc::new(budget.share()));
    // Half of the even half, and all that is common.
    let mut taken = vec![reserve_now(large, 250).unwrap(), reserve_now(large, 500).unwrap()];
    let (mut more, mut behind) = (Box::pin(large.reserve(10)), Box::pin(small.reserve(260)));
    assert!((&mut more).now_or_never().is_none() && (&mut behind).now_or_never().is_none());
    let own = reserve_now(small, 250).unwrap();
    assert_eq!(budget.bytes(), LIMIT);
    drop(own);
    // Now its own part is enough for all but ten bytes; for those it stands in line.
    assert!((&mut behind).now_or_never().is_none());
    taken.pop();
    // The one that came first is served first.
    assert!((&mut behind).now_or_never().is_none());
    let first = (&mut more).now_or_never().unwrap();
    let second = (&mut behind).now_or_never().unwrap();
    assert_eq!(budget.bytes(), 250 + 10 + 260);
    drop((first, second, taken));
    assert_eq!(budget.bytes(), 0);
}

#[test]
fn who_waits_takes_his_own_part_as_soon_as_it_is_enough() {
    let budget = SharedBudget::new(LIMIT);
    let (large, small) = (&Arc::new(budget.share()), &Arc::new(budget.share()));
    let _all = [reserve_now(large, 250).unwrap(), reserve_now(large, 500).unwrap()];
    let own = reserve_now(small, 200).unwrap();
    let (mut first, mut second) = (Box::pin(large.reserve(1)), Box::pin(small.reserve(100)));
    assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
    drop(own);
    assert!((&mut second).now_or_never().is_some(), "nothing that is common was given back");
    assert!((&mut first).now_or_never().is_none());
}

#[test]
fn more_than_there_ever_is_counts_as_all_that_is_common() {
    let budget = SharedBudget::new(LIMIT);
    let (large, _small) = (Arc::new(budget.share()), budget.share());
    assert!(reserve_now(&large, 10 * LIMIT).is_some());
}

#[test]
fn what_is_dropped_is_given_back() {
    let budget = SharedBudget::new(LIMIT);
    let (large, small) = (budget.share(), budget.share());
    large.set(900);
    assert!(budget.is_used_up() && !large.has_room());
    assert_eq!((small.allowance(), small.take_up_to(700)), (250, 250));
    drop(large);
    assert_eq!((budget.bytes(), budget.is_used_up(), small.allowance()), (250, false, LIMIT));
    let third = budget.share();
    assert_eq!((small.allowance(), small.spare_allowance(), third.allowance()), (750, 500, 750));
}

#[test]
fn one_that_is_too_large_has_no_room_and_takes_it_from_nobody_else() {
    let budget = SharedBudget::new(LIMIT);
    let (large, small) = (budget.share(), budget.share());
    large.set(5 * LIMIT);
    assert!(!large.has_room() && small.has_room());
    small.set(250);
    assert!(small.has_room());
    small.set(251);
    assert!(!small.has_room());
}

/// Which share, how many bytes, and whether it gives some back instead.
fn steps() -> impl Strategy<Value = Vec<(usize, usize, bool)>> {
    prop::collection::vec((0_usize..4, 0_usize..600, any::<bool>()), 1..60)
}

proptest! {
    /// The sum is counted here by itself.
    #[test]
    fn all_together_stay_within_the_limit(steps in steps()) {
        let budget = SharedBudget::new(LIMIT);
        let shares: Vec<_> = (0..4).map(|_| Arc::new(budget.share())).collect();
        let mut held: Vec<Vec<(usize, Reservation)>> = (0..4).map(|_| Vec::new()).collect();
        for (number, bytes, gives_back) in steps {
            if gives_back {
                held[number].pop();
            } else {
                let own: usize = held[number].iter().map(|(bytes, _)| bytes).sum();
                let reservation = shares[number].try_reserve(bytes, true);
                // An eighth of all is for each of the four.
                prop_assert!(reservation.is_some() || own + bytes > LIMIT / 8);
                held[number].extend(reservation.map(|reservation| (bytes, reservation)));
            }
            let sum: usize = held.iter().flatten().map(|(bytes, _)| bytes).sum();
            prop_assert!(sum <= LIMIT);
            prop_assert_eq!(sum, budget.bytes());
        }
    }
}
