//! What must be true of every state, kept apart from the code that makes states.
//!
//! Of all that is sent the oracle knows whether it was acknowledged (it is there once, for good), refused (it is not there
//! unless it was sent again), or neither (it is there once or not at all).

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use uuid::Uuid;

use super::events::{Batch, Message};
use super::view::View;
use crate::identity::tests::partition_by_relabelling;
use crate::ids::Person;
use crate::workspace::AppendResult;

/// A set of identifiers: names of types, and values.
type Identifiers = BTreeSet<(String, String)>;

pub(super) struct Oracle {
    pub(super) seed: u64,
    facts: Mutex<Facts>,
}

/// How often each of it happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) acknowledged: u64,
    pub(super) refused: u64,
    /// Messages and rejected rows of which the sender knew neither when all was decided.
    pub(super) unknown: u64,
    /// Those that were found to be there before the sender knew.
    pub(super) landed: u64,
    pub(super) first_results: u64,
    pub(super) merges: u64,
}

impl Tally {
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            acknowledged: self.acknowledged + other.acknowledged,
            refused: self.refused + other.refused,
            unknown: self.unknown + other.unknown,
            landed: self.landed + other.landed,
            first_results: self.first_results + other.first_results,
            merges: self.merges + other.merges,
        }
    }

    /// Whether each of it happened in a good part of so many runs.
    pub(super) fn has_met_all(&self, runs: u64) -> bool {
        let Self { acknowledged, refused, unknown, landed, first_results, merges } = *self;
        let often = [refused, first_results, merges].iter().all(|count| *count > runs / 5);
        acknowledged > 5 * runs && often && unknown > runs / 20 && landed > runs / 20
    }
}

#[derive(Default)]
struct Facts {
    standings: BTreeMap<String, Standing>,
    /// What was answered to batches with a key; `None` for those that were sent and never answered.
    results: BTreeMap<String, Option<AppendResult>>,
    /// Main node of each message that was seen.
    nodes: BTreeMap<String, Option<i64>>,
    /// Of each node.
    identifiers: Vec<(String, String)>,
    /// Of each node, in the last state that was checked as a whole.
    persons: Vec<Option<Person>>,
    person_ids: Vec<Uuid>,
    /// What was seen first at each position.
    states: BTreeMap<u64, View>,
    tally: Tally,
}

/// What is known of one message, or of one rejected row.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    is_acknowledged: bool,
    /// Times that it was sent without an answer yet.
    open: u32,
}

/// What was sent. Without an answer, or with one that says nothing, it stays open.
pub(super) struct Sent {
    ids: BTreeSet<String>,
    /// Its messages that nobody had sent before, but for those who were refused.
    unsent: BTreeSet<String>,
    /// Of its messages so many are new at most.
    most_new: u64,
    /// It has a key that was used before.
    is_repeated: bool,
}

impl Oracle {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, facts: Mutex::default() }
    }

    pub(super) fn tally(&self) -> Tally {
        self.facts.lock().tally
    }

    /// To be called before anything of it is on its way.
    pub(super) fn send(&self, batches: &[Batch]) -> Sent {
        let mut facts = self.facts.lock();
        let distinct: BTreeSet<&str> = batches.iter().flat_map(Batch::distinct).collect();
        let standing = |id: &&&str| facts.standings.get(**id).copied().unwrap_or_default();
        let never = |id: &&&str| !standing(id).is_acknowledged && standing(id).open == 0;
        let unsent = distinct.iter().filter(never).map(|id| (*id).to_owned()).collect();
        let most_new = distinct.iter().filter(|id| !standing(id).is_acknowledged).count() as u64;
        let ids: BTreeSet<String> = batches.iter().flat_map(Batch::ids).collect();
        for id in &ids {
            facts.standings.entry(id.clone()).or_default().open += 1;
        }
        let mut is_repeated = false;
        for key in batches.iter().filter_map(|batch| batch.key.clone()) {
            is_repeated |= facts.results.contains_key(&key);
            facts.results.entry(key).or_default();
        }
        Sent { ids, unsent, most_new, is_repeated }
    }

    /// It is there, and stays.
    pub(super) fn acknowledge(&self, sent: Sent) {
        let mut facts = self.facts.lock();
        facts.tally.acknowledged += 1;
        for id in sent.ids {
            let standing = facts.standings.entry(id).or_default();
            standing.is_acknowledged = true;
            standing.open = standing.open.saturating_sub(1);
        }
    }

    /// Nothing of it is there.
    pub(super) fn refuse(&self, sent: Sent) {
        let mut facts = self.facts.lock();
        facts.tally.refused += 1;
        for id in sent.ids {
            let standing = facts.standings.entry(id).or_default();
            standing.open = standing.open.saturating_sub(1);
        }
    }

    /// The answer to a batch that went through the log.
    pub(super) fn answer(&self, batch: &Batch, sent: Sent, result: &AppendResult) {
        let seed = self.seed;
        let read = batch.messages.len() as u64;
        assert_eq!(result.kept + result.duplicate, read, "seed {seed}: {batch:?} was answered {result:?}");
        assert_eq!(result.rejected, batch.rejected.len() as u64, "seed {seed}: {batch:?} was answered {result:?}");
        if !sent.is_repeated {
            let (least, most) = (self.least_new(&sent), sent.most_new);
            let is_right = (least..=most).contains(&result.kept);
            assert!(is_right, "seed {seed}: of {batch:?} {least} to {most} messages are new: {result:?}");
        }
        if let Some(key) = &batch.key {
            let mut facts = self.facts.lock();
            let first = facts.results.entry(key.clone()).or_default();
            match first {
                Some(first) => {
                    assert_eq!(first, result, "seed {seed}: batch key {key} gets its first result again");
                    facts.tally.first_results += 1;
                }
                None => *first = Some(result.clone()),
            }
        }
        self.acknowledge(sent);
    }

    /// While it waited, a process that took over may have stored what others sent there.
    fn least_new(&self, sent: &Sent) -> u64 {
        let facts = self.facts.lock();
        let standing = |id: &&String| facts.standings.get(*id).copied().unwrap_or_default();
        let is_ours_alone = |id: &&String| !standing(id).is_acknowledged && standing(id).open == 1;
        sent.unsent.iter().filter(is_ours_alone).count() as u64
    }

    /// All that is there for good.
    pub(super) fn acknowledged(&self) -> BTreeSet<String> {
        let facts = self.facts.lock();
        let acknowledged = facts.standings.iter().filter(|(_, standing)| standing.is_acknowledged);
        acknowledged.map(|(id, _)| id.clone()).collect()
    }

    /// A state has all of `needed`, each thing once, and nothing that was never sent or was refused. What it shows is
    /// there for good.
    pub(super) fn look(&self, view: &View, needed: &BTreeSet<String>) {
        let seed = self.seed;
        let mut found: BTreeSet<&String> = BTreeSet::new();
        for id in view.ids() {
            assert!(found.insert(id), "seed {seed}: {id} is there twice");
        }
        for id in needed {
            assert!(found.contains(id), "seed {seed}: {id} was acknowledged, and is missing");
        }
        let mut facts = self.facts.lock();
        for id in found {
            let standing = facts.standings.entry(id.clone()).or_default();
            let is_allowed = standing.is_acknowledged || standing.open > 0;
            assert!(is_allowed, "seed {seed}: {id} is there, though it was refused or never sent");
            let is_news = !std::mem::replace(&mut standing.is_acknowledged, true);
            facts.tally.landed += u64::from(is_news);
        }
        facts.learn_numbers(seed, view);
        let first = facts.states.entry(view.position).or_insert_with(|| view.clone());
        assert_eq!(first, view, "seed {seed}: position {} names one state", view.position);
    }

    /// The newest state, read anew when no process lives that has sent anything: all is decided.
    pub(super) fn check(&self, view: &View) {
        self.look(view, &self.acknowledged());
        let seed = self.seed;
        let found = partition(view);
        assert_eq!(found, partition_of_messages(seed, view), "seed {seed}: persons are a function of the events");
        let (mut facts, mut unknown) = (self.facts.lock(), 0);
        for standing in facts.standings.values_mut() {
            unknown += u64::from(!standing.is_acknowledged && standing.open > 0);
            standing.open = 0;
        }
        facts.tally.unknown += unknown;
        assert_eq!(view.identifiers.len(), facts.identifiers.len(), "seed {seed}: nodes that were shown are missing");
        assert_eq!(view.person_ids.len(), facts.person_ids.len(), "seed {seed}: persons that were shown are missing");
        let before = std::mem::replace(&mut facts.persons, view.persons.clone());
        for (node, (before, now)) in before.iter().zip(&view.persons).enumerate() {
            // The older person survives a merge (DESIGN 5), and has the smaller number.
            let is_older = before.is_none_or(|before| now.is_some_and(|now| now <= before));
            assert!(is_older, "seed {seed}: node {node} was of person {before:?} and is of {now:?}");
            facts.tally.merges += u64::from(before.is_some() && before != now);
        }
    }
}

impl Facts {
    /// Numbers and ids that were shown once stay.
    fn learn_numbers(&mut self, seed: u64, view: &View) {
        keep(&mut self.identifiers, &view.identifiers, seed, "identifiers of nodes");
        keep(&mut self.person_ids, &view.person_ids, seed, "ids of persons");
        for (id, node) in &view.rows {
            let before = self.nodes.entry(id.clone()).or_insert(*node);
            assert_eq!(before, node, "seed {seed}: main node of {id}");
            let message = Message::of(seed, id).unwrap_or_else(|| panic!("seed {seed}: {id} is no message"));
            let named = node.map(|node| self.identifiers[node as usize].clone());
            assert_eq!(named, message.main(), "seed {seed}: main identifier of {id}");
        }
    }
}

/// Both are one list, of which one may have seen more.
fn keep<T: Clone + PartialEq + std::fmt::Debug>(known: &mut Vec<T>, shown: &[T], seed: u64, what: &str) {
    let both = known.len().min(shown.len());
    assert_eq!(known[..both], shown[..both], "seed {seed}: {what} are others than before");
    known.extend_from_slice(&shown[both..]);
}

/// The identifiers of each person.
fn partition(view: &View) -> BTreeSet<Identifiers> {
    let mut persons: BTreeMap<Person, Identifiers> = BTreeMap::new();
    for (identifier, person) in view.identifiers.iter().zip(&view.persons) {
        // What belongs to nobody was numbered for a load that was not committed.
        if let Some(person) = person {
            persons.entry(*person).or_default().insert(identifier.clone());
        }
    }
    persons.into_values().collect()
}

/// From nothing but the messages that are there.
fn partition_of_messages(seed: u64, view: &View) -> BTreeSet<Identifiers> {
    let messages = view.rows.iter().filter_map(|(id, _)| Message::of(seed, id));
    partition_by_relabelling(messages.map(|message| message.identifiers()))
}
