//! Two containers without a result: how many members they share, and what of an array the other has.
//! Must not know: keys, headers, expressions.

use super::container::{Container, Run, Value, Words, bit, count_range, gallop, run_bounds, value};
use super::simd;

/// From this ratio of lengths on, the longer array is searched and not read.
const GALLOP_RATIO: usize = 32;

/// Members of both.
pub(crate) fn count_and(left: Container<'_>, right: Container<'_>) -> u32 {
    use Container::{Array, Bitset, Runs};
    match (left, right) {
        (Array(a), Array(b)) => count_arrays(a, b),
        (Array(a), Bitset(b)) | (Bitset(b), Array(a)) => a.iter().map(|v| u32::from(bit(b, value(*v)))).sum(),
        (Array(a), Runs(b)) | (Runs(b), Array(a)) => {
            let mut count = 0;
            for_array_in_runs(a, b, |from, to| count += (to - from) as u32);
            count
        }
        (Bitset(a), Bitset(b)) => simd::fused_count::<{ simd::AND }>(a, &[b]),
        (Bitset(a), Runs(b)) | (Runs(b), Bitset(a)) => count_in_runs(a, b),
        (Runs(a), Runs(b)) => count_runs(a, b),
    }
}

fn count_arrays(a: &[Value], b: &[Value]) -> u32 {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.len() * GALLOP_RATIO > long.len() {
        return simd::intersect_count(short, long);
    }
    let mut count = 0;
    for_galloped(short, long, |_| count += 1);
    count
}

/// Calls with each value of the short array that the long one has.
fn for_galloped(short: &[Value], long: &[Value], mut each: impl FnMut(Value)) {
    let mut at = 0;
    for wanted in short {
        at = gallop(long, at, value(*wanted));
        match long.get(at) {
            Some(found) if found == wanted => each(*wanted),
            Some(_) => {}
            None => break,
        }
    }
}

/// `out` becomes the values of both arrays.
pub(crate) fn and_arrays(a: &[Value], b: &[Value], out: &mut Vec<Value>) {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.len() * GALLOP_RATIO > long.len() {
        return simd::intersect_into(short, long, out);
    }
    out.clear();
    for_galloped(short, long, |found| out.push(found));
}

/// Calls with the index ranges of the array that lie within runs.
pub(crate) fn for_array_in_runs(array: &[Value], runs: &[Run], mut each: impl FnMut(usize, usize)) {
    let mut at = 0;
    for (from, to) in run_bounds(runs) {
        let start = gallop(array, at, from as u16);
        at = if to > 0xffff { array.len() } else { gallop(array, start, to as u16) };
        each(start, at);
        if at == array.len() {
            break;
        }
    }
}

/// Members of the bitset within runs.
pub(crate) fn count_in_runs(words: &Words, runs: &[Run]) -> u32 {
    run_bounds(runs).map(|(from, to)| count_range(words, from, to)).sum()
}

fn count_runs(a: &[Run], b: &[Run]) -> u32 {
    let (mut left, mut right) = (run_bounds(a), run_bounds(b));
    let (mut x, mut y) = (left.next(), right.next());
    let mut count = 0;
    while let (Some((x_from, x_to)), Some((y_from, y_to))) = (x, y) {
        count += x_to.min(y_to).saturating_sub(x_from.max(y_from));
        if x_to <= y_to {
            x = left.next();
        }
        if y_to <= x_to {
            y = right.next();
        }
    }
    count
}
