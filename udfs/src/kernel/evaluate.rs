//! Evaluates a plan container at a time: which keys can have members, from headers only, then the members of one key.
//! Must not know: what is done with the members.

use super::combine::{self, Outcome, Part, Tools};
use super::container::{Container, MAX_ARRAY, Value, WorkWords};
use super::expression::{KeyRange, Node, NodeId, Plan};
use super::pair::{clear_marks, mark};
use super::scratch::Scratch;
use super::simd::{Marks, OR, XOR};

/// No further key.
pub(crate) const NO_KEY: u32 = u32::MAX;

/// An array up to this length asks an operand which of its values that has, instead of having it built.
const ASKING: usize = 1024;

/// Goes through the keys of a plan in ascending order; keys asked for never go back.
pub(crate) struct Evaluator<'p> {
    pub(crate) plan: &'p Plan<'p>,
    /// Of each view, the first container that can still be asked for.
    places: Vec<usize>,
    /// Boxed as in `Part::Work`, so that taking one and giving it back moves a pointer.
    #[allow(clippy::vec_box)]
    free: Vec<Box<Scratch>>,
    free_lists: Vec<Vec<Part<'p>>>,
    tools: Box<Tools>,
    /// Counters of THRESHOLD by bit.
    planes: Vec<Box<WorkWords>>,
}

impl<'p> Evaluator<'p> {
    pub(crate) fn new(plan: &'p Plan<'p>) -> Self {
        Evaluator {
            plan,
            places: vec![0; plan.views.len()],
            free: Vec::new(),
            free_lists: Vec::new(),
            tools: Box::new(Tools::new()),
            planes: Vec::new(),
        }
    }

    pub(crate) fn scratch(&mut self) -> Box<Scratch> {
        self.free.pop().unwrap_or_else(|| Box::new(Scratch::new()))
    }

    #[inline]
    pub(crate) fn release(&mut self, part: Part<'_>) {
        if let Part::Work(scratch) = part {
            self.free.push(scratch);
        }
    }

    /// The first key at or above `from` at which the result may have members.
    pub(crate) fn next_key(&mut self, from: u32) -> u32 {
        self.plan.root.map_or(NO_KEY, |root| self.next_key_of(root, from))
    }

    fn next_key_of(&mut self, node: NodeId, from: u32) -> u32 {
        let plan = self.plan;
        match &plan.nodes[node] {
            Node::Leaf(view) => {
                let place = &mut self.places[*view];
                let view = &plan.views[*view];
                *place = view.seek(*place, from);
                if *place < view.containers() { view.key(*place) } else { NO_KEY }
            }
            Node::Range(range) if from > range.last => NO_KEY,
            Node::Range(range) => range.first.max(from),
            Node::And(operands) => self.next_common_key(operands, from),
            Node::Or(operands) | Node::Xor(operands) => {
                operands.iter().map(|operand| self.next_key_of(*operand, from)).min().unwrap_or(NO_KEY)
            }
            Node::AndNot(operands) => self.next_key_of(operands[0], from),
            Node::Threshold(least, operands) => self.next_threshold_key(*least as usize, operands, from),
        }
    }

    /// The first key that all operands may have. The first operand is the smallest: it leads.
    fn next_common_key(&mut self, operands: &[NodeId], from: u32) -> u32 {
        let mut key = from;
        'again: loop {
            for (at, operand) in operands.iter().enumerate() {
                let next = self.next_key_of(*operand, key);
                if next == NO_KEY {
                    return NO_KEY;
                }
                if next > key {
                    key = next;
                    if at > 0 {
                        continue 'again;
                    }
                }
            }
            return key;
        }
    }

    /// The first key that at least `least` operands may have.
    fn next_threshold_key(&mut self, least: usize, operands: &[NodeId], mut from: u32) -> u32 {
        loop {
            let mut keys: Vec<u32> = operands.iter().map(|operand| self.next_key_of(*operand, from)).collect();
            keys.sort_unstable();
            let candidate = keys[least - 1];
            if candidate == NO_KEY || keys[0] == candidate {
                return candidate;
            }
            from = candidate;
        }
    }

    /// The members at `key`.
    pub(crate) fn evaluate(&mut self, key: u32) -> Part<'p> {
        self.plan.root.map_or(Part::Empty, |root| self.part::<false>(root, key))
    }

    /// Members at `key`, without building them where that can be.
    pub(crate) fn count(&mut self, key: u32) -> u32 {
        let part = self.plan.root.map_or(Part::Empty, |root| self.part::<true>(root, key));
        let count = part.count();
        self.release(part);
        count
    }

    /// The members of a node at `key`, or with `COUNT` perhaps only their number.
    fn part<const COUNT: bool>(&mut self, node: NodeId, key: u32) -> Part<'p> {
        let plan = self.plan;
        match &plan.nodes[node] {
            Node::Leaf(view) => self.leaf(*view, key),
            Node::Range(range) => range_part(range, key),
            Node::And(operands) => self.and::<COUNT>(operands, key),
            Node::Or(operands) => self.any::<OR, COUNT>(operands, key),
            Node::Xor(operands) => self.any::<XOR, COUNT>(operands, key),
            Node::AndNot(operands) => self.andnot::<COUNT>(operands, key),
            Node::Threshold(least, operands) => self.threshold(*least, operands, key),
        }
    }

    #[inline]
    fn leaf(&mut self, view: usize, key: u32) -> Part<'p> {
        let place = &mut self.places[view];
        let view = &self.plan.views[view];
        *place = view.seek(*place, key);
        if *place < view.containers() && view.key(*place) == key {
            return Part::Stored(view.container(*place), view.card(*place));
        }
        Part::Empty
    }

    /// Gives lists and parts back, and makes the outcome a part.
    fn conclude(&mut self, outcome: Outcome, mut parts: Vec<Part<'p>>, scratch: Box<Scratch>) -> Part<'p> {
        let result = match outcome {
            Outcome::Same(at) if at < parts.len() => parts.swap_remove(at),
            Outcome::Count(count) if count > 0 => Part::Counted(count),
            _ => Part::Empty,
        };
        parts.drain(..).for_each(|part| self.release(part));
        self.free_lists.push(parts);
        if outcome == Outcome::Scratch {
            return Part::Work(scratch);
        }
        self.free.push(scratch);
        result
    }

    fn and<const COUNT: bool>(&mut self, operands: &'p [NodeId], key: u32) -> Part<'p> {
        let mut parts = self.free_lists.pop().unwrap_or_default();
        let (mut has_array, mut inner) = (false, 0);
        let plan = self.plan;
        for operand in operands {
            let part = match &plan.nodes[*operand] {
                Node::Leaf(view) => self.leaf(*view, key),
                Node::Range(range) => range_part(range, key),
                _ => {
                    inner += 1;
                    continue;
                }
            };
            if matches!(part, Part::Empty) {
                parts.clear();
                self.free_lists.push(parts);
                return Part::Empty;
            }
            has_array |= matches!(part.container(), Some(Container::Array(values)) if values.len() <= ASKING);
            parts.push(part);
        }
        let mut scratch = self.scratch();
        if inner == 0 {
            let outcome = combine::and::<COUNT>(&parts, &mut scratch);
            return self.conclude(outcome, parts, scratch);
        }
        if has_array {
            let outcome = combine::and::<false>(&parts, &mut scratch);
            let lead = self.conclude(outcome, parts, scratch);
            return self.ask_all::<COUNT>(lead, operands, key);
        }
        for operand in operands.iter().filter(|operand| !plan.is_stored(**operand)) {
            let part = self.part::<false>(*operand, key);
            if matches!(part, Part::Empty) {
                return self.conclude(Outcome::Count(0), parts, scratch);
            }
            parts.push(part);
        }
        let outcome = combine::and::<COUNT>(&parts, &mut scratch);
        self.conclude(outcome, parts, scratch)
    }

    /// Keeps of a small array what all operands that are operators themselves have, without building these.
    fn ask_all<const COUNT: bool>(&mut self, mut lead: Part<'p>, operands: &'p [NodeId], key: u32) -> Part<'p> {
        let plan = self.plan;
        for operand in operands.iter().filter(|operand| !plan.is_stored(**operand)) {
            let Some(Container::Array(values)) = lead.container().filter(|lead| !matches!(lead, Container::Array([])))
            else {
                return lead;
            };
            let marks = self.matches(*operand, key, values);
            let mut scratch = self.scratch();
            combine::take_marked::<true, false>(values, &marks, &mut scratch);
            self.release(std::mem::replace(&mut lead, Part::Work(scratch)));
        }
        lead
    }

    /// Which of some values (at most 4,096) a node has at `key`.
    fn matches(&mut self, node: NodeId, key: u32, values: &[Value]) -> Marks {
        let plan = self.plan;
        let mut marks = [0; MAX_ARRAY / 8];
        match &plan.nodes[node] {
            Node::Leaf(_) | Node::Range(_) | Node::Threshold(..) => {
                let part = self.part::<false>(node, key);
                if let Some(container) = part.container() {
                    mark(values, container, &mut marks);
                }
                self.release(part);
            }
            Node::And(operands) => self.fold_matches(operands, key, values, &mut marks, |all, one| all & one),
            Node::Or(operands) => self.fold_matches(operands, key, values, &mut marks, |all, one| all | one),
            Node::Xor(operands) => self.fold_matches(operands, key, values, &mut marks, |all, one| all ^ one),
            Node::AndNot(operands) => self.fold_matches(operands, key, values, &mut marks, |all, one| all & !one),
        }
        marks
    }

    fn fold_matches(
        &mut self,
        operands: &[NodeId],
        key: u32,
        values: &[Value],
        marks: &mut Marks,
        take: fn(u8, u8) -> u8,
    ) {
        for (at, operand) in operands.iter().enumerate() {
            let one = self.matches(*operand, key, values);
            if at == 0 {
                *marks = one;
            } else {
                let bytes = values.len().div_ceil(8);
                marks[..bytes].iter_mut().zip(one).for_each(|(all, one)| *all = take(*all, one));
            }
        }
    }

    fn gather(&mut self, operands: &[NodeId], key: u32) -> Vec<Part<'p>> {
        let mut parts = self.free_lists.pop().unwrap_or_default();
        for operand in operands {
            let part = self.part::<false>(*operand, key);
            if !matches!(part, Part::Empty) {
                parts.push(part);
            }
        }
        parts
    }

    fn any<const OP: u8, const COUNT: bool>(&mut self, operands: &[NodeId], key: u32) -> Part<'p> {
        let mut parts = self.gather(operands, key);
        if parts.len() < 2 {
            let part = parts.pop().unwrap_or(Part::Empty);
            self.free_lists.push(parts);
            return part;
        }
        let mut scratch = self.scratch();
        let outcome = combine::any::<OP, COUNT>(&parts, &mut scratch, &mut self.tools);
        self.conclude(outcome, parts, scratch)
    }

    fn andnot<const COUNT: bool>(&mut self, operands: &[NodeId], key: u32) -> Part<'p> {
        let first = self.part::<false>(operands[0], key);
        match first.container() {
            None => return first,
            Some(Container::Array(values)) if values.len() <= ASKING && self.has_inner(&operands[1..]) => {
                let mut marks = [0; MAX_ARRAY / 8];
                clear_marks(&mut marks, values.len());
                for operand in &operands[1..] {
                    let one = self.matches(*operand, key, values);
                    marks.iter_mut().zip(one).for_each(|(all, one)| *all |= one);
                }
                let mut scratch = self.scratch();
                let outcome = combine::take_marked::<false, COUNT>(values, &marks, &mut scratch);
                let parts = self.free_lists.pop().unwrap_or_default();
                self.release(first);
                return self.conclude(outcome, parts, scratch);
            }
            Some(_) => {}
        }
        let mut parts = self.gather(&operands[1..], key);
        parts.insert(0, first);
        let mut scratch = self.scratch();
        let outcome = combine::andnot::<COUNT>(&parts, &mut scratch, &mut self.tools);
        self.conclude(outcome, parts, scratch)
    }

    fn has_inner(&self, operands: &[NodeId]) -> bool {
        operands.iter().any(|operand| !self.plan.is_stored(*operand))
    }

    fn threshold(&mut self, least: u32, operands: &[NodeId], key: u32) -> Part<'p> {
        let parts = self.gather(operands, key);
        let mut scratch = self.scratch();
        if parts.len() < least as usize {
            return self.conclude(Outcome::Count(0), parts, scratch);
        }
        combine::threshold(least, &parts, &mut scratch, &mut self.planes);
        self.conclude(Outcome::Scratch, parts, scratch)
    }
}

fn range_part(range: &KeyRange, key: u32) -> Part<'_> {
    range.at(key).map_or(Part::Empty, |runs| {
        let members = u32::from(u16::from_le_bytes([runs[0][2], runs[0][3]])) + 1;
        Part::Stored(Container::Runs(runs), members)
    })
}
