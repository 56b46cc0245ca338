//! The inner loops that gain from wide registers, with run-time dispatch, and the only `unsafe` of the crate: a stock
//! x86-64 build uses AVX-512 or AVX2 where the processor has them. Each loop is written once in plain Rust, which is
//! the scalar form and the oracle of the tests; the wide forms are that same source compiled for more features, or
//! intrinsics where the compiler finds no good code (intersection of arrays). Must not know: keys, headers, expressions.
#![allow(unsafe_code)]

use super::container::{Value, WORDS, Word, Words, value, word};

/// How k bitsets become one. Const generic parameter of the fused loops.
pub(crate) const AND: u8 = 0;
pub(crate) const OR: u8 = 1;
pub(crate) const XOR: u8 = 2;
pub(crate) const ANDNOT: u8 = 3;

/// What the processor can do, found at run time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Level {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The best level of this processor. The standard library caches the answer, so this is one load and some tests.
#[inline(always)]
pub(crate) fn level() -> Level {
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
    /// Members of the k-ary result, of which nothing is stored.
    fused_count<const OP: u8>(first: &Words, rest: &[&Words]) -> u32 = fused_count_plain
);
dispatch!(
    /// `out` becomes the k-ary result of `out` and the others.
    fused_into<const OP: u8>(out: &mut Words, rest: &[&Words]) -> () = fused_into_plain
);
dispatch!(
    /// Runs of ones.
    run_count(words: &Words) -> usize = run_count_plain
);

#[inline(always)]
pub(crate) fn count_plain(words: &[Word]) -> u32 {
    words.iter().map(|bytes| word(*bytes).count_ones()).sum()
}

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
pub(crate) fn fused_into_plain<const OP: u8>(out: &mut Words, rest: &[&Words]) {
    for (tile, words) in out.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
        *words = fused_tile::<OP>(words, rest, tile).map(u64::to_le_bytes);
    }
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

/// Values that both arrays have.
pub(crate) fn intersect_count(left: &[Value], right: &[Value]) -> u32 {
    intersect_count_plain(left, right)
}

/// `out` becomes the values that both arrays have.
pub(crate) fn intersect_into(left: &[Value], right: &[Value], out: &mut Vec<Value>) {
    out.clear();
    intersect_into_plain(left, right, out);
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

pub(crate) fn intersect_into_plain(left: &[Value], right: &[Value], out: &mut Vec<Value>) {
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        let (x, y) = (value(left[i]), value(right[j]));
        if x == y {
            out.push(left[i]);
        }
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
}

dispatch!(
    /// Adds one bit a member to counters by bit; the planes are enough for the sum.
    add_to_planes(planes: &mut [Box<Words>], words: &Words) -> () = add_to_planes_plain
);

#[inline(always)]
pub(crate) fn add_to_planes_plain(planes: &mut [Box<Words>], words: &Words) {
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
