//! Links: pairs of nodes that stood together, which follow from sets, and the order in which they are heard.

use super::given::{Given, NodeFacts};
use super::overrides::{Override, pair};
use super::set_store::Times;
use crate::identity::link_rules::Keep;
use crate::ids::Node;

/// Two nodes, and the sets from which their link follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The smaller one.
    pub a: Node,
    pub b: Node,
    /// Of the earliest event, in microseconds since 1970.
    pub first_seen: i64,
    pub last_seen: i64,
    /// 0 where only an override says so.
    pub events: u32,
}

/// Shows centre and other end of each link that follows from a set: from its node of highest priority to each other one.
/// Only nodes that `takes` allows take part; `nodes` has the main one first.
pub(super) fn for_each_link<F: NodeFacts>(
    given: Given<'_, F>,
    nodes: &[Node],
    takes: impl Fn(Node) -> bool,
    mut show: impl FnMut(Node, Node),
) {
    let Some(centre) = centre(given, nodes, &takes) else { return };
    nodes.iter().filter(|node| **node != centre && takes(**node)).for_each(|node| show(centre, *node));
}

/// Of several nodes of one type the main one, else that of the smallest key.
fn centre<F: NodeFacts>(given: Given<'_, F>, nodes: &[Node], takes: impl Fn(Node) -> bool) -> Option<Node> {
    let main = *nodes.first()?;
    let mut best: Option<(u8, Node)> = None;
    for node in nodes.iter().copied().filter(|node| takes(*node)) {
        let rank = given.rank(node);
        let is_better = best.is_none_or(|(best_rank, best)| {
            rank < best_rank || (rank == best_rank && best != main && given.facts.key(node) < given.facts.key(best))
        });
        if is_better {
            best = Some((rank, node));
        }
    }
    best.map(|(_, node)| node)
}

impl Link {
    pub(super) fn new(a: Node, b: Node, times: Times) -> Self {
        let (a, b) = pair(a, b);
        Self { a, b, first_seen: times.first, last_seen: times.last, events: times.events }
    }

    pub(super) fn of_override(held: &Override) -> Self {
        Self::new(held.a, held.b, Times { first: held.at, last: held.at, events: 0 })
    }
}

/// Makes one of all links of a pair, in the order of their nodes.
pub(super) fn join_pairs(links: &mut Vec<Link>) {
    links.sort_unstable_by_key(|link| (link.a, link.b));
    links.dedup_by(|next, held| {
        let is_same = (next.a, next.b) == (held.a, held.b);
        if is_same {
            held.first_seen = held.first_seen.min(next.first_seen);
            held.last_seen = held.last_seen.max(next.last_seen);
            held.events = held.events.saturating_add(next.events);
        }
        is_same
    });
}

/// Place of a link in the canonical order. It follows from what the link says alone, never from when it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// What somebody said comes first, by position.
    Included { position: u64, id: u64 },
    /// Class and priority of the weaker end, time, keys of both ends.
    Seen { weakness: (u8, u8), time: i64, keys: (u128, u128) },
}

/// `included`: the override that makes the pair one person, if there is one.
pub(super) fn place<F: NodeFacts>(
    given: Given<'_, F>,
    link: &Link,
    included: Option<&Override>,
    key: impl Fn(Node) -> u128,
) -> Place {
    if let Some(held) = included {
        return Place::Included { position: held.position, id: held.id };
    }
    let time = match given.rules.keep {
        Keep::Oldest => link.first_seen,
        // The later, the smaller.
        Keep::Latest => !link.last_seen,
    };
    let (a, b) = (key(link.a), key(link.b));
    let weakness = given.weakness(link.a).max(given.weakness(link.b));
    Place::Seen { weakness, time, keys: (a.min(b), a.max(b)) }
}
