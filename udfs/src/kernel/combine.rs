//! The members of several containers of one key under one operator: counted where a count is all that is wanted, without
//! storing a result; else built in a scratch. Which way depends on the shapes. Must not know: keys, headers, expressions.

use super::container::{Container, MAX_ARRAY, Run, SPAN, Value, Words, WorkWords, value};
use super::pair::{clear_marks, count_and, count_runs, mark};
use super::scratch::Scratch;
use super::simd::{self, AND, ANDNOT, Marks, OR, XOR, clear_values, flip_values, set_values};

/// The members of one node at one key.
pub(crate) enum Part<'p> {
    Empty,
    /// As stored, with the number of members that the header has.
    Stored(Container<'p>, u32),
    Work(Box<Scratch>),
    /// Only their number, which was all that was asked for.
    Counted(u32),
}

impl Part<'_> {
    #[inline]
    pub(crate) fn container(&self) -> Option<Container<'_>> {
        match self {
            Part::Stored(container, _) => Some(*container),
            Part::Work(scratch) => Some(scratch.as_container()),
            Part::Empty | Part::Counted(_) => None,
        }
    }

    /// Members: by the header where there is one.
    #[inline]
    pub(crate) fn count(&self) -> u32 {
        match self {
            Part::Empty => 0,
            Part::Stored(_, card) | Part::Counted(card) => *card,
            Part::Work(scratch) => scratch.as_container().count(),
        }
    }
}

/// Where the result of a combination is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Count(u32),
    /// It is the part of this index.
    Same(usize),
    Scratch,
}

/// What the combinations need beside a scratch.
pub(crate) struct Tools {
    /// Without members between uses, so that small arrays need not clear 8 KB.
    zeros: Option<Box<WorkWords>>,
    pub(crate) marks: Marks,
    sorted: Vec<u16>,
}

impl Tools {
    pub(crate) fn new() -> Self {
        Tools { zeros: None, marks: [0; MAX_ARRAY / 8], sorted: Vec::new() }
    }
}

/// Values of arrays up to which a union scatters into `Tools::zeros` and takes them out again.
const FEW_VALUES: usize = 256;
/// Runs and values up to which runs stay runs under OR, XOR and ANDNOT of several.
const FEW_RUNS: usize = 8;

/// What shapes there are.
#[derive(Default)]
struct Shapes {
    bitsets: usize,
    arrays: usize,
    values: usize,
    runs: usize,
}

fn shapes(parts: &[Part<'_>]) -> Shapes {
    let mut shapes = Shapes::default();
    for container in parts.iter().filter_map(Part::container) {
        match container {
            Container::Array(values) => {
                (shapes.arrays, shapes.values) = (shapes.arrays + 1, shapes.values + values.len())
            }
            Container::Bitset(_) => shapes.bitsets += 1,
            Container::Runs(runs) => shapes.runs += runs.len(),
        }
    }
    shapes
}

fn bitsets<'x>(parts: &'x [Part<'_>]) -> Vec<&'x Words> {
    let words =
        |part: &'x Part<'_>| if let Some(Container::Bitset(words)) = part.container() { Some(words) } else { None };
    parts.iter().filter_map(words).collect()
}

/// Members of all parts, none of which is empty.
pub(crate) fn and<const COUNT: bool>(parts: &[Part<'_>], scratch: &mut Scratch) -> Outcome {
    if parts.len() == 1 {
        return Outcome::Same(0);
    }
    let mut lead: Option<(usize, &[Value])> = None;
    for (at, part) in parts.iter().enumerate() {
        if let Some(Container::Array(values)) = part.container()
            && lead.is_none_or(|(_, least)| values.len() < least.len())
        {
            lead = Some((at, values));
        }
    }
    let Some((lead, values)) = lead else { return and_without_arrays::<COUNT>(parts, scratch) };
    let mut left = parts.len() - 1;
    for (at, part) in parts.iter().enumerate() {
        let Some(other) = part.container().filter(|_| at != lead) else { continue };
        let first = left == parts.len() - 1;
        left -= 1;
        match (first, COUNT && left == 0) {
            (true, true) => return Outcome::Count(count_and(Container::Array(values), other)),
            (false, true) => return Outcome::Count(count_and(scratch.as_container(), other)),
            (true, false) => scratch.set_common(values, other),
            (false, false) => scratch.and(other),
        }
        if matches!(scratch.as_container(), Container::Array([])) {
            break;
        }
    }
    Outcome::Scratch
}

fn and_without_arrays<const COUNT: bool>(parts: &[Part<'_>], scratch: &mut Scratch) -> Outcome {
    if let (true, [one, other]) = (COUNT, parts) {
        return Outcome::Count(one.container().zip(other.container()).map_or(0, |(one, other)| count_and(one, other)));
    }
    let words = bitsets(parts);
    let mut runs: Vec<&[Run]> = Vec::new();
    for part in parts {
        if let Some(Container::Runs(one)) = part.container().filter(|container| !container.is_full()) {
            runs.push(one);
        }
    }
    match (&words[..], &runs[..]) {
        ([], []) => Outcome::Same(0),
        ([_], []) => Outcome::Same(
            parts.iter().position(|part| matches!(part.container(), Some(Container::Bitset(_)))).unwrap_or(0),
        ),
        ([first, rest @ ..], []) if COUNT => Outcome::Count(simd::fused_count::<AND>(first, rest)),
        ([first, rest @ ..], []) => {
            scratch.set_fused::<AND>(first, rest);
            Outcome::Scratch
        }
        (words @ [_, ..], [one]) if COUNT => Outcome::Count(simd::and_count_in_runs(words, one)),
        ([], [one, other]) if COUNT => Outcome::Count(count_runs(one, other)),
        (words, [first, rest @ ..]) => {
            scratch.set(Container::Runs(first));
            let (last, between) = match rest.split_last() {
                Some((last, between)) if COUNT && words.is_empty() => (Some(*last), between),
                _ => (None, rest),
            };
            for one in between {
                scratch.and(Container::Runs(one));
                if matches!(scratch.as_container(), Container::Runs([])) {
                    return Outcome::Count(0);
                }
            }
            if let Some(last) = last {
                return Outcome::Count(count_and(scratch.as_container(), Container::Runs(last)));
            }
            match scratch.as_container() {
                Container::Runs(common) if COUNT && !words.is_empty() => {
                    return Outcome::Count(simd::and_count_in_runs(words, common));
                }
                _ => words.iter().for_each(|one| scratch.and(Container::Bitset(one))),
            }
            Outcome::Scratch
        }
    }
}

/// Members of any part (`OP` is OR) or of an odd number of parts (XOR); no part is empty.
pub(crate) fn any<const OP: u8, const COUNT: bool>(
    parts: &[Part<'_>],
    scratch: &mut Scratch,
    tools: &mut Tools,
) -> Outcome {
    match parts {
        [_] => return Outcome::Same(0),
        [one, other] if COUNT => {
            let both = one.container().zip(other.container()).map_or(0, |(one, other)| count_and(one, other));
            let twice = if OP == XOR { 2 * both } else { both };
            return Outcome::Count((one.count() + other.count()).saturating_sub(twice));
        }
        _ => {}
    }
    if OP == OR
        && let Some(full) = parts.iter().position(|part| part.container().is_some_and(Container::is_full))
    {
        return Outcome::Same(full);
    }
    let shapes = shapes(parts);
    if shapes.arrays == parts.len() && shapes.values <= FEW_VALUES {
        return any_of_few::<OP, COUNT>(parts, scratch, tools);
    }
    if shapes.bitsets == 0 && shapes.runs > 0 && shapes.runs + shapes.values <= FEW_RUNS {
        scratch.clear();
        for container in parts.iter().filter_map(Part::container) {
            if OP == OR { scratch.or(container) } else { scratch.xor(container) }
        }
        return Outcome::Scratch;
    }
    match &bitsets(parts)[..] {
        [] => scratch.set_zeros(),
        [first, rest @ ..] if COUNT && shapes.bitsets == parts.len() => {
            return Outcome::Count(simd::fused_count::<OP>(first, rest));
        }
        [first, rest @ ..] => scratch.set_fused::<OP>(first, rest),
    }
    let words = scratch.make_bitset();
    for container in parts.iter().filter_map(Part::container) {
        match container {
            Container::Array(values) if OP == OR => set_values(words, values),
            Container::Array(values) => flip_values(words, values),
            Container::Runs(runs) if OP == OR => simd::change_runs::<OR>(words, runs),
            Container::Runs(runs) => simd::change_runs::<XOR>(words, runs),
            Container::Bitset(_) => {}
        }
    }
    Outcome::Scratch
}

/// Few values in all: nothing of 8 KB is cleared or counted.
fn any_of_few<const OP: u8, const COUNT: bool>(
    parts: &[Part<'_>],
    scratch: &mut Scratch,
    tools: &mut Tools,
) -> Outcome {
    let arrays = || {
        let values = |part: &Part<'_>| matches!(part.container(), Some(Container::Array(_)));
        parts.iter().filter(move |part| values(part))
    };
    if !COUNT {
        tools.sorted.clear();
        arrays().for_each(|part| {
            if let Some(Container::Array(values)) = part.container() {
                tools.sorted.extend(values.iter().map(|v| value(*v)));
            }
        });
        tools.sorted.sort_unstable();
        let groups = tools.sorted.chunk_by(|x, y| x == y).filter(|group| OP == OR || group.len() % 2 == 1);
        scratch.set_values(groups.map(|group| group[0]));
        return Outcome::Scratch;
    }
    let bytes = tools.zeros.get_or_insert_with(WorkWords::zeros).as_flattened_mut();
    let mut count = 0_i32;
    for part in arrays() {
        let Some(Container::Array(values)) = part.container() else { continue };
        for v in values {
            let (at, shift) = (usize::from(value(*v) >> 3), v[0] & 7);
            let there = i32::from(bytes[at] >> shift & 1);
            if OP == OR {
                bytes[at] |= 1 << shift;
                count += 1 - there;
            } else {
                bytes[at] ^= 1 << shift;
                count += 1 - 2 * there;
            }
        }
    }
    for part in arrays() {
        if let Some(Container::Array(values)) = part.container() {
            values.iter().for_each(|v| bytes[usize::from(value(*v) >> 3)] = 0);
        }
    }
    Outcome::Count(count.max(0) as u32)
}

/// Members of the first part that are in none of the others; no part is empty.
pub(crate) fn andnot<const COUNT: bool>(parts: &[Part<'_>], scratch: &mut Scratch, tools: &mut Tools) -> Outcome {
    let Some((first, others)) = parts.split_first() else { return Outcome::Count(0) };
    let Some(lead) = first.container().filter(|_| !others.is_empty()) else { return Outcome::Same(0) };
    if let (true, [other]) = (COUNT, others) {
        let both = other.container().map_or(0, |other| count_and(lead, other));
        return Outcome::Count(first.count().saturating_sub(both));
    }
    if others.iter().any(|part| part.container().is_some_and(Container::is_full)) {
        scratch.clear();
        return Outcome::Scratch;
    }
    let shapes = shapes(others);
    match lead {
        Container::Array(values) => {
            clear_marks(&mut tools.marks, values.len());
            others.iter().filter_map(Part::container).for_each(|other| mark(values, other, &mut tools.marks));
            return take_marked::<false, COUNT>(values, &tools.marks, scratch);
        }
        Container::Bitset(words) if COUNT && shapes.bitsets == others.len() => {
            return Outcome::Count(simd::fused_count::<ANDNOT>(words, &bitsets(others)));
        }
        Container::Bitset(words) => scratch.set_fused::<ANDNOT>(words, &bitsets(others)),
        Container::Runs(runs) => {
            scratch.set(lead);
            if shapes.bitsets == 0 && shapes.runs + shapes.values + runs.len() <= FEW_RUNS {
                others.iter().filter_map(Part::container).for_each(|other| scratch.andnot(other));
                return Outcome::Scratch;
            }
            let words = scratch.make_bitset();
            bitsets(others).into_iter().for_each(|other| simd::fused_into::<ANDNOT>(words, other));
        }
    }
    let words = scratch.make_bitset();
    for container in others.iter().filter_map(Part::container) {
        match container {
            Container::Array(values) => clear_values(words, values),
            Container::Runs(runs) => simd::change_runs::<ANDNOT>(words, runs),
            Container::Bitset(_) => {}
        }
    }
    Outcome::Scratch
}

/// The marked values (or with `MARKED` false the others), counted or in the scratch.
pub(crate) fn take_marked<const MARKED: bool, const COUNT: bool>(
    values: &[Value],
    marks: &Marks,
    scratch: &mut Scratch,
) -> Outcome {
    if COUNT {
        let marked = simd::count_marks(marks, values.len());
        return Outcome::Count(if MARKED { marked } else { (values.len() as u32).saturating_sub(marked) });
    }
    scratch.set_marked::<MARKED>(values, marks);
    Outcome::Scratch
}

/// Members of at least `least` parts.
pub(crate) fn threshold(least: u32, parts: &[Part<'_>], scratch: &mut Scratch, planes: &mut Vec<Box<WorkWords>>) {
    debug_assert!(parts.len() <= SPAN as usize);
    let shapes = shapes(parts);
    if shapes.arrays == parts.len() && shapes.values <= MAX_ARRAY {
        let mut sorted = Vec::with_capacity(shapes.values);
        parts.iter().filter_map(Part::container).for_each(|container| container.for_each(|low| sorted.push(low)));
        sorted.sort_unstable();
        let groups = sorted.chunk_by(|x, y| x == y).filter(|group| group.len() >= least as usize);
        return scratch.set_values(groups.map(|group| group[0]));
    }
    let needed = (u32::BITS - (parts.len() as u32).leading_zeros()) as usize;
    planes.resize_with(needed.max(planes.len()), WorkWords::zeros);
    let planes = &mut planes[..needed];
    planes.iter_mut().for_each(|plane| plane.fill([0; 8]));
    for container in parts.iter().filter_map(Part::container) {
        match container {
            Container::Bitset(words) => simd::add_to_planes(planes, words),
            _ => {
                scratch.set(container);
                simd::add_to_planes(planes, scratch.make_bitset());
            }
        }
    }
    scratch.set_at_least(planes, least);
}
