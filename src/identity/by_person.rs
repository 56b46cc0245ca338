//! person -> nodes of one epoch, made when first asked for: two flat arrays by counting sort.

use crate::ids::{Node, Person};

#[derive(Debug)]
pub(super) struct NodesByPerson {
    /// Where a person's nodes begin in `nodes`; one entry more than there are numbers.
    starts: Vec<u32>,
    nodes: Vec<Node>,
}

impl NodesByPerson {
    /// `persons` by node; every number is below `numbers`.
    pub(super) fn new(persons: &[Person], numbers: usize) -> Self {
        let mut starts = vec![0_u32; numbers + 1];
        for person in persons {
            starts[*person as usize + 1] += 1;
        }
        for number in 0..numbers {
            starts[number + 1] += starts[number];
        }
        let mut next = starts.clone();
        let mut nodes = vec![0; persons.len()];
        for (node, person) in persons.iter().enumerate() {
            let place = &mut next[*person as usize];
            nodes[*place as usize] = node as Node;
            *place += 1;
        }
        Self { starts, nodes }
    }

    /// Ascending; empty for a number that nobody has.
    pub(super) fn of(&self, person: Person) -> &[Node] {
        let at = person as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(start), Some(end)) => &self.nodes[*start as usize..*end as usize],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_stands_with_its_person_once() {
        // Person 2 was merged into 0: it has no node.
        let found = NodesByPerson::new(&[0, 1, 0, 3, 0], 4);
        assert_eq!(found.of(0), [0, 2, 4]);
        assert_eq!(found.of(1), [1]);
        assert_eq!(found.of(2), [0_u32; 0]);
        assert_eq!(found.of(3), [3]);
        assert_eq!(found.of(9), [0_u32; 0]);
        assert_eq!(NodesByPerson::new(&[], 0).of(0), [0_u32; 0]);
    }
}
