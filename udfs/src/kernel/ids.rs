//! Members one by one, in ascending order. Must not know: how containers are combined.

use super::evaluate::{Evaluator, NO_KEY};
use super::expression::Plan;
use super::view::BitmapRef;

/// Iterator over the members of a plan. It holds the members of one container at a time.
pub struct Ids<'p> {
    evaluator: Evaluator<'p>,
    /// Members of the container at hand, the next one at `at`.
    held: Vec<u32>,
    at: usize,
    /// The next key to look at.
    key: u32,
}

impl<'p> Ids<'p> {
    pub(crate) fn new(plan: &'p Plan<'p>) -> Self {
        Ids { evaluator: Evaluator::new(plan), held: Vec::new(), at: 0, key: 0 }
    }

    /// The next members, at most `most` of them and at most those of one container; None at the end.
    pub fn next_batch(&mut self, most: usize) -> Option<&[u32]> {
        while self.at == self.held.len() {
            if !self.fill() {
                return None;
            }
        }
        let from = self.at;
        self.at = (from + most.max(1)).min(self.held.len());
        Some(&self.held[from..self.at])
    }

    /// Leaves out members below `id`, none of which may have been asked for beyond it.
    pub fn skip_to(&mut self, id: u32) {
        if id >> 16 >= self.key {
            (self.key, self.at) = (id >> 16, self.held.len());
            self.fill();
        }
        self.at += self.held[self.at..].partition_point(|held| *held < id);
    }

    fn fill(&mut self) -> bool {
        (self.at, self.held) = (0, std::mem::take(&mut self.held));
        self.held.clear();
        if self.key == NO_KEY {
            return false;
        }
        let key = self.evaluator.next_key(self.key);
        if key == NO_KEY {
            self.key = NO_KEY;
            return false;
        }
        self.key = key + 1;
        let part = self.evaluator.evaluate(key);
        if let Some(container) = part.container() {
            container.for_each(|low| self.held.push(key << 16 | u32::from(low)));
        }
        self.evaluator.release(part);
        true
    }
}

impl Iterator for Ids<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        while self.at == self.held.len() {
            if !self.fill() {
                return None;
            }
        }
        self.at += 1;
        Some(self.held[self.at - 1])
    }
}

impl BitmapRef<'_> {
    /// Calls with each member in ascending order.
    pub fn for_each(&self, mut each: impl FnMut(u32)) {
        for index in 0..self.containers() {
            let key = self.key(index) << 16;
            self.container(index).for_each(|low| each(key | u32::from(low)));
        }
    }
}
