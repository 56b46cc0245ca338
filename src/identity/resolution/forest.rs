//! Union-find whose roots are the smallest node of their tree: Rem's algorithm with splicing.
//!
//! Must not know what nodes or rules are.

use crate::ids::Node;

#[derive(Debug, Default)]
pub struct Forest {
    /// Never larger than the node itself.
    parents: Vec<Node>,
}

impl Forest {
    /// Of so many nodes, each alone.
    pub fn new(nodes: usize) -> Self {
        Self { parents: (0..nodes as Node).collect() }
    }

    /// Whether they were apart.
    ///
    /// # Panics
    /// For a node that is not there, as [`Self::root`].
    pub fn union(&mut self, a: Node, b: Node) -> bool {
        let parents = self.parents.as_mut_slice();
        let (mut a, mut b) = (a as usize, b as usize);
        loop {
            let (above_a, above_b) = (parents[a], parents[b]);
            if above_a == above_b {
                return false;
            }
            // The one with the larger parent climbs; its parent becomes the smaller one, which shortens the way.
            if above_a > above_b {
                parents[a] = above_b;
                if above_a as usize == a {
                    return true;
                }
                a = above_a as usize;
            } else {
                parents[b] = above_a;
                if above_b as usize == b {
                    return true;
                }
                b = above_b as usize;
            }
        }
    }

    /// The smallest node of the tree.
    pub fn root(&self, node: Node) -> Node {
        let mut node = node;
        loop {
            let above = self.parents[node as usize];
            if above == node {
                return node;
            }
            node = above;
        }
    }

    /// The root of every node, in their order.
    pub fn into_roots(mut self) -> Vec<Node> {
        for node in 0..self.parents.len() {
            // Parents are smaller, and have their root already.
            self.parents[node] = self.parents[self.parents[node] as usize];
        }
        self.parents
    }
}
