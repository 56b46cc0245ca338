//! Two containers without a result: how many members they share, and what of an array the other has.
//! Must not know: keys, headers, expressions.

use std::cmp::Ordering;

use super::container::{Container, MAX_ARRAY, Run, Value, WALK, gallop, value};
use super::simd::{self, Marks};

/// From this ratio of lengths on, the longer array is searched and not read.
const GALLOP_RATIO: usize = 32;

/// Members of both.
pub(crate) fn count_and(left: Container<'_>, right: Container<'_>) -> u32 {
    use Container::{Array, Bitset, Runs};
    match (left, right) {
        (Array(a), Array(b)) => count_arrays(a, b),
        (Array(a), Bitset(b)) | (Bitset(b), Array(a)) => simd::count_in_bitset(a, b),
        (Array(a), Runs(b)) | (Runs(b), Array(a)) => {
            let mut count = 0;
            for_array_in_runs(a, b, |from, to| count += (to - from) as u32);
            count
        }
        (Bitset(a), Bitset(b)) => simd::fused_count::<{ simd::AND }>(a, &[b]),
        (Bitset(a), Runs(b)) | (Runs(b), Bitset(a)) => simd::and_count_in_runs(&[a], b),
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

/// Marks the values of `array` that the container has; other marks stay.
pub(crate) fn mark(array: &[Value], other: Container<'_>, marks: &mut Marks) {
    match other {
        Container::Array(values) if array.len() * GALLOP_RATIO <= values.len() => {
            let mut at = 0;
            for (index, wanted) in array.iter().enumerate() {
                at = gallop(values, at, value(*wanted));
                let Some(found) = values.get(at) else { break };
                marks[index / 8] |= u8::from(found == wanted) << (index % 8);
            }
        }
        Container::Array(values) if values.len() * GALLOP_RATIO <= array.len() => {
            let mut at = 0;
            for wanted in values {
                at = gallop(array, at, value(*wanted));
                let Some(found) = array.get(at) else { break };
                marks[at / 8] |= u8::from(found == wanted) << (at % 8);
            }
        }
        Container::Array(values) => simd::mark_array(array, values, marks),
        Container::Bitset(words) => simd::mark_bitset(array, words, marks),
        Container::Runs(runs) => for_array_in_runs(array, runs, |from, to| mark_range(marks, from, to)),
    }
}

fn mark_range(marks: &mut Marks, from: usize, to: usize) {
    if from < to {
        let (first, last) = (from / 8, (to - 1) / 8);
        let (low, high) = (0xff_u8 << (from % 8), 0xff_u8 >> (7 - (to - 1) % 8));
        if first == last {
            marks[first] |= low & high;
        } else {
            marks[first] |= low;
            marks[first + 1..last].fill(0xff);
            marks[last] |= high;
        }
    }
}

/// How many of the first `values` values are marked.
pub(crate) fn count_marks(marks: &Marks, values: usize) -> u32 {
    marks[..values.div_ceil(8).min(MAX_ARRAY / 8)].iter().map(|byte| byte.count_ones()).sum()
}

/// No marks for an array of this many values; what lies beyond is not touched.
#[inline]
pub(crate) fn clear_marks(marks: &mut Marks, values: usize) {
    marks[..(values.div_ceil(64) * 8).min(MAX_ARRAY / 8)].fill(0);
}

/// Calls with the index ranges of the array that lie within runs, in ascending order. Both sides leap.
pub(crate) fn for_array_in_runs(array: &[Value], runs: &[Run], mut each: impl FnMut(usize, usize)) {
    let (mut at, mut place) = (0, 0);
    while place < runs.len() {
        let (from, to) = bounds(runs[place]);
        at = gallop(array, at, from as u16);
        let Some(found) = array.get(at).map(|v| u32::from(value(*v))) else { return };
        if found < to {
            let end = if to > 0xffff { array.len() } else { gallop(array, at, to as u16) };
            each(at, end);
            at = end;
            place += 1;
        } else {
            place = gallop_runs(runs, place + 1, found);
        }
    }
}

/// Index of the first run that ends above `member`, at or after `from`.
fn gallop_runs(runs: &[Run], from: usize, member: u32) -> usize {
    let mut low = from;
    let walk = (from + 2 * WALK).min(runs.len());
    while low < walk {
        if bounds(runs[low]).1 > member {
            return low;
        }
        low += 1;
    }
    let mut step = 1;
    while low + step < runs.len() && bounds(runs[low + step]).1 <= member {
        low += step;
        step *= 2;
    }
    let high = (low + step + 1).min(runs.len());
    let low = low.min(runs.len());
    low + runs[low..high].partition_point(|run| bounds(*run).1 <= member)
}

/// [from, to) of a run as it is stored; runs of malformed contents may overlap.
#[inline(always)]
fn bounds(run: Run) -> (u32, u32) {
    let from = u32::from(u16::from_le_bytes([run[0], run[1]]));
    (from, from + u32::from(u16::from_le_bytes([run[2], run[3]])) + 1)
}

/// Runs looked at together when many lie before the other's.
const STRIDE: usize = 8;

/// Calls with the common part [from, to) of each two runs met in order, which is empty where `from >= to`. Of many
/// runs, which side moves on is told without a branch; only strides over what lies apart are.
#[inline(always)]
fn for_common(a: &[Run], b: &[Run], mut each: impl FnMut(u32, u32)) {
    let (mut i, mut j) = (0, 0);
    let strides = a.len().max(b.len()) > 2 * STRIDE;
    while i < a.len() && j < b.len() {
        let ((x_from, x_to), (y_from, y_to)) = (bounds(a[i]), bounds(b[j]));
        if !strides {
            // Few runs: branches, which are foretold in sets seen before.
            if x_to <= y_from {
                i += 1;
            } else if y_to <= x_from {
                j += 1;
            } else {
                each(x_from.max(y_from), x_to.min(y_to));
                match x_to.cmp(&y_to) {
                    Ordering::Less => i += 1,
                    Ordering::Greater => j += 1,
                    Ordering::Equal => (i, j) = (i + 1, j + 1),
                }
            }
            continue;
        }
        if let Some(far) = a.get(i + STRIDE)
            && bounds(*far).0 <= y_from
        {
            i += STRIDE;
            continue;
        }
        if let Some(far) = b.get(j + STRIDE)
            && bounds(*far).0 <= x_from
        {
            j += STRIDE;
            continue;
        }
        each(x_from.max(y_from), x_to.min(y_to));
        i += usize::from(x_to <= y_to);
        j += usize::from(y_to <= x_to);
    }
}

pub(crate) fn count_runs(a: &[Run], b: &[Run]) -> u32 {
    let mut count = 0_u32;
    for_common(a, b, |from, to| count = count.wrapping_add(to.saturating_sub(from)));
    count
}

/// `out` becomes the runs of what both have.
pub(crate) fn and_runs(a: &[Run], b: &[Run], out: &mut Vec<Run>) {
    out.clear();
    // Each step moves at least one side on, so there are no more steps than runs.
    out.resize(a.len() + b.len(), [0; 4]);
    let mut length = 0;
    for_common(a, b, |from, to| {
        let more = to.wrapping_sub(from).wrapping_sub(1) as u16;
        let (first, more) = ((from as u16).to_le_bytes(), more.to_le_bytes());
        if let Some(place) = out.get_mut(length) {
            *place = [first[0], first[1], more[0], more[1]];
        }
        length += usize::from(from < to);
    });
    out.truncate(length);
}
