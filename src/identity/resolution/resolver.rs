//! Keeps the persons of a workspace while sets, overrides and removals come in any order and batches.
//!
//! What keeps clean components clean is done at once. All else marks the components that it touches as *in doubt*, and
//! [`Resolver::settle`] replays them. A component that is not in doubt is exactly what all links reach from it, and is
//! one person; so what comes out equals [`Resolver::rebuild`].

use std::collections::HashSet;
use std::sync::Arc;

use super::component::{Component, gather};
use super::fanout::{Fanout, beside_in_sets};
use super::given::{Given, NodeFacts};
use super::links::for_each_link;
use super::overrides::{Override, OverrideId, Overrides};
use super::replay::replay;
use super::set_store::{Addition, SetIndex};
use super::state::Resolution;
use super::tally::Tallies;
use super::whole;
use crate::error::Result;
use crate::identity::sets::{OriginId, SetFacts};
use crate::ids::Node;

/// Every call gets the same rules and types, until [`Self::rebuild`] brings others.
#[derive(Debug, Default)]
pub struct Resolver {
    held: Resolution,
    index: SetIndex,
    fanout: Fanout,
    tallies: Tallies,
    /// Nodes whose components have to be replayed. Each is in doubt, with all of its part.
    dirty: Vec<Node>,
    /// At least one node of each component for which a budget was too small.
    waiting: Vec<Node>,
    /// A node of each part that was made since the last settling, or had been.
    changed: Vec<Node>,
}

/// What has been done since the last settling.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct PersonChanges {
    /// A node of each person that is not as it was.
    pub changed: Vec<Node>,
    /// Nodes from which components are found that stand as they were before, since the work on them is above the budget:
    /// at least one of each.
    pub pending: usize,
}

impl Resolver {
    /// Makes room for nodes up to `count`, each a person of its own.
    pub fn grow(&mut self, count: usize) {
        self.held.sets.grow(count);
        self.held.partition.grow(count);
    }

    /// The state that readers hold. Costs nothing but what changes later.
    pub fn resolution(&self) -> Resolution {
        self.held.clone()
    }

    /// Adds events of an identifier set: its main node, then the others. [`Self::grow`] has made room for them.
    ///
    /// # Errors
    /// `Busy` when all numbers for sets are given.
    pub fn add_set<F: NodeFacts>(&mut self, given: Given<'_, F>, nodes: &[Node], facts: SetFacts) -> Result<()> {
        match self.held.sets.add(nodes, facts, &mut self.index)? {
            Addition::Same => {}
            Addition::OtherTimes => {
                // Of a clean component no time matters.
                let Resolution { partition, .. } = &self.held;
                let heard_later = |node: &&Node| partition.is_in_doubt(**node) && !partition.is_waiting(**node);
                self.dirty.extend(nodes.iter().filter(heard_later));
            }
            Addition::New => {
                self.fanout.add(given, nodes);
                nodes.iter().for_each(|node| self.judge_shared(given, *node));
                self.take_links(given, nodes);
            }
        }
        Ok(())
    }

    /// Takes out an identifier set with all of its events; whether it was there.
    pub fn remove_set<F: NodeFacts>(&mut self, given: Given<'_, F>, nodes: &[Node], origin: OriginId) -> bool {
        if !self.held.sets.remove(nodes, origin, &mut self.index) {
            return false;
        }
        self.fanout.remove(given, nodes);
        nodes.iter().for_each(|node| self.judge_shared(given, *node));
        nodes.iter().for_each(|node| self.doubt(*node));
        true
    }

    /// False where the id is taken, or the two are the same node: nothing has changed then.
    pub fn add_override<F: NodeFacts>(&mut self, given: Given<'_, F>, new: Override) -> bool {
        let is_new = Arc::make_mut(&mut self.held.overrides).add(new);
        if is_new {
            self.judge_pair(given, new);
        }
        is_new
    }

    /// Takes out exactly this one; `None` where there is none: nothing has changed then.
    pub fn undo_override<F: NodeFacts>(&mut self, given: Given<'_, F>, id: OverrideId) -> Option<Override> {
        self.held.overrides.get(id)?;
        let undone = Arc::make_mut(&mut self.held.overrides).undo(id)?;
        self.judge_pair(given, undone);
        Some(undone)
    }

    pub fn overrides(&self) -> &Overrides {
        &self.held.overrides
    }

    /// Replays what is in doubt, as long as no more than `budget` mentions of nodes in sets have to be looked at. What is
    /// above waits for [`Self::settle_waiting`], and costs nothing before.
    pub fn settle<F: NodeFacts>(&mut self, given: Given<'_, F>, budget: usize) -> PersonChanges {
        let mut done = HashSet::new();
        let mut left = budget;
        while let Some(node) = self.dirty.pop() {
            if done.contains(&node) {
                continue;
            }
            if self.held.partition.is_waiting(node) {
                self.waiting.push(self.held.partition.label(node));
                continue;
            }
            match gather(given, &self.held, node, left, |node| self.held.partition.is_waiting(node)) {
                Ok(component) => {
                    left -= component.work.min(left);
                    self.replay(given, component, &mut done);
                }
                Err(too_many) => {
                    left -= too_many.work.min(left);
                    self.wait(node);
                    // That of a node that waits already is the same component.
                    if !too_many.is_known {
                        self.waiting.push(self.held.partition.label(node));
                    }
                }
            }
        }
        self.finish_settling(&done)
    }

    /// Replays what waits, and what is in doubt beside it, within a budget of its own.
    pub fn settle_waiting<F: NodeFacts>(&mut self, given: Given<'_, F>, budget: usize) -> PersonChanges {
        let mut done = HashSet::new();
        let mut left = budget;
        self.dirty.append(&mut self.waiting);
        while let Some(node) = self.dirty.pop() {
            if done.contains(&node) {
                continue;
            }
            match gather(given, &self.held, node, left, |_| false) {
                Ok(component) => {
                    left -= component.work.min(left);
                    self.replay(given, component, &mut done);
                }
                Err(too_many) => {
                    left -= too_many.work.min(left);
                    self.wait(node);
                    self.waiting.push(self.held.partition.label(node));
                }
            }
        }
        self.finish_settling(&done)
    }

    fn finish_settling(&mut self, done: &HashSet<Node>) -> PersonChanges {
        self.waiting.retain(|node| !done.contains(node));
        self.waiting.sort_unstable();
        self.waiting.dedup();
        PersonChanges { changed: self.take_changed(), pending: self.waiting.len() }
    }

    /// Resolves all sets anew, under rules that may be others.
    pub fn rebuild<F: NodeFacts>(&mut self, given: Given<'_, F>) -> PersonChanges {
        self.fanout = Fanout::default();
        whole::mark_shared(given, &mut self.held, &mut self.fanout);
        self.tallies = Tallies::default();
        self.dirty.clear();
        self.waiting.clear();
        let parts = whole::resolve(given, &self.held);
        // All are compared before any is changed: a part is found by its ring, and half of one is none.
        let differs: Vec<bool> = parts.iter().map(|part| !self.held.partition.is_part(&part.nodes)).collect();
        for (part, differs) in parts.iter().zip(differs) {
            let Some(first) = part.nodes.first() else { continue };
            if differs {
                self.held.partition.give(&part.nodes);
                self.changed.push(*first);
            }
            self.mark(&part.nodes, part.is_in_doubt);
            if !part.is_in_doubt {
                self.tallies.note(given, &part.nodes, self.held.label(*first), part.links);
            }
        }
        PersonChanges { changed: self.take_changed(), pending: 0 }
    }

    /// Takes the links of a new set, those at once that keep clean components clean.
    fn take_links<F: NodeFacts>(&mut self, given: Given<'_, F>, nodes: &[Node]) {
        let mut links = Vec::with_capacity(nodes.len());
        let held = &self.held;
        for_each_link(given, nodes, |node| held.takes_part(given, node), |centre, other| links.push((centre, other)));
        for (a, b) in links {
            let partition = &mut self.held.partition;
            if partition.is_waiting(a) || partition.is_waiting(b) {
                // A node of what waits is noted; what is linked to it is found from there.
                self.wait(a);
                self.wait(b);
            } else if partition.is_in_doubt(a) || partition.is_in_doubt(b) {
                self.doubt(a);
                self.doubt(b);
            } else if partition.label(a) == partition.label(b) {
                if !self.tallies.note_link(given.rules, partition.label(a)) {
                    self.doubt(a);
                }
            } else if let Some(tally) = self.tallies.joined(given, partition, a, b) {
                let labels = partition.join(a, b);
                self.tallies.note_joined(given.rules, tally, labels);
                self.changed.push(a);
            } else {
                self.doubt(a);
                self.doubt(b);
            }
        }
    }

    /// Says anew whether a node is shared. Where that changes, all that stood beside it is in doubt.
    fn judge_shared<F: NodeFacts>(&mut self, given: Given<'_, F>, node: Node) {
        let is_shared = self.fanout.is_shared(given, &self.held.sets, &self.held.overrides, node);
        if is_shared == self.held.partition.is_shared(node) {
            return;
        }
        self.held.partition.set_shared(node, is_shared);
        // Those that an override links to it are found from the node itself.
        beside_in_sets(&self.held.sets, node).into_iter().for_each(|node| self.doubt(node));
    }

    fn judge_pair<F: NodeFacts>(&mut self, given: Given<'_, F>, pair: Override) {
        for node in [pair.a, pair.b] {
            self.judge_shared(given, node);
            self.doubt(node);
        }
    }

    /// The component of a node has to be replayed; until it is nothing joins its part.
    fn doubt(&mut self, node: Node) {
        self.set_in_doubt(node);
        self.dirty.push(node);
    }

    fn set_in_doubt(&mut self, node: Node) {
        if !self.held.partition.is_in_doubt(node) {
            self.tallies.forget(self.held.label(node));
            let part: Vec<Node> = self.held.partition.part(node).collect();
            part.into_iter().for_each(|node| self.held.partition.set_in_doubt(node, true));
        }
    }

    /// The component of a node is too large to be replayed now.
    fn wait(&mut self, node: Node) {
        self.set_in_doubt(node);
        if !self.held.partition.is_waiting(node) {
            let part: Vec<Node> = self.held.partition.part(node).collect();
            part.into_iter().for_each(|node| self.held.partition.set_waiting(node, true));
        }
    }

    fn mark(&mut self, nodes: &[Node], is_in_doubt: bool) {
        for node in nodes {
            self.held.partition.set_in_doubt(*node, is_in_doubt);
            self.held.partition.set_waiting(*node, false);
        }
    }

    /// Puts the parts of a component in place of what was there.
    fn replay<F: NodeFacts>(&mut self, given: Given<'_, F>, component: Component, done: &mut HashSet<Node>) {
        let nodes = component.nodes.clone();
        done.extend(nodes.iter().copied());
        let replayed = replay(given, &self.held.overrides, component);
        let left = self.left_behind(&nodes);
        let partition = &mut self.held.partition;
        let made: Vec<_> = replayed.parts.into_iter().filter(|part| !partition.is_part(part)).collect();
        for part in made.iter().chain(&left) {
            partition.give(part);
            self.changed.extend(part.first());
        }
        self.dirty.extend(left.iter().filter_map(|part| part.first()));
        self.mark(&nodes, !replayed.is_clean);
        if let Some(first) = nodes.first().filter(|_| replayed.is_clean) {
            // A clean component is one part.
            let label = self.held.label(*first);
            self.tallies.note(given, &nodes, label, replayed.links.len() as u32);
        }
    }

    /// What was one part with some of these nodes, and is no longer reached from them. It stays together until it is
    /// replayed itself.
    fn left_behind(&mut self, nodes: &[Node]) -> Vec<Vec<Node>> {
        let partition = &self.held.partition;
        let labels: HashSet<Node> = nodes.iter().map(|node| partition.label(*node)).collect();
        let mut left = Vec::new();
        for label in labels {
            self.tallies.forget(label);
            let part = partition.part(label);
            let part: Vec<Node> = part.filter(|node| nodes.binary_search(node).is_err()).collect();
            if !part.is_empty() {
                left.push(part);
            }
        }
        left
    }

    fn take_changed(&mut self) -> Vec<Node> {
        let mut changed: Vec<Node> = self.changed.drain(..).map(|node| self.held.partition.label(node)).collect();
        changed.sort_unstable();
        changed.dedup();
        changed
    }
}
