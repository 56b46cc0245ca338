//! Connected components of nodes, and the person number of each.
//!
//! Union-find with path halving; the smaller root stays, so a component's root does not depend on the order of unions.
//! A component's person is the smallest number born in it (DESIGN 5).

use crate::ids::{Node, Person};

/// No number was born here.
const NONE: Person = Person::MAX;

#[derive(Debug, Default)]
pub(super) struct Components {
    parent: Vec<Node>,
    /// At a root: the smallest number born in its component.
    number: Vec<Person>,
}

impl Components {
    /// Makes room for nodes up to `count`, each its own component.
    pub(super) fn grow(&mut self, count: usize) {
        for node in self.parent.len()..count {
            self.parent.push(node as Node);
            self.number.push(NONE);
        }
    }

    /// Appends a node of a component whose smallest node and person are known.
    pub(super) fn push(&mut self, root: Node, person: Person) {
        let is_root = self.parent.len() == root as usize;
        self.parent.push(root);
        self.number.push(if is_root { person } else { NONE });
    }

    pub(super) fn root(&mut self, mut node: Node) -> Node {
        while self.parent[node as usize] != node {
            let grandparent = self.parent[self.parent[node as usize] as usize];
            self.parent[node as usize] = grandparent;
            node = grandparent;
        }
        node
    }

    pub(super) fn union(&mut self, a: Node, b: Node) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (keep, lose) = (a.min(b), a.max(b));
        self.parent[lose as usize] = keep;
        self.number[keep as usize] = self.number[keep as usize].min(self.number[lose as usize]);
    }

    pub(super) fn give_birth(&mut self, node: Node, person: Person) {
        let root = self.root(node);
        self.number[root as usize] = self.number[root as usize].min(person);
    }

    /// The person of each node, in one pass without a walk to the root: a parent is never larger than its node.
    pub(super) fn persons(&self) -> Vec<Person> {
        let mut persons: Vec<Person> = Vec::with_capacity(self.parent.len());
        for (node, parent) in self.parent.iter().enumerate() {
            let parent = *parent as usize;
            let person = if parent == node { self.number[node] } else { persons[parent] };
            // Every component is born with its first event, so every node has a person.
            persons.push(if person == NONE { 0 } else { person });
        }
        persons
    }
}
