//! Hears the links of a component one by one in their canonical order, and refuses those whose ends would make a person
//! that breaks a rule. What is refused stays apart: later links only add to both parts, and limits are monotone.
//!
//! Must not know where links come from.

use super::component::Component;
use super::forest::Forest;
use super::given::{Given, NodeFacts};
use super::limits::{Rule, TypeLimit, Value, broken_by, type_limits};
use super::links::{Link, place};
use super::overrides::{Action, Override, OverrideId, Overrides};
use crate::identity::identifier::TypeId;
use crate::ids::Node;

/// What became of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Made one person of two parts.
    Joined,
    /// Its ends were one person already.
    Redundant,
    /// An override takes it out.
    Excluded(OverrideId),
    Refused(Refusal),
}

/// Why two parts stay apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub rule: Rule,
    /// What stands against each other: of a rule about one type a value of either part, of an override its two nodes,
    /// else the ends of the link. The first is of the part of the link's first node.
    pub nodes: (Node, Node),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkVerdict {
    pub link: Link,
    /// The override that makes the pair one person, whatever limit that breaks.
    pub included: Option<OverrideId>,
    pub verdict: Verdict,
}

impl LinkVerdict {
    pub fn is_accepted(&self) -> bool {
        matches!(self.verdict, Verdict::Joined | Verdict::Redundant)
    }
}

#[derive(Debug)]
pub(super) struct ReplayOutcome {
    /// In the order in which they were heard; those that an override takes out come first.
    pub(super) links: Vec<LinkVerdict>,
    /// Each ascending; by their first node.
    pub(super) parts: Vec<Vec<Node>>,
    /// The whole component is within all limits whatever comes first, and no override speaks against any pair of it.
    pub(super) is_clean: bool,
}

/// `component`: all that links reach from its nodes.
pub(super) fn replay<F: NodeFacts>(given: Given<'_, F>, overrides: &Overrides, component: Component) -> ReplayOutcome {
    let Component { nodes, links, .. } = component;
    let included = |link: &Link| overrides.on(link.a, link.b).filter(|held| held.action == Action::Include);
    let mut judged = Vec::with_capacity(links.len());
    let mut heard = Vec::with_capacity(links.len());
    for link in links {
        match overrides.on(link.a, link.b) {
            Some(Override { id, action: Action::Exclude, .. }) => {
                judged.push(LinkVerdict { link, included: None, verdict: Verdict::Excluded(*id) });
            }
            _ => heard.push(link),
        }
    }
    let mut parts = Parts::new(given, overrides, &nodes, &heard);
    // Of two links with the same place, which no two identifiers with different keys have, nodes decide.
    heard.sort_by_cached_key(|link| {
        let key = |node| parts.members[parts.index(node)].key;
        (place(given, link, included(link), key), link.a, link.b)
    });
    let is_clean = parts.is_clean(heard.len());
    for link in heard {
        let included = included(&link).map(|held| held.id);
        judged.push(LinkVerdict { link, included, verdict: parts.hear(&link, included.is_some()) });
    }
    ReplayOutcome { links: judged, parts: parts.finish(), is_clean }
}

/// A component while its links are heard. Nodes are known by their index.
struct Parts<'r, F> {
    given: Given<'r, F>,
    overrides: &'r Overrides,
    limits: Vec<TypeLimit>,
    nodes: &'r [Node],
    members: Vec<Value>,
    forest: Forest,
    /// At a root.
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Default)]
struct Part {
    nodes: u32,
    links: u32,
    /// Members whose type has a limit.
    limited: Vec<(TypeId, Value)>,
    /// Members that an override keeps apart from others.
    excluded: Vec<Node>,
}

impl<'r, F: NodeFacts> Parts<'r, F> {
    fn new(given: Given<'r, F>, overrides: &'r Overrides, nodes: &'r [Node], links: &[Link]) -> Self {
        let limits = type_limits(given);
        let member = |node: &Node| Value { time: i64::MAX, key: given.facts.key(*node), node: *node };
        let mut members: Vec<Value> = nodes.iter().map(member).collect();
        let index = |node: Node| nodes.binary_search(&node).unwrap_or_default();
        for link in links {
            for end in [link.a, link.b] {
                let time = &mut members[index(end)].time;
                *time = link.first_seen.min(*time);
            }
        }
        let part = |member: &Value| {
            let kind = given.facts.kind(member.node);
            let is_limited = limits.iter().any(|limit| limit.kind == kind);
            Part {
                nodes: 1,
                links: 0,
                limited: if is_limited { vec![(kind, *member)] } else { Vec::new() },
                excluded: overrides.excluded(member.node).next().map(|_| member.node).into_iter().collect(),
            }
        };
        let parts = members.iter().map(part).collect();
        Self { given, overrides, limits, nodes, members, forest: Forest::new(nodes.len()), parts }
    }

    /// Each end of a link is a node of the component.
    fn index(&self, node: Node) -> usize {
        self.nodes.binary_search(&node).unwrap_or_default()
    }

    fn root(&self, node: Node) -> usize {
        self.forest.root(self.index(node) as Node) as usize
    }

    /// Whether all of it together is within every limit, as if each held for ever. Then it is in any order of its links,
    /// and whenever they were seen.
    fn is_clean(&self, links: usize) -> bool {
        let rules = self.given.rules;
        let of_type = |kind| self.parts.iter().flat_map(|part| &part.limited).filter(|(held, _)| *held == kind).count();
        self.members.len() <= rules.max_identifiers as usize
            && links <= rules.max_links as usize
            && self.parts.iter().all(|part| part.excluded.is_empty())
            && self.limits.iter().all(|limit| of_type(limit.kind) <= limit.limit.count.max(1) as usize)
    }

    fn hear(&mut self, link: &Link, is_included: bool) -> Verdict {
        let (a, b) = (self.root(link.a), self.root(link.b));
        let max_links = self.given.rules.max_links;
        if a == b {
            if self.parts[a].links >= max_links && !is_included {
                return Verdict::Refused(Refusal { rule: Rule::MaxLinks, nodes: (link.a, link.b) });
            }
            self.parts[a].links += 1;
            return Verdict::Redundant;
        }
        let forbidden = self.excluded_between(a, b);
        let broken = if is_included { forbidden } else { forbidden.or_else(|| self.broken_between(a, b, link)) };
        if let Some(refusal) = broken {
            return Verdict::Refused(refusal);
        }
        self.forest.union(a as Node, b as Node);
        let (keep, lose) = (a.min(b), a.max(b));
        let lost = std::mem::take(&mut self.parts[lose]);
        let kept = &mut self.parts[keep];
        kept.nodes += lost.nodes;
        kept.links += lost.links + 1;
        append_smaller(&mut kept.limited, lost.limited);
        append_smaller(&mut kept.excluded, lost.excluded);
        Verdict::Joined
    }

    /// The override that forbids two parts to be one, of several the oldest.
    fn excluded_between(&self, a: usize, b: usize) -> Option<Refusal> {
        let is_in_b = |partner: &Node| self.nodes.binary_search(partner).is_ok() && self.root(*partner) == b;
        let of_node = |node: &Node| {
            let node = *node;
            let partners = self.overrides.excluded(node).filter(|(partner, _)| is_in_b(partner));
            partners.map(move |(partner, id)| (id, node, partner)).min()
        };
        let (id, in_a, in_b) = self.parts[a].excluded.iter().filter_map(of_node).min()?;
        Some(Refusal { rule: Rule::Excluded(id), nodes: (in_a, in_b) })
    }

    fn broken_between(&self, a: usize, b: usize, link: &Link) -> Option<Refusal> {
        let (a, b) = (&self.parts[a], &self.parts[b]);
        for TypeLimit { kind, limit, rule } in &self.limits {
            let of_type = |part: &Part| -> Vec<Value> {
                part.limited.iter().filter(|(held, _)| held == kind).map(|(_, value)| *value).collect()
            };
            if let Some(nodes) = broken_by(*limit, &of_type(a), &of_type(b)) {
                return Some(Refusal { rule: *rule, nodes });
            }
        }
        let rules = self.given.rules;
        let rule = if a.nodes.saturating_add(b.nodes) > rules.max_identifiers {
            Rule::MaxIdentifiers
        } else if a.links.saturating_add(b.links) >= rules.max_links {
            Rule::MaxLinks
        } else {
            return None;
        };
        Some(Refusal { rule, nodes: (link.a, link.b) })
    }

    fn finish(self) -> Vec<Vec<Node>> {
        let mut parts = vec![Vec::new(); self.nodes.len()];
        for (node, root) in self.nodes.iter().zip(self.forest.into_roots()) {
            parts[root as usize].push(*node);
        }
        parts.retain(|part| !part.is_empty());
        parts
    }
}

/// The order of either does not matter.
fn append_smaller<T>(held: &mut Vec<T>, mut other: Vec<T>) {
    if held.len() < other.len() {
        std::mem::swap(held, &mut other);
    }
    held.append(&mut other);
}
