//! Random histories: whatever comes in whatever order, step by step equals all at once, and both equal the reference.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::reference::{self, Set};
use super::{COOKIE, DAY, DEVICE, EMAIL, PHONE, Parts, USER, World, parts};
use crate::identity::resolution::{Action, Override, Resolver};
use crate::identity::sets::SetFacts;
use crate::identity::{Keep, Limit, LinkRules, Period, TypeRule};
use crate::ids::Node;

/// Few of each type, so that devices are shared, phones change hands and limits are met.
const KINDS: [u8; 14] =
    [USER, USER, USER, USER, EMAIL, EMAIL, EMAIL, PHONE, PHONE, DEVICE, DEVICE, COOKIE, COOKIE, COOKIE];

#[derive(Debug, Clone)]
pub(super) enum Step {
    /// An event at a time, from one of two sources.
    Event {
        nodes: Vec<Node>,
        ts: i64,
        origin: u32,
    },
    /// Takes out one of the sets that are there.
    Remove(prop::sample::Index),
    Say {
        a: Node,
        b: Node,
        action: Action,
        at: i64,
    },
    Undo(prop::sample::Index),
    Rules(LinkRules, BTreeSet<Node>),
    Settle {
        budget: usize,
    },
    SettleWaiting {
        budget: usize,
    },
}

pub(super) fn nodes() -> impl Strategy<Value = Vec<Node>> {
    prop::collection::btree_set(0..KINDS.len() as Node, 1..4)
        .prop_map(|nodes| nodes.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
        .prop_map(|mut nodes| {
            // As sets are held: the main one, then the others, ascending.
            nodes[1..].sort_unstable();
            nodes
        })
}

/// Times that meet often, on days that lie within and beyond each period; some are earlier than all others.
pub(super) fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(0),
        Just(DAY / 2),
        Just(3 * DAY),
        Just(20 * DAY),
        Just(100 * DAY),
        Just(500 * DAY),
        Just(-40 * DAY)
    ]
}

fn limit() -> impl Strategy<Value = Option<Limit>> {
    let per =
        prop_oneof![Just(Period::Ever), Just(Period::Year), Just(Period::Month), Just(Period::Week), Just(Period::Day)];
    prop::option::of((1_u32..4, per).prop_map(|(count, per)| Limit { count, per }))
}

pub(super) fn rules() -> impl Strategy<Value = LinkRules> {
    let of_type = (any::<bool>(), limit(), prop::option::weighted(0.3, 0_u32..4));
    let of_type = of_type.prop_map(|(unique, limit, max_fanout)| TypeRule { unique, limit, max_fanout });
    let free = prop_oneof![of_type, Just(TypeRule::default())];
    let keep = prop_oneof![Just(Keep::Oldest), Just(Keep::Latest)];
    let identifiers = prop_oneof![3 => Just(1_000_u32), 1 => 2_u32..7];
    let links = prop_oneof![3 => Just(100_000_u32), 1 => 1_u32..7];
    (prop::collection::vec(free, 8), keep, identifiers, links)
        .prop_map(|(types, keep, max_identifiers, max_links)| LinkRules { types, keep, max_identifiers, max_links })
}

/// Values that are junk under the rules.
pub(super) fn blocked() -> impl Strategy<Value = BTreeSet<Node>> {
    prop::collection::btree_set(0..KINDS.len() as Node, 0..3)
}

fn step() -> impl Strategy<Value = Step> {
    // Some pairs meet often: one override then stands against others.
    let node = prop_oneof![0..KINDS.len() as Node, 3_u32..6];
    let action = prop_oneof![Just(Action::Include), Just(Action::Exclude)];
    let budget = prop_oneof![Just(0_usize), Just(3), Just(10), Just(usize::MAX)];
    prop_oneof![
        12 => (nodes(), time(), 0_u32..2).prop_map(|(nodes, ts, origin)| Step::Event { nodes, ts, origin }),
        3 => any::<prop::sample::Index>().prop_map(Step::Remove),
        2 => (node.clone(), node, action, time()).prop_map(|(a, b, action, at)| Step::Say { a, b, action, at }),
        2 => any::<prop::sample::Index>().prop_map(Step::Undo),
        1 => (rules(), blocked()).prop_map(|(rules, blocked)| Step::Rules(rules, blocked)),
        4 => budget.clone().prop_map(|budget| Step::Settle { budget }),
        1 => budget.prop_map(|budget| Step::SettleWaiting { budget }),
    ]
}

/// What the world has been told so far, kept plainly.
#[derive(Debug)]
pub(super) struct History {
    pub(super) world: World,
    pub(super) resolver: Resolver,
    /// By nodes and origin: first and last time.
    sets: BTreeMap<(Vec<Node>, u32), (i64, i64)>,
    pub(super) said: Vec<Override>,
    ids: u64,
}

impl History {
    pub(super) fn new(rules: LinkRules) -> Self {
        let mut world = World::of(&KINDS);
        world.rules = rules;
        let resolver = world.resolver();
        Self { world, resolver, sets: BTreeMap::new(), said: Vec::new(), ids: 0 }
    }

    pub(super) fn sets(&self) -> Vec<Set> {
        self.sets.iter().map(|((nodes, _), (first, last))| (nodes.clone(), *first, *last)).collect()
    }

    pub(super) fn take(&mut self, step: Step) {
        let given = self.world.given();
        match step {
            Step::Event { nodes, ts, origin } => {
                let facts = SetFacts { origin, first_seen: ts, last_seen: ts, events: 1 };
                self.resolver.add_set(given, &nodes, facts).unwrap();
                let held = self.sets.entry((nodes, origin)).or_insert((ts, ts));
                *held = (held.0.min(ts), held.1.max(ts));
            }
            Step::Remove(index) => {
                let Some(key) = self.sets.keys().nth(index.index(self.sets.len().max(1))).cloned() else {
                    assert!(!self.resolver.remove_set(given, &[0], 9), "was never there");
                    return;
                };
                assert!(self.resolver.remove_set(given, &key.0, key.1));
                assert!(!self.resolver.remove_set(given, &key.0, key.1), "is gone");
                self.sets.remove(&key);
            }
            Step::Say { a, b, action, at } => {
                self.ids += 1;
                // Positions come in no order of ids, and some are the same.
                let said = Override { id: self.ids, position: self.ids * 7 % 5, at, a, b, action };
                let is_new = self.resolver.add_override(given, said);
                assert_eq!(is_new, a != b);
                self.said.extend(is_new.then_some(said));
            }
            Step::Undo(index) => {
                if self.said.is_empty() {
                    assert_eq!(self.resolver.undo_override(given, 1_000), None);
                    return;
                }
                let said = self.said.remove(index.index(self.said.len()));
                assert_eq!(self.resolver.undo_override(given, said.id), Some(said));
                assert_eq!(self.resolver.undo_override(given, said.id), None, "it is undone");
            }
            Step::Rules(rules, blocked) => {
                self.world.rules = rules;
                self.world.blocked = blocked;
                self.resolver.rebuild(self.world.given());
            }
            Step::Settle { budget } => {
                self.resolver.settle(given, budget);
            }
            Step::SettleWaiting { budget } => {
                self.resolver.settle_waiting(given, budget);
            }
        }
    }

    /// A resolver that gets all at once.
    fn anew(&self) -> Parts {
        let mut whole = self.world.resolver();
        for ((nodes, origin), (first_seen, last_seen)) in &self.sets {
            let facts = SetFacts { origin: *origin, first_seen: *first_seen, last_seen: *last_seen, events: 1 };
            whole.add_set(self.world.given(), nodes, facts).unwrap();
        }
        self.said.iter().for_each(|said| assert!(whole.add_override(self.world.given(), *said)));
        whole.rebuild(self.world.given());
        parts(&whole.resolution())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn step_by_step_equals_all_at_once_and_the_reference(
        first in rules(),
        steps in prop::collection::vec(step(), 0..50),
    ) {
        let mut history = History::new(first);
        for step in steps {
            let is_settling = matches!(step, Step::SettleWaiting { budget: usize::MAX });
            history.take(step);
            let held = history.resolver.resolution();
            parts(&held);
            if is_settling {
                prop_assert_eq!(parts(&held), reference::resolve(&history.world, &history.sets(), &history.said).parts);
            }
        }
        let before = history.resolver.resolution();
        let parts_before = parts(&before);
        let settled = history.resolver.settle_waiting(history.world.given(), usize::MAX);
        prop_assert_eq!(settled.pending, 0);
        let held = history.resolver.resolution();
        let expected = reference::resolve(&history.world, &history.sets(), &history.said);
        prop_assert_eq!(&parts(&held), &expected.parts);
        prop_assert_eq!(&history.anew(), &expected.parts);
        prop_assert_eq!(&parts(&before.under(history.world.given())), &expected.parts);
        let shared: BTreeSet<Node> = (0..held.nodes() as Node).filter(|node| held.is_shared(*node)).collect();
        prop_assert_eq!(&shared, &expected.shared);
        prop_assert_eq!(parts(&before), parts_before, "what readers hold does not change");
    }

    /// Who keeps persons by what is said to have changed has them all.
    #[test]
    fn each_person_that_is_not_as_it_was_is_named(
        first in rules(),
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let mut history = History::new(first);
        let mut persons = parts(&history.resolver.resolution());
        for step in steps {
            // These tell what has changed; the others only gather it.
            let settled = match step {
                Step::Settle { budget } => history.resolver.settle(history.world.given(), budget),
                Step::SettleWaiting { budget } => history.resolver.settle_waiting(history.world.given(), budget),
                Step::Rules(rules, blocked) => {
                    history.world.rules = rules;
                    history.world.blocked = blocked;
                    history.resolver.rebuild(history.world.given())
                }
                step => {
                    history.take(step);
                    continue;
                }
            };
            let held = history.resolver.resolution();
            let named: Vec<BTreeSet<Node>> = settled.changed.iter().map(|node| held.nodes_with(*node).collect()).collect();
            let touched: BTreeSet<Node> = named.iter().flatten().copied().collect();
            persons.retain(|person| person.is_disjoint(&touched));
            persons.extend(named);
            prop_assert_eq!(&persons, &parts(&held));
        }
    }

    /// Unless somebody said that two are one.
    #[test]
    fn no_person_breaks_a_limit(first in rules(), sets in prop::collection::vec((nodes(), time(), 0_u32..2), 0..40)) {
        let mut history = History::new(first);
        sets.into_iter().for_each(|(nodes, ts, origin)| history.take(Step::Event { nodes, ts, origin }));
        history.resolver.settle(history.world.given(), usize::MAX);
        let times = reference::resolve(&history.world, &history.sets(), &[]).times;
        for part in parts(&history.resolver.resolution()) {
            prop_assert!(part.len() <= history.world.rules.max_identifiers as usize);
            for (kind, rule) in (0..).zip(&history.world.rules.types) {
                let unique = rule.unique.then_some(Limit { count: 1, per: Period::Ever });
                for limit in [unique, rule.limit].into_iter().flatten() {
                    // Each of them against all others.
                    for node in &part {
                        let others: BTreeSet<Node> = part.iter().copied().filter(|other| other != node).collect();
                        let broken = reference::breaks(&history.world, &times, kind, limit, &[*node].into(), &others);
                        prop_assert!(!broken, "{part:?} breaks {limit:?} of type {kind}");
                    }
                }
            }
        }
    }
}
