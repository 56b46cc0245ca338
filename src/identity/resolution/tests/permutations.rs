//! The order of arrival decides which numbers nodes get, and nothing else.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::histories::{blocked, nodes, rules, time};
use super::{COOKIE, DEVICE, EMAIL, PHONE, USER, World, parts, say, seen};
use crate::identity::LinkRules;
use crate::identity::resolution::Action;
use crate::ids::Node;

/// Types of identifiers, here known by their place in this list, whatever their node.
const NAMES: [u8; 14] =
    [USER, USER, USER, USER, EMAIL, EMAIL, EMAIL, PHONE, PHONE, DEVICE, DEVICE, COOKIE, COOKIE, COOKIE];

type Event = (Vec<Node>, i64, u32);

/// Persons by the names of their identifiers, with nodes numbered as they come.
fn persons(
    rules: &LinkRules,
    blocked: &BTreeSet<Node>,
    events: &[Event],
    said: &[(Node, Node, bool)],
    settled: &[bool],
) -> BTreeSet<BTreeSet<Node>> {
    let named = World::of(&NAMES);
    let mut names: Vec<Node> = Vec::new();
    for name in events.iter().flat_map(|(names, ..)| names).copied().chain(0..NAMES.len() as Node) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let node = |name: &Node| names.iter().position(|held| held == name).unwrap() as Node;
    let mut world = World::of(&names.iter().map(|name| NAMES[*name as usize]).collect::<Vec<_>>());
    world.keys = names.iter().map(|name| named.keys[*name as usize]).collect();
    world.rules = rules.clone();
    world.blocked = blocked.iter().map(node).collect();
    let mut resolver = world.resolver();
    for ((of_event, ts, origin), is_settled) in events.iter().zip(settled.iter().cycle()) {
        let mut nodes: Vec<Node> = of_event.iter().map(node).collect();
        nodes[1..].sort_unstable();
        resolver.add_set(world.given(), &nodes, seen(*ts, *origin)).unwrap();
        if *is_settled {
            resolver.settle(world.given(), usize::MAX);
        }
    }
    for (id, (a, b, is_included)) in (1..).zip(said) {
        let action = if *is_included { Action::Include } else { Action::Exclude };
        resolver.add_override(world.given(), say(id, action, node(a), node(b)));
    }
    resolver.settle(world.given(), usize::MAX);
    let named = |part: &BTreeSet<Node>| part.iter().map(|node| names[*node as usize]).collect();
    parts(&resolver.resolution()).iter().map(named).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_arrival_changes_no_person(
        rules in rules(),
        blocked in blocked(),
        (events, shuffled) in prop::collection::vec((nodes(), time(), 0_u32..2), 0..30)
            .prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle())),
        said in prop::collection::vec((0_u32..14, 0_u32..14, any::<bool>()), 0..3),
        settled in prop::collection::vec(any::<bool>(), 1..9),
    ) {
        let expected = persons(&rules, &blocked, &events, &said, &[false]);
        prop_assert_eq!(persons(&rules, &blocked, &shuffled, &said, &settled), expected);
    }
}
