//! Which nodes are one person, as readers hold it. A copy never changes, and shares what has not changed since
//! ([`Chunked`]). Must not know why nodes are one person.

use crate::identity::chunked::Chunked;
use crate::ids::Node;

const SHARED: u8 = 1;
const IN_DOUBT: u8 = 2;
const WAITING: u8 = 4;

#[derive(Debug, Clone, Default)]
pub(super) struct Partition {
    /// By node: some node of its part, the same for all of them.
    labels: Chunked<Node>,
    /// By node: the next one of its part, round in a ring.
    rings: Chunked<Node>,
    marks: Chunked<u8>,
}

impl Partition {
    /// Makes room for nodes up to `count`, each a part.
    pub(super) fn grow(&mut self, count: usize) {
        for node in self.labels.len()..count {
            self.labels.push(node as Node);
            self.rings.push(node as Node);
            self.marks.push(0);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// The node itself where it is not there.
    pub(super) fn label(&self, node: Node) -> Node {
        self.labels.get(node as usize).unwrap_or(node)
    }

    fn next(&self, node: Node) -> Node {
        self.rings.get(node as usize).unwrap_or(node)
    }

    /// The nodes of the part of a node, that one first.
    pub(super) fn part(&self, node: Node) -> impl Iterator<Item = Node> + '_ {
        std::iter::successors(Some(node), move |held| Some(self.next(*held)).filter(|next| *next != node))
    }

    pub(super) fn is_shared(&self, node: Node) -> bool {
        self.has(node, SHARED)
    }

    /// Whether the component is not known to be within all limits: what comes to it is not taken at once.
    pub(super) fn is_in_doubt(&self, node: Node) -> bool {
        self.has(node, IN_DOUBT)
    }

    /// Whether the work on its component waits, since it was too much.
    pub(super) fn is_waiting(&self, node: Node) -> bool {
        self.has(node, WAITING)
    }

    pub(super) fn set_shared(&mut self, node: Node, is_shared: bool) {
        self.set(node, SHARED, is_shared);
    }

    pub(super) fn set_in_doubt(&mut self, node: Node, is_in_doubt: bool) {
        self.set(node, IN_DOUBT, is_in_doubt);
    }

    pub(super) fn set_waiting(&mut self, node: Node, is_waiting: bool) {
        self.set(node, WAITING, is_waiting);
    }

    fn has(&self, node: Node, mark: u8) -> bool {
        self.marks.get(node as usize).is_some_and(|marks| marks & mark != 0)
    }

    fn set(&mut self, node: Node, mark: u8, is_set: bool) {
        // Asked first: to ask for the place is to copy what is shared.
        if self.has(node, mark) != is_set
            && let Some(marks) = self.marks.get_mut(node as usize)
        {
            *marks ^= mark;
        }
    }

    /// Makes one part of two, which has the label of the larger one; both labels, the one that stays first. Costs the
    /// nodes of the smaller one.
    ///
    /// `a` and `b` are of different parts.
    pub(super) fn join(&mut self, a: Node, b: Node) -> (Node, Node) {
        let (keep, lose) = if self.is_smaller(a, b) { (b, a) } else { (a, b) };
        let (kept, lost) = (self.label(keep), self.label(lose));
        let nodes: Vec<Node> = self.part(lose).collect();
        nodes.into_iter().for_each(|node| change(&mut self.labels, node, kept));
        let (after_keep, after_lose) = (self.next(keep), self.next(lose));
        change(&mut self.rings, keep, after_lose);
        change(&mut self.rings, lose, after_keep);
        (kept, lost)
    }

    fn is_smaller(&self, a: Node, b: Node) -> bool {
        let (mut of_a, mut of_b) = (self.part(a), self.part(b));
        loop {
            match (of_a.next(), of_b.next()) {
                (None, next) => return next.is_some(),
                (_, None) => return false,
                _ => {}
            }
        }
    }

    /// Whether these are all nodes of one part.
    pub(super) fn is_part(&self, nodes: &[Node]) -> bool {
        let Some(first) = nodes.first() else { return false };
        let label = self.label(*first);
        nodes.iter().all(|node| self.label(*node) == label)
            && self.part(*first).take(nodes.len() + 1).count() == nodes.len()
    }

    /// Makes a part of exactly these nodes; those that were with them before must be given to a part, too.
    pub(super) fn give(&mut self, nodes: &[Node]) {
        let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else { return };
        let mut before = *last;
        for node in nodes {
            change(&mut self.labels, *node, *first);
            change(&mut self.rings, before, *node);
            before = *node;
        }
    }
}

/// Only what differs is written: to ask for the place is to copy what is shared.
fn change(array: &mut Chunked<Node>, place: Node, entry: Node) {
    if array.get(place as usize) != Some(entry)
        && let Some(held) = array.get_mut(place as usize)
    {
        *held = entry;
    }
}
