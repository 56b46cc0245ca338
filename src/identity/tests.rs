use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::clock::Clock;

const USER: TypeId = 0;
const EMAIL: TypeId = 2;
const COOKIE: TypeId = 7;

/// The identifiers of an event.
pub(crate) type Event = Vec<(TypeId, String)>;

/// An event of these identifiers.
pub(crate) fn event(identifiers: &[(TypeId, &str)]) -> Event {
    identifiers.iter().map(|(kind, value)| (*kind, (*value).to_owned())).collect()
}

/// Events of one source, one every microsecond; the main node of each.
pub(super) fn number(to: &mut impl NumberEvents, events: &[Event]) -> Vec<Option<Node>> {
    let origin = to.origin(Origin { source: Some("test".into()), kind: "track".into(), load: None }.by_ref());
    let mut ts = 0;
    let of_event = |event: &Event| {
        ts += 1;
        to.add_event(Seen { ts, origin }, event.iter().map(|(kind, value)| (*kind, value.as_str()))).unwrap()
    };
    events.iter().map(of_event).collect()
}

/// The same as a load that is placed at once.
pub(crate) fn add(graph: &mut IdentityGraph, events: &[Event]) -> Vec<Option<Node>> {
    let mut sets = SetBuilder::default();
    let nodes = number(&mut LoadNumbers::new(graph, &mut sets), events);
    graph.place(sets.finish(), 1, &Clock::default());
    nodes
}

/// Without the random person ids.
pub(super) fn comparable(batch: &IdentityBatch) -> impl PartialEq + std::fmt::Debug + use<> {
    let births: Vec<_> = batch.births.iter().map(|birth| (birth.node, birth.person)).collect();
    (batch.nodes.clone(), batch.sets.clone(), births)
}

fn persons(graph: &mut IdentityGraph) -> BTreeMap<(String, String), u32> {
    let snapshot = graph.snapshot();
    let mut persons = BTreeMap::new();
    snapshot.show_identifiers(0..snapshot.nodes(), |node, kind, value| {
        persons.insert((kind.to_owned(), value.to_owned()), snapshot.person_of(node).unwrap());
    });
    persons
}

#[test]
fn the_older_person_survives_a_merge() {
    let mut graph = IdentityGraph::default();
    let nodes =
        add(&mut graph, &[event(&[(COOKIE, "c1")]), event(&[(USER, "u1")]), event(&[(COOKIE, "c1"), (USER, "u1")])]);
    assert_eq!(nodes, [Some(0), Some(1), Some(1)], "the main node of the login is the user_id");
    let snapshot = graph.snapshot();
    let canonical: Vec<_> = snapshot.canonical().collect();
    assert_eq!(canonical.len(), 1);
    assert_eq!((canonical[0].person, canonical[0].known, canonical[0].identifier_count), (0, true, 2));
}

#[test]
fn an_event_without_identifiers_has_no_node_and_bears_nobody() {
    let mut graph = IdentityGraph::default();
    assert_eq!(add(&mut graph, &[Vec::new()]), [None]);
    assert_eq!(graph.snapshot().canonical().count(), 0);
    assert!(graph.finish_batch().is_empty());
}

#[test]
fn an_identifier_named_twice_on_its_first_event_bears_one_person() {
    let mut graph = IdentityGraph::default();
    add(&mut graph, &[event(&[(EMAIL, "a@x.cn"), (EMAIL, "a@x.cn")])]);
    assert_eq!(graph.snapshot().canonical().count(), 1);
}

#[test]
fn a_batch_survives_its_object_and_replays_to_the_same_persons() {
    let mut graph = IdentityGraph::default();
    add(&mut graph, &[event(&[(COOKIE, "c1"), (EMAIL, "a@x.cn")]), event(&[(EMAIL, "b@x.cn")])]);
    let first = graph.finish_batch();
    add(&mut graph, &[event(&[(EMAIL, "a@x.cn"), (EMAIL, "b@x.cn")])]);
    let second = graph.finish_batch();

    let mut again = IdentityGraph::default();
    for batch in [&first, &second] {
        let rows = batch.to_record_batches(graph.types()).unwrap();
        let read = IdentityBatch::from_record_batches(again.types(), &rows).unwrap();
        assert_eq!(&read, batch);
        again.replay(&read).unwrap();
    }
    assert_eq!(persons(&mut graph), persons(&mut again));
    assert_eq!(again.snapshot().epoch, 2);
    assert_eq!(graph.snapshot().person_id(0), again.snapshot().person_id(0));
    assert!(IdentityGraph::default().replay(&second).is_err(), "a gap must be loud");
}

/// States that differ in the times of identifiers alone have the same persons: what is kept of an epoch stays true.
#[test]
fn what_is_only_seen_again_makes_no_epoch() {
    let mut graph = IdentityGraph::default();
    let login = event(&[(COOKIE, "c1"), (USER, "u1")]);
    add(&mut graph, std::slice::from_ref(&login));
    let mut replayed = IdentityGraph::default();
    replayed.replay(&graph.finish_batch()).unwrap();
    for (next, epoch) in [(login, 1), (event(&[(COOKIE, "c1")]), 1), (event(&[(COOKIE, "c1"), (EMAIL, "e")]), 2)] {
        add(&mut graph, &[next]);
        let batch = graph.finish_batch();
        assert!(!batch.is_empty(), "when it was seen is kept");
        replayed.replay(&batch).unwrap();
        assert_eq!((graph.snapshot().epoch, replayed.snapshot().epoch), (epoch, epoch));
    }
}

/// Components by repeated relabelling over plain sets: shares no code with the graph.
pub(crate) fn partition_by_relabelling<I: Ord + Clone>(
    events: impl IntoIterator<Item = BTreeSet<I>>,
) -> BTreeSet<BTreeSet<I>> {
    let mut sets: Vec<BTreeSet<I>> = Vec::new();
    for mut joined in events.into_iter().filter(|event| !event.is_empty()) {
        sets.retain(|set| {
            let touches = !set.is_disjoint(&joined);
            if touches {
                joined.extend(set.iter().cloned());
            }
            !touches
        });
        sets.push(joined);
    }
    sets.into_iter().collect()
}

fn partition(graph: &mut IdentityGraph) -> BTreeSet<BTreeSet<(TypeId, String)>> {
    let snapshot = graph.snapshot();
    let mut by_person: BTreeMap<u32, BTreeSet<(TypeId, String)>> = BTreeMap::new();
    snapshot.show_identifiers(0..snapshot.nodes(), |node, kind, value| {
        by_person
            .entry(snapshot.person_of(node).unwrap())
            .or_default()
            .insert((IdentifierTypes::default().id(kind).unwrap(), value.to_owned()));
    });
    by_person.into_values().collect()
}

proptest! {
    /// Promise 4: the partition is a function of the edges, whatever the order.
    #[test]
    fn any_order_gives_the_same_partition(
        events in prop::collection::vec(prop::collection::vec((0_u8..8, "[a-d]"), 0..4), 0..40),
        seed in any::<u64>(),
    ) {
        let run = |events: &[Vec<(TypeId, String)>]| {
            let mut graph = IdentityGraph::default();
            add(&mut graph, events);
            partition(&mut graph)
        };
        let mut shuffled = events.clone();
        let mut state = seed;
        for index in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            shuffled.swap(index, (state >> 33) as usize % (index + 1));
        }
        let expected = partition_by_relabelling(events.iter().map(|event| event.iter().cloned().collect()));
        prop_assert_eq!(&run(&events), &expected);
        prop_assert_eq!(&run(&shuffled), &expected);
    }
}

#[test]
fn what_stands_beside_many_persons_is_crowded() {
    const DEVICE: TypeId = 6;
    let mut graph = IdentityGraph::default();
    let users: Vec<String> = (0..5).map(|user| format!("u{user}")).collect();
    let mut events = Vec::new();
    for user in &users {
        events.push(event(&[(USER, user), (EMAIL, "nobody")]));
        // The same pair in another set.
        events.push(event(&[(USER, user), (EMAIL, "nobody"), (COOKIE, user)]));
        // One person may have many cookies and devices, and a family one device.
        events.push(event(&[(USER, "u0"), (COOKIE, user)]));
    }
    events.extend(users[..4].iter().map(|user| event(&[(USER, user), (DEVICE, "till")])));
    events.push(event(&[(EMAIL, "nobody"), (COOKIE, "c")]));
    add(&mut graph, &events);
    let crowded = |kind: &str, value: &str, of: usize| Crowded {
        kind: kind.to_owned(),
        value: value.to_owned(),
        beside: vec![("user_id".to_owned(), of)],
    };
    assert!(graph.crowded(5).is_empty());
    assert_eq!(graph.crowded(4), [crowded("email", "nobody", 5)]);
    assert_eq!(graph.crowded(3), [crowded("email", "nobody", 5), crowded("device_id", "till", 4)]);
    graph.finish_batch();
    assert!(graph.crowded(0).is_empty(), "those of the batch at hand alone");
}

/// What a commit costs must not grow with the persons that it does not touch (step 6).
#[test]
fn a_state_shares_all_that_did_not_change_with_the_one_before() {
    let mut graph = IdentityGraph::default();
    let events: Vec<Event> =
        (0..50_000).map(|user| event(&[(USER, &format!("u{user}")), (COOKIE, &format!("c{user}"))])).collect();
    add(&mut graph, &events);
    let before = graph.snapshot();
    let persons = before.canonical().count();
    // One person gets a cookie, two become one.
    add(&mut graph, &[event(&[(USER, "u7"), (COOKIE, "new")]), event(&[(USER, "u7"), (USER, "u49999")])]);
    let after = graph.snapshot();
    assert_eq!((before.canonical().count(), after.canonical().count()), (persons, persons - 1));
    let nodes = |state: &IdentitySnapshot, user: u32| {
        let mut nodes: Vec<u32> = state.nodes_of(state.person_of(2 * user).unwrap()).collect();
        nodes.sort_unstable();
        nodes
    };
    assert_eq!((nodes(&before, 7), nodes(&before, 49_999)), (vec![14, 15], vec![99_998, 99_999]));
    assert_eq!((nodes(&after, 7), nodes(&after, 49_999)), (vec![14, 15, 99_998, 99_999, 100_000], nodes(&after, 7)));
    assert_eq!(after.nodes_of(before.person_of(99_998).unwrap()).count(), 0, "a merged number has no nodes");
    let all = after.bytes_beside(&IdentitySnapshot::default());
    assert!(after.bytes_beside(&before) < all / 10, "{} of {all} bytes", after.bytes_beside(&before));
}
