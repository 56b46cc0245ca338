//! All layers of a workspace over an object store that fails in every way, or a disk that does: senders, loads, flushes, checkpoints, processes
//! that are killed, stopped and taken over from, readers beside them. What was acknowledged is there once, for good, and
//! readable at once; what was refused is not there; persons are a function of the events, and their numbers stay
//! (promises 1, 2, 4 and 8 of DESIGN 2).
//!
//! `CONVOKE_SIMULATION_SEED` runs the one of a failure alone, `CONVOKE_SIMULATION_SEEDS` so many instead of [`SEEDS`].

mod disk;
pub(in crate::workspace) mod events;
mod load;
mod oracle;
mod process;
mod senders;
mod view;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use chrono::DateTime;
use object_store::path::Path;
use parking_lot::Mutex;
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

use self::events::Batch;
use self::oracle::{Oracle, Tally};
use self::process::{Access, DISK_BYTES, Process};
use self::senders::Senders;
use self::view::{View, Viewer};
use crate::clock::Clock;
use crate::ids::WorkspaceName;
use crate::store::tests::dice::Dice;
use crate::store::tests::simulated::{Counts, Rates, Reach, SimulatedStore};
use crate::store::wal::local::simulated_disk::SimulatedDisk;

/// As many as take some 20 seconds.
const SEEDS: u64 = 150;

/// How often a process is followed by another one.
const LIVES: u64 = 3;
const STEPS: u32 = 8;

/// How long a process is silent before others may take over, and a little more.
const SILENCE: Duration = Duration::from_secs(25);

/// Longer than what was sent may be on its way.
const STILLNESS: Duration = Duration::from_secs(60);

/// Times that a process is started until it runs; from this one on nothing goes wrong any more.
const CALM_START: u32 = 4;
const MOST_STARTS: u32 = 10;

/// Of the time of the simulation: whoever takes longer waits for ever.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3_600);

struct Simulation {
    store: SimulatedStore,
    /// The store and the log are on a disk, which one process uses at a time.
    disk: Option<SimulatedDisk>,
    clock: Clock,
    oracle: Oracle,
    viewer: Viewer,
    storm: Rates,
    /// Others who only read see what was acknowledged, and nothing that may be lost again.
    has_readers: bool,
    /// Numbers of messages, rejected rows and batch keys that were given.
    numbers: Mutex<u32>,
    /// Batches with a key, to be sent again.
    named: Mutex<Vec<Batch>>,
}

/// Objects that carry a checksum.
fn has_checksum(path: &Path) -> bool {
    let path = path.as_ref();
    let is_part = path.contains("/identity/checkpoints/") && path.ends_with(".parquet");
    is_part || ["/wal/", "/wal_trim/", "/dedupe/"].iter().any(|folder| path.contains(folder))
}

fn is_log(folder: &Path) -> bool {
    ["/wal/", "/wal_trim/"].iter().any(|log| format!("{folder}/").contains(log))
}

/// Every fault at a rate of its own; some seeds know only some of them. Most steps make many requests.
fn rates(dice: &mut Dice, is_local: bool) -> Rates {
    let mut rate = |most: u32| if dice.below(3) == 0 { 0 } else { dice.below(most) };
    let of_disk = Rates {
        lost_request: rate(8),
        lost_answer: rate(16),
        delayed: rate(200),
        flipped: rate(50),
        longest_delay: Duration::from_millis(400),
        // A process that was killed may have been followed by another one meanwhile.
        longest_late: Duration::from_secs(40),
        ..Rates::default()
    };
    let of_network =
        Rates { late: rate(40), false_conflict: rate(30), throttled: rate(8), stale_list: rate(300), ..of_disk };
    if is_local { of_disk } else { of_network }
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let disk = (seed % 3 == 2).then(|| SimulatedDisk::new(seed, DISK_BYTES));
        let storm = rates(&mut Dice::new(seed, 0), disk.is_some());
        // Stores of today show what is there; the events table and the terms rely on it to be told the newest at once, and
        // must be right without it all the same. The log trusts no list.
        let lists_are_fresh = !seed.is_multiple_of(4);
        let stale: fn(&Path) -> bool = if lists_are_fresh { is_log } else { |_| true };
        let store = SimulatedStore::with_reach(seed, Rates::default(), Reach { flips: has_checksum, stale });
        let viewer = Viewer::new(store.objects(), &WorkspaceName::default());
        let start = DateTime::from_timestamp(1_720_000_000, 0).unwrap();
        Self {
            clock: Clock::seeded(seed, start),
            oracle: Oracle::new(seed),
            viewer,
            store,
            storm,
            has_readers: lists_are_fresh && disk.is_none(),
            disk,
            numbers: Mutex::default(),
            named: Mutex::default(),
        }
    }

    /// Of another process.
    fn access(&self) -> Access {
        let client = match &self.disk {
            Some(_) => self.store.local_client(),
            None => self.store.another_client(),
        };
        Access { client, disk: self.disk.clone(), clock: self.clock.clone() }
    }

    async fn run(&self) {
        let mut dice = Dice::new(self.oracle.seed, 1);
        let mut process = self.start().await;
        for life in 1..=LIVES {
            self.change_weather(&mut dice);
            process.hurt_disk(&mut dice);
            process = match dice.below(3) {
                0 if self.disk.is_none() => self.take_over(process, &mut dice, 10 * life).await,
                _ => {
                    // It may end in the middle of anything.
                    let end = Duration::from_millis(u64::from(dice.below(4_000)));
                    timeout(end, Senders::new(self, &process, 10 * life).work(STEPS)).await.ok();
                    process
                }
            };
            match dice.below(4) {
                0 => process.stop().await,
                _ => process.kill(dice.below(2) == 0),
            }
            process = self.start().await;
        }
        self.store.set_rates(Rates::default());
        sleep(STILLNESS).await;
        process.kill(true);
        process = self.start().await;
        let last = self.look(&process).await;
        process.stop().await;
        process = self.start().await;
        // The new term is a record, too.
        let found = View { position: last.position, ..self.look(&process).await };
        assert_eq!(found, last, "seed {}: what is in files now was in the log", self.oracle.seed);
        process.kill(true);
        self.store.clear().await;
    }

    /// The next process, when all others are dead: it comes to run whatever happened before, with all that holds.
    async fn start(&self) -> Process {
        let mut last = None;
        for attempt in 1..=MOST_STARTS {
            if attempt >= CALM_START {
                self.store.set_rates(Rates::default());
            }
            sleep(SILENCE).await;
            match Process::start(self.access()).await {
                Ok(process) => {
                    self.oracle.check(&self.look(&process).await);
                    return process;
                }
                Err(error) => last = Some(error),
            }
        }
        panic!("seed {}: the workspace cannot be opened any more: {last:?}", self.oracle.seed)
    }

    /// A process is stopped so long that another one takes over, and goes on as if nothing had happened.
    async fn take_over(&self, old: Process, dice: &mut Dice, number: u64) -> Process {
        let until = Duration::from_millis(u64::from(dice.below(2_000)));
        let asleep = SILENCE + Duration::from_millis(u64::from(dice.below(60_000)));
        let stop_and_go = async {
            sleep(until).await;
            old.access.client.pause();
            sleep(asleep).await;
            old.access.client.resume();
        };
        let client = match dice.below(2) {
            0 => self.store.another_client(),
            _ => self.store.spared_client(),
        };
        let access = Access { client, ..self.access() };
        let mut senders = Senders::new(self, &old, number);
        let newer = async {
            sleep(until + SILENCE).await;
            let needed = self.oracle.acknowledged();
            let process = Process::start(access).await.ok()?;
            self.oracle.look(&self.look(&process).await, &needed);
            Senders::new(self, &process, number + 1).work(STEPS).await;
            Some(process)
        };
        let (_, _, newer) = tokio::join!(stop_and_go, senders.work(STEPS), newer);
        match newer {
            Some(newer) => {
                old.kill(false);
                newer
            }
            None => old,
        }
    }

    async fn look(&self, process: &Process) -> View {
        self.viewer.look(&process.workspace.snapshot()).await
    }

    fn change_weather(&self, dice: &mut Dice) {
        self.store.set_rates(if dice.below(3) == 0 { Rates::default() } else { self.storm });
    }
}

async fn run(seed: u64) -> (Counts, Tally) {
    let simulation = Simulation::new(seed);
    assert!(timeout(LONGEST, simulation.run()).await.is_ok(), "seed {seed}: something waits for ever");
    (simulation.store.counts(), simulation.oracle.tally())
}

fn simulate(seed: u64) -> (Counts, Tally) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(run(seed))));
    // Of processes that were killed something may wait for ever.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|panic| {
        eprintln!("CONVOKE_SIMULATION_SEED={seed}");
        resume_unwind(panic)
    })
}

/// A number that may be given by an environment variable.
fn given(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().filter(|text| !text.is_empty()).map(|text| text.parse().unwrap())
}

#[test]
fn whatever_the_store_does_what_was_acknowledged_is_there_once_and_numbers_stay() {
    if let Some(seed) = given("CONVOKE_SIMULATION_SEED") {
        println!("{:?}", simulate(seed));
        return;
    }
    let seeds = given("CONVOKE_SIMULATION_SEEDS").unwrap_or(SEEDS);
    let mut faults = Counts::default().by_kind();
    let mut all = Tally::default();
    for seed in 0..seeds {
        let (counts, tally) = simulate(seed);
        for (sum, (_, count)) in faults.iter_mut().zip(counts.by_kind()) {
            sum.1 += count;
        }
        all = all.and(tally);
    }
    println!("{all:?}, faults {faults:?}");
    // Else the test has met nothing of what it is for.
    assert!(seeds < SEEDS || faults.iter().all(|(_, count)| *count > seeds / 10), "{faults:?}");
    assert!(seeds < SEEDS || all.has_met_all(seeds), "{all:?}");
}
