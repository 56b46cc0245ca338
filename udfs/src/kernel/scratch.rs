//! One container in work: holds an intermediate result and takes further containers into it in place, changing shape
//! when another is cheaper. Scratches are reused from key to key, so that nothing is allocated per container.
//! Must not know: keys, headers, expressions.

use super::container::{
    Container, MAX_ARRAY, Run, SPAN, Value, Words, WorkWords, run, run_bounds, value, word, word_range,
};
use super::pair::{and_runs, clear_marks, mark};
use super::simd::{self, AND, ANDNOT, Marks, OR, XOR, clear_values, flip_values, set_values};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    Array,
    Bitset,
    Runs,
}

/// Runs above this number become a bitset: 2,048 runs are as large.
const MAX_RUNS: usize = 2047;

pub(crate) struct Scratch {
    shape: Shape,
    array: Vec<Value>,
    spare_array: Vec<Value>,
    /// Made when first needed: most intermediate results are small.
    words: Option<Box<WorkWords>>,
    runs: Vec<Run>,
    spare_runs: Vec<Run>,
    marks: Marks,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Scratch {
            shape: Shape::Array,
            array: Vec::new(),
            spare_array: Vec::new(),
            words: None,
            runs: Vec::new(),
            spare_runs: Vec::new(),
            marks: [0; MAX_ARRAY / 8],
        }
    }

    pub(crate) fn clear(&mut self) {
        self.shape = Shape::Array;
        self.array.clear();
    }

    pub(crate) fn as_container(&self) -> Container<'_> {
        match self.shape {
            Shape::Array => Container::Array(&self.array),
            Shape::Bitset => self.words.as_deref().map_or(Container::Array(&[]), |words| Container::Bitset(words)),
            Shape::Runs => Container::Runs(&self.runs),
        }
    }

    pub(crate) fn set(&mut self, container: Container<'_>) {
        match container {
            Container::Array(values) => {
                self.shape = Shape::Array;
                self.array.clear();
                self.array.extend_from_slice(values);
            }
            Container::Bitset(words) => {
                self.shape = Shape::Bitset;
                ***self.words.get_or_insert_with(WorkWords::zeros) = *words;
            }
            Container::Runs(runs) => {
                self.shape = Shape::Runs;
                self.runs.clear();
                self.runs.extend_from_slice(runs);
            }
        }
    }

    /// Becomes a bitset with the same members.
    pub(crate) fn make_bitset(&mut self) -> &mut Words {
        let words = self.words.get_or_insert_with(WorkWords::zeros);
        match self.shape {
            Shape::Bitset => {}
            Shape::Array => {
                words.fill([0; 8]);
                set_values(words, &self.array);
            }
            Shape::Runs => {
                words.fill([0; 8]);
                simd::change_runs::<OR>(words, &self.runs);
            }
        }
        self.shape = Shape::Bitset;
        words
    }

    /// Keeps the members that `other` has.
    pub(crate) fn and(&mut self, other: Container<'_>) {
        match (self.shape, other) {
            (Shape::Array, other) => self.filter::<true>(other),
            (Shape::Bitset, Container::Array(values)) => {
                let words = self.words.get_or_insert_with(WorkWords::zeros);
                keep::<true>(values, Container::Bitset(words), &mut self.marks, &mut self.array);
                self.shape = Shape::Array;
            }
            (Shape::Bitset, Container::Bitset(words)) => simd::fused_into::<AND>(self.make_bitset(), words),
            (Shape::Bitset, Container::Runs(runs)) => clear_outside(self.make_bitset(), runs),
            (Shape::Runs, Container::Array(values)) => {
                keep::<true>(values, Container::Runs(&self.runs), &mut self.marks, &mut self.array);
                self.shape = Shape::Array;
            }
            (Shape::Runs, Container::Bitset(words)) => self.bits_in_runs(words),
            (Shape::Runs, Container::Runs(runs)) => {
                and_runs(&self.runs, runs, &mut self.spare_runs);
                self.after_sweep();
            }
        }
    }

    /// Of an array, the values that the other has, or with `HAS` false those that it has not.
    fn filter<const HAS: bool>(&mut self, other: Container<'_>) {
        keep::<HAS>(&self.array, other, &mut self.marks, &mut self.spare_array);
        std::mem::swap(&mut self.array, &mut self.spare_array);
    }

    /// Becomes the values of `values` that both have.
    pub(crate) fn set_common(&mut self, values: &[Value], other: Container<'_>) {
        keep::<true>(values, other, &mut self.marks, &mut self.array);
        self.shape = Shape::Array;
    }

    /// Becomes the marked values (or with `MARKED` false the others).
    pub(crate) fn set_marked<const MARKED: bool>(&mut self, values: &[Value], marks: &Marks) {
        self.clear();
        simd::compress::<MARKED>(values, marks, &mut self.array);
    }

    /// Becomes these ascending values, at most 4,096.
    pub(crate) fn set_values(&mut self, values: impl Iterator<Item = u16>) {
        self.clear();
        self.array.extend(values.map(u16::to_le_bytes));
    }

    /// Becomes the k-ary result of bitsets.
    pub(crate) fn set_fused<const OP: u8>(&mut self, first: &Words, rest: &[&Words]) {
        simd::fused_store::<OP>(self.words.get_or_insert_with(WorkWords::zeros), first, rest);
        self.shape = Shape::Bitset;
    }

    /// Becomes a bitset without members.
    pub(crate) fn set_zeros(&mut self) {
        self.words.get_or_insert_with(WorkWords::zeros).fill([0; 8]);
        self.shape = Shape::Bitset;
    }

    /// Runs and a bitset: few members give an array, many the bitset cut to the runs.
    fn bits_in_runs(&mut self, words: &Words) {
        let covered: u32 = run_bounds(&self.runs).map(|(from, to)| to - from).sum();
        if covered as usize > MAX_ARRAY {
            let cut = self.words.get_or_insert_with(WorkWords::zeros);
            ***cut = *words;
            clear_outside(cut, &self.runs);
            self.shape = Shape::Bitset;
            return;
        }
        self.array.clear();
        for (from, to) in run_bounds(&self.runs) {
            let (first, first_mask, last, last_mask) = word_range(from, to);
            for (at, bytes) in words.iter().enumerate().take(last + 1).skip(first) {
                let ends = if at == first {
                    first_mask
                } else if at == last {
                    last_mask
                } else {
                    u64::MAX
                };
                let mut bits = word(*bytes) & ends;
                while bits != 0 {
                    self.array.push(((at as u32 * 64 + bits.trailing_zeros()) as u16).to_le_bytes());
                    bits &= bits - 1;
                }
            }
        }
        self.shape = Shape::Array;
    }

    /// Adds the members of `other`.
    pub(crate) fn or(&mut self, other: Container<'_>) {
        match (self.shape, other) {
            (Shape::Array, Container::Array(values)) if self.array.len() + values.len() <= MAX_ARRAY => {
                merge(&self.array, values, &mut self.spare_array, |_, _| true);
                std::mem::swap(&mut self.array, &mut self.spare_array);
            }
            (Shape::Runs, Container::Runs(runs)) => self.sweep(runs, |x, y| x || y),
            (Shape::Runs, Container::Array(values)) if values.len() + self.runs.len() <= MAX_RUNS => {
                self.sweep_values(values, |x, y| x || y);
            }
            (Shape::Array, Container::Runs(runs)) if runs.len() + self.array.len() <= MAX_RUNS => {
                self.array_to_runs();
                self.sweep(runs, |x, y| x || y);
            }
            (_, Container::Array(values)) => set_values(self.make_bitset(), values),
            (_, Container::Bitset(words)) if self.shape == Shape::Bitset => {
                simd::fused_into::<OR>(self.make_bitset(), words);
            }
            (_, Container::Bitset(words)) => {
                let all = self.words.get_or_insert_with(WorkWords::zeros);
                ***all = *words;
                match self.shape {
                    Shape::Array => set_values(all, &self.array),
                    _ => simd::change_runs::<OR>(all, &self.runs),
                }
                self.shape = Shape::Bitset;
            }
            (_, Container::Runs(runs)) => {
                let words = self.make_bitset();
                simd::change_runs::<OR>(words, runs);
            }
        }
    }

    /// Adds the members of `other` that are not there, takes out those that are.
    pub(crate) fn xor(&mut self, other: Container<'_>) {
        match (self.shape, other) {
            (Shape::Array, Container::Array(values)) if self.array.len() + values.len() <= MAX_ARRAY => {
                merge(&self.array, values, &mut self.spare_array, |x, y| x != y);
                std::mem::swap(&mut self.array, &mut self.spare_array);
            }
            (Shape::Runs, Container::Runs(runs)) => self.sweep(runs, |x, y| x != y),
            (Shape::Runs, Container::Array(values)) if values.len() + self.runs.len() <= MAX_RUNS => {
                self.sweep_values(values, |x, y| x != y);
            }
            (Shape::Array, Container::Runs(runs)) if runs.len() + self.array.len() <= MAX_RUNS => {
                self.array_to_runs();
                self.sweep(runs, |x, y| x != y);
            }
            (_, Container::Array(values)) => flip_values(self.make_bitset(), values),
            (_, Container::Bitset(words)) => simd::fused_into::<XOR>(self.make_bitset(), words),
            (_, Container::Runs(runs)) => {
                let words = self.make_bitset();
                simd::change_runs::<XOR>(words, runs);
            }
        }
    }

    /// Takes out the members of `other`.
    pub(crate) fn andnot(&mut self, other: Container<'_>) {
        match (self.shape, other) {
            (Shape::Array, other) => self.filter::<false>(other),
            (Shape::Runs, Container::Runs(runs)) => self.sweep(runs, |x, y| x && !y),
            (Shape::Runs, Container::Array(values)) if values.len() + self.runs.len() <= MAX_RUNS => {
                self.sweep_values(values, |x, y| x && !y);
            }
            (_, Container::Array(values)) => clear_values(self.make_bitset(), values),
            (_, Container::Bitset(words)) => simd::fused_into::<ANDNOT>(self.make_bitset(), words),
            (_, Container::Runs(runs)) => {
                let words = self.make_bitset();
                simd::change_runs::<ANDNOT>(words, runs);
            }
        }
    }

    fn array_to_runs(&mut self) {
        self.runs.clear();
        self.runs.extend(self.array.iter().map(|v| [v[0], v[1], 0, 0]));
        self.shape = Shape::Runs;
    }

    fn sweep(&mut self, other: &[Run], keep: impl Fn(bool, bool) -> bool) {
        self.spare_runs.clear();
        sweep(run_bounds(&self.runs), run_bounds(other), keep, &mut self.spare_runs);
        self.after_sweep();
    }

    fn sweep_values(&mut self, values: &[Value], keep: impl Fn(bool, bool) -> bool) {
        self.spare_runs.clear();
        let mut least = 0;
        let points = values.iter().filter_map(|v| {
            let at = u32::from(value(*v));
            (at >= least).then(|| {
                least = at + 1;
                (at, at + 1)
            })
        });
        sweep(run_bounds(&self.runs), points, keep, &mut self.spare_runs);
        self.after_sweep();
    }

    fn after_sweep(&mut self) {
        std::mem::swap(&mut self.runs, &mut self.spare_runs);
        self.shape = Shape::Runs;
        if self.runs.len() > MAX_RUNS {
            self.make_bitset();
        }
    }

    /// Takes the members that occur in at least `least` of `planes`, counters by bit from the lowest plane.
    pub(crate) fn set_at_least(&mut self, planes: &[Box<WorkWords>], least: u32) {
        let words = self.words.get_or_insert_with(WorkWords::zeros);
        words.fill([0; 8]);
        self.shape = Shape::Bitset;
        for (bit, plane) in planes.iter().enumerate() {
            if (least - 1) >> bit & 1 == 1 {
                simd::fused_into::<AND>(words, plane);
            } else {
                simd::fused_into::<OR>(words, plane);
            }
        }
    }
}

/// Of two ascending disjoint lists of [from, to), the parts where `keep` of (in the left, in the right) holds.
fn sweep(
    mut left: impl Iterator<Item = (u32, u32)>,
    mut right: impl Iterator<Item = (u32, u32)>,
    keep: impl Fn(bool, bool) -> bool,
    out: &mut Vec<Run>,
) {
    const END: (u32, u32) = (u32::MAX, u32::MAX);
    let (mut x, mut y) = (left.next().unwrap_or(END), right.next().unwrap_or(END));
    let (mut in_x, mut in_y, mut open) = (false, false, None);
    loop {
        let (x_next, y_next) = (if in_x { x.1 } else { x.0 }, if in_y { y.1 } else { y.0 });
        let at = x_next.min(y_next);
        if at == u32::MAX {
            return;
        }
        if x_next == at {
            in_x = !in_x;
            if !in_x {
                x = left.next().unwrap_or(END);
                in_x = x.0 == at;
            }
        }
        if y_next == at {
            in_y = !in_y;
            if !in_y {
                y = right.next().unwrap_or(END);
                in_y = y.0 == at;
            }
        }
        match (keep(in_x, in_y), open) {
            (true, None) => open = Some(at),
            (false, Some(from)) => {
                out.push(run(from, at));
                open = None;
            }
            _ => {}
        }
    }
}

/// Of two ascending arrays, the values for which `keep` of (in the left, in the right) holds.
fn merge(left: &[Value], right: &[Value], out: &mut Vec<Value>, keep: impl Fn(bool, bool) -> bool) {
    out.clear();
    out.reserve(left.len() + right.len());
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        let (x, y) = (value(left[i]), value(right[j]));
        if keep(x <= y, y <= x) {
            out.push(x.min(y).to_le_bytes());
        }
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    if keep(true, false) {
        out.extend_from_slice(&left[i..]);
    }
    if keep(false, true) {
        out.extend_from_slice(&right[j..]);
    }
}

/// `out` becomes the values of an array that the other has, or with `HAS` false those that it has not.
fn keep<const HAS: bool>(values: &[Value], other: Container<'_>, marks: &mut Marks, out: &mut Vec<Value>) {
    clear_marks(marks, values.len());
    mark(values, other, marks);
    out.clear();
    simd::compress::<HAS>(values, marks, out);
}

fn clear_range(words: &mut Words, from: u32, to: u32) {
    simd::change_runs::<ANDNOT>(words, &[run(from, to)]);
}

pub(crate) fn clear_outside(words: &mut Words, runs: &[Run]) {
    let mut done = 0;
    for (from, to) in run_bounds(runs) {
        if from > done {
            clear_range(words, done, from);
        }
        done = to;
    }
    if done < SPAN {
        clear_range(words, done, SPAN);
    }
}
