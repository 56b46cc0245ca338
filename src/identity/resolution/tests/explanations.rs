//! Each path is accepted and leads from the one to the other; where two are apart, what is named really stands between.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::histories::{History, Step, blocked, nodes, rules, time};
use super::reference::{self, Outcome};
use super::{COOKIE, DEVICE, EMAIL, USER, World, parts, say};
use crate::identity::resolution::{Action, Apart, Explanation, LinkVerdict, Rule, Verdict, explain};
use crate::identity::{Limit, Period};
use crate::ids::Node;

/// Whether the parts of a link's ends, as they came to be, break the rule that is named. What was broken when the link was
/// heard is broken by all that came to both parts later.
fn is_broken(history: &History, outcome: &Outcome, judged: &LinkVerdict) -> bool {
    let said = reference::holding(&history.said);
    let part_of = |node: Node| outcome.parts.iter().find(|part| part.contains(&node)).unwrap();
    let (a, b) = (part_of(judged.link.a), part_of(judged.link.b));
    let refusal = match judged.verdict {
        Verdict::Excluded(id) => return said[&(judged.link.a, judged.link.b)].id == id,
        Verdict::Refused(refusal) => refusal,
        verdict => panic!("{verdict:?} keeps nothing apart"),
    };
    let (in_a, in_b) = refusal.nodes;
    assert!(a.contains(&in_a) && b.contains(&in_b), "each of its part");
    let is_of = |kind| [in_a, in_b].iter().all(|node| history.world.kinds[*node as usize] == kind);
    let breaks = |kind, limit| reference::breaks(&history.world, &outcome.times, kind, limit, a, b);
    let rule = |kind: u8| &history.world.rules.types[usize::from(kind)];
    let links =
        |part: &BTreeSet<Node>| outcome.links.keys().filter(|(a, b)| part.contains(a) && part.contains(b)).count();
    match refusal.rule {
        Rule::Excluded(id) => {
            let held = said[&(in_a.min(in_b), in_a.max(in_b))];
            held.id == id && held.action == Action::Exclude
        }
        Rule::Unique(kind) => is_of(kind) && rule(kind).unique && breaks(kind, Limit { count: 1, per: Period::Ever }),
        Rule::Limit(kind) => is_of(kind) && rule(kind).limit.is_some_and(|limit| breaks(kind, limit)),
        Rule::MaxIdentifiers => a.len() + b.len() > history.world.rules.max_identifiers as usize,
        Rule::MaxLinks => links(a) + links(b) + 1 > history.world.rules.max_links as usize,
    }
}

fn check_path(outcome: &Outcome, a: Node, b: Node, path: &[LinkVerdict]) {
    let mut at = a;
    for judged in path {
        assert!(judged.is_accepted());
        let link = judged.link;
        assert!(outcome.links[&(link.a, link.b)], "its ends are one person");
        assert!(at == link.a || at == link.b, "links follow on each other");
        at = if at == link.a { link.b } else { link.a };
    }
    assert_eq!(at, b);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_is_so(
        (rules, blocked) in (rules(), blocked()),
        events in prop::collection::vec((nodes(), time(), 0_u32..2), 0..25),
        said in prop::collection::vec((0_u32..14, 0_u32..14, any::<bool>()), 0..4),
    ) {
        let mut history = History::new(rules.clone());
        history.take(Step::Rules(rules, blocked));
        events.into_iter().for_each(|(nodes, ts, origin)| history.take(Step::Event { nodes, ts, origin }));
        for (a, b, is_included) in said {
            let action = if is_included { Action::Include } else { Action::Exclude };
            history.take(Step::Say { a, b, action, at: 0 });
        }
        history.take(Step::Settle { budget: usize::MAX });
        let held = history.resolver.resolution();
        let outcome = reference::resolve(&history.world, &history.sets(), &history.said);
        for a in 0..14 {
            for b in 0..14 {
                let is_one = held.label(a) == held.label(b);
                match explain(history.world.given(), &held, a, b, usize::MAX) {
                    Explanation::Together(path) => {
                        prop_assert!(is_one);
                        check_path(&outcome, a, b, &path);
                    }
                    Explanation::Apart(Apart::Refused(links)) => {
                        prop_assert!(!is_one && !links.is_empty());
                        for link in links {
                            prop_assert!(is_broken(&history, &outcome, &link), "{link:?}");
                        }
                    }
                    Explanation::Apart(Apart::Shared(node)) => {
                        prop_assert!(!is_one && outcome.shared.contains(&node));
                    }
                    Explanation::Apart(Apart::Blocked(node)) => {
                        prop_assert!(!is_one && history.world.blocked.contains(&node));
                    }
                    Explanation::Apart(Apart::Unlinked) => prop_assert!(!is_one),
                    Explanation::TooMany => prop_assert!(false, "there is no budget"),
                }
            }
        }
    }

    /// Each link of a component once, with what became of it.
    #[test]
    fn every_link_is_judged(
        rules in rules(),
        events in prop::collection::vec((nodes(), time(), 0_u32..2), 0..25),
    ) {
        let mut history = History::new(rules);
        events.into_iter().for_each(|(nodes, ts, origin)| history.take(Step::Event { nodes, ts, origin }));
        history.resolver.settle(history.world.given(), usize::MAX);
        let held = history.resolver.resolution();
        let outcome = reference::resolve(&history.world, &history.sets(), &history.said);
        let mut judged: BTreeMap<(Node, Node), bool> = BTreeMap::new();
        for node in 0..14 {
            for link in held.link_verdicts(history.world.given(), node, usize::MAX).unwrap() {
                let is_one = held.label(link.link.a) == held.label(link.link.b);
                prop_assert!(is_one || !link.is_accepted());
                let ends = (link.link.a, link.link.b);
                prop_assert!(judged.insert(ends, is_one).is_none_or(|before| before == is_one));
            }
        }
        prop_assert_eq!(judged, outcome.links);
    }
}

#[test]
fn a_shared_node_is_named_between_those_beside_it() {
    let mut world = World::of(&[USER, USER, USER, DEVICE, COOKIE]);
    world.rule(DEVICE).max_fanout = Some(2);
    let held = world.resolve(&[(&[0, 3], 1), (&[1, 3], 2), (&[2, 3], 3)]).resolution();
    let explained = |a, b| explain(world.given(), &held, a, b, usize::MAX);
    assert_eq!(explained(0, 1), Explanation::Apart(Apart::Shared(3)));
    assert_eq!(explained(0, 3), Explanation::Apart(Apart::Shared(3)));
    assert_eq!(explained(0, 4), Explanation::Apart(Apart::Unlinked));
    assert_eq!(explained(0, 0), Explanation::Together(vec![]));
    assert_eq!(parts(&held).len(), 5);
}

#[test]
fn what_is_too_large_to_look_at_says_so() {
    let world = World::of(&[EMAIL, COOKIE, COOKIE, COOKIE]);
    let held = world.resolve(&[(&[0, 1], 1), (&[0, 2], 2), (&[0, 3], 3)]).resolution();
    assert_eq!(explain(world.given(), &held, 1, 3, 3), Explanation::TooMany);
    assert!(held.link_verdicts(world.given(), 1, 3).is_none());
    assert_eq!(held.link_verdicts(world.given(), 1, 6).unwrap().len(), 3);
    let Explanation::Together(path) = explain(world.given(), &held, 1, 3, 6) else { panic!() };
    assert_eq!(path.iter().map(|link| (link.link.a, link.link.b)).collect::<Vec<_>>(), [(0, 1), (0, 3)]);
}

#[test]
fn the_refused_link_and_both_values_are_named() {
    let mut world = World::of(&[USER, USER, DEVICE]);
    world.rule(USER).unique = true;
    let mut resolver = world.resolve(&[(&[0, 2], 1), (&[1, 2], 2)]);
    let held = resolver.resolution();
    let Explanation::Apart(Apart::Refused(links)) = explain(world.given(), &held, 2, 1, usize::MAX) else { panic!() };
    assert_eq!(links.len(), 1);
    let Verdict::Refused(refusal) = links[0].verdict else { panic!() };
    assert_eq!((links[0].link.a, links[0].link.b, refusal.rule), (1, 2, Rule::Unique(USER)));
    assert_eq!(refusal.nodes, (1, 0), "the value of either part");
    // Said to be one, whatever that breaks.
    resolver.add_override(world.given(), say(1, Action::Include, 0, 1));
    resolver.settle(world.given(), usize::MAX);
    let held = resolver.resolution();
    let Explanation::Together(path) = explain(world.given(), &held, 0, 1, usize::MAX) else { panic!() };
    assert_eq!(path.iter().map(|link| link.included).collect::<Vec<_>>(), [Some(1)]);
}
