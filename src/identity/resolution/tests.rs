//! A world of identifiers to resolve, shared by the tests.

mod examples;
mod explanations;
mod forest;
mod histories;
mod limits;
mod permutations;
mod reference;
mod supernodes;
mod without_rules;

use std::cell::Cell;
use std::collections::BTreeSet;

use super::{Action, Given, NodeFacts, Override, Resolution, Resolver};
use crate::identity::identifier::{IdentifierTypes, TypeId};
use crate::identity::sets::SetFacts;
use crate::identity::{Keep, LinkRules, TypeRule};
use crate::ids::Node;

const USER: TypeId = IdentifierTypes::USER_ID;
const EMAIL: TypeId = 2;
const PHONE: TypeId = 3;
const DEVICE: TypeId = 6;
const COOKIE: TypeId = IdentifierTypes::ANONYMOUS_ID;

const DAY: i64 = 86_400_000_000;

/// Parts of a partition, in the order of their smallest node.
type Parts = BTreeSet<BTreeSet<Node>>;

/// Identifiers by node.
#[derive(Debug, Clone)]
struct World {
    kinds: Vec<TypeId>,
    keys: Vec<u128>,
    blocked: BTreeSet<Node>,
    types: IdentifierTypes,
    rules: LinkRules,
    /// How often the kind of a node was asked for: grows with the work.
    asked: Cell<usize>,
}

impl NodeFacts for World {
    fn kind(&self, node: Node) -> TypeId {
        self.asked.set(self.asked.get() + 1);
        self.kinds[node as usize]
    }

    fn key(&self, node: Node) -> u128 {
        self.keys[node as usize]
    }

    fn is_blocked(&self, node: Node) -> bool {
        self.blocked.contains(&node)
    }
}

/// No rule about any type.
fn without_limits() -> LinkRules {
    let types = vec![TypeRule::default(); 8];
    LinkRules { types, keep: Keep::Oldest, max_identifiers: 1_000, max_links: 100_000 }
}

impl World {
    /// With keys that say nothing of the order of nodes.
    fn of(kinds: &[TypeId]) -> Self {
        let key = |place: usize| (place as u128 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        Self {
            kinds: kinds.to_vec(),
            keys: (0..kinds.len()).map(key).collect(),
            blocked: BTreeSet::new(),
            types: IdentifierTypes::default(),
            rules: without_limits(),
            asked: Cell::new(0),
        }
    }

    fn given(&self) -> Given<'_, Self> {
        Given { rules: &self.rules, types: &self.types, facts: self }
    }

    fn rule(&mut self, kind: TypeId) -> &mut TypeRule {
        &mut self.rules.types[usize::from(kind)]
    }

    fn resolver(&self) -> Resolver {
        let mut resolver = Resolver::default();
        resolver.grow(self.kinds.len());
        resolver
    }

    /// All sets, one after the other, and settled.
    fn resolve(&self, sets: &[(&[Node], i64)]) -> Resolver {
        let mut resolver = self.resolver();
        for (nodes, ts) in sets {
            resolver.add_set(self.given(), nodes, seen(*ts, 0)).unwrap();
        }
        resolver.settle(self.given(), usize::MAX);
        resolver
    }
}

/// One event.
fn seen(ts: i64, origin: u32) -> SetFacts {
    SetFacts { origin, first_seen: ts, last_seen: ts, events: 1 }
}

fn say(id: u64, action: Action, a: Node, b: Node) -> Override {
    Override { id, position: id, at: 0, a, b, action }
}

fn parts(held: &Resolution) -> Parts {
    let nodes = 0..held.nodes() as Node;
    let parts: Parts = nodes.map(|node| held.nodes_with(node).collect()).collect();
    for part in &parts {
        let labels: BTreeSet<Node> = part.iter().map(|node| held.label(*node)).collect();
        assert_eq!(labels.len(), 1, "nodes of one ring have one label");
        assert!(labels.is_subset(part), "a label is a node of its part");
    }
    assert_eq!(parts.iter().map(BTreeSet::len).sum::<usize>(), held.nodes(), "each node is in one ring");
    parts
}

/// Parts of more than one node, written as `0 1 2 | 3 4`.
fn written(held: &Resolution) -> String {
    let parts = parts(held);
    let text = |part: &BTreeSet<Node>| part.iter().map(Node::to_string).collect::<Vec<_>>().join(" ");
    parts.iter().filter(|part| part.len() > 1).map(text).collect::<Vec<_>>().join(" | ")
}
