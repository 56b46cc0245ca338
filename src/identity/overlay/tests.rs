use proptest::prelude::*;

use super::*;
use crate::identity::tests::{Event, add, comparable, number};
use crate::identity::{IdentityGraph, LoadNumbers, Origin};

fn events(values: &'static str) -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(prop::collection::vec((0_u8..8, values), 0..4), 0..12)
}

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

    /// Of many senders one is refused in the middle: the others get what they would have got without it, whatever they
    /// share with it, and that also on what a load under way has numbered.
    #[test]
    fn what_is_refused_among_others_changes_nothing_for_them(
        kept in events("[a-e]{1,2}"), under_way in events("[a-g]"), before in events("[a-g]{1,2}"),
        refused in events("[a-g]{1,2}"), after in events("[a-g]{1,2}"),
    ) {
        let mut graph = IdentityGraph::default();
        add(&mut graph, &kept);
        number(&mut LoadNumbers::new(&mut graph, &mut SetBuilder::default()), &under_way);
        graph.finish_batch();
        let base = graph.snapshot();
        let of = |refused: Option<&[Event]>| {
            let mut overlay = Overlay::new(base.clone(), Clock::default());
            let mut nodes = overlay.attempt(|overlay| Ok(number(overlay, &before))).unwrap();
            if let Some(refused) = refused {
                let outcome = overlay.attempt(|overlay| {
                    overlay.origin(Origin { source: None, kind: "refused".into(), load: None }.by_ref());
                    number(overlay, refused);
                    Err::<(), _>(Error::busy("full"))
                });
                assert_eq!(outcome.unwrap_err().message(), "full");
            }
            nodes.extend(overlay.attempt(|overlay| Ok(number(overlay, &after))).unwrap());
            (nodes, overlay.finish())
        };
        let ((nodes, batch), (expected_nodes, expected)) = (of(Some(&refused)), of(None));
        prop_assert_eq!(nodes, expected_nodes);
        prop_assert_eq!(comparable(&batch), comparable(&expected));
    }
}
