//! Nodes joined into components: union-find over nodes in the order in which they were met. Must not know: Arrow, SQL.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

/// Nodes and the components that they were joined into. Nodes are named by their place, from 0.
#[derive(Debug)]
pub(super) struct Forest<N> {
    nodes: Vec<N>,
    /// The place of a node of the same component that was met earlier; its own for the first of a component.
    parents: Vec<u32>,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl<N> Default for Forest<N> {
    fn default() -> Self {
        Self { nodes: Vec::new(), parents: Vec::new(), places: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }
}

impl<N: Hash + Ord> Forest<N> {
    pub(super) fn nodes(&self) -> &[N] {
        &self.nodes
    }

    /// The place of a node that was met before.
    pub(super) fn find<Q: Hash + Eq + ?Sized>(&self, node: &Q) -> Option<u32>
    where
        N: Borrow<Q>,
    {
        let is_it = |place: &u32| {
            let held: &Q = self.nodes[*place as usize].borrow();
            held == node
        };
        self.places.find(self.hasher.hash_one(node), is_it).copied()
    }

    /// Takes in a node that was not met before, as a component of its own; none when all places are given.
    pub(super) fn insert(&mut self, node: N) -> Option<u32> {
        let place = u32::try_from(self.nodes.len()).ok()?;
        let Self { nodes, places, hasher, parents } = self;
        let hash = hasher.hash_one(&node);
        nodes.push(node);
        parents.push(place);
        places.insert_unique(hash, place, |place| hasher.hash_one(&nodes[*place as usize]));
        Some(place)
    }

    /// Makes the components of two nodes one.
    pub(super) fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other) as usize] = one.min(other);
    }

    /// The first node of a component; the ways that lead there are halved.
    fn root(&mut self, mut place: u32) -> u32 {
        loop {
            let parent = self.parents[place as usize];
            if parent == place {
                return place;
            }
            let above = self.parents[parent as usize];
            self.parents[place as usize] = above;
            place = above;
        }
    }

    /// All nodes in ascending order, each with the smallest node of its component: their places.
    pub(super) fn components(&mut self) -> Vec<(u32, u32)> {
        const NONE: u32 = u32::MAX;
        // As many as places were given, which fit.
        let mut order: Vec<u32> = (0..self.nodes.len() as u32).collect();
        order.sort_unstable_by(|one, other| self.nodes[*one as usize].cmp(&self.nodes[*other as usize]));
        let mut smallest = vec![NONE; self.nodes.len()];
        let with_component = order.into_iter().map(|place| {
            let smallest = &mut smallest[self.root(place) as usize];
            if *smallest == NONE {
                *smallest = place;
            }
            (place, *smallest)
        });
        with_component.collect()
    }

    /// Bytes beyond the value itself and beyond what the nodes point to.
    pub(super) fn heap_size(&self) -> usize {
        self.nodes.capacity() * size_of::<N>()
            + self.parents.capacity() * size_of::<u32>()
            + self.places.allocation_size()
    }
}
