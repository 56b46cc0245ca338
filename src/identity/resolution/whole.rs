//! All sets at once: components by union-find, and which of them may break a limit. Those that may not are one person each.
//!
//! Must not know how a component is replayed.

use super::component::gather;
use super::fanout::Fanout;
use super::forest::Forest;
use super::given::{Given, NodeFacts};
use super::limits::type_limits;
use super::links::for_each_link;
use super::overrides::Action;
use super::replay::replay;
use super::state::Resolution;
use crate::ids::Node;

/// Nodes that are one person.
#[derive(Debug)]
pub(super) struct WholePart {
    pub(super) nodes: Vec<Node>,
    pub(super) is_in_doubt: bool,
    /// At least as many as there are.
    pub(super) links: u32,
}

/// Components, whatever the limits.
struct Reach {
    /// By node: the smallest node of its component.
    roots: Vec<Node>,
    /// At a root: links, those that follow from several sets counted several times.
    links: Vec<u32>,
}

impl Resolution {
    /// The persons of these sets and overrides under rules that may be others. The state itself stays as it is.
    pub fn under<F: NodeFacts>(&self, given: Given<'_, F>) -> Self {
        let mut held = self.clone();
        mark_shared(given, &mut held, &mut Fanout::default());
        for part in resolve(given, &held) {
            held.partition.give(&part.nodes);
        }
        held
    }
}

pub(super) fn mark_shared<F: NodeFacts>(given: Given<'_, F>, held: &mut Resolution, fanout: &mut Fanout) {
    for node in 0..held.nodes() as Node {
        let is_shared = fanout.is_shared(given, &held.sets, &held.overrides, node);
        held.partition.set_shared(node, is_shared);
    }
}

/// All persons, with shared nodes as they are in `held`; no two parts have a node in common.
pub(super) fn resolve<F: NodeFacts>(given: Given<'_, F>, held: &Resolution) -> Vec<WholePart> {
    let Reach { roots, links } = reach(given, held);
    let may_break = may_break(given, held, &roots, &links);
    let mut order: Vec<Node> = (0..roots.len() as Node).collect();
    order.sort_by_key(|node| roots[*node as usize]);
    let mut parts = Vec::new();
    for nodes in order.chunk_by(|one, next| roots[*one as usize] == roots[*next as usize]) {
        let Some(root) = nodes.first().map(|first| *first as usize) else { continue };
        if !may_break[root] {
            parts.push(WholePart { nodes: nodes.to_vec(), is_in_doubt: false, links: links[root] });
            continue;
        }
        // No component has more than all mentions.
        let Ok(component) = gather(given, held, root as Node, usize::MAX, |_| false) else { continue };
        let replayed = replay(given, &held.overrides, component);
        let (is_in_doubt, links) = (!replayed.is_clean, replayed.links.len() as u32);
        parts.extend(replayed.parts.into_iter().map(|nodes| WholePart { nodes, is_in_doubt, links }));
    }
    parts
}

fn reach<F: NodeFacts>(given: Given<'_, F>, held: &Resolution) -> Reach {
    let mut forest = Forest::new(held.nodes());
    let mut from_centres = vec![0_u32; held.nodes()];
    let mut nodes = Vec::new();
    for set in held.sets.numbers() {
        held.sets.read(set, &mut nodes);
        for_each_link(
            given,
            &nodes,
            |node| held.takes_part(given, node),
            |centre, other| {
                forest.union(centre, other);
                from_centres[centre as usize] = from_centres[centre as usize].saturating_add(1);
            },
        );
    }
    for made in held.overrides.holding().filter(|made| made.action == Action::Include) {
        if !given.facts.is_blocked(made.a) && !given.facts.is_blocked(made.b) {
            forest.union(made.a, made.b);
            from_centres[made.a as usize] = from_centres[made.a as usize].saturating_add(1);
        }
    }
    let roots = forest.into_roots();
    let mut links = vec![0_u32; roots.len()];
    for (root, more) in roots.iter().zip(from_centres) {
        links[*root as usize] = links[*root as usize].saturating_add(more);
    }
    Reach { roots, links }
}

/// At a root: whether its component is more than some limit allows, as if each held for ever, or an override speaks
/// against a pair of it.
fn may_break<F: NodeFacts>(given: Given<'_, F>, held: &Resolution, roots: &[Node], links: &[u32]) -> Vec<bool> {
    let rules = given.rules;
    let mut may_break: Vec<bool> = links.iter().map(|links| *links > rules.max_links).collect();
    let mut counts = vec![0_u32; roots.len()];
    let mut check = |most: u32, is_counted: &dyn Fn(Node) -> bool| {
        counts.fill(0);
        for (node, root) in (0..).zip(roots) {
            if is_counted(node) {
                counts[*root as usize] += 1;
                may_break[*root as usize] |= counts[*root as usize] > most;
            }
        }
    };
    check(rules.max_identifiers, &|_| true);
    for limit in type_limits(given) {
        check(limit.limit.count.max(1), &|node| given.facts.kind(node) == limit.kind);
    }
    for made in held.overrides.holding().filter(|made| made.action == Action::Exclude) {
        for end in [made.a, made.b] {
            may_break[roots[end as usize] as usize] = true;
        }
    }
    may_break
}
