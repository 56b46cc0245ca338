//! Evaluates a plan container at a time: which keys can have members, from headers only, then the members of one key.
//! Must not know: what is done with the members.

use super::container::{Container, MAX_ARRAY, SPAN, Value, Words};
use super::expression::{KeyRange, Node, NodeId, Plan};
use super::scratch::{Scratch, zero_words};

/// No further key.
pub(crate) const NO_KEY: u32 = u32::MAX;

/// The members of one node at one key.
pub(crate) enum Part<'p> {
    Empty,
    /// As stored, with the number of members that the header has.
    Stored(Container<'p>, u32),
    Work(Box<Scratch>),
}

impl Part<'_> {
    pub(crate) fn container(&self) -> Option<Container<'_>> {
        match self {
            Part::Empty => None,
            Part::Stored(container, _) => Some(*container),
            Part::Work(scratch) => Some(scratch.as_container()),
        }
    }

    /// Members: by the header where there is one.
    pub(crate) fn count(&self) -> u32 {
        match self {
            Part::Empty => 0,
            Part::Stored(_, card) => *card,
            Part::Work(scratch) => scratch.as_container().count(),
        }
    }
}

/// Goes through the keys of a plan in ascending order; keys asked for never go back.
pub(crate) struct Evaluator<'p> {
    pub(crate) plan: &'p Plan<'p>,
    /// Of each view, the first container that can still be asked for.
    places: Vec<usize>,
    free: Vec<Box<Scratch>>,
    /// Counters of THRESHOLD by bit.
    pub(crate) planes: Vec<Box<Words>>,
    /// Values of small arrays, to be sorted together.
    pub(crate) gathered: Vec<u16>,
}

impl<'p> Evaluator<'p> {
    pub(crate) fn new(plan: &'p Plan<'p>) -> Self {
        Evaluator {
            plan,
            places: vec![0; plan.views.len()],
            free: Vec::new(),
            planes: Vec::new(),
            gathered: Vec::new(),
        }
    }

    pub(crate) fn scratch(&mut self) -> Box<Scratch> {
        self.free.pop().unwrap_or_else(|| Box::new(Scratch::new()))
    }

    pub(crate) fn release(&mut self, part: Part<'_>) {
        if let Part::Work(scratch) = part {
            self.free.push(scratch);
        }
    }

    /// A scratch with the members of `part`, for changing in place.
    fn own(&mut self, part: Part<'_>) -> Box<Scratch> {
        match part {
            Part::Work(scratch) => scratch,
            Part::Stored(container, _) => {
                let mut scratch = self.scratch();
                scratch.set(container);
                scratch
            }
            Part::Empty => {
                let mut scratch = self.scratch();
                scratch.clear();
                scratch
            }
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
            Node::And(operands) => {
                let mut key = from;
                'again: loop {
                    for operand in operands {
                        let next = self.next_key_of(*operand, key);
                        if next == NO_KEY {
                            return NO_KEY;
                        }
                        if next > key {
                            key = next;
                            // The first operand is the smallest: it leads.
                            if *operand != operands[0] {
                                continue 'again;
                            }
                        }
                    }
                    return key;
                }
            }
            Node::Or(operands) | Node::Xor(operands) => {
                operands.iter().map(|operand| self.next_key_of(*operand, from)).min().unwrap_or(NO_KEY)
            }
            Node::AndNot(operands) => self.next_key_of(operands[0], from),
            Node::Threshold(least, operands) => self.next_threshold_key(*least as usize, operands, from),
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
        self.plan.root.map_or(Part::Empty, |root| self.part(root, key))
    }

    /// Members at `key` without building them where that is cheaper.
    pub(crate) fn count(&mut self, key: u32) -> u32 {
        let part = self.evaluate(key);
        let count = part.count();
        self.release(part);
        count
    }

    pub(crate) fn part(&mut self, node: NodeId, key: u32) -> Part<'p> {
        let plan = self.plan;
        match &plan.nodes[node] {
            Node::Leaf(view) => {
                let place = &mut self.places[*view];
                let view = &plan.views[*view];
                *place = view.seek(*place, key);
                if *place < view.containers() && view.key(*place) == key {
                    return Part::Stored(view.container(*place), view.card(*place));
                }
                Part::Empty
            }
            Node::Range(range) => range_part(range, key),
            Node::And(operands) => self.and(operands, key),
            Node::Or(operands) => self.or(operands, key),
            Node::Xor(operands) => self.xor(operands, key),
            Node::AndNot(operands) => self.andnot(operands, key),
            Node::Threshold(least, operands) => self.threshold(*least, operands, key),
        }
    }

    fn and(&mut self, operands: &'p [NodeId], key: u32) -> Part<'p> {
        let mut result = self.part(operands[0], key);
        for operand in &operands[1..] {
            if matches!(result, Part::Empty) {
                return Part::Empty;
            }
            let other = self.part(*operand, key);
            let Some(container) = other.container() else {
                self.release(result);
                return Part::Empty;
            };
            let mut scratch = self.own(result);
            scratch.and(container);
            self.release(other);
            result = Part::Work(scratch);
        }
        result
    }

    fn or(&mut self, operands: &'p [NodeId], key: u32) -> Part<'p> {
        self.fold(operands, key, Scratch::or)
    }

    fn xor(&mut self, operands: &'p [NodeId], key: u32) -> Part<'p> {
        self.fold(operands, key, Scratch::xor)
    }

    fn fold(&mut self, operands: &'p [NodeId], key: u32, take: fn(&mut Scratch, Container<'_>)) -> Part<'p> {
        let mut result = Part::Empty;
        for operand in operands {
            let other = self.part(*operand, key);
            if matches!(result, Part::Empty) {
                result = other;
            } else if let Some(container) = other.container() {
                let mut scratch = self.own(result);
                take(&mut scratch, container);
                self.release(other);
                result = Part::Work(scratch);
            }
        }
        result
    }

    fn andnot(&mut self, operands: &'p [NodeId], key: u32) -> Part<'p> {
        let mut result = self.part(operands[0], key);
        for operand in &operands[1..] {
            if matches!(result, Part::Empty) {
                break;
            }
            let other = self.part(*operand, key);
            if let Some(container) = other.container() {
                let mut scratch = self.own(result);
                scratch.andnot(container);
                result = Part::Work(scratch);
            }
            self.release(other);
        }
        result
    }

    fn threshold(&mut self, least: u32, operands: &'p [NodeId], key: u32) -> Part<'p> {
        let parts: Vec<Part<'p>> = operands.iter().map(|operand| self.part(*operand, key)).collect();
        let containers: Vec<_> = parts.iter().filter_map(Part::container).collect();
        let result = if containers.len() < least as usize { None } else { Some(self.at_least(least, &containers)) };
        parts.into_iter().for_each(|part| self.release(part));
        result.map_or(Part::Empty, Part::Work)
    }

    /// The values of at least `least` containers.
    fn at_least(&mut self, least: u32, containers: &[Container<'_>]) -> Box<Scratch> {
        let mut scratch = self.scratch();
        let arrays: Option<Vec<&[Value]>> = containers
            .iter()
            .map(|container| if let Container::Array(values) = container { Some(*values) } else { None })
            .collect();
        match arrays {
            Some(arrays) if arrays.iter().map(|values| values.len()).sum::<usize>() <= MAX_ARRAY => {
                self.gathered.clear();
                arrays.iter().for_each(|values| self.gathered.extend(values.iter().map(|v| u16::from_le_bytes(*v))));
                self.gathered.sort_unstable();
                let groups = self.gathered.chunk_by(|x, y| x == y).filter(|group| group.len() >= least as usize);
                let values: Vec<Value> = groups.map(|group| group[0].to_le_bytes()).collect();
                scratch.set(Container::Array(&values));
            }
            _ => self.add_up(least, containers, &mut scratch),
        }
        scratch
    }

    /// Adds bitsets up in counters by bit: plane i has bit i of each member's count.
    fn add_up(&mut self, least: u32, containers: &[Container<'_>], scratch: &mut Scratch) {
        let planes_needed = (u32::BITS - (containers.len() as u32).leading_zeros()) as usize;
        while self.planes.len() < planes_needed {
            self.planes.push(zero_words());
        }
        let planes = &mut self.planes[..planes_needed];
        planes.iter_mut().for_each(|plane| plane.fill([0; 8]));
        for container in containers {
            scratch.set(*container);
            let words = match container {
                Container::Bitset(words) => *words,
                _ => scratch.to_bitset(),
            };
            super::simd::add_to_planes(planes, words);
        }
        scratch.set_at_least(planes, least);
    }
}

fn range_part(range: &KeyRange, key: u32) -> Part<'_> {
    range.at(key).map_or(Part::Empty, |runs| {
        let members = u32::from(u16::from_le_bytes([runs[0][2], runs[0][3]])) + 1;
        debug_assert!(members <= SPAN);
        Part::Stored(Container::Runs(runs), members)
    })
}
