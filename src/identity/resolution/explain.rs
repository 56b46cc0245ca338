//! Why two nodes are one person, or are not.
//!
//! Follows from the sets and overrides of a state, replayed. Where work on a component waits its persons are still those
//! of before.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::component::gather;
use super::given::{Given, NodeFacts};
use super::replay::{LinkVerdict, replay};
use super::state::Resolution;
use crate::ids::Node;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Explanation {
    /// Accepted links, as few as lead from the one to the other, in their order.
    Together(Vec<LinkVerdict>),
    Apart(Apart),
    /// The component has too many links to look at.
    TooMany,
}

/// What keeps two nodes apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Apart {
    /// One of them is no identifier under the rules.
    Blocked(Node),
    /// The links on the way that were refused, or are taken out: as few as there are on any way, in their order.
    Refused(Vec<LinkVerdict>),
    /// All links between them go through nodes that are shared, of which this is one.
    Shared(Node),
    /// No links lead from the one to the other.
    Unlinked,
}

impl Resolution {
    /// All links of the component of a node in the order in which they are heard, and what became of each; `None` when
    /// more than `most` mentions of nodes have to be looked at.
    pub fn link_verdicts<F: NodeFacts>(
        &self,
        given: Given<'_, F>,
        node: Node,
        most: usize,
    ) -> Option<Vec<LinkVerdict>> {
        let component = gather(given, self, node, most, |_| false).ok()?;
        Some(replay(given, &self.overrides, component).links)
    }
}

/// Looks at no more than `most` mentions of nodes.
pub fn explain<F: NodeFacts>(given: Given<'_, F>, held: &Resolution, a: Node, b: Node, most: usize) -> Explanation {
    if a == b {
        return Explanation::Together(Vec::new());
    }
    if let Some(blocked) = [a, b].into_iter().find(|node| given.facts.is_blocked(*node)) {
        return Explanation::Apart(Apart::Blocked(blocked));
    }
    let Ok(component) = gather(given, held, a, most, |_| false) else { return Explanation::TooMany };
    let nodes = component.nodes.clone();
    if nodes.binary_search(&b).is_err() {
        let Ok(other) = gather(given, held, b, most, |_| false) else { return Explanation::TooMany };
        return Explanation::Apart(why_unreached(held, (a, &nodes), (b, &other.nodes)));
    }
    let links = replay(given, &held.overrides, component).links;
    let way = shortest_way(&links, a, b);
    let refused: Vec<LinkVerdict> = way.iter().filter(|link| !link.is_accepted()).copied().collect();
    if refused.is_empty() { Explanation::Together(way) } else { Explanation::Apart(Apart::Refused(refused)) }
}

/// How a node was reached on the way.
struct Reached<'l> {
    /// Links that are not accepted, and all of them.
    cost: (usize, usize),
    /// The node before, and the link to it; of the first one there is none.
    by: Option<(Node, &'l LinkVerdict)>,
}

/// The links of a way with as few links as can be that are not accepted, and as few links as can be among those.
fn shortest_way(links: &[LinkVerdict], a: Node, b: Node) -> Vec<LinkVerdict> {
    let mut of_nodes: HashMap<Node, Vec<(Node, &LinkVerdict)>> = HashMap::new();
    for judged in links {
        let link = judged.link;
        of_nodes.entry(link.a).or_default().push((link.b, judged));
        of_nodes.entry(link.b).or_default().push((link.a, judged));
    }
    let mut reached = HashMap::from([(a, Reached { cost: (0, 0), by: None })]);
    let mut waiting = VecDeque::from([a]);
    while let Some(node) = waiting.pop_front() {
        let Some((refused, steps)) = reached.get(&node).map(|reached| reached.cost) else { continue };
        for (next, judged) in of_nodes.get(&node).into_iter().flatten() {
            let cost = (refused + usize::from(!judged.is_accepted()), steps + 1);
            if reached.get(next).is_none_or(|held| cost < held.cost) {
                reached.insert(*next, Reached { cost, by: Some((node, *judged)) });
                waiting.push_back(*next);
            }
        }
    }
    let mut way = Vec::new();
    let mut node = b;
    while let Some((before, judged)) = reached.get(&node).and_then(|reached| reached.by) {
        way.push(*judged);
        node = before;
    }
    way.reverse();
    way
}

fn why_unreached(held: &Resolution, a: (Node, &[Node]), b: (Node, &[Node])) -> Apart {
    if let Some(shared) = [a.0, b.0].into_iter().find(|node| held.is_shared(*node)) {
        return Apart::Shared(shared);
    }
    let (beside_a, beside_b) = (shared_beside(held, a.1), shared_beside(held, b.1));
    match beside_a.intersection(&beside_b).next() {
        Some(shared) => Apart::Shared(*shared),
        None => Apart::Unlinked,
    }
}

/// Shared nodes that stand in a set with one of these.
fn shared_beside(held: &Resolution, nodes: &[Node]) -> BTreeSet<Node> {
    let (mut found, mut of_set) = (BTreeSet::new(), Vec::new());
    for node in nodes.iter().filter(|node| !held.is_shared(**node)) {
        for set in held.sets.of_node(*node) {
            held.sets.read(set, &mut of_set);
            found.extend(of_set.iter().copied().filter(|node| held.is_shared(*node)));
        }
    }
    found
}
