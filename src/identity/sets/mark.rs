//! A builder goes back to where it was: sets that came since are taken out again, and those that were there before are as
//! they were.

use super::{IdentifierSets, SetBuilder, SetFacts};

/// Where a builder can go back to.
#[derive(Debug)]
pub(super) struct Mark {
    origins: usize,
    sets: usize,
    /// Sets of before that have changed since, by their places, each as it was before that change.
    changed: Vec<(u32, SetFacts)>,
}

impl Mark {
    /// To be called before the facts at a place change.
    pub(super) fn note(&mut self, place: u32, facts: SetFacts) {
        if (place as usize) < self.sets {
            self.changed.push((place, facts));
        }
    }
}

impl SetBuilder {
    /// What comes from here on can be taken back.
    pub(in crate::identity) fn set_mark(&mut self) {
        let mut changed = self.mark.take().map(|mark| mark.changed).unwrap_or_default();
        changed.clear();
        self.mark = Some(Mark { origins: self.sets.origins.len(), sets: self.sets.len(), changed });
    }

    /// Takes back what came since the mark, if there is one.
    pub(in crate::identity) fn go_back(&mut self) {
        let Some(Mark { origins, sets, changed }) = self.mark.take() else { return };
        for (place, facts) in changed.into_iter().rev() {
            self.sets.facts[place as usize] = facts;
        }
        self.sets.truncate(origins, sets);
        self.origins.truncate(origins);
        self.places.retain(|place| (*place as usize) < sets);
    }
}

impl IdentifierSets {
    /// Keeps the first ones of both.
    fn truncate(&mut self, origins: usize, sets: usize) {
        let nodes = sets.checked_sub(1).map_or(0, |last| self.ends[last] as usize);
        self.origins.truncate(origins);
        self.nodes.truncate(nodes);
        self.ends.truncate(sets);
        self.facts.truncate(sets);
    }
}
