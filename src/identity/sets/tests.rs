use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// An event: its source, its time, its nodes, of which the first is the main one.
type Event = (Option<u8>, i64, Vec<Node>);

fn events() -> impl Strategy<Value = Vec<Event>> {
    let nodes = prop::collection::btree_set(0_u32..6, 1..4).prop_map(|nodes| nodes.into_iter().collect::<Vec<_>>());
    prop::collection::vec((prop::option::of(0_u8..2), -5_i64..5, nodes.prop_shuffle()), 0..40)
}

fn gather(events: &[Event]) -> IdentifierSets {
    let mut builder = SetBuilder::default();
    for (source, ts, nodes) in events {
        let source = source.map(|source| source.to_string());
        let origin = builder.origin(&Origin { source, kind: "track".into(), load: None });
        builder.add_event(nodes[0], nodes.iter().copied(), Seen { ts: *ts, origin }).unwrap();
    }
    builder.finish()
}

/// Main node, the others, and the source of a set: its first and last time, and its events.
type Counted = BTreeMap<(Node, Vec<Node>, Option<String>), (i64, i64, u32)>;

/// The same by plain maps: shares no code with the builder.
fn count(events: &[Event]) -> Counted {
    let mut counted = Counted::new();
    for (source, ts, nodes) in events {
        let mut others = nodes[1..].to_vec();
        others.sort_unstable();
        let key = (nodes[0], others, source.map(|source| source.to_string()));
        let held = counted.entry(key).or_insert((*ts, *ts, 0));
        *held = (held.0.min(*ts), held.1.max(*ts), held.2 + 1);
    }
    counted
}

fn counted(sets: &IdentifierSets) -> Counted {
    let mut counted = Counted::new();
    for (nodes, facts) in sets.iter() {
        let source = sets.origin(facts.origin).unwrap().source.clone();
        let key = (nodes[0], nodes[1..].to_vec(), source);
        let held = counted.insert(key, (facts.first_seen, facts.last_seen, facts.events));
        assert_eq!(held, None, "a set stands twice");
    }
    counted
}

proptest! {
    /// One set for all events of the same nodes and origin, with the times of the earliest and the latest.
    #[test]
    fn events_of_the_same_identifiers_are_one_set(events in events()) {
        prop_assert_eq!(counted(&gather(&events)), count(&events));
    }

    /// What parts say one by one they say together, whether they were appended or joined.
    #[test]
    fn parts_add_up(events in events(), at in any::<prop::sample::Index>()) {
        let (first, second) = events.split_at(at.index(events.len() + 1));
        let mut appended = gather(first);
        appended.append(&gather(second)).unwrap();
        prop_assert_eq!(appended.len(), gather(first).len() + gather(second).len());
        let mut joined = SetBuilder::default();
        joined.add_sets(&appended).unwrap();
        prop_assert_eq!(counted(joined.sets()), count(&events));
        prop_assert_eq!(joined.finish(), gather(&events), "in the order in which they came");
    }
}
