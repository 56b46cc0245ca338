//! What a clean part has of all that is limited. A small part is counted when it is asked for; a large one is counted as
//! it grows, so that a link to it costs as little.

use std::collections::HashMap;

use super::given::{Given, NodeFacts};
use super::partition::Partition;
use crate::identity::identifier::TypeId;
use crate::identity::link_rules::LinkRules;
use crate::ids::Node;

/// Types that a workspace can have: [`super::super::identifier`] allows no more.
const TYPES: usize = 64;
/// A part of no more nodes is small.
const SMALL: u32 = 32;

#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    nodes: u32,
    /// At least as many as there are: links that follow from several sets may be counted several times.
    links: u32,
    /// By type, up to the largest number.
    of_types: [u16; TYPES],
}

/// Of large parts, by their labels.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    large: HashMap<Node, Tally>,
}

/// Most nodes that a small part has: so few that each could be linked to each.
fn small(rules: &LinkRules) -> u32 {
    (1..=SMALL).rev().find(|nodes| pairs(*nodes) <= rules.max_links).unwrap_or(1)
}

fn pairs(nodes: u32) -> u32 {
    nodes * (nodes - 1) / 2
}

impl Tally {
    fn count<F: NodeFacts>(given: Given<'_, F>, nodes: impl Iterator<Item = Node>) -> Self {
        let mut tally = Self { nodes: 0, links: 0, of_types: [0; TYPES] };
        for node in nodes {
            tally.nodes += 1;
            let of_type = &mut tally.of_types[usize::from(given.facts.kind(node)) % TYPES];
            *of_type = of_type.saturating_add(1);
        }
        tally
    }

    /// Of two parts and a link between them.
    fn join(&self, other: &Self) -> Self {
        let mut joined = *self;
        joined.nodes = joined.nodes.saturating_add(other.nodes);
        joined.links = joined.links.saturating_add(other.links).saturating_add(1);
        for (held, added) in joined.of_types.iter_mut().zip(other.of_types) {
            *held = held.saturating_add(added);
        }
        joined
    }

    /// Whether a part is within all limits, as if each held for ever.
    fn is_clean<F: NodeFacts>(&self, given: Given<'_, F>) -> bool {
        let is_kept = |kind: TypeId, count: u16| {
            let Some(rule) = given.rule(kind) else { return true };
            let limit = rule.limit.map(|limit| limit.count.max(1));
            let limit = if rule.unique { Some(1) } else { limit };
            limit.is_none_or(|limit| u32::from(count) <= limit && count < u16::MAX)
        };
        self.nodes <= given.rules.max_identifiers
            && (self.nodes <= small(given.rules) || self.links <= given.rules.max_links)
            && (0..).zip(self.of_types).filter(|(_, count)| *count > 0).all(|(kind, count)| is_kept(kind, count))
    }
}

impl Tallies {
    /// Of a part that is small, or was noted.
    fn of<F: NodeFacts>(&self, given: Given<'_, F>, partition: &Partition, node: Node) -> Tally {
        if let Some(tally) = self.large.get(&partition.label(node)) {
            return *tally;
        }
        let mut tally = Tally::count(given, partition.part(node));
        tally.links = tally.nodes.saturating_mul(tally.nodes.saturating_sub(1)) / 2;
        tally
    }

    /// What two clean parts would be as one; `None` where that may not be clean.
    pub(super) fn joined<F: NodeFacts>(
        &self,
        given: Given<'_, F>,
        partition: &Partition,
        a: Node,
        b: Node,
    ) -> Option<Tally> {
        let joined = self.of(given, partition, a).join(&self.of(given, partition, b));
        joined.is_clean(given).then_some(joined)
    }

    /// Two parts have become one: which label stays, and which is gone.
    pub(super) fn note_joined(&mut self, rules: &LinkRules, tally: Tally, labels: (Node, Node)) {
        self.large.remove(&labels.1);
        if tally.nodes > small(rules) {
            self.large.insert(labels.0, tally);
        }
    }

    /// One more link within a clean part; whether it is still known to be within limits.
    pub(super) fn note_link(&mut self, rules: &LinkRules, label: Node) -> bool {
        let Some(tally) = self.large.get_mut(&label) else { return true };
        tally.links = tally.links.saturating_add(1);
        tally.links <= rules.max_links
    }

    /// A part is no longer, or has to be noted anew.
    pub(super) fn forget(&mut self, label: Node) {
        self.large.remove(&label);
    }

    /// Notes a clean part that was found with so many links.
    pub(super) fn note<F: NodeFacts>(&mut self, given: Given<'_, F>, nodes: &[Node], label: Node, links: u32) {
        if nodes.len() > small(given.rules) as usize {
            self.large.insert(label, Tally { links, ..Tally::count(given, nodes.iter().copied()) });
        }
    }
}
