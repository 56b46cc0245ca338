//! Thousands of seeds: writers that come and go over a store with every fault, a flusher that trims, readers beside
//! them. What was acknowledged is read back exactly, in order and once; what was not, at most once.

mod oracle;

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use futures::future::join_all;
use object_store::ObjectStore;

use self::oracle::Oracle;
use super::*;
use crate::error::Kind;
use crate::store::tests::dice::Dice;
use crate::store::tests::simulated::{Counts, Rates, SimulatedStore};

const SEEDS: u64 = 2_000;
const WRITERS: u128 = 3;
const OPENINGS: u32 = 3;
const APPENDS: u32 = 6;

/// Every fault at a rate of its own; some seeds know only some of them.
fn rates(dice: &mut Dice) -> Rates {
    let mut rate = |most: u32| if dice.below(3) == 0 { 0 } else { dice.below(most) };
    Rates {
        lost_request: rate(100),
        lost_answer: rate(150),
        late: rate(150),
        false_conflict: rate(100),
        throttled: rate(100),
        delayed: rate(300),
        stale_list: rate(900),
        flipped: rate(50),
        longest_delay: Duration::from_millis(400),
        longest_late: Duration::from_secs(5),
    }
}

fn place_of(store: &SimulatedStore, seed: u64) -> LogPlace {
    let store: Arc<dyn ObjectStore> = Arc::new(store.clone());
    // With a short timeout, requests are given up that are applied later.
    let timeout = if seed.is_multiple_of(2) { Duration::from_millis(300) } else { Duration::from_secs(60) };
    let retries = Retries { attempts: 4, first_pause: Duration::from_millis(10), timeout };
    LogPlace { retries, read_ahead: 1 + (seed % 4) as usize, ..place(&store) }
}

/// Opens, replays, appends, flushes and trims, some times over; each opening ends without a word, as a crash does.
async fn write(place: LogPlace, id: u128, mut dice: Dice, oracle: &Oracle) {
    for opening in 0..OPENINGS {
        dice.rest(3_000).await;
        // Any part may fail: the writer begins anew.
        reign(&place, id * 100 + u128::from(opening), &mut dice, oracle).await.ok();
    }
}

async fn reign(place: &LogPlace, id: u128, dice: &mut Dice, oracle: &Oracle) -> Result<()> {
    let term = claim(place, id).await?;
    let (mut log, mut trimmer) =
        open(place.clone(), writer(term, id), claims(place, term, id), oracle.flushed()).await?;
    // Behind the opening, as `open` says.
    let flushed = oracle.flushed();
    let replayed = texts(log.read_after(flushed)?).await?;
    let mut seen = oracle.open(term, flushed, replayed);
    for number in 0..1 + dice.below(APPENDS) {
        dice.rest(300).await;
        let position = log.next_position();
        let batch: Vec<_> = (0..1 + dice.below(3)).map(|part| format!("{id}/{number}/{part}")).collect();
        let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
        let outcome = append(&mut log, &batch).await;
        assert_eq!(outcome.is_ok(), log.state() == LogState::Serving, "seed {}", oracle.seed);
        outcome?;
        oracle.acknowledge(term, position, &batch);
        seen.extend((position..).zip(batch.iter().map(|text| (*text).to_owned())));
        if dice.below(3) == 0 {
            oracle.flush(&seen[..seen.len() - dice.below(3).min(seen.len() as u32 - 1) as usize]);
            dice.rest(200).await;
            trimmer.trim(oracle.flushed().min(log.status().last_position)).await?;
        }
    }
    Ok(())
}

/// Reads beside the writers, without a term.
async fn read(place: LogPlace, mut dice: Dice, oracle: &Oracle) {
    for _ in 0..4 {
        dice.rest(3_000).await;
        let acknowledged = oracle.acknowledged();
        let Ok(view) = LogView::open(place.clone()).await else { continue };
        let flushed = oracle.flushed();
        let Ok(reader) = view.read_after(flushed) else { continue };
        match texts(reader).await {
            Ok(found) => oracle.look(&acknowledged, flushed, &found),
            Err(error) => assert_ne!(error.kind(), Kind::InvalidInput, "seed {}", oracle.seed),
        }
    }
}

/// Stops a process between two steps, for longer than others need to take over.
async fn stop_and_go(clients: &[SimulatedStore], mut dice: Dice) {
    for _ in 0..6 {
        dice.rest(1_500).await;
        let client = &clients[dice.below(clients.len() as u32) as usize];
        client.pause();
        dice.rest(4_000).await;
        client.resume();
    }
}

async fn run(seed: u64) -> (Counts, Oracle) {
    let mut dice = Dice::new(seed, 0);
    let store = SimulatedStore::new(seed, rates(&mut dice));
    let oracle = Oracle::new(seed);
    let clients: Vec<_> = (0..=WRITERS).map(|_| store.another_client()).collect();
    let places: Vec<_> = clients.iter().map(|client| place_of(client, seed)).collect();
    let writers = (1..=WRITERS).map(|id| write(places[id as usize].clone(), id, Dice::new(seed, id as u64), &oracle));
    let reader = read(places[0].clone(), Dice::new(seed, 90), &oracle);
    tokio::join!(join_all(writers), reader, stop_and_go(&clients, Dice::new(seed, 91)));

    // The store is well again; what is still on its way lands before, between or behind these.
    store.set_rates(Rates::default());
    let calm = place_of(&store, 1);
    let first = last_word(&calm, 1_000, &oracle).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let second = last_word(&calm, 1_001, &oracle).await;
    assert_eq!(&second[..first.len()], first, "seed {seed}: what was read once stays");
    assert_eq!(second.len(), first.len() + 1, "seed {seed}: one more fence");
    (store.counts(), oracle)
}

/// All records, by a writer that nobody disturbs; then only its fence is kept.
async fn last_word(place: &LogPlace, id: u128, oracle: &Oracle) -> Vec<(u64, String)> {
    let opened = take(place, id).await;
    let (log, mut trimmer) = opened.unwrap_or_else(|error| panic!("seed {}: {error}", oracle.seed));
    let flushed = oracle.flushed();
    let found = texts(log.read_after(flushed).unwrap()).await;
    let found = found.unwrap_or_else(|error| panic!("seed {}: {error}", oracle.seed));
    let all = oracle.open(log.shared.writer.term, flushed, found);
    oracle.check(&all);
    oracle.flush(&all);
    trimmer.trim(log.status().last_position).await.unwrap();
    let left: Vec<_> = place.store.list(Some(&place.paths.objects())).try_collect().await.unwrap();
    assert_eq!(left.len(), 1, "seed {}: everything but the newest object is gone", oracle.seed);
    all
}

fn simulate(seed: u64) -> (Counts, Oracle) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(run(seed))
}

#[test]
fn whatever_the_store_does_acknowledged_records_are_read_back_exactly_once() {
    let mut faults = Counts::default().by_kind();
    let (mut acknowledged, mut unacknowledged, mut flushed) = (0, 0, 0);
    for seed in 0..SEEDS {
        let (counts, oracle) = simulate(seed);
        for (sum, (_, count)) in faults.iter_mut().zip(counts.by_kind()) {
            sum.1 += count;
        }
        acknowledged += oracle.acknowledged().len();
        unacknowledged += oracle.landed_without_acknowledgement();
        flushed += oracle.flushes();
    }
    println!("{acknowledged} acknowledged, {unacknowledged} landed without, {flushed} flushes, faults {faults:?}");
    // Else the test has met nothing of what it is for.
    assert!(faults.iter().all(|(_, count)| *count > SEEDS / 10), "{faults:?}");
    assert!(acknowledged as u64 > 3 * SEEDS && unacknowledged as u64 > SEEDS / 10 && flushed > SEEDS);
}

#[test]
fn a_seed_repeats() {
    for seed in 0..20 {
        let ((counts, oracle), (again, other)) = (simulate(seed), simulate(seed));
        assert_eq!((counts, oracle.acknowledged()), (again, other.acknowledged()), "seed {seed}");
    }
}
