//! What the senders and the upkeep of one process do, step by step.

use std::slice;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all};
use tokio::time::{sleep, timeout};

use super::Simulation;
use super::events::{Batch, Message};
use super::load::{LoadEnd, load};
use super::process::{PATIENCE, Process};
use crate::error::{Error, Kind, Result};
use crate::store::tests::dice::Dice;
use crate::workspace::flush::FLUSH_BUFFER;

/// How far the clock of a machine may be wrong, in microseconds: less than a sender's messages are remembered.
const WRONG_CLOCK: i64 = 40 * 3_600_000_000;

pub(super) struct Senders<'s> {
    simulation: &'s Simulation,
    process: &'s Process,
    dice: Dice,
}

/// What is wrong with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    TooMany,
    /// It was checked by other settings.
    OtherSettings,
}

impl<'s> Senders<'s> {
    /// Each has a `number` of its own, which is what they throw their dice by.
    pub(super) fn new(simulation: &'s Simulation, process: &'s Process, number: u64) -> Self {
        Self { simulation, process, dice: Dice::new(simulation.oracle.seed, number) }
    }

    pub(super) async fn work(&mut self, steps: u32) {
        for _ in 0..steps {
            self.dice.rest(500).await;
            match self.dice.below(16) {
                0..=5 => self.append().await,
                6 | 7 => self.send_named().await,
                8 => {
                    timeout(PATIENCE, self.process.workspace.flush(FLUSH_BUFFER)).await.ok();
                }
                9 => {
                    // Whoever waits for it gives up.
                    let soon = Duration::from_millis(u64::from(self.dice.below(400)));
                    timeout(soon, self.process.workspace.flush(FLUSH_BUFFER)).await.ok();
                }
                10..=12 => self.load_beside_others().await,
                13 => {
                    let written = Arc::default();
                    timeout(PATIENCE, self.process.workspace.checkpoint_identity(&written)).await.ok();
                }
                14 => self.read_elsewhere().await,
                _ => self.simulation.change_weather(&mut self.dice),
            }
        }
    }

    /// Batches of some senders that are on their way together; some of them have a flaw.
    async fn append(&mut self) {
        let mut sending = Vec::new();
        for _ in 0..1 + self.dice.below(3) {
            let batch = self.simulation.draw(&mut self.dice);
            let flaw = match self.dice.below(12) {
                0 => Some(Flaw::TooMany),
                1 => Some(Flaw::OtherSettings),
                _ => None,
            };
            sending.push((batch, flaw, self.received_at()));
        }
        join_all(sending.into_iter().map(|(batch, flaw, at)| self.send(batch, flaw, at))).await;
    }

    /// A batch with a key, or one that was sent before once more.
    async fn send_named(&mut self) {
        let batch = match self.simulation.named_before(&mut self.dice) {
            Some(batch) if self.dice.below(2) == 0 => batch,
            _ => self.simulation.draw_named(&mut self.dice),
        };
        let at = self.received_at();
        // Twice at once, as a sender does that is too impatient.
        match self.dice.below(3) {
            0 => {
                join(self.send(batch.clone(), None, at), self.send(batch, None, at)).await;
            }
            _ => self.send(batch, None, at).await,
        }
    }

    async fn send(&self, batch: Batch, flaw: Option<Flaw>, received_at: i64) {
        let (oracle, workspace) = (&self.simulation.oracle, &self.process.workspace);
        let revision = workspace.snapshot().rules.revision;
        let sent = oracle.send(slice::from_ref(&batch));
        let events = match flaw {
            None => batch.events(revision, received_at),
            Some(Flaw::OtherSettings) => batch.events(revision + 1, received_at),
            Some(Flaw::TooMany) => batch.too_many(revision, received_at),
        };
        let bytes = 100 * batch.messages.len();
        let sending = async {
            let results = workspace.enqueue(events, bytes).await.wait().await;
            results.into_iter().collect::<Result<Vec<_>>>()
        };
        let answer = timeout(PATIENCE, sending).await;
        match (flaw, answer) {
            (Some(flaw), Ok(Ok(result))) => panic!("seed {}: {flaw:?} was answered {result:?}", oracle.seed),
            (Some(_), _) => oracle.refuse(sent),
            (None, Ok(Ok(results))) => {
                let [result] = results.as_slice() else { panic!("seed {}: {results:?}", oracle.seed) };
                assert!(result.position <= workspace.snapshot().position, "seed {}: {result:?}", oracle.seed);
                let ids = batch.ids();
                oracle.answer(&batch, sent, result);
                // It is readable at once.
                oracle.look(&self.simulation.viewer.look(&workspace.snapshot()).await, &ids);
            }
            (None, Ok(Err(error))) if is_refusal(&error) => oracle.refuse(sent),
            // Nobody knows.
            (None, Ok(Err(_)) | Err(_)) => {}
        }
    }

    /// A load while others send, which may break off or be given up.
    async fn load_beside_others(&mut self) {
        let batches: Vec<Batch> = (0..1 + self.dice.below(3)).map(|_| self.simulation.draw(&mut self.dice)).collect();
        let end = match self.dice.below(4) {
            0 => LoadEnd::Dropped,
            1 => LoadEnd::GivenUp(Duration::from_millis(u64::from(self.dice.below(300)))),
            _ => LoadEnd::Committed,
        };
        let pauses: Vec<Duration> =
            batches.iter().map(|_| Duration::from_millis(u64::from(self.dice.below(60)))).collect();
        let (beside, later) = (self.simulation.draw(&mut self.dice), self.dice.below(80));
        let (at, other) = (self.received_at(), self.received_at());
        let loading = load(self.simulation, self.process, &batches, &pauses, end, at);
        let sending = async {
            sleep(Duration::from_millis(u64::from(later))).await;
            self.send(beside, None, other).await;
        };
        join(loading, sending).await;
    }

    /// Another process that only reads shows all that was acknowledged before it began.
    async fn read_elsewhere(&mut self) {
        if !self.simulation.has_readers {
            return;
        }
        let needed = self.simulation.oracle.acknowledged();
        if let Ok(Ok(workspace)) = timeout(PATIENCE, self.simulation.access().open()).await {
            let view = self.simulation.viewer.look(&workspace.snapshot()).await;
            self.simulation.oracle.look(&view, &needed);
        }
    }

    /// By a clock that is wrong at times.
    fn received_at(&mut self) -> i64 {
        let now = self.simulation.clock.now_micros();
        match self.dice.below(20) {
            0 => now - WRONG_CLOCK,
            1 => now + WRONG_CLOCK,
            _ => now,
        }
    }
}

/// Whether an error says that nothing was done.
fn is_refusal(error: &Error) -> bool {
    error.kind() == Kind::Busy && error.message().contains("load that is under way")
}

impl Simulation {
    /// A batch without a key.
    pub(super) fn draw(&self, dice: &mut Dice) -> Batch {
        let messages = (0..1 + dice.below(4)).map(|_| self.message(dice)).collect();
        let rejected = (0..dice.below(3).saturating_sub(1)).map(|_| format!("r{}", self.next_number())).collect();
        Batch { messages, rejected, key: None }
    }

    fn draw_named(&self, dice: &mut Dice) -> Batch {
        let batch = Batch { key: Some(format!("k{}", self.next_number())), ..self.draw(dice) };
        self.named.lock().push(batch.clone());
        batch
    }

    /// One of the batches with a key.
    fn named_before(&self, dice: &mut Dice) -> Option<Batch> {
        let named = self.named.lock();
        (!named.is_empty()).then(|| named[dice.below(named.len() as u32) as usize].clone())
    }

    /// A new one, or one that was sent before.
    fn message(&self, dice: &mut Dice) -> Message {
        let given = *self.numbers.lock();
        let number = match given > 0 && dice.below(3) == 0 {
            true => dice.below(given),
            false => self.next_number(),
        };
        Message::new(self.oracle.seed, number)
    }

    fn next_number(&self) -> u32 {
        let mut numbers = self.numbers.lock();
        *numbers += 1;
        *numbers - 1
    }
}
