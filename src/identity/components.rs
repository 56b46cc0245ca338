//! Connected components of nodes, the person number of each, and which nodes have got another one.
//!
//! Union-find with path halving; the side with the smaller number keeps its root, so a component's number stands at the
//! node where it was born (DESIGN 5). The nodes of a component form a ring, so that all of them are found from any.

use super::chunked::Chunked;
use super::persons::Persons;
use crate::ids::{Node, Person};

/// No number was born here.
const NONE: Person = Person::MAX;

#[derive(Debug, Default)]
pub(super) struct Components {
    parent: Vec<Node>,
    /// At a root: the smallest number born in its component.
    number: Vec<Person>,
    /// The next node of the same component, round in a ring.
    next: Chunked<Node>,
    changed: Vec<Stretch>,
}

/// Neighbours in a ring, of which the last was a root when it was noted. What comes into the ring later comes in behind
/// a root, so these stay neighbours: never does another node come between them.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    first: Node,
    last: Node,
}

impl Components {
    /// Makes room for nodes up to `count`, each its own component.
    pub(super) fn grow(&mut self, count: usize) {
        for node in self.parent.len()..count {
            self.push_alone(node as Node, NONE);
        }
    }

    /// Appends a node that is nobody's.
    pub(super) fn push_unplaced(&mut self) {
        self.push_alone(self.parent.len() as Node, NONE);
    }

    /// Appends a node to the component of `root`, whose number is known: a new component where that is the node itself.
    pub(super) fn push(&mut self, root: Node, number: Person) {
        let node = self.parent.len() as Node;
        self.push_alone(node, number);
        if root != node {
            self.parent[node as usize] = root;
            self.join_rings(root, node);
        }
    }

    fn push_alone(&mut self, node: Node, number: Person) {
        self.parent.push(node);
        self.number.push(number);
        self.next.push(node);
    }

    fn root(&mut self, mut node: Node) -> Node {
        while self.parent[node as usize] != node {
            let grandparent = self.parent[self.parent[node as usize] as usize];
            self.parent[node as usize] = grandparent;
            node = grandparent;
        }
        node
    }

    /// Whether they were apart.
    pub(super) fn union(&mut self, a: Node, b: Node) -> bool {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return false;
        }
        let rank = |root: Node| (self.number[root as usize], root);
        let (keep, lose) = if rank(a) < rank(b) { (a, b) } else { (b, a) };
        self.note_changed(lose);
        self.parent[lose as usize] = keep;
        self.join_rings(keep, lose);
        true
    }

    /// Makes one component of the nodes of an identifier set; whether some of them were apart.
    pub(super) fn link(&mut self, nodes: &[Node]) -> bool {
        let Some((main, others)) = nodes.split_first() else { return false };
        others.iter().fold(false, |changed, node| self.union(*main, *node) | changed)
    }

    /// # Panics
    /// For a node that is not there, as all of these.
    pub(super) fn give_birth(&mut self, node: Node, person: Person) {
        let root = self.root(node);
        if person < self.number[root as usize] {
            self.number[root as usize] = person;
            self.note_changed(root);
        }
    }

    /// Whether the node is nobody's: no event was placed that has it.
    pub(super) fn is_unplaced(&self, node: Node) -> bool {
        // A node that was linked has a number at the root of its component.
        self.parent[node as usize] == node && self.number[node as usize] == NONE
    }

    fn note_changed(&mut self, root: Node) {
        let first = self.next_of(root);
        self.changed.push(Stretch { first, last: root });
    }

    fn next_of(&self, node: Node) -> Node {
        // Each node stands in a ring, if alone.
        self.next.get(node as usize).unwrap_or(node)
    }

    /// Makes one ring of two; all of `b`'s come in behind `a`.
    fn join_rings(&mut self, a: Node, b: Node) {
        let (after_a, after_b) = (self.next_of(a), self.next_of(b));
        for (node, next) in [(a, after_b), (b, after_a)] {
            if let Some(place) = self.next.get_mut(node as usize) {
                *place = next;
            }
        }
    }

    /// Gives the nodes whose number has changed since the last call to the person of that number. `knows` says of a node
    /// whether its identifier is of class person.
    ///
    /// Costs the nodes that changed, and the unions: of stretches within each other the outer one was noted later, so it
    /// comes first, and takes in the inner ones, whose last node tells so.
    pub(super) fn relabel(&mut self, persons: &mut Persons, knows: impl Fn(Node) -> bool) {
        while let Some(stretch) = self.changed.pop() {
            let root = self.root(stretch.last);
            let number = self.number[root as usize];
            if persons.of_node(stretch.last) == Some(number) {
                continue;
            }
            let mut node = stretch.first;
            persons.give(node, number, knows(node));
            while node != stretch.last {
                node = self.next_of(node);
                persons.give(node, number, knows(node));
            }
        }
    }

    /// The rings, to find the nodes of a component by.
    pub(super) fn rings(&self) -> &Chunked<Node> {
        &self.next
    }
}

#[cfg(test)]
mod tests;
