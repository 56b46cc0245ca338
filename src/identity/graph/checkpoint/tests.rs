use proptest::prelude::*;

use super::*;
use crate::identity::IdentityBatch;
use crate::identity::tests::{Event, add};
use crate::ids::Node;

/// The graph as its rows say it is, a few at a time.
fn restored(graph: &mut IdentityGraph) -> Result<IdentityGraph> {
    let snapshot = graph.snapshot();
    let mut restorer = GraphRestorer::new(IdentityGraph::default(), snapshot.nodes());
    for start in (0..snapshot.births()).step_by(3) {
        restorer.add_births(&snapshot.birth_rows(start..snapshot.births().min(start + 3))?)?;
    }
    for start in (0..snapshot.nodes()).step_by(4) {
        restorer.add_nodes(&snapshot.node_rows(start..snapshot.nodes().min(start + 4))?)?;
    }
    Ok(restorer.finish(snapshot.epoch))
}

/// All that can be seen of a graph.
fn seen(graph: &mut IdentityGraph) -> impl PartialEq + std::fmt::Debug + use<> {
    let snapshot = graph.snapshot();
    let mut named = Vec::new();
    snapshot.show_identifiers(0..snapshot.nodes(), |node, name, value| {
        named.push((node, name.to_owned(), value.to_owned()));
    });
    let nodes: Vec<_> = named
        .into_iter()
        .map(|(node, name, value)| {
            let kind = graph.types().id(&name).unwrap();
            let found = snapshot.node(kind, &value);
            (name, value, found, snapshot.person_of(node))
        })
        .collect();
    let births: Vec<_> = snapshot.born(0..snapshot.births()).collect();
    let canonical: Vec<_> = snapshot.canonical().collect();
    (snapshot.epoch, nodes, births, canonical)
}

/// What a load adds, as if its record had this position.
fn batch_of(graph: &mut IdentityGraph, load: &[Event], position: u64) -> IdentityBatch {
    add(graph, load);
    let mut batch = graph.finish_batch();
    batch.set_position(position);
    batch
}

proptest! {
    /// Promise 4: a checkpoint and the later loads give what all loads give, births included, wherever it was taken.
    #[test]
    fn a_checkpoint_and_later_loads_equal_all_loads(
        loads in prop::collection::vec(
            prop::collection::vec(prop::collection::vec((0_u8..8, "[a-e]{1,2}"), 0..4), 0..12), 1..8),
        place in any::<prop::sample::Index>(),
    ) {
        let mut written = IdentityGraph::default();
        let batches: Vec<_> = loads.iter().zip(1..).map(|(load, at)| batch_of(&mut written, load, at)).collect();
        let place = place.index(batches.len() + 1);
        let stored = |batches: &[IdentityBatch], graph: &mut IdentityGraph| {
            for batch in batches.iter().filter(|batch| !batch.is_empty()) {
                graph.replay(batch).unwrap();
            }
        };
        let mut full = IdentityGraph::default();
        stored(&batches, &mut full);
        let mut early = IdentityGraph::default();
        stored(&batches[..place], &mut early);
        let mut late = restored(&mut early).unwrap();
        prop_assert_eq!(seen(&mut late), seen(&mut early));
        stored(&batches[place..], &mut late);
        prop_assert_eq!(seen(&mut late), seen(&mut full));
        // The next load gives the same numbers and links, too.
        let next: Vec<Event> = vec![
            vec![(0, "new".into()), (7, "a".into())], vec![(2, "alone".into())], vec![(7, "a".into()), (0, "b".into())],
        ];
        let of = |graph: &mut IdentityGraph| {
            let batch = batch_of(graph, &next, 9);
            let births: Vec<_> = batch.births.iter().map(|birth| (birth.node, birth.person)).collect();
            let partition: Vec<_> = (0..graph.snapshot().nodes() as Node).map(|node| graph.snapshot().person_of(node)).collect();
            (batch.nodes, batch.sets, births, partition)
        };
        prop_assert_eq!(of(&mut late), of(&mut full));
    }
}

#[test]
fn rows_that_do_not_follow_are_refused() {
    let mut graph = IdentityGraph::default();
    add(&mut graph, &[vec![(0, "a".into())], vec![(0, "b".into()), (2, "c".into())]]);
    let snapshot = graph.snapshot();
    let nodes = |range| snapshot.node_rows(range).unwrap();
    let mut restorer = GraphRestorer::new(IdentityGraph::default(), 3);
    assert!(restorer.add_nodes(&nodes(0..1)).is_err(), "a person without a birth");
    assert!(restorer.add_births(&snapshot.birth_rows(1..2).unwrap()).is_err(), "a birth is missing");
    let mut restorer = GraphRestorer::new(IdentityGraph::default(), 3);
    restorer.add_births(&snapshot.birth_rows(0..2).unwrap()).unwrap();
    assert!(restorer.add_nodes(&nodes(1..2)).is_err(), "a node is missing");
    assert!(restorer.add_births(&nodes(0..1)).is_err(), "rows of another kind");
}
