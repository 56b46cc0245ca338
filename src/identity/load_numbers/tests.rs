use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::clock::Clock;
use crate::identity::tests::{Event, add, comparable, number};
use crate::identity::{GraphRestorer, IdentityBatch, IdentitySnapshot, Overlay};

fn events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(prop::collection::vec((0_u8..4, "[a-d]{1,2}"), 0..4), 0..8)
}

/// The person of each identifier that is somebody's.
fn persons(state: &IdentitySnapshot) -> BTreeMap<(String, String), u32> {
    let mut persons = BTreeMap::new();
    state.show_identifiers(0..state.nodes(), |node, kind, value| {
        persons.extend(state.person_of(node).map(|person| ((kind.to_owned(), value.to_owned()), person)));
    });
    persons
}

/// Which identifiers are one person.
fn partition(state: &IdentitySnapshot) -> BTreeSet<Vec<(String, String)>> {
    let mut by_person: BTreeMap<u32, Vec<(String, String)>> = BTreeMap::new();
    for (identifier, person) in persons(state) {
        by_person.entry(person).or_default().push(identifier);
    }
    by_person.into_values().collect()
}

#[derive(Debug, Clone)]
enum Step {
    /// Few events, at once durable.
    Append(Vec<Event>),
    /// Some events of one of two loads; the first begins it.
    Load(bool, Vec<Event>),
    /// The load is committed, or breaks off.
    End { which: bool, commits: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => events().prop_map(Step::Append),
        4 => (any::<bool>(), events()).prop_map(|(which, events)| Step::Load(which, events)),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(which, commits)| Step::End { which, commits }),
    ];
    prop::collection::vec(step, 1..16)
}

/// A graph, the loads under way in it, and what was committed.
#[derive(Default)]
struct Played {
    graph: IdentityGraph,
    under_way: BTreeMap<bool, (SetBuilder, Vec<Event>)>,
    committed: Vec<Event>,
    batches: Vec<IdentityBatch>,
}

impl Played {
    fn play(&mut self, step: Step) {
        match step {
            Step::Append(events) => {
                let mut overlay = Overlay::new(self.graph.snapshot(), Clock::default());
                number(&mut overlay, &events);
                let batch = overlay.finish();
                if !batch.is_empty() {
                    self.graph.replay(&batch).unwrap();
                    self.batches.push(batch);
                }
                self.committed.extend(events);
            }
            Step::Load(which, events) => {
                let (sets, so_far) = self.under_way.entry(which).or_default();
                number(&mut LoadNumbers::new(&mut self.graph, sets), &events);
                so_far.extend(events);
                self.keep_batch();
            }
            Step::End { which, commits } => {
                let Some((sets, events)) = self.under_way.remove(&which).filter(|_| commits) else { return };
                self.graph.place(sets.finish(), 1, &Clock::default());
                self.keep_batch();
                self.committed.extend(events);
            }
        }
    }

    fn keep_batch(&mut self) {
        self.batches.extend(Some(self.graph.finish_batch()).filter(|batch| !batch.is_empty()));
    }
}

proptest! {
    /// Placed at its end a load gives the nodes, sets and births that its events give one by one.
    #[test]
    fn a_load_numbers_as_event_by_event(before in events(), load in events()) {
        let mut at_once = IdentityGraph::default();
        add(&mut at_once, &before);
        let first = at_once.finish_batch();
        let nodes = add(&mut at_once, &load);
        let second = at_once.finish_batch();
        let mut one_by_one = IdentityGraph::default();
        one_by_one.replay(&first).unwrap();
        let mut overlay = Overlay::new(one_by_one.snapshot(), Clock::default());
        prop_assert_eq!(nodes, number(&mut overlay, &load));
        let batch = overlay.finish();
        prop_assert_eq!(comparable(&batch), comparable(&second));
        one_by_one.replay(&batch).unwrap();
        prop_assert_eq!(persons(&at_once.snapshot()), persons(&one_by_one.snapshot()));
    }

    /// However loads and single events come between each other, persons are those of the events that were committed, what
    /// broke off is nobody's, and what is stored gives the same again.
    #[test]
    fn loads_between_others_leave_what_was_committed(steps in steps()) {
        let mut played = Played::default();
        for step in steps {
            played.play(step);
            let mut alone = IdentityGraph::default();
            add(&mut alone, &played.committed);
            prop_assert_eq!(partition(&played.graph.snapshot()), partition(&alone.snapshot()));
        }
        let Played { mut graph, batches, .. } = played;
        let state = graph.snapshot();
        let mut replayed = IdentityGraph::default();
        batches.iter().try_for_each(|batch| replayed.replay(batch)).unwrap();
        let mut restorer = GraphRestorer::new(IdentityGraph::default(), state.nodes());
        restorer.add_births(&state.birth_rows(0..state.births()).unwrap()).unwrap();
        restorer.add_nodes(&state.node_rows(0..state.nodes()).unwrap()).unwrap();
        let mut restored = restorer.finish(state.epoch);
        prop_assert_eq!(state.published_rows(0..state.nodes()).unwrap().num_rows(), persons(&state).len());
        // What broke off is nobody's until somebody has it.
        for round in [vec![], vec![vec![(0, "a".to_owned())], vec![(0, "a".to_owned()), (1, "b".to_owned())]]] {
            for graph in [&mut graph, &mut replayed, &mut restored] {
                let mut overlay = Overlay::new(graph.snapshot(), Clock::default());
                number(&mut overlay, &round);
                graph.replay(&overlay.finish()).unwrap();
            }
            let expected = persons(&graph.snapshot());
            prop_assert_eq!(&persons(&replayed.snapshot()), &expected);
            prop_assert_eq!(&persons(&restored.snapshot()), &expected);
        }
    }
}
