//! Resolution written plainly: every step over all sets, nothing kept, no code of the resolver.

use std::collections::{BTreeMap, BTreeSet};

use super::{Parts, World};
use crate::identity::identifier::{IdentifierClass, TypeId};
use crate::identity::resolution::{Action, NodeFacts, Override};
use crate::identity::{Keep, Limit, Period};
use crate::ids::Node;

/// A set that is there: nodes, first and last time.
pub(super) type Set = (Vec<Node>, i64, i64);

pub(super) struct Outcome {
    pub(super) parts: Parts,
    pub(super) shared: BTreeSet<Node>,
    /// Pairs that were heard, and whether their ends came to be one person.
    pub(super) links: BTreeMap<(Node, Node), bool>,
    pub(super) times: BTreeMap<Node, i64>,
}

pub(super) fn holding(overrides: &[Override]) -> BTreeMap<(Node, Node), Override> {
    let mut sorted = overrides.to_vec();
    sorted.sort_by_key(|held| (held.position, held.id));
    sorted.into_iter().map(|held| ((held.a.min(held.b), held.a.max(held.b)), held)).collect()
}

pub(super) fn resolve(world: &World, sets: &[Set], overrides: &[Override]) -> Outcome {
    let said = holding(overrides);
    let is = |a: Node, b: Node, action| said.get(&(a.min(b), a.max(b))).is_some_and(|held| held.action == action);
    let class = |node: Node| world.types.class(world.kinds[node as usize]);
    let stars = |gone: &BTreeSet<Node>| {
        let mut links: BTreeMap<(Node, Node), (i64, i64)> = BTreeMap::new();
        for (nodes, first, last) in sets {
            let usable: Vec<Node> = nodes.iter().copied().filter(|node| !gone.contains(node)).collect();
            let rank = |node: &Node| world.types.rank(world.kinds[*node as usize]);
            let best = usable.iter().copied().min_by_key(|node| (rank(node), *node != nodes[0], world.key(*node)));
            for node in
                usable.iter().copied().filter(|node| Some(*node) != best && !is(best.unwrap(), *node, Action::Exclude))
            {
                let pair = (node.min(best.unwrap()), node.max(best.unwrap()));
                let held = links.entry(pair).or_insert((*first, *last));
                *held = (held.0.min(*first), held.1.max(*last));
            }
        }
        links
    };
    // Cut.
    let before = stars(&world.blocked);
    let is_shared = |node: &Node| {
        let beside = before.keys().filter_map(|(a, b)| if a == node { Some(*b) } else { (b == node).then_some(*a) });
        let persons = beside.filter(|beside| class(*beside) == IdentifierClass::Person).count();
        let rule = &world.rules.types[usize::from(world.kinds[*node as usize])];
        rule.max_fanout.is_some_and(|most| persons > most as usize)
    };
    let shared: BTreeSet<Node> = (0..world.kinds.len() as Node).filter(is_shared).collect();
    let mut links = stars(&world.blocked.union(&shared).copied().collect());
    for (pair, held) in said.iter().filter(|(_, held)| held.action == Action::Include) {
        if !world.blocked.contains(&pair.0) && !world.blocked.contains(&pair.1) {
            let times = links.entry(*pair).or_insert((held.at, held.at));
            *times = (times.0.min(held.at), times.1.max(held.at));
        }
    }
    // Order.
    let mut order: Vec<(Node, Node)> = links.keys().copied().collect();
    order.sort_by_key(|pair| {
        let said = said.get(pair).map(|held| (held.position, held.id));
        let weak = |node: Node| (class(node) as u8, world.types.rank(world.kinds[node as usize]));
        let time = match world.rules.keep {
            Keep::Oldest => i128::from(links[pair].0),
            Keep::Latest => -i128::from(links[pair].1),
        };
        let keys = BTreeSet::from([world.key(pair.0), world.key(pair.1)]);
        (said.is_none(), said, weak(pair.0).max(weak(pair.1)), time, keys)
    });
    let mut times: BTreeMap<Node, i64> = BTreeMap::new();
    for ((a, b), (first, _)) in &links {
        for node in [a, b] {
            let held = times.entry(*node).or_insert(*first);
            *held = (*held).min(*first);
        }
    }
    // Union.
    let mut parts: Vec<(BTreeSet<Node>, u32)> = (0..world.kinds.len() as Node).map(|node| ([node].into(), 0)).collect();
    for (a, b) in &order {
        let at = |node| parts.iter().position(|(part, _)| part.contains(node)).unwrap();
        let (of_a, of_b) = (at(a), at(b));
        if of_a == of_b {
            parts[of_a].1 += u32::from(parts[of_a].1 < world.rules.max_links || said.contains_key(&(*a, *b)));
            continue;
        }
        let (one, other) = (&parts[of_a].0, &parts[of_b].0);
        let is_apart = one.iter().any(|one| other.iter().any(|other| is(*one, *other, Action::Exclude)));
        let is_included = said.contains_key(&(*a, *b));
        let is_large = one.len() + other.len() > world.rules.max_identifiers as usize
            || parts[of_a].1 + parts[of_b].1 + 1 > world.rules.max_links;
        if is_apart || !is_included && (is_large || breaks_any(world, &times, one, other)) {
            continue;
        }
        let (gone, links) = parts.swap_remove(of_b);
        let kept = parts.iter_mut().find(|(part, _)| part.contains(a)).unwrap();
        kept.0.extend(gone);
        kept.1 += links + 1;
    }
    let parts: Parts = parts.into_iter().map(|(part, _)| part).collect();
    let are_one = |pair: &(Node, Node)| parts.iter().any(|part| part.contains(&pair.0) && part.contains(&pair.1));
    let links = order.into_iter().map(|pair| (pair, are_one(&pair))).collect();
    Outcome { parts, shared, links, times }
}

fn breaks_any(world: &World, times: &BTreeMap<Node, i64>, a: &BTreeSet<Node>, b: &BTreeSet<Node>) -> bool {
    (0..).zip(&world.rules.types).any(|(kind, rule)| {
        let unique = rule.unique.then_some(Limit { count: 1, per: Period::Ever });
        [unique, rule.limit].into_iter().flatten().any(|limit| breaks(world, times, kind, limit, a, b))
    })
}

/// Whether some stretch of time has values of both, and more than there may be.
pub(super) fn breaks(
    world: &World,
    times: &BTreeMap<Node, i64>,
    kind: TypeId,
    limit: Limit,
    a: &BTreeSet<Node>,
    b: &BTreeSet<Node>,
) -> bool {
    let days = match limit.per {
        Period::Ever => i128::MAX,
        Period::Year => 365 * 86_400_000_000,
        Period::Month => 30 * 86_400_000_000,
        Period::Week => 7 * 86_400_000_000,
        Period::Day => 86_400_000_000,
    };
    let of_kind = |part: &BTreeSet<Node>| -> Vec<i128> {
        let nodes = part.iter().filter(|node| world.kinds[**node as usize] == kind);
        nodes.map(|node| i128::from(times.get(node).copied().unwrap_or(i64::MAX))).collect()
    };
    let (a, b) = (of_kind(a), of_kind(b));
    a.iter().chain(&b).any(|start| {
        let inside = |times: &[i128]| times.iter().filter(|time| *time >= start && *time - start < days).count();
        inside(&a) > 0 && inside(&b) > 0 && inside(&a) + inside(&b) > limit.count as usize
    })
}
