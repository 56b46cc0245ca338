//! The inner loops for wide registers, chosen at run time, and the only `unsafe` of the crate: a stock x86-64 build uses
//! AVX-512 or AVX2 where the processor has them. Most loops are those of `loops`, compiled for more features; intrinsics
//! stand where the compiler finds no good code. Must not know: keys, headers, expressions.
#![allow(unsafe_code)]

use super::container::{MAX_ARRAY, Run, Value, Word, Words, bit, value};
pub(crate) use super::loops::{AND, ANDNOT, Marks, OR, XOR};
use super::loops::{
    add_to_planes_plain, and_count_in_runs_plain, change_runs_plain, clear_values_plain, compress_plain, count_plain,
    flip_values_plain, fused_count_plain, fused_into_plain, fused_store_plain, intersect_count_plain, mark_array_plain,
    mark_bitset_plain, run_count_plain, set_values_plain, without_zero,
};

/// Members of the k-ary result, of which nothing is stored.
#[inline]
pub(crate) fn fused_count<const OP: u8>(first: &Words, rest: &[&Words]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if level() == Level::Avx512 {
        // SAFETY: `level` found the features that the function is compiled for.
        return unsafe { x86::fused::<OP, true>(None, first, rest) };
    }
    narrow_count::<OP>(first, rest)
}

/// `out` becomes the k-ary result of `first` and the others.
#[inline]
pub(crate) fn fused_store<const OP: u8>(out: &mut Words, first: &Words, rest: &[&Words]) {
    #[cfg(target_arch = "x86_64")]
    if level() == Level::Avx512 {
        // SAFETY: `level` found the features that the function is compiled for.
        unsafe { x86::fused::<OP, false>(Some(out), first, rest) };
        return;
    }
    narrow_store::<OP>(out, first, rest);
}

/// What the processor can do, found at run time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Level {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The best level of this processor. The standard library caches the answer, so this is one load and some tests.
#[inline(always)]
fn best_level() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vpopcntdq")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt")
        {
            return Level::Avx512;
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2") && is_x86_feature_detected!("popcnt") {
            return Level::Avx2;
        }
    }
    Level::Scalar
}

/// The level to use: the best, or in tests what the test allows.
#[inline(always)]
pub(crate) fn level() -> Level {
    #[cfg(test)]
    return best_level().min(tests::ALLOWED.get());
    #[cfg(not(test))]
    best_level()
}

/// Defines `$name` as the plain function `$body` compiled for each level and chosen at run time.
macro_rules! dispatch {
    ($(#[$doc:meta])* $name:ident $(<const $generic:ident: $kind:ty>)? ($($arg:ident: $type:ty),*) -> $result:ty = $body:ident) => {
        $(#[$doc])*
        #[inline]
        pub(crate) fn $name $(<const $generic: $kind>)? ($($arg: $type),*) -> $result {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq,bmi2,popcnt")]
                fn avx512 $(<const $generic: $kind>)? ($($arg: $type),*) -> $result {
                    $body $(::<$generic>)? ($($arg),*)
                }
                #[target_feature(enable = "avx2,bmi2,popcnt")]
                fn avx2 $(<const $generic: $kind>)? ($($arg: $type),*) -> $result {
                    $body $(::<$generic>)? ($($arg),*)
                }
                match level() {
                    // SAFETY: `level` found every feature that the function is compiled for.
                    Level::Avx512 => return unsafe { avx512 $(::<$generic>)? ($($arg),*) },
                    // SAFETY: as above.
                    Level::Avx2 => return unsafe { avx2 $(::<$generic>)? ($($arg),*) },
                    Level::Scalar => {}
                }
            }
            $body $(::<$generic>)? ($($arg),*)
        }
    };
}

dispatch!(
    /// Members of a part of a bitset.
    count(words: &[Word]) -> u32 = count_plain
);
dispatch!(
    /// `out` becomes the result of `out` and another.
    fused_into<const OP: u8>(out: &mut Words, other: &Words) -> () = fused_into_plain
);
dispatch!(
    narrow_count<const OP: u8>(first: &Words, rest: &[&Words]) -> u32 = fused_count_plain
);
dispatch!(
    narrow_store<const OP: u8>(out: &mut Words, first: &Words, rest: &[&Words]) -> () = fused_store_plain
);
dispatch!(
    /// Members of all bitsets (at least one) within runs.
    and_count_in_runs(sets: &[&Words], runs: &[Run]) -> u32 = and_count_in_runs_plain
);
dispatch!(
    /// Adds values to a bitset.
    set_values(words: &mut Words, values: &[Value]) -> () = set_values_plain
);
dispatch!(
    /// Takes values out of a bitset.
    clear_values(words: &mut Words, values: &[Value]) -> () = clear_values_plain
);
dispatch!(
    /// Adds the values that a bitset has not, takes out those it has.
    flip_values(words: &mut Words, values: &[Value]) -> () = flip_values_plain
);
/// Changes the bits of runs in a bitset: OR sets, ANDNOT clears, XOR flips.
#[inline]
pub(crate) fn change_runs<const OP: u8>(words: &mut Words, runs: &[Run]) {
    #[cfg(target_arch = "x86_64")]
    if level() == Level::Avx512 {
        // SAFETY: `level` found the features that the function is compiled for.
        unsafe { x86::change_runs::<OP>(words, runs) };
        return;
    }
    change_runs_plain::<OP>(words, runs);
}

dispatch!(
    /// Runs of ones.
    run_count(words: &Words) -> usize = run_count_plain
);

dispatch!(
    /// Adds one bit a member to counters by bit; the planes are enough for the sum.
    add_to_planes(planes: &mut [Box<Words>], words: &Words) -> () = add_to_planes_plain
);

/// Values that both arrays have.
#[inline]
pub(crate) fn intersect_count(left: &[Value], right: &[Value]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: `level` found the features that each function is compiled for.
        match level() {
            Level::Avx512 if left.len() <= 32 && right.len() <= 32 => {
                let (short, long) = if left.len() <= right.len() { (left, right) } else { (right, left) };
                return unsafe { x86::small_matches(long, short) }.count_ones();
            }
            Level::Avx512 | Level::Avx2 => {
                let (left, both) = without_zero(left, right);
                let (right, _) = without_zero(right, left);
                return both + unsafe { x86::matches::<false>(left, right, &mut []) };
            }
            Level::Scalar => {}
        }
    }
    intersect_count_plain(left, right)
}

/// Marks the values of `left` (at most 4,096) that `right` has; other marks stay.
#[inline]
pub(crate) fn mark_array(left: &[Value], right: &[Value], marks: &mut Marks) {
    let left = &left[..left.len().min(MAX_ARRAY)];
    #[cfg(target_arch = "x86_64")]
    {
        let has_zero = left.first() == Some(&[0, 0]);
        // SAFETY: `level` found the features that each function is compiled for.
        match level() {
            Level::Avx512 if left.len() <= 32 && right.len() <= 32 => {
                let found = unsafe { x86::small_matches(left, right) }.to_le_bytes();
                marks.iter_mut().zip(found).for_each(|(marks, found)| *marks |= found);
                return;
            }
            Level::Avx512 | Level::Avx2 if !has_zero => {
                let (right, _) = without_zero(right, &[]);
                unsafe { x86::matches::<true>(left, right, marks) };
                return;
            }
            _ => {}
        }
    }
    mark_array_plain(left, right, marks);
}

/// Marks the values of `left` (at most 4,096) that the bitset has; other marks stay.
#[inline]
pub(crate) fn mark_bitset(left: &[Value], words: &Words, marks: &mut Marks) {
    let left = &left[..left.len().min(MAX_ARRAY)];
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if level() == Level::Avx512 {
        // SAFETY: `level` found the features that the function is compiled for.
        done = unsafe { x86::mark_bitset(left, words, marks) };
    }
    mark_bitset_plain(&left[done..], words, &mut marks[done / 8..]);
}

/// Values of `left` that the bitset has.
#[inline]
pub(crate) fn count_in_bitset(left: &[Value], words: &Words) -> u32 {
    let (mut done, mut count) = (0, 0);
    #[cfg(target_arch = "x86_64")]
    if level() == Level::Avx512 && left.len() >= 16 {
        // SAFETY: `level` found the features that the function is compiled for.
        (done, count) = unsafe { x86::count_in_bitset(left, words) };
    }
    count += left[done..].iter().map(|v| u32::from(bit(words, value(*v)))).sum::<u32>();
    count
}

/// Appends the marked values of `values` (or with `MARKED` false the others) to `out`.
#[inline]
pub(crate) fn compress<const MARKED: bool>(values: &[Value], marks: &Marks, out: &mut Vec<Value>) {
    let values = &values[..values.len().min(MAX_ARRAY)];
    #[cfg(target_arch = "x86_64")]
    if level() != Level::Scalar {
        // SAFETY: `level` found the features that the function is compiled for.
        unsafe { x86::compress::<MARKED>(values, marks, out) };
        return;
    }
    compress_plain::<MARKED>(values, marks, out);
}

#[cfg(test)]
mod tests;

/// The loops in intrinsics. Only the functions above call them, after asking [`level`].
#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::cmp::Ordering;
    use std::hint::black_box;

    use super::super::container::{WORDS, run_bounds};
    use super::super::shuffles::{FRONT, KEEP, SLIDE};
    use super::{MAX_ARRAY, Marks, Run, Value, Words, value};

    /// Values compared at a time.
    const BLOCK: usize = 8;
    /// Shorter arrays are one chain: cutting them costs more than it gains.
    const CHAINED_FROM: usize = 96;

    /// A part of both arrays that can be compared without the rest: `i..i_end` with `j..j_end`.
    #[derive(Clone, Copy)]
    struct Chain {
        i: usize,
        i_end: usize,
        j: usize,
        j_end: usize,
    }

    impl Chain {
        /// Whole blocks left on the side that has less of them.
        fn safe_steps(&self) -> usize {
            (self.i_end - self.i.min(self.i_end)).min(self.j_end - self.j.min(self.j_end)) / BLOCK
        }
    }

    /// Counts the values of `left` that `right` has, and with `MARK` sets their bits. 0 is not a value here: it ends a
    /// register for the comparing instruction, which never gives more than too few matches.
    ///
    /// Blocks of 8 are compared all with all. Which side moves on is told without a branch, so a step costs the time from
    /// address to address; three chains at a time hide it.
    #[target_feature(enable = "avx2,popcnt")]
    pub(super) fn matches<const MARK: bool>(left: &[Value], right: &[Value], marks: &mut [u8]) -> u32 {
        if left.len() < BLOCK {
            let mut padded = [[0; 2]; BLOCK];
            padded[..left.len()].copy_from_slice(left);
            return matches_of::<MARK>(&padded, left.len(), right, marks);
        }
        matches_of::<MARK>(left, left.len(), right, marks)
    }

    #[target_feature(enable = "avx2,popcnt")]
    fn matches_of<const MARK: bool>(left: &[Value], i_end: usize, right: &[Value], marks: &mut [u8]) -> u32 {
        if right.len() < BLOCK {
            let mut padded = [[0; 2]; BLOCK];
            padded[..right.len()].copy_from_slice(right);
            return drain::<MARK>(left, &padded, Chain { i: 0, i_end, j: 0, j_end: right.len() }, marks);
        }
        let mut rest = Chain { i: 0, i_end, j: 0, j_end: right.len() };
        if i_end < CHAINED_FROM || right.len() < CHAINED_FROM {
            return drain::<MARK>(left, right, rest, marks);
        }
        assert!(i_end <= left.len());
        let third = i_end / (3 * BLOCK) * BLOCK;
        let cut = |at: usize| right.partition_point(|v| value(*v) < value(left[at]));
        let (one, two) = (cut(third), cut(2 * third));
        let two = two.max(one);
        let mut first = Chain { i_end: third, j_end: one, ..rest };
        let mut second = Chain { i: third, i_end: 2 * third, j: one, j_end: two };
        rest = Chain { i: 2 * third, j: two, ..rest };
        // The last values of blocks are read by pointers whose origin is hidden: else they are taken out of the vector
        // registers, which takes twice as long, and the steps wait for them.
        let lasts = (black_box(left.as_ptr()), black_box(right.as_ptr()));
        let mut count = 0;
        loop {
            let steps = first.safe_steps().min(second.safe_steps()).min(rest.safe_steps());
            if steps == 0 {
                break;
            }
            for _ in 0..steps {
                // SAFETY: a step moves each side by at most a block, so with this many whole blocks on both sides of each
                // chain at the start there is a whole one at each step. The chains' ends are at most the lengths:
                // `third` and `2 * third` are at most `i_end`, and the cuts are at most `right.len()`.
                unsafe {
                    count += step::<MARK>(left, right, lasts, &mut first, marks);
                    count += step::<MARK>(left, right, lasts, &mut second, marks);
                    count += step::<MARK>(left, right, lasts, &mut rest, marks);
                }
            }
        }
        for chain in [first, second, rest] {
            count += drain::<MARK>(left, right, chain, marks);
        }
        count
    }

    /// Compares a whole block of both and moves on.
    ///
    /// # Safety
    /// `chain.i + 8 <= left.len()`, `chain.j + 8 <= right.len()`, and `lasts` are the slices' own pointers.
    #[target_feature(enable = "avx2,popcnt")]
    #[inline]
    unsafe fn step<const MARK: bool>(
        left: &[Value],
        right: &[Value],
        lasts: (*const Value, *const Value),
        chain: &mut Chain,
        marks: &mut [u8],
    ) -> u32 {
        // SAFETY: 16 bytes are read from values i and j on, which lie within the slices by the contract; the loads need
        // no alignment. The last values of the blocks are indices i + 7 and j + 7.
        let (x, y, x_last, y_last) = unsafe {
            (
                _mm_loadu_si128(left.as_ptr().add(chain.i).cast()),
                _mm_loadu_si128(right.as_ptr().add(chain.j).cast()),
                value(*lasts.0.add(chain.i + BLOCK - 1)),
                value(*lasts.1.add(chain.j + BLOCK - 1)),
            )
        };
        let found = equal_any(x, y);
        if MARK {
            marks[chain.i / BLOCK] |= found as u8;
        }
        chain.i += BLOCK * usize::from(x_last <= y_last);
        chain.j += BLOCK * usize::from(y_last <= x_last);
        found.count_ones()
    }

    /// A bit for each 16-bit lane of `x` whose value is in some lane of `y`; lanes from the first 0 on count as absent.
    #[target_feature(enable = "avx2,popcnt")]
    #[inline]
    fn equal_any(x: __m128i, y: __m128i) -> u32 {
        const MODE: i32 = _SIDD_UWORD_OPS | _SIDD_CMP_EQUAL_ANY | _SIDD_BIT_MASK;
        _mm_cvtsi128_si32(_mm_cmpistrm::<MODE>(y, x)) as u32
    }

    /// Goes through the rest of a chain; the last blocks may have less than 8 values.
    #[target_feature(enable = "avx2,popcnt")]
    fn drain<const MARK: bool>(left: &[Value], right: &[Value], mut chain: Chain, marks: &mut [u8]) -> u32 {
        let mut count = 0;
        assert!(chain.i_end <= left.len() && chain.j_end <= right.len());
        // Short chains go by branches, which a processor that has seen the arrays before foretells.
        while chain.i + BLOCK <= chain.i_end && chain.j + BLOCK <= chain.j_end {
            // SAFETY: a whole block on both sides is within the ends, and these are within the slices.
            let (x, y) = unsafe {
                (
                    _mm_loadu_si128(left.as_ptr().add(chain.i).cast()),
                    _mm_loadu_si128(right.as_ptr().add(chain.j).cast()),
                )
            };
            let found = equal_any(x, y);
            count += found.count_ones();
            if MARK {
                marks[chain.i / BLOCK] |= found as u8;
            }
            let (x_last, y_last) = (value(left[chain.i + BLOCK - 1]), value(right[chain.j + BLOCK - 1]));
            match x_last.cmp(&y_last) {
                Ordering::Less => chain.i += BLOCK,
                Ordering::Greater => chain.j += BLOCK,
                Ordering::Equal => (chain.i, chain.j) = (chain.i + BLOCK, chain.j + BLOCK),
            }
        }
        while chain.i < chain.i_end && chain.j < chain.j_end {
            let (x_values, y_values) = ((chain.i_end - chain.i).min(BLOCK), (chain.j_end - chain.j).min(BLOCK));
            let (x, y) = (partial(left, chain.i, x_values), partial(right, chain.j, y_values));
            let found = equal_any(x, y);
            count += found.count_ones();
            if MARK {
                marks[chain.i / BLOCK] |= found as u8;
            }
            let (x_last, y_last) = (value(left[chain.i + x_values - 1]), value(right[chain.j + y_values - 1]));
            chain.i += BLOCK * usize::from(x_last <= y_last);
            chain.j += BLOCK * usize::from(y_last <= x_last);
        }
        count
    }

    /// `count` values from `at` on, zeros after them. The slice has at least 8 values, `at + count` are within it, and
    /// `count` is 1..=8.
    #[target_feature(enable = "avx2,popcnt")]
    #[inline]
    fn partial(values: &[Value], at: usize, count: usize) -> __m128i {
        let base = at.min(values.len() - BLOCK);
        let (block, moved) = (&values[base..base + BLOCK], 2 * (at - base));
        let (slide, keep) = (&SLIDE[moved..moved + 16], &KEEP[16 - 2 * count..32 - 2 * count]);
        // SAFETY: all three slices have 16 bytes, checked by slicing; the loads need no alignment.
        unsafe {
            let block = _mm_loadu_si128(block.as_ptr().cast());
            let slid = _mm_shuffle_epi8(block, _mm_loadu_si128(slide.as_ptr().cast()));
            _mm_and_si128(slid, _mm_loadu_si128(keep.as_ptr().cast()))
        }
    }

    /// A bit for each value of `left` that `right` has; both have at most 32 values.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi2,popcnt")]
    pub(super) fn small_matches(left: &[Value], right: &[Value]) -> u32 {
        let count = left.len().min(32);
        let lanes = ((1_u64 << count) - 1) as u32;
        // SAFETY: a masked load touches only the lanes of its mask, which are the values of the slice.
        let values = unsafe { _mm512_maskz_loadu_epi16(lanes, left.as_ptr().cast()) };
        let mut found = 0;
        for wanted in right {
            found |= _mm512_cmpeq_epi16_mask(values, _mm512_set1_epi16(i16::from_le_bytes(*wanted)));
        }
        found & lanes
    }

    /// A bit for each of 16 values that the bitset has.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi2,popcnt")]
    #[inline]
    fn in_bitset(block: &[Value; 16], words: &Words) -> u16 {
        // SAFETY: the block has 32 bytes. The gather reads 4 bytes at 4 * (value / 32), which is at most 4 * 2047, so it
        // ends within the 8,192 bytes of `words`; no alignment is needed.
        unsafe {
            let values = _mm512_cvtepu16_epi32(_mm256_loadu_si256(block.as_ptr().cast()));
            let holding = _mm512_i32gather_epi32::<4>(_mm512_srli_epi32::<5>(values), words.as_ptr().cast());
            let bits = _mm512_sllv_epi32(_mm512_set1_epi32(1), _mm512_and_si512(values, _mm512_set1_epi32(31)));
            _mm512_test_epi32_mask(holding, bits)
        }
    }

    /// Marks values by whole blocks of 16 and says how many it looked at.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi2,popcnt")]
    pub(super) fn mark_bitset(left: &[Value], words: &Words, marks: &mut Marks) -> usize {
        let (blocks, _) = left.as_chunks::<16>();
        for (block, marks) in blocks.iter().zip(marks.as_chunks_mut::<2>().0) {
            *marks = (u16::from_le_bytes(*marks) | in_bitset(block, words)).to_le_bytes();
        }
        16 * blocks.len()
    }

    /// Looks at whole blocks of 16 and says at how many values, and how many of these the bitset has.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi2,popcnt")]
    pub(super) fn count_in_bitset(left: &[Value], words: &Words) -> (usize, u32) {
        let (blocks, _) = left.as_chunks::<16>();
        (16 * blocks.len(), blocks.iter().map(|block| in_bitset(block, words).count_ones()).sum())
    }

    /// The k-ary result of bitsets, counted or stored: four registers go through all operands before the next four.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq,bmi2,popcnt")]
    pub(super) fn fused<const OP: u8, const COUNT: bool>(
        out: Option<&mut Words>,
        first: &Words,
        rest: &[&Words],
    ) -> u32 {
        const STEP: usize = 256;
        let out: *mut u8 = out.map_or(std::ptr::null_mut(), |out| out.as_mut_ptr().cast());
        let mut counts = [_mm512_setzero_si512(); 4];
        for at in (0..8 * WORDS).step_by(STEP) {
            let mut result = load(first, at);
            for other in rest {
                let other = load(other, at);
                for (left, right) in result.iter_mut().zip(other) {
                    *left = match OP {
                        super::AND => _mm512_and_si512(*left, right),
                        super::OR => _mm512_or_si512(*left, right),
                        super::XOR => _mm512_xor_si512(*left, right),
                        _ => _mm512_andnot_si512(right, *left),
                    };
                }
            }
            for (lane, bits) in result.iter().enumerate() {
                if COUNT {
                    counts[lane] = _mm512_add_epi64(counts[lane], _mm512_popcnt_epi64(*bits));
                } else if !out.is_null() {
                    // SAFETY: `out` has 8,192 bytes and `at` is a multiple of 256 below that, so these 64 bytes, at
                    // most 192 further, are within. Nobody else reads or writes them: `out` was borrowed for change.
                    unsafe { _mm512_storeu_si512(out.add(at + 64 * lane).cast(), *bits) };
                }
            }
        }
        let [a, b, c, d] = counts;
        _mm512_reduce_add_epi64(_mm512_add_epi64(_mm512_add_epi64(a, b), _mm512_add_epi64(c, d))) as u32
    }

    /// The part [from, to) of the 512 bits from `start` on: ones from bit `low` on and not from bit `high` on; a shift by
    /// 64 or more leaves none.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi2,popcnt")]
    #[inline]
    fn run_mask(from: u32, to: u32, start: u32) -> __m512i {
        let bases = _mm512_setr_epi64(0, 64, 128, 192, 256, 320, 384, 448);
        let (zero, ones) = (_mm512_setzero_si512(), _mm512_set1_epi64(-1));
        let from = _mm512_set1_epi64(i64::from(from) - i64::from(start));
        let to = _mm512_set1_epi64(i64::from(to) - i64::from(start));
        let low = _mm512_max_epi64(_mm512_sub_epi64(from, bases), zero);
        let high = _mm512_max_epi64(_mm512_sub_epi64(to, bases), zero);
        _mm512_andnot_si512(_mm512_sllv_epi64(ones, high), _mm512_sllv_epi64(ones, low))
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi2,popcnt")]
    #[inline]
    fn change_window<const OP: u8>(words: &mut Words, window: u32, mask: __m512i) {
        let place = &mut words[8 * window as usize..8 * window as usize + 8];
        // SAFETY: `place` has 8 words of 8 bytes, which is what is read and written; no alignment is needed.
        unsafe {
            let bits = _mm512_loadu_si512(place.as_ptr().cast());
            let changed = match OP {
                super::OR => _mm512_or_si512(bits, mask),
                super::XOR => _mm512_xor_si512(bits, mask),
                _ => _mm512_andnot_si512(mask, bits),
            };
            _mm512_storeu_si512(place.as_mut_ptr().cast(), changed);
        }
    }

    /// Changes 512 bits at a time by the run's part of them: a run mostly lies in one such window, so that hardly a branch
    /// depends on where it begins and ends. Where runs are many, those of one window are collected first.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi2,popcnt")]
    pub(super) fn change_runs<const OP: u8>(words: &mut Words, runs: &[Run]) {
        const MANY: usize = 300;
        if runs.len() < MANY {
            for (from, to) in run_bounds(runs) {
                // Two windows without asking, of which the second may have no part: a branch would cost more.
                let (window, last) = (from / 512, (to - 1) / 512);
                change_window::<OP>(words, window, run_mask(from, to, 512 * window));
                change_window::<OP>(words, (window + 1).min(127), run_mask(from, to, 512 * (window + 1)));
                for window in window + 2..=last {
                    change_window::<OP>(words, window, run_mask(from, to, 512 * window));
                }
            }
            return;
        }
        let (mut open, mut collected) = (0, _mm512_setzero_si512());
        for (from, to) in run_bounds(runs) {
            for window in from / 512..=(to - 1) / 512 {
                if window != open {
                    change_window::<OP>(words, open, collected);
                    (open, collected) = (window, _mm512_setzero_si512());
                }
                // The runs are disjoint, so this is right for XOR too.
                collected = _mm512_or_si512(collected, run_mask(from, to, 512 * window));
            }
        }
        change_window::<OP>(words, open, collected);
    }

    /// 256 bytes of a bitset from `at` on, which is at most 7,936; and asks for those further on, which will be next.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq,bmi2,popcnt")]
    #[inline]
    fn load(words: &Words, at: usize) -> [__m512i; 4] {
        assert!(at <= 8 * WORDS - 256);
        let bytes: *const u8 = words.as_ptr().cast();
        // SAFETY: the 256 bytes are within the 8,192 of `words`, as was just asserted; the loads need no alignment.
        unsafe {
            [
                _mm512_loadu_si512(bytes.add(at).cast()),
                _mm512_loadu_si512(bytes.add(at + 64).cast()),
                _mm512_loadu_si512(bytes.add(at + 128).cast()),
                _mm512_loadu_si512(bytes.add(at + 192).cast()),
            ]
        }
    }

    /// See `super::compress`.
    #[target_feature(enable = "avx2,popcnt")]
    pub(super) fn compress<const MARKED: bool>(values: &[Value], marks: &Marks, out: &mut Vec<Value>) {
        assert!(values.len() <= MAX_ARRAY);
        out.reserve(values.len() + BLOCK);
        let (blocks, tail) = values.as_chunks::<BLOCK>();
        let mut length = out.len();
        for (block, marks) in blocks.iter().zip(marks) {
            let chosen = if MARKED { *marks } else { !*marks };
            // SAFETY: block and table row have 16 bytes. The store writes 8 values from `length` on: each block adds at
            // most 8 to it, so it is at most the length before plus the values before this block, and the room reserved
            // is 8 values more than all of them.
            unsafe {
                let front = _mm_loadu_si128(FRONT[usize::from(chosen)].as_ptr().cast());
                let packed = _mm_shuffle_epi8(_mm_loadu_si128(block.as_ptr().cast()), front);
                _mm_storeu_si128(out.as_mut_ptr().add(length).cast(), packed);
            }
            length += chosen.count_ones() as usize;
        }
        // SAFETY: all values below `length` were written above or were there before, within the room reserved.
        unsafe { out.set_len(length) };
        let rest = marks.get(blocks.len()).copied().unwrap_or(0);
        out.extend(tail.iter().enumerate().filter(|(at, _)| (rest >> at & 1 == 1) == MARKED).map(|(_, value)| *value));
    }
}
