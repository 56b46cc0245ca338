//! A set that grows: ids one by one, or whole sets combined into it, as an aggregate needs it. Memory is accounted: the
//! size is known at any time without walking. Must not know: SQL.

use std::mem::size_of;

use super::container::{Container, Run, Value, WORDS, Words, WorkWords};
use super::error::Result;
use super::expression::Operator;
use super::scratch::{Scratch, clear_outside};
use super::simd::{self, clear_values, flip_values, set_values};
use super::view::BitmapRef;
use super::writer::{Encoding, Writer, from_ids, write_few, write_values};

/// Ids held back before they are sorted into containers.
const LEAST_PENDING: usize = 4096;
const MOST_PENDING: usize = 1 << 20;
/// Up to this many members a container, a set is taken in id by id: sorting them in later is cheaper.
const FEW: u64 = 16;
/// A union of arrays above this length is held as a bitset: setting bits is cheaper than merging again and again, and the
/// memory is at most four times as much.
const MOST_MERGED: usize = 1024;

#[derive(Clone)]
enum Held {
    Array(Vec<Value>),
    Bitset(Box<WorkWords>),
    Runs(Vec<Run>),
}

impl Held {
    fn of(container: Container<'_>) -> Self {
        match container {
            Container::Array(values) => Held::Array(values.to_vec()),
            Container::Bitset(words) => Held::Bitset(WorkWords::of(words)),
            Container::Runs(runs) => Held::Runs(runs.to_vec()),
        }
    }

    fn as_container(&self) -> Container<'_> {
        match self {
            Held::Array(values) => Container::Array(values),
            Held::Bitset(words) => Container::Bitset(words),
            Held::Runs(runs) => Container::Runs(runs),
        }
    }

    fn size(&self) -> usize {
        size_of::<(u16, Held)>()
            + match self {
                Held::Array(values) => values.capacity() * size_of::<Value>(),
                Held::Bitset(_) => WORDS * 8,
                Held::Runs(runs) => runs.capacity() * size_of::<Run>(),
            }
    }

    fn combine(&mut self, operator: Operator, other: Container<'_>, scratch: &mut Scratch) {
        if let Held::Bitset(words) = self
            && combine_bitset(words, operator, other)
        {
            return;
        }
        if let (Held::Array(values), Operator::Or, Container::Array(more)) = (&*self, operator, other)
            && values.len() + more.len() > MOST_MERGED
        {
            let mut words = WorkWords::zeros();
            set_values(&mut words, values);
            set_values(&mut words, more);
            *self = Held::Bitset(words);
            return;
        }
        scratch.set(self.as_container());
        match operator {
            Operator::And => scratch.and(other),
            Operator::Or => scratch.or(other),
            Operator::Xor => scratch.xor(other),
            Operator::AndNot => scratch.andnot(other),
        }
        *self = Held::of(scratch.as_container());
    }
}

/// Changes a bitset in place; false where the result is better another shape.
fn combine_bitset(words: &mut Words, operator: Operator, other: Container<'_>) -> bool {
    match (operator, other) {
        (Operator::And, Container::Array(_)) => return false,
        (Operator::And, Container::Bitset(other)) => simd::fused_into::<{ simd::AND }>(words, other),
        (Operator::Or, Container::Bitset(other)) => simd::fused_into::<{ simd::OR }>(words, other),
        (Operator::Xor, Container::Bitset(other)) => simd::fused_into::<{ simd::XOR }>(words, other),
        (Operator::AndNot, Container::Bitset(other)) => simd::fused_into::<{ simd::ANDNOT }>(words, other),
        (Operator::Or, Container::Array(values)) => set_values(words, values),
        (Operator::Xor, Container::Array(values)) => flip_values(words, values),
        (Operator::AndNot, Container::Array(values)) => clear_values(words, values),
        (Operator::And, Container::Runs(runs)) => clear_outside(words, runs),
        (Operator::Or, Container::Runs(runs)) => simd::change_runs::<{ simd::OR }>(words, runs),
        (Operator::Xor, Container::Runs(runs)) => simd::change_runs::<{ simd::XOR }>(words, runs),
        (Operator::AndNot, Container::Runs(runs)) => {
            simd::change_runs::<{ simd::ANDNOT }>(words, runs);
        }
    }
    true
}

/// A growing set.
#[derive(Clone, Default)]
pub struct Builder {
    /// Ids added and not yet sorted in.
    pending: Vec<u32>,
    /// By key, ascending.
    blocks: Vec<(u16, Held)>,
    /// Memory of `blocks`.
    held_bytes: usize,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Builder({} containers, {} pending)", self.blocks.len(), self.pending.len())
    }
}

impl Builder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of memory in use, kept up to date and free to ask for.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.pending.capacity() * size_of::<u32>() + self.held_bytes
    }

    #[inline]
    pub fn add(&mut self, id: u32) {
        self.pending.push(id);
        if self.pending.len() >= LEAST_PENDING && self.pending.len() >= self.most_pending() {
            self.settle();
        }
    }

    pub fn extend(&mut self, ids: &[u32]) {
        self.pending.extend_from_slice(ids);
        if self.pending.len() >= self.most_pending() {
            self.settle();
        }
    }

    fn most_pending(&self) -> usize {
        (self.held_bytes / 8).clamp(LEAST_PENDING, MOST_PENDING)
    }

    /// Puts pending ids into the containers: bits are set, all others are sorted in.
    fn settle(&mut self) {
        let blocks = &mut self.blocks;
        self.pending.retain(|id| !set_bit(blocks, *id));
        if self.pending.is_empty() {
            return;
        }
        let bytes = from_ids(std::mem::take(&mut self.pending));
        // These bytes were written here a moment ago: their structure is right.
        if let Ok(view) = BitmapRef::new(&bytes) {
            self.change(Operator::Or, view);
        }
    }

    /// Replaces this set by (this set `operator` the other).
    pub fn combine(&mut self, operator: Operator, other: BitmapRef<'_>) {
        if operator == Operator::Or && other.count() <= FEW * other.containers() as u64 {
            other.for_each(|id| self.add(id));
            return;
        }
        self.settle();
        if operator == Operator::And { self.keep(other) } else { self.change(operator, other) }
    }

    /// AND: blocks without a container of the other go.
    fn keep(&mut self, other: BitmapRef<'_>) {
        let (mut scratch, mut place) = (Scratch::new(), 0);
        self.blocks.retain_mut(|(key, held)| {
            place = other.seek(place, u32::from(*key));
            if place == other.containers() || other.key(place) != u32::from(*key) {
                return false;
            }
            held.combine(Operator::And, other.container(place), &mut scratch);
            !is_empty(held)
        });
        self.held_bytes = self.blocks.iter().map(|(_, held)| held.size()).sum();
    }

    /// The other operators: only blocks for which the other has a container change.
    fn change(&mut self, operator: Operator, other: BitmapRef<'_>) {
        let (mut scratch, mut place, mut emptied) = (Scratch::new(), 0, false);
        let mut added = Vec::new();
        for index in 0..other.containers() {
            let key = other.key(index) as u16;
            let rest = self.blocks.get(place..).unwrap_or_default();
            if rest.first().is_some_and(|(held, _)| *held < key) {
                place += rest.partition_point(|(held, _)| *held < key);
            }
            match self.blocks.get_mut(place) {
                Some((found, held)) if *found == key => {
                    let before = held.size();
                    held.combine(operator, other.container(index), &mut scratch);
                    self.held_bytes = self.held_bytes - before + held.size();
                    emptied |= operator != Operator::Or && is_empty(held);
                    place += 1;
                }
                _ if operator == Operator::AndNot => {}
                _ => added.push((key, Held::of(other.container(index)))),
            }
        }
        if emptied {
            self.blocks.retain(|(_, held)| !is_empty(held));
            self.held_bytes = self.blocks.iter().map(|(_, held)| held.size()).sum();
        }
        if let Some((first, _)) = added.first() {
            let follow = self.blocks.last().is_none_or(|(last, _)| last < first);
            self.held_bytes += added.iter().map(|(_, held)| held.size()).sum::<usize>();
            self.blocks.append(&mut added);
            if !follow {
                // Two ascending stretches, which this sort merges.
                self.blocks.sort_by_key(|(key, _)| *key);
            }
        }
    }

    /// Members.
    pub fn count(&mut self) -> u64 {
        self.settle();
        self.blocks.iter().map(|(_, held)| u64::from(held.as_container().count())).sum()
    }

    /// The set as portable bytes; the builder is empty afterwards.
    pub fn finish(&mut self) -> Vec<u8> {
        if self.blocks.is_empty() {
            return from_ids(std::mem::take(&mut self.pending));
        }
        self.settle();
        // Without a budget nothing can fail.
        let bytes = self.write(u64::MAX).unwrap_or_default();
        *self = Self::default();
        bytes
    }

    /// Appends the set's portable bytes to `out`.
    pub fn finish_into(mut self, out: &mut Vec<u8>) {
        if self.blocks.is_empty() {
            self.pending.sort_unstable();
            self.pending.dedup();
            if write_few(&self.pending, out) {
                return;
            }
        }
        out.extend_from_slice(&self.finish());
    }

    /// The set as portable bytes of at most `budget` bytes.
    pub fn to_bytes_within(&mut self, budget: u64) -> Result<Vec<u8>> {
        self.settle();
        self.write(budget)
    }

    fn write(&self, budget: u64) -> Result<Vec<u8>> {
        let mut writer = Writer::new(Encoding::Optimized, budget);
        for (key, held) in &self.blocks {
            match held {
                Held::Array(values) => write_values(&mut writer, u32::from(*key), values)?,
                _ => writer.push(u32::from(*key), held.as_container())?,
            }
        }
        Ok(writer.finish())
    }
}

/// Sets the bit of an id whose container is held as a bitset; false for others.
fn set_bit(blocks: &mut [(u16, Held)], id: u32) -> bool {
    let key = (id >> 16) as u16;
    let Some((first, _)) = blocks.first() else { return false };
    // Where numbers leave no gaps, the place of a key follows from the first one.
    let guess = usize::from(key.wrapping_sub(*first));
    let place = match blocks.get(guess) {
        Some((found, _)) if *found == key => guess,
        _ => match blocks.binary_search_by_key(&key, |(found, _)| *found) {
            Ok(place) => place,
            Err(_) => return false,
        },
    };
    let Held::Bitset(words) = &mut blocks[place].1 else { return false };
    words.as_flattened_mut()[usize::from(id as u16 >> 3)] |= 1 << (id & 7);
    true
}

fn is_empty(held: &Held) -> bool {
    match held {
        Held::Array(values) => values.is_empty(),
        Held::Runs(runs) => runs.is_empty(),
        Held::Bitset(words) => words.iter().all(|word| *word == [0; 8]),
    }
}
