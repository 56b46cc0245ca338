use proptest::prelude::*;

use super::*;
use crate::identity::IdentityGraph;
use crate::identity::tests::{add, number};

proptest! {
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
        let mut overlay = Overlay::new(before.clone(), Clock::default());
        number(&mut overlay, &refused);
        drop(overlay);
        for (kind, value) in refused.iter().flatten() {
            let node = before.node(*kind, value);
            prop_assert_eq!(node.is_some(), kept.iter().flatten().any(|held| held == &(*kind, value.clone())));
        }
        prop_assert_eq!((graph.nodes(), graph.snapshot().births()), (before.nodes(), before.births()));
    }
}
