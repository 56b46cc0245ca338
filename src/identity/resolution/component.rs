//! The nodes that links reach from a node, whatever the limits, and these links. What is outside can never matter to what
//! is inside.

use std::collections::{HashSet, VecDeque};

use super::given::{Given, NodeFacts};
use super::links::{Link, for_each_link, join_pairs};
use super::state::Resolution;
use crate::ids::Node;

/// Links that follow from sets or are made by overrides, each pair once.
#[derive(Debug, Default)]
pub(super) struct Component {
    /// Ascending.
    pub(super) nodes: Vec<Node>,
    pub(super) links: Vec<Link>,
    /// Mentions of nodes in sets that were looked at.
    pub(super) work: usize,
}

/// The component is larger than may be looked at.
#[derive(Debug)]
pub(super) struct TooMany {
    pub(super) work: usize,
    /// Told by a node that is reached, without looking further.
    pub(super) is_known: bool,
}

/// # Errors
/// When more than `most` mentions of nodes would have to be looked at, or `is_too_many` says so of a node.
pub(super) fn gather<F: NodeFacts>(
    given: Given<'_, F>,
    held: &Resolution,
    from: Node,
    most: usize,
    is_too_many: impl Fn(Node) -> bool,
) -> Result<Component, TooMany> {
    let mut found = Component::default();
    let mut seen_nodes = HashSet::from([from]);
    let mut seen_sets = HashSet::new();
    let mut waiting = VecDeque::from([from]);
    let mut nodes = Vec::new();
    while let Some(node) = waiting.pop_front() {
        found.nodes.push(node);
        let is_known = is_too_many(node);
        if is_known || found.work > most {
            return Err(TooMany { work: found.work, is_known });
        }
        if given.facts.is_blocked(node) {
            continue;
        }
        let mut reach = |node| {
            if seen_nodes.insert(node) {
                waiting.push_back(node);
            }
        };
        let included = held.overrides.included(node).filter(|(partner, _)| !given.facts.is_blocked(*partner));
        for (partner, made) in included {
            found.work += 1;
            found.links.push(Link::of_override(made));
            reach(partner);
        }
        if held.partition.is_shared(node) {
            continue;
        }
        for set in held.sets.of_node(node) {
            found.work += 1;
            if found.work > most {
                return Err(TooMany { work: found.work, is_known: false });
            }
            if !seen_sets.insert(set) {
                continue;
            }
            let Some(times) = held.sets.read(set, &mut nodes) else { continue };
            for_each_link(
                given,
                &nodes,
                |node| held.takes_part(given, node),
                |centre, other| {
                    found.links.push(Link::new(centre, other, times));
                    reach(centre);
                    reach(other);
                },
            );
        }
    }
    found.nodes.sort_unstable();
    join_pairs(&mut found.links);
    Ok(found)
}

impl Resolution {
    /// Whether links of sets may have the node.
    pub(super) fn takes_part<F: NodeFacts>(&self, given: Given<'_, F>, node: Node) -> bool {
        !self.partition.is_shared(node) && !given.facts.is_blocked(node)
    }
}
