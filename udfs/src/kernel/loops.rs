//! The inner loops in plain Rust: what runs where the processor has no wide registers, what `simd` compiles once more for
//! those that have, and the oracle of its tests. Must not know: keys, headers, expressions, processors.

use super::container::{
    MAX_ARRAY, Run, Value, WORDS, Word, Words, WorkWords, bit, run_bounds, value, word, word_range,
};

/// How k bitsets become one. Const generic parameter of the fused loops.
pub(crate) const AND: u8 = 0;
pub(crate) const OR: u8 = 1;
pub(crate) const XOR: u8 = 2;
pub(crate) const ANDNOT: u8 = 3;

/// One bit for each value of an array container: bit i of byte i / 8 is value i.
pub(crate) type Marks = [u8; MAX_ARRAY / 8];

/// Words that the fused loops hold in registers: four registers of 512 bits.
const TILE: usize = 32;

#[inline(always)]
fn apply<const OP: u8>(left: u64, right: u64) -> u64 {
    match OP {
        AND => left & right,
        OR => left | right,
        XOR => left ^ right,
        _ => left & !right,
    }
}

#[inline(always)]
fn fused_tile<const OP: u8>(first: &[Word; TILE], rest: &[&Words], tile: usize) -> [u64; TILE] {
    let mut result = first.map(word);
    for other in rest {
        let (tiles, _) = other.as_chunks::<TILE>();
        for (left, right) in result.iter_mut().zip(&tiles[tile]) {
            *left = apply::<OP>(*left, word(*right));
        }
    }
    result
}

/// Changes the word of each value by the value's bit. Where eight values are of one word, as in clusters, the word is read
/// and written once: else each change would wait for the one before it.
#[inline(always)]
fn for_values(words: &mut Words, values: &[Value], change: impl Fn(u64, u64) -> u64) {
    let mut change_word = |at: u16, bits: u64| {
        let bytes = &mut words[usize::from(at)];
        *bytes = change(word(*bytes), bits).to_le_bytes();
    };
    let (blocks, rest) = values.as_chunks::<8>();
    for block in blocks {
        let (first, last) = (value(block[0]) >> 6, value(block[7]) >> 6);
        if first == last {
            change_word(first, block.iter().fold(0, |bits, v| bits | 1 << (v[0] & 63)));
        } else {
            block.iter().for_each(|v| change_word(value(*v) >> 6, 1 << (v[0] & 63)));
        }
    }
    rest.iter().for_each(|v| change_word(value(*v) >> 6, 1 << (v[0] & 63)));
}

#[inline(always)]
pub(crate) fn count_plain(words: &[Word]) -> u32 {
    words.iter().map(|bytes| word(*bytes).count_ones()).sum()
}

#[inline(always)]
pub(crate) fn fused_count_plain<const OP: u8>(first: &Words, rest: &[&Words]) -> u32 {
    let mut count = 0;
    for (tile, words) in first.as_chunks::<TILE>().0.iter().enumerate() {
        let result = fused_tile::<OP>(words, rest, tile);
        count += result.iter().map(|bits| u64::from(bits.count_ones())).sum::<u64>();
    }
    count as u32
}

#[inline(always)]
pub(crate) fn fused_into_plain<const OP: u8>(out: &mut Words, other: &Words) {
    out.iter_mut().zip(other).for_each(|(left, right)| *left = apply::<OP>(word(*left), word(*right)).to_le_bytes());
}

#[inline(always)]
pub(crate) fn fused_store_plain<const OP: u8>(out: &mut Words, first: &Words, rest: &[&Words]) {
    let tiles = out.as_chunks_mut::<TILE>().0.iter_mut().zip(first.as_chunks::<TILE>().0);
    for (tile, (out, words)) in tiles.enumerate() {
        *out = fused_tile::<OP>(words, rest, tile).map(u64::to_le_bytes);
    }
}

#[inline(always)]
pub(crate) fn and_count_in_runs_plain(sets: &[&Words], runs: &[Run]) -> u32 {
    let all = |at: usize| sets.iter().fold(u64::MAX, |bits, words| bits & word(words[at]));
    let mut count = 0;
    for (from, to) in run_bounds(runs) {
        let (first, first_mask, last, last_mask) = word_range(from, to);
        count += (all(first) & first_mask).count_ones();
        if last > first {
            count +=
                (first + 1..last).map(|at| all(at).count_ones()).sum::<u32>() + (all(last) & last_mask).count_ones();
        }
    }
    count
}

#[inline(always)]
pub(crate) fn set_values_plain(words: &mut Words, values: &[Value]) {
    for_values(words, values, |bits, bit| bits | bit);
}

#[inline(always)]
pub(crate) fn clear_values_plain(words: &mut Words, values: &[Value]) {
    for_values(words, values, |bits, bit| bits & !bit);
}

#[inline(always)]
pub(crate) fn flip_values_plain(words: &mut Words, values: &[Value]) {
    for_values(words, values, |bits, bit| bits ^ bit);
}

/// Short runs are collected as long as they begin in one word, with what they have of the next one.
#[inline(always)]
pub(crate) fn change_runs_plain<const OP: u8>(words: &mut Words, runs: &[Run]) {
    let (mut open, mut here, mut next) = (0, 0_u64, 0_u64);
    for (from, to) in run_bounds(runs) {
        let at = (from >> 6) as usize;
        if at != open {
            change_two::<OP>(words, open, here, next);
            (open, here, next) = (at, 0, 0);
        }
        if to - from <= 64 {
            let (bits, offset) = (u64::MAX >> (64 - (to - from)), from & 63);
            here |= bits << offset;
            next |= bits >> 1 >> (63 - offset);
            continue;
        }
        let (_, first_mask, last, last_mask) = word_range(from, to);
        here |= first_mask;
        change_two::<OP>(words, open, here, next);
        (here, next) = (0, 0);
        let between = words[open + 1..last].iter_mut();
        between.for_each(|bytes| *bytes = apply::<OP>(word(*bytes), u64::MAX).to_le_bytes());
        words[last] = apply::<OP>(word(words[last]), last_mask).to_le_bytes();
    }
    change_two::<OP>(words, open, here, next);
}

/// Changes a word and the one after it; the last word has none after it, and nothing is to be changed there.
#[inline(always)]
fn change_two<const OP: u8>(words: &mut Words, at: usize, here: u64, next: u64) {
    words[at] = apply::<OP>(word(words[at]), here).to_le_bytes();
    let after = (at + 1).min(WORDS - 1);
    words[after] = apply::<OP>(word(words[after]), next).to_le_bytes();
}

#[inline(always)]
pub(crate) fn run_count_plain(words: &Words) -> usize {
    let mut starts = u64::from((word(words[0]) & !(word(words[0]) << 1)).count_ones());
    for at in 1..WORDS {
        let (before, here) = (word(words[at - 1]), word(words[at]));
        starts += u64::from((here & !(here << 1 | before >> 63)).count_ones());
    }
    starts as usize
}

#[inline(always)]
pub(crate) fn add_to_planes_plain(planes: &mut [Box<WorkWords>], words: &Words) {
    for (tile, added) in words.as_chunks::<TILE>().0.iter().enumerate() {
        let mut carry = added.map(word);
        for plane in planes.iter_mut() {
            let (tiles, _) = plane.as_chunks_mut::<TILE>();
            let mut left = 0;
            for (sum, carry) in tiles[tile].iter_mut().zip(&mut carry) {
                let before = word(*sum);
                *sum = (before ^ *carry).to_le_bytes();
                *carry &= before;
                left |= *carry;
            }
            if left == 0 {
                break;
            }
        }
    }
}

pub(crate) fn intersect_count_plain(left: &[Value], right: &[Value]) -> u32 {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while i < left.len() && j < right.len() {
        let (x, y) = (value(left[i]), value(right[j]));
        count += u32::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    count
}

pub(crate) fn mark_array_plain(left: &[Value], right: &[Value], marks: &mut Marks) {
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        let (x, y) = (value(left[i]), value(right[j]));
        marks[i / 8] |= u8::from(x == y) << (i % 8);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
}

pub(crate) fn mark_bitset_plain(left: &[Value], words: &Words, marks: &mut [u8]) {
    for (block, marks) in left.chunks(8).zip(marks) {
        let found = block.iter().enumerate().map(|(at, v)| u8::from(bit(words, value(*v))) << at);
        *marks |= found.fold(0, |all, one| all | one);
    }
}

pub(crate) fn compress_plain<const MARKED: bool>(values: &[Value], marks: &Marks, out: &mut Vec<Value>) {
    let marked = |at: usize| (marks[at / 8] >> (at % 8) & 1 == 1) == MARKED;
    out.extend(values.iter().enumerate().filter(|(at, _)| marked(*at)).map(|(_, value)| *value));
}

/// `left` without a leading 0, and 1 if `right` has the 0 too.
#[inline(always)]
pub(crate) fn without_zero<'a>(left: &'a [Value], right: &[Value]) -> (&'a [Value], u32) {
    match left.split_first() {
        Some(([0, 0], rest)) => (rest, u32::from(right.first() == Some(&[0, 0]))),
        _ => (left, 0),
    }
}
