use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::identity::{Birth, BirthCause};

fn birth(node: Node, person: Person) -> Birth {
    Birth { node, person, person_id: Uuid::nil(), position: 1, cause: BirthCause::Event }
}

/// The person of each node by relabelling sets of nodes: shares no code with the components.
fn relabel_sets(nodes: usize, births: &[Node], edges: &[(Node, Node)]) -> Vec<Option<Person>> {
    let mut labels: Vec<usize> = (0..nodes).collect();
    for (a, b) in edges {
        let (a, b) = (labels[*a as usize], labels[*b as usize]);
        labels.iter_mut().filter(|label| **label == b).for_each(|label| *label = a);
    }
    let mut persons: BTreeMap<usize, Person> = BTreeMap::new();
    for (person, node) in births.iter().enumerate().rev() {
        persons.insert(labels[*node as usize], person as Person);
    }
    labels.iter().map(|label| persons.get(label).copied()).collect()
}

proptest! {
    /// Whatever comes between two relabellings, and in which order numbers and nodes meet.
    #[test]
    fn every_node_has_the_smallest_number_of_its_component(
        births in prop::collection::vec(0_u32..40, 0..20),
        edges in prop::collection::vec((0_u32..40, 0_u32..40), 0..60),
        relabelled in prop::collection::vec(any::<bool>(), 80),
    ) {
        let (mut components, mut persons) = (Components::default(), Persons::default());
        components.grow(40);
        persons.grow(40);
        let born: Vec<_> = births.iter().map(|node| (*node, *node)).collect();
        for (at, (a, b)) in born.iter().chain(&edges).enumerate() {
            if at < births.len() {
                components.give_birth(*a, at as Person);
                persons.push(birth(*a, at as Person));
            } else {
                components.union(*a, *b);
            }
            if relabelled[at] {
                components.relabel(&mut persons, |node| node % 3 == 0);
            }
        }
        components.relabel(&mut persons, |node| node % 3 == 0);
        let expected = relabel_sets(40, &births, &edges);
        let found: Vec<_> = (0..40).map(|node| persons.of_node(node)).collect();
        prop_assert_eq!(&found, &expected);
        for person in 0..births.len() as Person {
            let nodes: Vec<Node> = (0..40).filter(|node| expected[*node as usize] == Some(person)).collect();
            prop_assert_eq!(persons.identifier_count(person) as usize, nodes.len());
            if !nodes.is_empty() {
                prop_assert_eq!(persons.is_known(person), nodes.iter().any(|node| node % 3 == 0));
                let mut ring: Vec<Node> = ring_of(&components, nodes[0]);
                ring.sort_unstable();
                prop_assert_eq!(ring, nodes);
            }
        }
    }
}

fn ring_of(components: &Components, first: Node) -> Vec<Node> {
    let next = |node: &Node| components.rings().get(*node as usize).filter(|next| *next != first);
    std::iter::successors(Some(first), next).collect()
}

#[test]
fn a_chain_that_merges_from_its_young_end_is_relabelled_once() {
    const NODES: u32 = 200_000;
    let (mut components, mut persons) = (Components::default(), Persons::default());
    components.grow(NODES as usize);
    persons.grow(NODES as usize);
    for node in 0..NODES {
        components.give_birth(node, node);
        persons.push(birth(node, node));
    }
    components.relabel(&mut persons, |_| false);
    // Each union gives all nodes so far another number: one by one that were 20 billion changes.
    for node in (1..NODES).rev() {
        components.union(node - 1, node);
    }
    let given = std::cell::Cell::new(0);
    components.relabel(&mut persons, |_| {
        given.set(given.get() + 1);
        false
    });
    assert_eq!(given.get(), NODES - 1, "each node but the first, once");
    assert_eq!(persons.identifier_count(0), NODES);
}
