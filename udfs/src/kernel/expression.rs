//! Set expressions over views, and their normal form (`Plan`): nested operators of one kind are one, AND and ANDNOT have
//! their cheapest operand first. Must not know: containers' contents, results.

use super::container::{FULL, Run, run};
use super::error::{Error, Result};
use super::view::BitmapRef;

/// How deep an expression may be nested.
pub const MAX_DEPTH: usize = 256;

/// How sets are combined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    And,
    Or,
    Xor,
    AndNot,
}

/// A set expression. Operators take any number of operands; without operands each is the empty set.
///
/// Edits are expressions too: adding `x` is `Or([b, Range(x, x + 1)])`, a flip of [from, to) is
/// `Xor([b, Range(from, to)])`, a cut to [from, to) is `And([b, Range(from, to)])`. There are functions for these.
#[derive(Clone, Debug)]
pub enum Expr<'a> {
    /// The members of a stored set.
    Set(BitmapRef<'a>),
    /// All numbers from the first up to, not including, the second; at most 0 .. 2^32.
    Range(u64, u64),
    /// Members of all operands.
    And(Vec<Expr<'a>>),
    /// Members of any operand.
    Or(Vec<Expr<'a>>),
    /// Members of an odd number of operands.
    Xor(Vec<Expr<'a>>),
    /// Members of the first that are in none of the others.
    AndNot(Vec<Expr<'a>>),
    /// Members of at least this many operands. 0 is refused: nobody said of which universe.
    Threshold(u32, Vec<Expr<'a>>),
}

impl<'a> From<BitmapRef<'a>> for Expr<'a> {
    fn from(view: BitmapRef<'a>) -> Self {
        Expr::Set(view)
    }
}

impl<'a> Expr<'a> {
    pub fn and(operands: impl IntoIterator<Item = BitmapRef<'a>>) -> Self {
        Expr::And(operands.into_iter().map(Expr::Set).collect())
    }

    pub fn or(operands: impl IntoIterator<Item = BitmapRef<'a>>) -> Self {
        Expr::Or(operands.into_iter().map(Expr::Set).collect())
    }

    pub fn xor(operands: impl IntoIterator<Item = BitmapRef<'a>>) -> Self {
        Expr::Xor(operands.into_iter().map(Expr::Set).collect())
    }

    pub fn andnot(operands: impl IntoIterator<Item = BitmapRef<'a>>) -> Self {
        Expr::AndNot(operands.into_iter().map(Expr::Set).collect())
    }

    pub fn threshold(least: u32, operands: impl IntoIterator<Item = BitmapRef<'a>>) -> Self {
        Expr::Threshold(least, operands.into_iter().map(Expr::Set).collect())
    }

    /// The members within [from, to).
    pub fn within(self, from: u64, to: u64) -> Self {
        Expr::And(vec![self, Expr::Range(from, to)])
    }

    /// Members of [from, to) that were not there come, those that were go.
    pub fn flip(self, from: u64, to: u64) -> Self {
        Expr::Xor(vec![self, Expr::Range(from, to)])
    }

    /// With one more member. Named like `bitmap_add`; it adds no expressions.
    #[allow(clippy::should_implement_trait)]
    pub fn add(self, id: u32) -> Self {
        Expr::Or(vec![self, Expr::Range(u64::from(id), u64::from(id) + 1)])
    }

    pub fn remove(self, id: u32) -> Self {
        Expr::AndNot(vec![self, Expr::Range(u64::from(id), u64::from(id) + 1)])
    }

    /// The normal form, which is evaluated.
    pub fn plan(&self) -> Result<Plan<'a>> {
        Plan::new(self)
    }
}

/// Index of a node in its plan.
pub(crate) type NodeId = usize;

#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// Index of a view.
    Leaf(usize),
    Range(KeyRange),
    And(Vec<NodeId>),
    Or(Vec<NodeId>),
    Xor(Vec<NodeId>),
    AndNot(Vec<NodeId>),
    Threshold(u32, Vec<NodeId>),
}

/// A range of numbers by keys: the first and the last container may be cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyRange {
    pub(crate) first: u32,
    pub(crate) last: u32,
    first_run: [Run; 1],
    last_run: [Run; 1],
}

impl KeyRange {
    /// From a range that is not empty.
    fn new(from: u64, to: u64) -> Self {
        let (first, last) = ((from >> 16) as u32, ((to - 1) >> 16) as u32);
        let (start, end) = ((from & 0xffff) as u32, ((to - 1) & 0xffff) as u32 + 1);
        let first_end = if first == last { end } else { 1 << 16 };
        let last_start = if first == last { start } else { 0 };
        KeyRange { first, last, first_run: [run(start, first_end)], last_run: [run(last_start, end)] }
    }

    /// The members with this key: one run.
    pub(crate) fn at(&self, key: u32) -> Option<&[Run; 1]> {
        if key == self.first {
            Some(&self.first_run)
        } else if key == self.last {
            Some(&self.last_run)
        } else {
            (self.first < key && key < self.last).then_some(&FULL)
        }
    }
}

/// An expression in normal form, ready to be evaluated by any sink (the methods of this type), any number of times.
#[derive(Clone)]
pub struct Plan<'a> {
    pub(crate) views: Vec<BitmapRef<'a>>,
    pub(crate) nodes: Vec<Node>,
    /// Upper bound of the members of each node, from headers.
    pub(crate) bounds: Vec<u64>,
    /// None is the empty set.
    pub(crate) root: Option<NodeId>,
    pub(crate) workers: usize,
}

impl<'a> Plan<'a> {
    pub fn new(expression: &Expr<'a>) -> Result<Self> {
        let mut plan = Plan { views: Vec::new(), nodes: Vec::new(), bounds: Vec::new(), root: None, workers: 1 };
        plan.root = plan.add(expression, 0)?;
        Ok(plan)
    }

    /// Lets sinks use up to this number of threads; the result is the same for any.
    pub fn with_workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Whether a node is no operator: its members are stored and not evaluated.
    pub(crate) fn is_stored(&self, node: NodeId) -> bool {
        matches!(self.nodes[node], Node::Leaf(_) | Node::Range(_))
    }

    /// The most members that the result can have, from headers alone.
    pub fn upper_bound(&self) -> u64 {
        self.root.map_or(0, |root| self.bounds[root])
    }

    /// Bytes of all views.
    pub fn input_bytes(&self) -> u64 {
        self.views.iter().map(|view| view.as_bytes().len() as u64).sum()
    }

    fn push(&mut self, node: Node, bound: u64) -> NodeId {
        self.nodes.push(node);
        self.bounds.push(bound);
        self.nodes.len() - 1
    }

    /// The node of an expression; None is the empty set.
    fn add(&mut self, expression: &Expr<'a>, depth: usize) -> Result<Option<NodeId>> {
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        match expression {
            Expr::Set(view) if view.is_empty() => Ok(None),
            Expr::Set(view) => {
                self.views.push(*view);
                Ok(Some(self.push(Node::Leaf(self.views.len() - 1), view.count())))
            }
            Expr::Range(from, to) if from >= to => Ok(None),
            Expr::Range(_, to) if *to > 1 << 32 => Err(Error::Argument("a range ends above 2^32")),
            Expr::Range(from, to) => Ok(Some(self.push(Node::Range(KeyRange::new(*from, *to)), to - from))),
            Expr::And(operands) => {
                let nodes = self.operands(operands, depth)?;
                Ok(self.and(nodes))
            }
            Expr::Or(operands) => {
                let nodes = self.operands(operands, depth)?;
                Ok(self.any(nodes, Node::Or, |node| if let Node::Or(inner) = node { Some(inner) } else { None }))
            }
            Expr::Xor(operands) => {
                let nodes = self.operands(operands, depth)?;
                Ok(self.any(nodes, Node::Xor, |node| if let Node::Xor(inner) = node { Some(inner) } else { None }))
            }
            Expr::AndNot(operands) => {
                let nodes = self.operands(operands, depth)?;
                Ok(self.andnot(nodes))
            }
            Expr::Threshold(0, _) => Err(Error::Argument("a threshold of 0 would hold for every number")),
            Expr::Threshold(least, operands) => {
                let nodes: Vec<_> = self.operands(operands, depth)?.into_iter().flatten().collect();
                Ok(self.threshold(*least, nodes))
            }
        }
    }

    fn operands(&mut self, operands: &[Expr<'a>], depth: usize) -> Result<Vec<Option<NodeId>>> {
        operands.iter().map(|operand| self.add(operand, depth + 1)).collect()
    }

    fn and(&mut self, operands: Vec<Option<NodeId>>) -> Option<NodeId> {
        let operands: Vec<NodeId> = operands.into_iter().collect::<Option<_>>()?;
        let (mut kept, mut taken_out) = (Vec::new(), Vec::new());
        for operand in operands {
            match &self.nodes[operand] {
                Node::And(inner) => kept.extend_from_slice(inner),
                // (a - b) & c = (a & c) - b
                Node::AndNot(inner) => {
                    match &self.nodes[inner[0]] {
                        Node::And(first) => kept.extend_from_slice(first),
                        _ => kept.push(inner[0]),
                    }
                    taken_out.extend_from_slice(&inner[1..]);
                }
                _ => kept.push(operand),
            }
        }
        kept.sort_by_key(|node| self.bounds[*node]);
        let bound = self.bounds[*kept.first()?];
        let node = if kept.len() == 1 { kept[0] } else { self.push(Node::And(kept), bound) };
        if taken_out.is_empty() {
            return Some(node);
        }
        taken_out.insert(0, node);
        Some(self.push(Node::AndNot(taken_out), bound))
    }

    /// OR and XOR: empty operands go, nested ones come in.
    fn any(
        &mut self,
        operands: Vec<Option<NodeId>>,
        make: fn(Vec<NodeId>) -> Node,
        inner: fn(&Node) -> Option<&Vec<NodeId>>,
    ) -> Option<NodeId> {
        let mut nodes = Vec::new();
        for operand in operands.into_iter().flatten() {
            match inner(&self.nodes[operand]) {
                Some(inner) => nodes.extend_from_slice(inner),
                None => nodes.push(operand),
            }
        }
        let bound = nodes.iter().fold(0_u64, |sum, node| sum.saturating_add(self.bounds[*node])).min(1 << 32);
        if nodes.len() < 2 { nodes.pop() } else { Some(self.push(make(nodes), bound)) }
    }

    fn andnot(&mut self, operands: Vec<Option<NodeId>>) -> Option<NodeId> {
        let first = operands.first().copied().flatten()?;
        let mut nodes = match &self.nodes[first] {
            Node::AndNot(inner) => inner.clone(),
            _ => vec![first],
        };
        for operand in operands.into_iter().skip(1).flatten() {
            match &self.nodes[operand] {
                Node::Or(inner) => nodes.extend_from_slice(inner),
                _ => nodes.push(operand),
            }
        }
        let bound = self.bounds[nodes[0]];
        if nodes.len() == 1 { nodes.pop() } else { Some(self.push(Node::AndNot(nodes), bound)) }
    }

    fn threshold(&mut self, least: u32, nodes: Vec<NodeId>) -> Option<NodeId> {
        if least as usize > nodes.len() {
            return None;
        }
        let nodes_if_any = nodes.iter().copied().map(Some).collect();
        if least == 1 {
            return self.any(
                nodes_if_any,
                Node::Or,
                |node| if let Node::Or(inner) = node { Some(inner) } else { None },
            );
        }
        if least as usize == nodes.len() {
            return self.and(nodes_if_any);
        }
        let sum = nodes.iter().fold(0_u64, |sum, node| sum.saturating_add(self.bounds[*node]));
        Some(self.push(Node::Threshold(least, nodes), (sum / u64::from(least)).min(1 << 32)))
    }
}
