//! What must be true of a log, kept apart from it.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// Position, payload.
type Texts = Vec<(u64, String)>;

/// All that writers were told and have read. Its own clock does not move: each call is one moment.
pub(super) struct Oracle {
    pub(super) seed: u64,
    facts: Mutex<Facts>,
}

#[derive(Default)]
struct Facts {
    /// With the term that acknowledged.
    acknowledged: Vec<(u64, u64, String)>,
    /// What was read at each position, by whomever.
    known: BTreeMap<u64, String>,
    /// What each term found when it opened.
    opened: Vec<(u64, Texts)>,
    /// The records before and at the flushed position.
    flushed: Texts,
    flushes: u64,
}

impl Oracle {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, facts: Mutex::default() }
    }

    /// The position up to which records were flushed.
    pub(super) fn flushed(&self) -> u64 {
        self.facts.lock().flushed.len() as u64
    }

    pub(super) fn flushes(&self) -> u64 {
        self.facts.lock().flushes
    }

    pub(super) fn acknowledge(&self, term: u64, position: u64, texts: &[&str]) {
        let mut facts = self.facts.lock();
        for (position, text) in (position..).zip(texts) {
            facts.acknowledged.push((term, position, (*text).to_owned()));
        }
        drop(facts);
        self.learn(&(position..).zip(texts.iter().map(|text| (*text).to_owned())).collect::<Vec<_>>());
    }

    pub(super) fn acknowledged(&self) -> Vec<(u64, u64, String)> {
        self.facts.lock().acknowledged.clone()
    }

    pub(super) fn landed_without_acknowledgement(&self) -> usize {
        let facts = self.facts.lock();
        let payloads = facts.known.values().filter(|text| !text.is_empty()).count();
        payloads - facts.acknowledged.len()
    }

    /// `seen` becomes durable elsewhere, up to its last position.
    pub(super) fn flush(&self, seen: &[(u64, String)]) {
        let mut facts = self.facts.lock();
        facts.flushes += 1;
        if seen.len() > facts.flushed.len() {
            assert!(seen.starts_with(&facts.flushed), "seed {}: a flush of another history", self.seed);
            facts.flushed = seen.to_vec();
        }
    }

    /// What a term has: all that was flushed and what it `replayed` behind that.
    pub(super) fn open(&self, term: u64, flushed: u64, replayed: Texts) -> Texts {
        let all = self.join(flushed, replayed);
        self.learn(&all);
        let mut facts = self.facts.lock();
        // Records that older terms acknowledge from now on must be in it as well: see `check`.
        facts.opened.push((term, all.clone()));
        all
    }

    /// What a reader has found: all of `acknowledged`.
    pub(super) fn look(&self, acknowledged: &[(u64, u64, String)], flushed: u64, found: &Texts) {
        let all = self.join(flushed, found.clone());
        self.learn(&all);
        self.has(&all, acknowledged.iter());
    }

    /// The whole history, at the end.
    pub(super) fn check(&self, all: &Texts) {
        let facts = self.facts.lock();
        self.has(all, facts.acknowledged.iter());
        for (term, found) in &facts.opened {
            self.has(found, facts.acknowledged.iter().filter(|(by, ..)| by < term));
            assert!(all.starts_with(found), "seed {}: term {term} has seen another history", self.seed);
        }
        let mut texts: Vec<_> = all.iter().map(|(_, text)| text).filter(|text| !text.is_empty()).collect();
        let count = texts.len();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), count, "seed {}: a record is there twice", self.seed);
    }

    fn join(&self, flushed: u64, found: Texts) -> Texts {
        let mut all = self.facts.lock().flushed[..flushed as usize].to_vec();
        all.extend(found);
        let dense = all.iter().zip(1..).all(|((position, _), expected)| *position == expected);
        assert!(dense, "seed {}: positions {:?}", self.seed, all.iter().map(|(position, _)| position));
        all
    }

    fn has<'a>(&self, all: &Texts, acknowledged: impl Iterator<Item = &'a (u64, u64, String)>) {
        for (term, position, text) in acknowledged {
            let found = all.get(*position as usize - 1).map(|(_, text)| text);
            assert_eq!(found, Some(text), "seed {}: position {position}, acknowledged by term {term}", self.seed);
        }
    }

    /// One position has one content, for everybody and for ever.
    fn learn(&self, found: &[(u64, String)]) {
        let mut facts = self.facts.lock();
        for (position, text) in found {
            let known = facts.known.entry(*position).or_insert_with(|| text.clone());
            assert_eq!(known, text, "seed {}: two contents of position {position}", self.seed);
        }
    }
}
