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
    if left.is_apart(right) {
        return 0;
    }
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
        _ if other.is_apart(Container::Array(array)) => {}
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
    let mut add = |from: u32, to: u32| count = count.wrapping_add(to.saturating_sub(from));
    if a.len().max(b.len()) <= 2 * STRIDE {
        for_common(a, b, add);
        return count;
    }
    let (a, b) = (within(a, b), within(b, a));
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.len() > STRIDE && long.len() < STRIDE * short.len() && is_even(a) && is_even(b) {
        return count_even_runs(short, long);
    }
    for_common(a, b, &mut add);
    count
}

/// The runs of `a` between the ends of `b`.
fn within<'a>(a: &'a [Run], b: &[Run]) -> &'a [Run] {
    let (Some(first), Some(last)) = (b.first(), b.last()) else { return &[] };
    let from = gallop_runs(a, 0, bounds(*first).0);
    let end = bounds(*last).1;
    let a = a.get(from..).unwrap_or_default();
    match a.last() {
        Some(above) if bounds(*above).0 >= end => &a[..a.partition_point(|run| bounds(*run).0 < end)],
        _ => a,
    }
}

/// Whether runs in the middle lie about as far from each other as all do; in clusters they lie closer.
fn is_even(runs: &[Run]) -> bool {
    const SOME: usize = 4;
    let at = runs.len() / 2;
    let (Some(near), Some(last)) = (runs.get(at..=at + SOME), runs.last()) else { return true };
    let span = |from: &Run, to: &Run| bounds(*to).0.saturating_sub(bounds(*from).0) as usize;
    2 * span(&near[0], &near[SOME]) * runs.len() > SOME * span(&runs[0], last)
}

/// Two merges, upwards below the middle run of `a` and downwards from there: a step waits for the address that the one
/// before it told, and two at a time hide half of that.
fn count_even_runs(a: &[Run], b: &[Run]) -> u32 {
    let middle = bounds(a[a.len() / 2]).0;
    let (mut i, mut j, mut p, mut q) = (0, 0, a.len(), b.len());
    let (mut below, mut above) = (0_u32, 0_u32);
    let mut up = |i: &mut usize, j: &mut usize| {
        let ((x_from, x_to), (y_from, y_to)) = (bounds(a[*i]), bounds(b[*j]));
        let from = x_from.max(y_from);
        below = below.wrapping_add(x_to.min(y_to).min(middle).saturating_sub(from));
        *i += usize::from(x_to <= y_to);
        *j += usize::from(y_to <= x_to);
        from < middle && *i < a.len() && *j < b.len()
    };
    let mut down = |p: &mut usize, q: &mut usize| {
        let ((x_from, x_to), (y_from, y_to)) = (bounds(a[*p - 1]), bounds(b[*q - 1]));
        let to = x_to.min(y_to);
        above = above.wrapping_add(to.saturating_sub(x_from.max(y_from).max(middle)));
        *p -= usize::from(x_from >= y_from);
        *q -= usize::from(y_from >= x_from);
        to > middle && *p > 0 && *q > 0
    };
    let (mut up_goes_on, mut down_goes_on) = (true, true);
    while up_goes_on && down_goes_on {
        up_goes_on = up(&mut i, &mut j);
        down_goes_on = down(&mut p, &mut q);
    }
    while up_goes_on {
        up_goes_on = up(&mut i, &mut j);
    }
    while down_goes_on {
        down_goes_on = down(&mut p, &mut q);
    }
    below.wrapping_add(above)
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

#[cfg(test)]
mod tests;
