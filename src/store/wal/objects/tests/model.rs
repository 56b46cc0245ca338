//! The protocol as a small exhaustive model, with the real code: two writers and their trimmers, stopped at every step,
//! in every order; and the same with a fault at any step. That the model has teeth is shown by leaving out a part.

mod explore;
mod stepped;

use std::hash::Hash;
use std::sync::Arc;

use futures::FutureExt;

use self::explore::{Explored, Play, explore};
use self::stepped::{Stepped, World};
use super::*;
use crate::error::Kind;
use crate::store::wal::objects::opening;

/// What the writers do otherwise than the protocol says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeftOut {
    Nothing,
    /// To see before acknowledging that no newer term was claimed.
    TermCheck,
    /// The fence at the end of the log.
    Fence,
    /// The trim mark that stops older trimmers.
    Hold,
}

/// Position, payload.
type Texts = Vec<(u64, String)>;

/// What the actors were told.
#[derive(Debug, Default)]
struct Journal {
    /// With their terms.
    acknowledged: Vec<(u64, u64, String)>,
    opened: Vec<(u64, Texts)>,
    claimed: Vec<u64>,
    failed: Vec<(u64, Error)>,
}

/// One process.
#[derive(Clone)]
struct Process {
    store: Stepped,
    journal: Arc<Mutex<Journal>>,
    id: u128,
    left_out: LeftOut,
}

/// The flushed positions, as objects whose names say how far and that hold all records so far.
fn cold() -> Path {
    Path::from("cold")
}

/// Tells its own term.
struct Blind(u64);

#[async_trait::async_trait]
impl TermCheck for Blind {
    async fn newest(&self) -> Result<u64> {
        Ok(self.0)
    }
}

impl Process {
    fn place(&self) -> LogPlace {
        LogPlace { read_ahead: 1, ..place(&(Arc::new(self.store.clone()) as Arc<dyn ObjectStore>)) }
    }

    /// Claims a term and opens the log, as far as it is not left out.
    async fn take(&self) -> Result<(u64, ObjectLog, Trimmer)> {
        let place = self.place();
        let term = claim(&place, self.id).await?;
        self.journal.lock().claimed.push(term);
        let opened = self.open(&place, term).await;
        let (log, trimmer) = opened.inspect_err(|error| self.fail(term, error))?;
        Ok((term, log, trimmer))
    }

    async fn open(&self, place: &LogPlace, term: u64) -> Result<(ObjectLog, Trimmer)> {
        let writer = writer(term, self.id);
        let claims = match self.left_out {
            LeftOut::TermCheck => Arc::new(Blind(term)) as _,
            _ => claims(place, term, self.id),
        };
        if matches!(self.left_out, LeftOut::Nothing | LeftOut::TermCheck) {
            return open(place.clone(), writer, claims, 0).await;
        }
        let folder = Arc::new(Folder::new(place.clone()));
        let mark = match self.left_out {
            LeftOut::Hold => folder.newest_mark().await?,
            _ => opening::hold_trims(&folder, &writer).await?,
        };
        let mut index = folder.survey(mark.first_kept).await?;
        if self.left_out != LeftOut::Fence {
            index = opening::fence(&folder, &writer, index).await?;
        }
        let (index, state) = (Mutex::new(index), Mutex::new(LogState::Serving));
        let shared = Arc::new(Shared { folder, writer, claims, index, state });
        shared.confirm_term().await?;
        Ok((ObjectLog { shared: Arc::clone(&shared), appending: false }, Trimmer::new(shared, mark)))
    }

    /// All that the log holds, flushed or not.
    async fn replay(&self, term: u64, log: &ObjectLog) -> Result<Texts> {
        // One step: the list is what is asked for, its contents never change.
        let listed = self.requests().list(&cold(), None).await?;
        let mut all = self.flushed(listed.last());
        let found = async { texts(log.read_after(all.len() as u64)?).await };
        all.extend(found.await.inspect_err(|error| self.fail(term, error))?);
        self.journal.lock().opened.push((term, all.clone()));
        Ok(all)
    }

    fn flushed(&self, path: Option<&Path>) -> Texts {
        let bytes = path.and_then(|path| self.store.world.peek(path)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        (1..).zip(text.lines().map(str::to_owned)).collect()
    }

    fn requests(&self) -> Requests {
        Requests::new(Arc::new(self.store.clone()), RETRIES)
    }

    /// Appends a record, and is told.
    async fn append(&self, term: u64, log: &mut ObjectLog, text: &str) -> Result<()> {
        let position = log.next_position();
        append(log, &[text]).await.inspect_err(|error| self.fail(term, error))?;
        self.journal.lock().acknowledged.push((term, position, text.to_owned()));
        Ok(())
    }

    /// Makes all that was acknowledged by `term` or read by it durable elsewhere, and trims the log.
    async fn flush(&self, term: u64, trimmer: &mut Trimmer) -> Result<()> {
        let mut all = Texts::new();
        {
            let journal = self.journal.lock();
            all.extend(journal.opened.iter().filter(|(by, _)| *by == term).flat_map(|(_, found)| found.clone()));
            let acknowledged = journal.acknowledged.iter().filter(|(by, ..)| *by == term);
            all.extend(acknowledged.map(|(_, position, text)| (*position, text.clone())));
        }
        let lines: String = all.iter().map(|(_, text)| format!("{text}\n")).collect();
        let path = cold().join(format!("{:020}", all.len()));
        self.requests().create(&path, &Bytes::from(lines), |_| Ok(())).await?;
        trimmer.trim(all.len() as u64).await.inspect_err(|error| self.fail(term, error))
    }

    fn fail(&self, term: u64, error: &Error) {
        let copy = Error::new(error.kind(), error.message());
        self.journal.lock().failed.push((term, copy));
    }

    /// Takes over, replays, writes, flushes and trims, writes again.
    async fn reign(self) -> Result<()> {
        let (term, mut log, mut trimmer) = self.take().await?;
        self.replay(term, &log).await?;
        self.append(term, &mut log, &format!("{}-first", self.id)).await?;
        self.flush(term, &mut trimmer).await?;
        self.append(term, &mut log, &format!("{}-second", self.id)).await
    }
}

struct Scene {
    journal: Arc<Mutex<Journal>>,
    world: Arc<World>,
    left_out: LeftOut,
}

impl Scene {
    fn new(actors: usize, left_out: LeftOut) -> Self {
        Self { journal: Arc::default(), world: World::new(actors), left_out }
    }

    fn process(&self, id: u128) -> Process {
        let (store, journal) = (Stepped::new(&self.world), Arc::clone(&self.journal));
        Process { store, journal, id, left_out: self.left_out }
    }

    /// A writer that has been at work for a while.
    fn old_writer(&self) -> (Process, u64, ObjectLog, Trimmer) {
        let process = self.process(1);
        let begin = async {
            let (term, mut log, trimmer) = process.take().await.unwrap();
            process.replay(term, &log).await.unwrap();
            process.append(term, &mut log, "a").await.unwrap();
            (term, log, trimmer)
        };
        let (term, log, trimmer) = begin.now_or_never().unwrap();
        (process, term, log, trimmer)
    }
}

impl Scene {
    /// What the actors of one process share, and what they were told, whoever was told it first.
    fn shared(&self, log: Option<&ObjectLog>) -> explore::Shared {
        let journal = Arc::clone(&self.journal);
        let log = log.map(|log| Arc::clone(&log.shared));
        Box::new(move |hasher| {
            if let Some(log) = &log {
                format!("{:?} {:?}", log.index.lock(), log.state.lock()).hash(hasher);
            }
            let journal = journal.lock();
            let mut acknowledged = journal.acknowledged.clone();
            acknowledged.sort();
            let mut opened = journal.opened.clone();
            opened.sort();
            let mut failed: Vec<_> = journal.failed.iter().map(|(term, error)| (term, error.message())).collect();
            failed.sort();
            (acknowledged, opened, failed).hash(hasher);
        })
    }
}

/// At the end of a play: the next writer has everything, once, and nobody was told something else than what happened.
fn check(journal: &Mutex<Journal>, world: &World, left_out: LeftOut) -> Result<(), String> {
    let mut journal = std::mem::take(&mut *journal.lock());
    let store = Stepped::new(&world.copy());
    let last = Process { store, journal: Arc::default(), id: 99, left_out: LeftOut::Nothing };
    let replay = async {
        let (term, log, _) = last.take().await?;
        last.replay(term, &log).await
    };
    let all = replay.now_or_never().unwrap().map_err(|error| format!("the next writer: {error}"))?;
    journal.opened.push((u64::MAX, all.clone()));
    for (term, found) in &journal.opened {
        for (by, position, text) in journal.acknowledged.iter().filter(|(by, ..)| by < term) {
            if found.get(*position as usize - 1) != Some(&(*position, text.clone())) {
                return Err(format!("'{text}', acknowledged by term {by}, is not what term {term} reads: {found:?}"));
            }
        }
        if !all.starts_with(found) {
            return Err(format!("term {term} has read another history: {found:?}, not {all:?}"));
        }
    }
    let mut payloads: Vec<_> = all.iter().map(|(_, text)| text).filter(|text| !text.is_empty()).collect();
    payloads.sort();
    if payloads.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(format!("a record is there twice: {all:?}"));
    }
    if left_out == LeftOut::TermCheck {
        // Who looks at no term cannot tell either.
        return Ok(());
    }
    let newest = journal.claimed.iter().max().copied().unwrap_or_default();
    for (term, error) in &journal.failed {
        if *term == newest {
            return Err(format!("the newest writer cannot go on: {error}"));
        }
        if error.kind() != Kind::Conflict {
            return Err(format!("term {term} is not told that it was passed: {error}"));
        }
    }
    Ok(())
}

/// What an older writer still does while another takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Old {
    Appends,
    Trims,
    AppendsAndTrims,
}

/// A writer that goes on while another takes over.
fn takeover(old: Old, left_out: LeftOut, faults: u32) -> Result<Explored, String> {
    let journal = Mutex::new(Arc::default());
    let start = || {
        let scene = Scene::new(3, left_out);
        *journal.lock() = Arc::clone(&scene.journal);
        let (process, term, mut log, mut trimmer) = scene.old_writer();
        let new = scene.process(2);
        let shared = scene.shared(Some(&log));
        let flushing = process.clone();
        let appends = async move {
            if old != Old::Trims && process.append(term, &mut log, "b").await.is_ok() {
                process.append(term, &mut log, "c").await.ok();
            }
        };
        let flush = async move {
            if old != Old::Appends {
                flushing.flush(term, &mut trimmer).await.ok();
            }
        };
        let takes_over = async move { drop(new.reign().await) };
        Play::new(scene.world, vec![Box::pin(appends), Box::pin(flush), Box::pin(takes_over)], shared, faults)
    };
    in_time(|| explore(&start, &|play| check(&journal.lock(), &play.world, left_out)))
}

/// Two that take over at once from one that is gone.
fn race(left_out: LeftOut, faults: u32) -> Result<Explored, String> {
    let journal = Mutex::new(Arc::default());
    let start = || {
        let scene = Scene::new(2, left_out);
        *journal.lock() = Arc::clone(&scene.journal);
        drop(scene.old_writer());
        let (left, right) = (scene.process(2), scene.process(3));
        let shared = scene.shared(None);
        let (left, right) = (async move { drop(left.reign().await) }, async move { drop(right.reign().await) });
        Play::new(scene.world, vec![Box::pin(left), Box::pin(right)], shared, faults)
    };
    in_time(|| explore(&start, &|play| check(&journal.lock(), &play.world, left_out)))
}

/// Timeouts need a clock, which never moves here.
fn in_time<T>(run: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _guard = runtime.enter();
    run()
}

#[test]
fn no_order_of_steps_of_a_takeover_loses_or_doubles_a_record() {
    let explored = takeover(Old::AppendsAndTrims, LeftOut::Nothing, 0).unwrap_or_else(|why| panic!("{why}"));
    println!("{explored:?}");
    assert!(explored.states > 10_000 && explored.ends > 100, "{explored:?}");
}

#[test]
fn no_fault_at_any_step_of_a_takeover_loses_or_doubles_a_record() {
    for old in [Old::Appends, Old::Trims] {
        let explored = takeover(old, LeftOut::Nothing, 1).unwrap_or_else(|why| panic!("{why}"));
        println!("{old:?}: {explored:?}");
        assert!(explored.states > 5_000 && explored.ends > 100, "{explored:?}");
    }
}

#[test]
fn no_order_of_steps_of_two_takeovers_at_once_loses_or_doubles_a_record() {
    let explored = race(LeftOut::Nothing, 0).unwrap_or_else(|why| panic!("{why}"));
    println!("{explored:?}");
    assert!(explored.states > 1_000 && explored.ends > 10, "{explored:?}");
}

#[test]
fn the_model_finds_what_goes_wrong_without_the_check_of_terms() {
    let why = takeover(Old::AppendsAndTrims, LeftOut::TermCheck, 0).unwrap_err();
    assert!(why.contains("acknowledged by term 1, is not what"), "{why}");
}

#[test]
fn the_model_finds_what_goes_wrong_without_the_fence() {
    let why = takeover(Old::AppendsAndTrims, LeftOut::Fence, 0).unwrap_err();
    assert!(why.contains("the newest writer cannot go on"), "{why}");
}

#[test]
fn the_model_finds_what_goes_wrong_without_the_mark_that_holds_older_trimmers() {
    let why = takeover(Old::AppendsAndTrims, LeftOut::Hold, 0).unwrap_err();
    assert!(why.contains("is not what") || why.contains("the newest writer cannot go on"), "{why}");
}
