use proptest::prelude::*;

use super::*;
use crate::identity::IdentityGraph;
use crate::identity::tests::{add, comparable};

proptest! {
    /// The overlay gives the nodes, links and births that the graph itself gives, load after load, and taking its batch in
    /// gives the same persons.
    #[test]
    fn it_numbers_as_the_graph_does(
        loads in prop::collection::vec(
            prop::collection::vec(prop::collection::vec((0_u8..8, "[a-e]{1,2}"), 0..4), 0..12), 1..8),
    ) {
        let (mut direct, mut behind) = (IdentityGraph::default(), IdentityGraph::default());
        for load in &loads {
            let mut overlay = Overlay::new(behind.snapshot());
            let nodes = add(&mut overlay, load);
            let batch = overlay.finish();
            prop_assert_eq!(&nodes, &add(&mut direct, load));
            prop_assert_eq!(comparable(&batch), comparable(&direct.finish_batch()));
            if !batch.is_empty() {
                behind.replay(&batch).unwrap();
            }
            let (direct, behind) = (direct.snapshot(), behind.snapshot());
            prop_assert_eq!(direct.epoch, behind.epoch);
            let persons = |state: &IdentitySnapshot| -> Vec<_> {
                (0..state.nodes() as Node).map(|node| state.person_of(node)).collect()
            };
            prop_assert_eq!(persons(&direct), persons(&behind));
        }
    }

    /// What is not taken in leaves no trace.
    #[test]
    fn a_refused_load_changes_nothing(
        kept in prop::collection::vec(prop::collection::vec((0_u8..8, "[a-e]{1,2}"), 0..4), 0..12),
        refused in prop::collection::vec(prop::collection::vec((0_u8..8, "[a-g]{1,2}"), 0..4), 0..12),
    ) {
        let mut graph = IdentityGraph::default();
        add(&mut graph, &kept);
        graph.finish_batch();
        let before = graph.snapshot();
        let mut overlay = Overlay::new(before.clone());
        add(&mut overlay, &refused);
        drop(overlay);
        for (kind, value) in refused.iter().flatten() {
            let node = before.node(*kind, value);
            prop_assert_eq!(node.is_some(), kept.iter().flatten().any(|held| held == &(*kind, value.clone())));
        }
        prop_assert_eq!((graph.nodes(), graph.snapshot().births()), (before.nodes(), before.births()));
    }
}
