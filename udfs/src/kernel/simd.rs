//! The inner loops for wide registers, chosen at run time, and the only `unsafe` of the crate: a stock x86-64 build uses
//! AVX-512 or AVX2 where the processor has them. Most loops are those of `loops`, compiled for more features; intrinsics
//! stand where the compiler finds no good code. Must not know: keys, headers, expressions.
#![allow(unsafe_code)]

use super::container::{MAX_ARRAY, Run, Value, Word, Words, WorkWords, bit, value};
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
dispatch!(
    narrow_change_runs<const OP: u8>(words: &mut Words, runs: &[Run]) -> () = change_runs_plain
);

/// From this number of runs on they are short: most begin and end in one word.
const SHORT_RUNS_FROM: usize = 300;

/// Changes the bits of runs in a bitset: OR sets, ANDNOT clears, XOR flips.
#[inline]
pub(crate) fn change_runs<const OP: u8>(words: &mut Words, runs: &[Run]) {
    #[cfg(target_arch = "x86_64")]
    if level() == Level::Avx512 && runs.len() < SHORT_RUNS_FROM {
        // SAFETY: `level` found the features that the function is compiled for.
        unsafe { x86::change_runs::<OP>(words, runs) };
        return;
    }
    narrow_change_runs::<OP>(words, runs);
}

dispatch!(
    /// Runs of ones.
    run_count(words: &Words) -> usize = run_count_plain
);

dispatch!(
    /// Adds one bit a member to counters by bit; the planes are enough for the sum.
    add_to_planes(planes: &mut [Box<WorkWords>], words: &Words) -> () = add_to_planes_plain
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

/// How many of the first `values` values are marked, where those after them are not.
#[inline]
pub(crate) fn count_marks(marks: &Marks, values: usize) -> u32 {
    let (words, _) = marks.as_chunks();
    count(&words[..values.div_ceil(64).min(words.len())])
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
    use std::arch::asm;
    use std::arch::x86_64::*;

    use super::super::container::{WORDS, run_bounds};
    use super::super::shuffles::FRONT;
    use super::{MAX_ARRAY, Marks, Run, Value, Words, value};

    /// Values compared at a time, all with all.
    const BLOCK: usize = 8;
    type Block = [Value; BLOCK];

    /// Counts the values of `left` that `right` has, or with `MARK` sets their bits: `marks` has a byte for each begun block
    /// of `left`. 0 is not a value here: it ends a register for the comparing instruction, which never gives more than too
    /// few matches.
    #[target_feature(enable = "avx2,popcnt")]
    pub(super) fn matches<const MARK: bool>(left: &[Value], right: &[Value], marks: &mut [u8]) -> u32 {
        let ((x, _), (y, _)) = (left.as_chunks::<BLOCK>(), right.as_chunks::<BLOCK>());
        assert!(!MARK || marks.len() >= left.len().div_ceil(BLOCK));
        let mut count = meet::<MARK>(x, y, marks);
        // What is left over, less than a block on each side, against the end of the other side.
        let reaches = |block: &Block, from: u16| value(block[BLOCK - 1]) >= from;
        let (x_tail, y_tail) = (Tail::of(left), Tail::of(right));
        if let Some(tail) = &x_tail {
            let mut found = y_tail.as_ref().map_or(0, |other| equal_any(tail.values, other.values));
            for block in y.iter().rev().take_while(|block| reaches(block, tail.first)) {
                found |= equal_any(tail.values, load_block(block));
            }
            found >>= tail.before;
            count += found.count_ones();
            if MARK {
                marks[x.len()] |= found as u8;
            }
        }
        if let Some(tail) = &y_tail {
            let mut found = 0;
            for (at, block) in x.iter().enumerate().rev().take_while(|(_, block)| reaches(block, tail.first)) {
                if MARK {
                    marks[at] |= equal_any(load_block(block), tail.values) as u8;
                } else {
                    found |= equal_any(tail.values, load_block(block));
                }
            }
            count += (found >> tail.before).count_ones();
        }
        count
    }

    /// Blocks against blocks. Which side moves on is a branch: in sets seen before it is foretold, and elsewhere a branch
    /// taken wrongly costs no more than waiting for the addresses would.
    #[target_feature(enable = "avx2,popcnt")]
    #[inline]
    fn meet<const MARK: bool>(x: &[Block], y: &[Block], marks: &mut [u8]) -> u32 {
        let (mut x_blocks, mut y_blocks) = (x.iter(), y.iter());
        let (Some(mut x_block), Some(mut y_block)) = (x_blocks.next(), y_blocks.next()) else { return 0 };
        let mut count = 0;
        loop {
            let found = equal_any(load_block(x_block), load_block(y_block));
            if MARK {
                marks[x.len() - 1 - x_blocks.len()] |= found as u8;
            } else {
                count += found.count_ones();
            }
            let (x_last, y_last) = (last(x_block), last(y_block));
            if x_last <= y_last {
                let Some(next) = x_blocks.next() else { return count };
                x_block = next;
                if x_last != y_last {
                    continue;
                }
            }
            let Some(next) = y_blocks.next() else { return count };
            y_block = next;
        }
    }

    /// The last value of a block, read by itself: left to the compiler it is taken out of the vector register that the
    /// block is loaded to, where it comes twice as late.
    #[inline(always)]
    fn last(block: &Block) -> u16 {
        let read: u32;
        // SAFETY: reads the last two of the block's 16 bytes, which needs no alignment, and nothing else.
        unsafe {
            asm!("movzx {read:e}, word ptr [{block} + 14]", block = in(reg) block, read = out(reg) read,
                options(pure, readonly, nostack, preserves_flags));
        }
        read as u16
    }

    /// The values after the last whole block of an array.
    struct Tail {
        values: __m128i,
        first: u16,
        /// Lanes before the tail's own: values of the last whole block.
        before: usize,
    }

    impl Tail {
        #[target_feature(enable = "avx2,popcnt")]
        #[inline]
        fn of(values: &[Value]) -> Option<Self> {
            let first = value(*values.get(values.len() / BLOCK * BLOCK)?);
            Some(match values.last_chunk::<BLOCK>() {
                Some(block) => Tail { values: load_block(block), first, before: BLOCK - values.len() % BLOCK },
                None => {
                    let mut padded = [[0; 2]; BLOCK];
                    padded.iter_mut().zip(values).for_each(|(lane, value)| *lane = *value);
                    Tail { values: load_block(&padded), first, before: 0 }
                }
            })
        }
    }

    #[target_feature(enable = "avx2,popcnt")]
    #[inline]
    fn load_block(block: &Block) -> __m128i {
        // SAFETY: a block has 16 bytes; the load needs no alignment.
        unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
    }

    /// A bit for each 16-bit lane of `x` whose value is in some lane of `y`; lanes from the first 0 on count as absent.
    #[target_feature(enable = "avx2,popcnt")]
    #[inline]
    fn equal_any(x: __m128i, y: __m128i) -> u32 {
        const MODE: i32 = _SIDD_UWORD_OPS | _SIDD_CMP_EQUAL_ANY | _SIDD_BIT_MASK;
        _mm_cvtsi128_si32(_mm_cmpistrm::<MODE>(y, x)) as u32
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

    /// Of each of 8 words from bit `BASE` of a bitset on, the bits below a member: none above it, all of the words before.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi2,popcnt")]
    #[inline]
    fn bits_from<const BASE: i64>(member: __m512i) -> __m512i {
        let bases = const { [BASE, BASE + 64, BASE + 128, BASE + 192, BASE + 256, BASE + 320, BASE + 384, BASE + 448] };
        let [a, b, c, d, e, f, g, h] = bases;
        // The difference is 0 where it would be negative; a shift by 64 or more leaves nothing.
        let shifts = _mm512_subs_epu16(member, _mm512_setr_epi64(a, b, c, d, e, f, g, h));
        _mm512_sllv_epi64(_mm512_set1_epi64(-1), shifts)
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi2,popcnt")]
    #[inline]
    fn change_window<const OP: u8>(words: &mut Words, window: usize, mask: __m512i) {
        let place = &mut words[8 * window..8 * window + 8];
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

    /// Changes 512 bits at a time by the run's part of them: a run mostly lies in one or two such windows, which are changed
    /// without asking whether the second has a part, so that hardly a branch depends on where a run begins and ends.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi2,popcnt")]
    pub(super) fn change_runs<const OP: u8>(words: &mut Words, runs: &[Run]) {
        const WINDOWS: usize = WORDS / 8;
        for (from, end) in run_bounds(runs) {
            let (window, last) = ((from / 512) as usize, ((end - 1) / 512) as usize);
            // From the window's first bit on; more than the two windows have is as good as all that is left.
            let start = 512 * window as u32;
            let (from, to) = (i64::from(from - start), i64::from((end - start).min(0xffff)));
            let (from, to) = (_mm512_set1_epi64(from), _mm512_set1_epi64(to));
            let first = _mm512_andnot_si512(bits_from::<0>(to), bits_from::<0>(from));
            change_window::<OP>(words, window, first);
            let ones = _mm512_set1_epi64(-1);
            if window + 1 < WINDOWS {
                change_window::<OP>(words, window + 1, _mm512_andnot_si512(bits_from::<512>(to), ones));
            }
            for window in window + 2..=last {
                let below = _mm512_set1_epi64(i64::from((end - 512 * window as u32).min(0xffff)));
                change_window::<OP>(words, window, _mm512_andnot_si512(bits_from::<0>(below), ones));
            }
        }
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
