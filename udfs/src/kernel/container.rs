//! One container: the members of a set among 65,536 consecutive numbers, in one of three shapes, as it lies in the
//! portable format. Stored bytes and results in work have the same types, all of alignment 1, so every operation reads
//! both. Must not know: headers, keys, expressions.
//!
//! Contents are never trusted: a shape may hold unsorted values or overlapping runs. Operations then may give a wrong
//! answer, but stay in bounds, stop, and do work in proportion to the bytes ([`run_bounds`] sees to that for runs).

use std::ops::{Deref, DerefMut};

use super::simd;

/// A member of an array container, little endian.
pub(crate) type Value = [u8; 2];
/// 64 members of a bitset container, little endian.
pub(crate) type Word = [u8; 8];
/// A run: first member, then length less one; both little endian.
pub(crate) type Run = [u8; 4];
/// Words of a bitset container.
pub(crate) const WORDS: usize = 1024;
pub(crate) type Words = [Word; WORDS];
/// A bitset in work. It begins at a cache line, so that no wide load or store of it touches two.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub(crate) struct WorkWords(Words);

impl WorkWords {
    pub(crate) fn zeros() -> Box<Self> {
        Box::new(WorkWords([[0; 8]; WORDS]))
    }

    pub(crate) fn of(words: &Words) -> Box<Self> {
        Box::new(WorkWords(*words))
    }
}

impl Deref for WorkWords {
    type Target = Words;

    #[inline(always)]
    fn deref(&self) -> &Words {
        &self.0
    }
}

impl DerefMut for WorkWords {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Words {
        &mut self.0
    }
}

/// Most members of an array container.
pub(crate) const MAX_ARRAY: usize = 4096;
/// Members of a full container.
pub(crate) const SPAN: u32 = 1 << 16;
pub(crate) const FULL: [Run; 1] = [[0, 0, 0xff, 0xff]];

#[derive(Clone, Copy, Debug)]
pub(crate) enum Container<'a> {
    Array(&'a [Value]),
    Bitset(&'a Words),
    Runs(&'a [Run]),
}

#[inline(always)]
pub(crate) fn value(bytes: Value) -> u16 {
    u16::from_le_bytes(bytes)
}

#[inline(always)]
pub(crate) fn word(bytes: Word) -> u64 {
    u64::from_le_bytes(bytes)
}

/// The run [from, to), which is not empty and within 0..=65536.
#[inline(always)]
pub(crate) fn run(from: u32, to: u32) -> Run {
    let (first, more) = ((from as u16).to_le_bytes(), ((to - from - 1) as u16).to_le_bytes());
    [first[0], first[1], more[0], more[1]]
}

/// Runs as disjoint ascending [from, to). Whatever overlaps an earlier run or lies before it is cut off, so that
/// malformed runs cannot cause more than 65,536 steps of work in all.
#[inline]
pub(crate) fn run_bounds(runs: &[Run]) -> impl Iterator<Item = (u32, u32)> + '_ {
    let mut least = 0;
    runs.iter().filter_map(move |run| {
        let start = u32::from(u16::from_le_bytes([run[0], run[1]]));
        let end = (start + u32::from(u16::from_le_bytes([run[2], run[3]])) + 1).min(SPAN);
        let start = start.max(least);
        if start >= end {
            return None;
        }
        least = end;
        Some((start, end))
    })
}

/// Whether the word array has this member.
#[inline(always)]
pub(crate) fn bit(words: &Words, member: u16) -> bool {
    let bytes = words.as_flattened();
    (bytes[usize::from(member >> 3)] >> (member & 7)) & 1 == 1
}

/// A mask of the bits from..to of one word; `to` is at most 64 and above `from`.
#[inline(always)]
pub(crate) fn mask(from: u32, to: u32) -> u64 {
    (u64::MAX << from) & (u64::MAX >> (64 - to))
}

/// Calls with (word index, mask) for both ends, and with the range of whole words between, of the members [from, to).
#[inline(always)]
pub(crate) fn word_range(from: u32, to: u32) -> (usize, u64, usize, u64) {
    let (first, last) = ((from >> 6) as usize, ((to - 1) >> 6) as usize);
    if first == last {
        return (first, mask(from & 63, ((to - 1) & 63) + 1), last, 0);
    }
    (first, mask(from & 63, 64), last, mask(0, ((to - 1) & 63) + 1))
}

/// Steps one by one before a search leaps.
pub(crate) const WALK: usize = 8;

/// Index of the first value at or above `least`, at or after `from`: some single steps, doubling steps, then halving.
#[inline]
pub(crate) fn gallop(values: &[Value], from: usize, least: u16) -> usize {
    let mut low = from;
    let walk = (from + WALK).min(values.len());
    while low < walk {
        if value(values[low]) >= least {
            return low;
        }
        low += 1;
    }
    let mut step = 1;
    while low + step < values.len() && value(values[low + step]) < least {
        low += step;
        step *= 2;
    }
    let high = (low + step + 1).min(values.len());
    let low = low.min(values.len());
    low + values[low..high].partition_point(|candidate| value(*candidate) < least)
}

impl<'a> Container<'a> {
    /// Members by looking at all of them (not by a header's claim).
    pub(crate) fn count(self) -> u32 {
        match self {
            Container::Array(values) => values.len() as u32,
            Container::Bitset(words) => simd::count(words),
            Container::Runs(runs) => run_bounds(runs).map(|(from, to)| to - from).sum(),
        }
    }

    pub(crate) fn is_full(self) -> bool {
        matches!(self, Container::Runs(runs) if runs.first() == Some(&FULL[0]))
    }

    pub(crate) fn contains(self, member: u16) -> bool {
        match self {
            Container::Array(values) => values.binary_search_by_key(&member, |found| value(*found)).is_ok(),
            Container::Bitset(words) => bit(words, member),
            Container::Runs(runs) => {
                let after = runs.partition_point(|run| u16::from_le_bytes([run[0], run[1]]) <= member);
                after > 0 && {
                    let run = runs[after - 1];
                    let start = u16::from_le_bytes([run[0], run[1]]);
                    member - start.min(member) <= u16::from_le_bytes([run[2], run[3]])
                }
            }
        }
    }

    /// The least and the greatest member by the ends alone; of a bitset, what it could have.
    #[inline]
    fn ends(self) -> Option<(u16, u16)> {
        match self {
            Container::Array(values) => Some((value(*values.first()?), value(*values.last()?))),
            Container::Bitset(_) => Some((0, u16::MAX)),
            Container::Runs(runs) => {
                let ([a, b, _, _], [c, d, e, f]) = (*runs.first()?, *runs.last()?);
                let last = u16::from_le_bytes([c, d]).saturating_add(u16::from_le_bytes([e, f]));
                Some((u16::from_le_bytes([a, b]), last))
            }
        }
    }

    /// Whether the ends tell that they share no member.
    #[inline]
    pub(crate) fn is_apart(self, other: Container<'_>) -> bool {
        self.ends().zip(other.ends()).is_none_or(|(one, other)| one.1 < other.0 || other.1 < one.0)
    }

    /// Members up to and including `member`.
    pub(crate) fn rank(self, member: u16) -> u32 {
        match self {
            Container::Array(values) => values.partition_point(|found| value(*found) <= member) as u32,
            Container::Bitset(words) => simd::and_count_in_runs(&[words], &[run(0, u32::from(member) + 1)]),
            Container::Runs(runs) => {
                let end = u32::from(member) + 1;
                let bounds = run_bounds(runs).take_while(|(from, _)| *from < end);
                bounds.map(|(from, to)| to.min(end) - from).sum()
            }
        }
    }

    /// The member with `index` members before it.
    pub(crate) fn select(self, mut index: u32) -> Option<u16> {
        match self {
            Container::Array(values) => values.get(index as usize).map(|found| value(*found)),
            Container::Bitset(words) => {
                for (at, bytes) in words.iter().enumerate() {
                    let mut bits = word(*bytes);
                    let here = bits.count_ones();
                    if index < here {
                        (0..index).for_each(|_| bits &= bits - 1);
                        return Some((at as u32 * 64 + bits.trailing_zeros()) as u16);
                    }
                    index -= here;
                }
                None
            }
            Container::Runs(runs) => {
                for (from, to) in run_bounds(runs) {
                    if index < to - from {
                        return Some((from + index) as u16);
                    }
                    index -= to - from;
                }
                None
            }
        }
    }

    /// Runs of consecutive members that this container would have as a run container.
    pub(crate) fn run_count(self) -> usize {
        match self {
            Container::Array(values) => {
                let breaks = values.windows(2).filter(|pair| value(pair[0]).wrapping_add(1) != value(pair[1])).count();
                breaks + usize::from(!values.is_empty())
            }
            Container::Bitset(words) => simd::run_count(words),
            Container::Runs(runs) => {
                let mut before = u32::MAX;
                run_bounds(runs).filter(|(from, to)| *from != std::mem::replace(&mut before, *to)).count()
            }
        }
    }

    /// Calls with each member in order.
    #[inline]
    pub(crate) fn for_each(self, mut each: impl FnMut(u16)) {
        match self {
            Container::Array(values) => values.iter().for_each(|found| each(value(*found))),
            Container::Bitset(words) => {
                for (at, bytes) in words.iter().enumerate() {
                    let mut bits = word(*bytes);
                    while bits != 0 {
                        each((at as u32 * 64 + bits.trailing_zeros()) as u16);
                        bits &= bits - 1;
                    }
                }
            }
            Container::Runs(runs) => {
                run_bounds(runs).for_each(|(from, to)| (from..to).for_each(|member| each(member as u16)));
            }
        }
    }
}
