//! Random histories of a log on a disk that fails, against a list of what was acknowledged.

use std::collections::{BTreeMap, HashSet};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::simulated_disk::SimulatedDisk;
use super::*;
use crate::error::Kind;

const CAPACITY: u64 = 1 << 20;

/// A log, its disk, and what must be in it.
struct Model {
    seed: u64,
    rng: ChaCha8Rng,
    disk: SimulatedDisk,
    log: Option<LocalLog>,
    /// By position.
    acknowledged: BTreeMap<u64, Entry>,
    flushed_to: u64,
    /// The group whose append neither succeeded nor was refused.
    in_doubt: Vec<Entry>,
    /// Payloads that must never be read.
    refused: HashSet<Bytes>,
    written: u64,
    term: u64,
    /// Payloads without a zero byte: of those no damage may pass for a cut.
    without_zeros: bool,
}

impl Model {
    fn new(seed: u64, without_zeros: bool) -> Self {
        Self {
            seed,
            rng: ChaCha8Rng::seed_from_u64(seed),
            disk: SimulatedDisk::new(seed ^ 0x5eed, CAPACITY),
            log: None,
            acknowledged: BTreeMap::new(),
            flushed_to: 0,
            in_doubt: Vec::new(),
            refused: HashSet::new(),
            written: 0,
            term: 0,
            without_zeros,
        }
    }

    fn last(&self) -> u64 {
        self.acknowledged.keys().next_back().copied().unwrap_or(self.flushed_to)
    }

    fn payload(&mut self) -> Bytes {
        self.written += 1;
        let len = match self.rng.random_range(0..10) {
            0 => 8,
            1 => self.rng.random_range(500..3000),
            _ => self.rng.random_range(8..200),
        };
        // No length whose lowest byte is zero, see `without_zeros`.
        let mut payload = vec![0; if len % 256 == 0 { len + 1 } else { len }];
        self.rng.fill_bytes(&mut payload);
        let zeros = if self.without_zeros { 0..0 } else { 8..payload.len() };
        if self.rng.random_bool(0.3) {
            payload[zeros].fill(0);
        }
        payload[..8].copy_from_slice(&(self.written | 1 << 60).to_le_bytes());
        if self.without_zeros {
            payload.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = 0xff);
            // The number, in digits that are not zero.
            for (place, byte) in payload[..8].iter_mut().enumerate() {
                *byte = 1 + (self.written >> (7 * place) & 0x7f) as u8;
            }
        }
        payload.into()
    }

    fn group(&mut self) -> Vec<Entry> {
        let len = self.rng.random_range(1..6);
        let kinds = [RecordKind::Events, RecordKind::Load, RecordKind::Flushed];
        let mut group = Vec::new();
        for _ in 0..len {
            let kind = kinds[self.rng.random_range(0..3)];
            group.push(Entry { kind, flags: self.rng.random_range(0..4), payload: self.payload() });
        }
        group
    }

    /// Opens until it succeeds, and checks what is there.
    async fn reopen(&mut self) {
        self.log = None;
        loop {
            match LocalLog::open(Arc::new(self.disk.clone()), identity(), LIMITS, self.flushed_to).await {
                Ok(log) => break self.log = Some(log),
                Err(error) if self.disk.is_stopped() => {
                    assert_ne!(error.kind(), Kind::Corrupt, "seed {}: {error}", self.seed);
                    self.restart();
                }
                // A disk that is full, or the failure of a sync.
                Err(error) => {
                    assert!(matches!(error.kind(), Kind::Busy | Kind::Internal), "seed {}: {error}", self.seed);
                    self.disk.set_capacity(CAPACITY);
                    if self.rng.random_bool(0.3) {
                        self.disk.cut_power();
                    }
                }
            }
        }
        self.check().await;
    }

    fn restart(&mut self) {
        if self.rng.random_bool(0.5) {
            self.disk.cut_power()
        } else {
            self.disk.restart_process()
        }
        self.set_fault(0.1);
    }

    fn set_fault(&mut self, probability: f64) {
        if !self.rng.random_bool(probability) {
            return;
        }
        match self.rng.random_range(0..5) {
            0 => self.disk.stop_after(self.rng.random_range(0..20)),
            1 => self.disk.fail_sync_after(self.rng.random_range(0..4)),
            2 => self.disk.fill_at_write(self.rng.random_range(0..4)),
            3 => self.disk.set_capacity(self.disk.used_bytes() + self.rng.random_range(0..4096)),
            _ => self.disk.set_capacity(CAPACITY),
        }
    }

    /// Reads all that is there; what is found of the group in doubt counts as acknowledged from now on.
    async fn check(&mut self) {
        let seed = self.seed;
        let log = self.log.as_ref().unwrap();
        assert!(log.term() > self.term, "seed {seed}");
        self.term = log.term();
        // The checks are no part of the history.
        let Ok(found) = read_all(self.disk.clone(), self.flushed_to).await else {
            assert!(self.disk.is_stopped(), "seed {seed}: not readable");
            return Box::pin(async {
                self.restart();
                self.reopen().await;
            })
            .await;
        };
        let mut position = self.flushed_to;
        for record in &found {
            position += 1;
            assert_eq!(record.position, position, "seed {seed}: a gap");
            let expected = match self.acknowledged.get(&position) {
                Some(expected) => expected.clone(),
                None if self.in_doubt.is_empty() => panic!("seed {seed}: {record:?} was never written"),
                None => self.in_doubt.remove(0),
            };
            let entry = Entry { kind: record.kind, flags: record.flags, payload: record.payload.clone() };
            assert_eq!(entry, expected, "seed {seed}: position {position}");
            assert!(!self.refused.contains(&record.payload), "seed {seed}: {record:?} was refused");
            self.acknowledged.insert(position, expected);
        }
        assert_eq!(position, self.last(), "seed {seed}: acknowledged records are missing");
        assert_eq!(log.next_position(), position + 1, "seed {seed}");
        self.refused.extend(self.in_doubt.drain(..).map(|entry| entry.payload));
    }

    async fn append(&mut self) {
        let group = self.group();
        let seed = self.seed;
        let log = self.log.as_mut().unwrap();
        let first = log.next_position();
        match log.append(&group).await {
            Ok(positions) => {
                assert_eq!(positions, first..first + group.len() as u64, "seed {seed}");
                self.acknowledged.extend(positions.zip(group));
            }
            Err(error) if error.kind() == Kind::Busy => {
                assert_eq!(log.state(), LogState::Open, "seed {seed}: {error}");
                assert_eq!(log.next_position(), first, "seed {seed}");
                self.refused.extend(group.into_iter().map(|entry| entry.payload));
                if self.rng.random_bool(0.5) {
                    self.disk.set_capacity(CAPACITY);
                }
            }
            Err(error) => {
                assert_eq!(error.kind(), Kind::Internal, "seed {seed}: {error}");
                assert_eq!(log.state(), LogState::Failed, "seed {seed}: {error}");
                let refused = log.append(&[entry("never")]).await.unwrap_err();
                assert_eq!(refused.kind(), Kind::Internal, "seed {seed}: {refused}");
                self.in_doubt = group;
                if self.disk.is_stopped() || self.rng.random_bool(0.3) {
                    self.restart();
                }
                self.reopen().await;
            }
        }
    }

    async fn trim(&mut self) {
        let to = self.rng.random_range(self.flushed_to..=self.last());
        let (seed, log) = (self.seed, self.log.as_mut().unwrap());
        // Flushed is flushed, whether the log could be trimmed or not.
        self.flushed_to = to;
        if let Err(error) = log.trim(to).await {
            assert!(self.disk.is_stopped(), "seed {seed}: {error}");
            self.restart();
            return self.reopen().await;
        }
        assert!(log.status().first_position <= to + 1, "seed {seed}");
        if let Some(second) = log.segments.get(1) {
            assert!(second.first_position > to + 1, "seed {seed}: a segment was left");
        }
        self.acknowledged = self.acknowledged.split_off(&(to + 1));
    }

    async fn stop_cleanly(&mut self) {
        if let Err(error) = self.log.as_mut().unwrap().close().await {
            assert!(matches!(error.kind(), Kind::Internal | Kind::Busy), "seed {}: {error}", self.seed);
        }
        if self.disk.is_stopped() || self.rng.random_bool(0.5) {
            self.restart();
        }
        self.reopen().await;
    }

    async fn step(&mut self) {
        self.set_fault(0.15);
        match self.rng.random_range(0..20) {
            0 => {
                self.restart();
                self.reopen().await;
            }
            1 => self.stop_cleanly().await,
            2..4 => self.trim().await,
            _ => self.append().await,
        }
        let status = self.log.as_ref().unwrap().status();
        assert_eq!(status.durable_position, self.last(), "seed {}", self.seed);
        assert!(status.bytes <= LIMITS.total_bytes + 3 * LIMITS.segment_bytes, "seed {}: {status:?}", self.seed);
    }

    /// Flips a bit somewhere and starts again: nothing of what was acknowledged is lost silently.
    async fn flip(&mut self) {
        self.log = None;
        if self.rng.random_bool(0.5) {
            self.disk.cut_power()
        } else {
            self.disk.restart_process()
        }
        self.disk.set_capacity(CAPACITY);
        let names = self.disk.file_names();
        let name = &names[self.rng.random_range(0..names.len())];
        let len = self.disk.contents(name).len();
        if len == 0 {
            return;
        }
        let (offset, bit) = (self.rng.random_range(0..len), self.rng.random_range(0..8));
        self.disk.flip(name, offset, 1 << bit);
        let what = format!("seed {}: bit {bit} of byte {offset} of {name}", self.seed);
        let found = match LocalLog::open(Arc::new(self.disk.clone()), identity(), LIMITS, self.flushed_to).await {
            Ok(_) => read_all(self.disk.clone(), self.flushed_to).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(found) => {
                let found: Vec<_> = found.into_iter().map(|record| (record.position, record.payload)).collect();
                let kept = self.acknowledged.range(self.flushed_to + 1..);
                let kept: Vec<_> = kept.map(|(position, entry)| (*position, entry.payload.clone())).collect();
                assert!(found.starts_with(&kept), "{what}: lost silently");
            }
            Err(error) => {
                assert_eq!(error.kind(), Kind::Corrupt, "{what}: {error}");
                let named = [".log'", "offset", "position"].iter().all(|word| error.message().contains(word));
                assert!(named, "{what}: {error}");
            }
        }
    }
}

/// Takes the newest segment away, behind a start and an append where nothing failed: the next start tells it, and so does
/// a reader. `false` where it was the only one, of which nothing else knows.
async fn lose_newest(model: &mut Model) -> bool {
    let seed = model.seed;
    model.log = None;
    model.disk.restart_process();
    model.disk.set_capacity(CAPACITY);
    let mut log = LocalLog::open(Arc::new(model.disk.clone()), identity(), LIMITS, model.flushed_to).await.unwrap();
    for _ in 0..model.rng.random_range(1..8) {
        // Where the log is at its limit, the newest segment may hold no record: it is missed all the same.
        if log.append(&model.group()).await.is_err() {
            break;
        }
    }
    match model.rng.random_bool(0.3) {
        true => log.close().await.unwrap(),
        false => drop(log),
    }
    let names = model.disk.file_names();
    let [.., newest] = &names[..] else { panic!("seed {seed}: no segment") };
    let left = SimulatedDisk::new(seed, CAPACITY);
    names.iter().filter(|name| *name != newest).for_each(|name| left.put(name, &model.disk.contents(name)));
    if model.rng.random_bool(0.5) {
        left.put(newest, &[]);
    }
    if names.len() == 1 {
        return false;
    }
    let opened = LocalLog::open(Arc::new(left.clone()), identity(), LIMITS, model.flushed_to).await;
    for error in [opened.unwrap_err(), read_all(left, model.flushed_to).await.unwrap_err()] {
        assert_eq!(error.kind(), Kind::Corrupt, "seed {seed}: {error}");
    }
    true
}

async fn run(seed: u64, without_zeros: bool) -> Model {
    let mut model = Model::new(seed, without_zeros);
    model.reopen().await;
    for _ in 0..model.rng.random_range(1..60) {
        model.step().await;
    }
    model
}

/// `CONVOKE_SEEDS`: how many histories, for a longer run.
fn seeds(default: u64) -> std::ops::Range<u64> {
    0..std::env::var("CONVOKE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(default)
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work);
}

#[test]
fn what_was_acknowledged_survives_every_history() {
    block_on(async {
        let (mut positions, mut refused) = (0, 0);
        for seed in seeds(3000) {
            let mut model = run(seed, false).await;
            model.restart();
            model.reopen().await;
            positions += model.last();
            refused += model.refused.len();
        }
        // The histories are worth something: most of them write, some are refused.
        assert!(positions > 3000 && refused > 300, "{positions} positions, {refused} refused");
    });
}

#[test]
fn no_flip_loses_what_was_acknowledged_silently() {
    block_on(async {
        for seed in seeds(3000) {
            run(seed, true).await.flip().await;
        }
    });
}

#[test]
fn no_newest_segment_is_lost_silently() {
    block_on(async {
        let mut lost = 0;
        for seed in seeds(1000) {
            lost += u64::from(lose_newest(&mut run(seed, false).await).await);
        }
        assert!(lost > 300, "{lost} times another segment was there");
    });
}

#[test]
fn a_seed_repeats() {
    block_on(async {
        for seed in 0..20 {
            let (one, other) = (run(seed, false).await, run(seed, false).await);
            assert_eq!(one.acknowledged, other.acknowledged, "seed {seed}");
            let files = |model: &Model| {
                let names = model.disk.file_names();
                names.into_iter().map(|name| (model.disk.contents(&name), name)).collect::<Vec<_>>()
            };
            assert_eq!(files(&one), files(&other), "seed {seed}");
        }
    });
}
