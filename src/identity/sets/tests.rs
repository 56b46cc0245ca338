use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// An event: its source, its time, its nodes, of which the first is the main one.
type Event = (Option<u8>, i64, Vec<Node>);

fn events() -> impl Strategy<Value = Vec<Event>> {
    let nodes = prop::collection::btree_set(0_u32..6, 1..4).prop_map(|nodes| nodes.into_iter().collect::<Vec<_>>());
    prop::collection::vec((prop::option::of(0_u8..2), -5_i64..5, nodes.prop_shuffle()), 0..40)
}

fn add(builder: &mut SetBuilder, events: &[Event]) {
    for (source, ts, nodes) in events {
        let source = source.map(|source| source.to_string());
        let origin = builder.origin(Origin { source, kind: "track".into(), load: None }.by_ref());
        builder.add_event(nodes[0], nodes.iter().copied(), Seen { ts: *ts, origin }).unwrap();
    }
}

fn gather(events: &[Event]) -> IdentifierSets {
    let mut builder = SetBuilder::default();
    add(&mut builder, events);
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

    /// What was taken back was never there, to sets of before that it added to, either.
    #[test]
    fn what_is_taken_back_leaves_no_trace(kept in events(), refused in events(), later in events()) {
        let mut builder = SetBuilder::default();
        add(&mut builder, &kept);
        for _ in 0..2 {
            builder.set_mark();
            add(&mut builder, &refused);
            builder.go_back();
            prop_assert_eq!(builder.sets(), &gather(&kept));
        }
        builder.set_mark();
        add(&mut builder, &later);
        prop_assert_eq!(builder.finish(), gather(&[kept, later].concat()));
    }

    /// Origins are numbered in the order in which they came first, whichever was asked for before.
    #[test]
    fn origins_have_the_numbers_of_their_first_places(
        asked in prop::collection::vec((prop::option::of("[ab]?"), "[ab]?", prop::option::of(0_u32..2)), 0..40),
        kept in any::<prop::sample::Index>(),
    ) {
        let (mut index, mut origins, mut expected) = (OriginIndex::default(), Vec::new(), Vec::new());
        let ask = |index: &mut OriginIndex, origins: &mut Vec<Origin>, expected: &mut Vec<Origin>| {
            for (source, kind, load) in &asked {
                let id = index.number(OriginRef { source: source.as_deref(), kind, load: *load }, origins);
                let origin = Origin { source: source.clone(), kind: kind.clone(), load: *load };
                let place = expected.iter().position(|held| *held == origin).unwrap_or_else(|| {
                    expected.push(origin);
                    expected.len() - 1
                });
                assert_eq!(id as usize, place);
            }
            assert_eq!(origins, expected);
        };
        ask(&mut index, &mut origins, &mut expected);
        let kept = kept.index(origins.len() + 1);
        index.truncate(kept);
        origins.truncate(kept);
        expected.truncate(kept);
        ask(&mut index, &mut origins, &mut expected);
        let mut index = OriginIndex::of(&origins);
        ask(&mut index, &mut origins, &mut expected);
    }
}
