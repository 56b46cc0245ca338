use proptest::prelude::*;

use crate::identity::resolution::Forest;
use crate::ids::Node;

proptest! {
    /// Against relabelling of all nodes at each link.
    #[test]
    fn the_root_is_the_smallest_node_of_a_component(links in prop::collection::vec((0_u32..30, 0_u32..30), 0..60)) {
        let mut forest = Forest::new(30);
        let mut labels: Vec<Node> = (0..30).collect();
        for (a, b) in links {
            let (of_a, of_b) = (labels[a as usize], labels[b as usize]);
            prop_assert_eq!(forest.union(a, b), of_a != of_b);
            let (keep, lose) = (of_a.min(of_b), of_a.max(of_b));
            labels.iter_mut().filter(|label| **label == lose).for_each(|label| *label = keep);
            for node in 0..30 {
                prop_assert_eq!(forest.root(node), labels[node as usize]);
            }
        }
        prop_assert_eq!(forest.into_roots(), labels);
    }
}
