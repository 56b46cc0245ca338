//! Set algebra over stored bytes against roaring and CRoaring, on a fixed list of cells (benches/README.md).
//!
//! `cargo bench -p convoke-udfs --bench kernel [-- --quick] [-- filter]`. Every cell is checked first: all rivals must
//! give the same answer. Then ours and CRoaring's view run in turns, 21 times each; what is printed is the median of the
//! 21 ratios. The other rivals run fewer times, in the same rounds. Below 1 means that ours is faster.

#![allow(clippy::expect_used, clippy::print_stdout)]

#[path = "kernel/rivals.rs"]
mod rivals;
#[path = "kernel/samples.rs"]
mod samples;
#[path = "kernel/timing.rs"]
mod timing;

use std::hint::black_box;

use convoke_udfs::kernel::{BitmapRef, Expr, overlap_matrix};
use croaring::Bitmap;
use rivals::{Operator, ours, roaring_from_bytes, roaring_in_memory, view, view_fold};
use samples::{SHAPES, Shape, set};
use timing::{Table, compare, micros};

const UNIVERSES: [u32; 3] = [1_000_000, 10_000_000, 100_000_000];
const DENSITIES: [f64; 5] = [0.5, 0.1, 0.01, 0.001, 0.0001];
const WAYS: [usize; 4] = [2, 4, 8, 16];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let filter = arguments.into_iter().find(|argument| !argument.starts_with("--")).unwrap_or_default();
    let mut table = Table::new(quick, filter);
    for universe in if quick { &UNIVERSES[1..2] } else { &UNIVERSES[..] } {
        for density in DENSITIES {
            for shape in SHAPES {
                k_way(&mut table, *universe, density, shape);
            }
        }
    }
    trees(&mut table, if quick { &UNIVERSES[1..2] } else { &UNIVERSES[..] });
    overlap(&mut table, if quick { 1_000_000 } else { 10_000_000 });
    wide_or(&mut table, 4_000_000);
    if !quick {
        threads_and_bandwidth(&mut table);
    }
    table.summary();
}

/// Counts of k sets of one density and shape.
fn k_way(table: &mut Table, universe: u32, density: f64, shape: Shape) {
    let name = format!("{} M, {} %, {shape:?}", universe / 1_000_000, density * 100.0);
    if !table.wants(&name) {
        return;
    }
    let most = *WAYS.last().unwrap_or(&2);
    let sets: Vec<Vec<u8>> = (0..most).map(|seed| set(universe, density, shape, seed as u64)).collect();
    for ways in WAYS {
        for operator in [Operator::And, Operator::Or, Operator::AndNot] {
            let bytes: Vec<&[u8]> = sets[..ways].iter().map(Vec::as_slice).collect();
            let label = format!("{name}, {operator:?} of {ways}");
            if table.wants(&label) {
                compare_counts(table, label, operator, &bytes);
            }
        }
    }
}

fn compare_counts(table: &mut Table, label: String, operator: Operator, bytes: &[&[u8]]) {
    let expected = ours(operator, bytes);
    assert_eq!(expected, view(operator, bytes), "{label}");
    let mut line = compare(label, || ours(operator, bytes), || view(operator, bytes));
    if table.all_rivals() {
        assert_eq!(expected, roaring_from_bytes(operator, bytes), "{}", line.label);
        line.rival("roaring, bytes", micros(3, || roaring_from_bytes(operator, bytes)));
        let memory = rivals::deserialized(bytes);
        line.rival("roaring, memory", micros(5, || roaring_in_memory(operator, &memory)));
        let memory = rivals::copied(bytes);
        line.rival("CRoaring, memory", micros(5, || view_fold(operator, &memory.iter().collect::<Vec<_>>())));
    }
    table.add(line);
}

/// ((a & b & (c | d)) - (e | f)) | ((g & h) ^ i) & (j | k) - l over twelve sets of all shapes and densities.
fn trees(table: &mut Table, universes: &[u32]) {
    for universe in universes {
        let label = format!("{} M, tree of 12", universe / 1_000_000);
        if !table.wants(&label) {
            continue;
        }
        let densities = [0.5, 0.5, 0.1, 0.01, 0.1, 0.001, 0.5, 0.1, 0.01, 0.5, 0.0001, 0.01];
        let sets: Vec<Vec<u8>> =
            (0..12).map(|at| set(*universe, densities[at], SHAPES[at % SHAPES.len()], at as u64)).collect();
        let bytes: Vec<&[u8]> = sets.iter().map(Vec::as_slice).collect();
        assert_eq!(our_tree(&bytes), view_tree(&bytes), "{label}");
        table.add(compare(label, || our_tree(&bytes), || view_tree(&bytes)));
    }
}

fn our_tree(bytes: &[&[u8]]) -> u64 {
    let s = |at: usize| Expr::Set(BitmapRef::new(bytes[at]).expect("written above"));
    let left = Expr::AndNot(vec![Expr::And(vec![s(0), s(1), Expr::Or(vec![s(2), s(3)])]), Expr::Or(vec![s(4), s(5)])]);
    let right = Expr::And(vec![Expr::Xor(vec![Expr::And(vec![s(6), s(7)]), s(8)]), Expr::Or(vec![s(9), s(10)])]);
    Expr::Or(vec![left, Expr::AndNot(vec![right, s(11)])]).plan().expect("not deep").count()
}

fn view_tree(bytes: &[&[u8]]) -> u64 {
    let views = rivals::views(bytes);
    let s = |at: usize| -> &Bitmap { &views[at] };
    let mut left = s(0).and(s(1));
    left.and_inplace(&s(2).or(s(3)));
    left.andnot_inplace(&s(4).or(s(5)));
    let mut right = s(6).and(s(7));
    right.xor_inplace(s(8));
    right.and_inplace(&s(9).or(s(10)));
    right.andnot_inplace(s(11));
    left.or_cardinality(&right)
}

/// How many members each pair of 50 sets shares.
fn overlap(table: &mut Table, universe: u32) {
    let label = format!("{} M, overlap of 50 x 50", universe / 1_000_000);
    if !table.wants(&label) {
        return;
    }
    let sets: Vec<Vec<u8>> = (0..50).map(|at| set(universe, DENSITIES[at % 5], SHAPES[at % 4], at as u64)).collect();
    let bytes: Vec<&[u8]> = sets.iter().map(Vec::as_slice).collect();
    let ours = || {
        let views: Vec<BitmapRef> = bytes.iter().map(|one| BitmapRef::new(one).expect("written above")).collect();
        overlap_matrix(&views)
    };
    let theirs = || {
        let views = rivals::views(&bytes);
        let row = |i: usize| (0..50).map(|j| if j < i { 0 } else { views[i].and_cardinality(&views[j]) }).collect();
        (0..50).map(row).collect::<Vec<Vec<u64>>>()
    };
    let (mine, other) = (ours(), theirs());
    (0..50).for_each(|i| (i..50).for_each(|j| assert_eq!(mine[i * 50 + j], other[i][j], "{i} {j}")));
    table.add(compare(label, ours, theirs));
}

/// A union of 200 sets of 0.01 % to 1 %.
fn wide_or(table: &mut Table, universe: u32) {
    for (name, densities) in [("small", [0.001, 0.0001, 0.0005]), ("mixed", [0.01, 0.001, 0.0001])] {
        let label = format!("{} M, Or of 200 {name} sets", universe / 1_000_000);
        if !table.wants(&label) {
            continue;
        }
        let sets: Vec<Vec<u8>> =
            (0..200).map(|at| set(universe, densities[at % 3], SHAPES[at % 4], at as u64)).collect();
        let bytes: Vec<&[u8]> = sets.iter().map(Vec::as_slice).collect();
        compare_counts(table, label, Operator::Or, &bytes);
    }
}

/// Against a plain sum of the same bytes, with one thread and with two; and two threads on sets that fit the cache.
fn threads_and_bandwidth(table: &mut Table) {
    for (name, universe) in [("100 M", 100_000_000), ("30 M", 30_000_000), ("10 M", 10_000_000), ("1 M", 1_000_000)] {
        let label = format!("{name}, 50 %, And of 8");
        if !table.wants(&format!("{label}: byte sum")) {
            continue;
        }
        let sets: Vec<Vec<u8>> = (0..8).map(|seed| set(universe, 0.5, Shape::Random, seed)).collect();
        let bytes: Vec<&[u8]> = sets.iter().map(Vec::as_slice).collect();
        let count = |workers| rivals::ours_with(Operator::And, &bytes, workers);
        table.add(compare(format!("{label}: byte sum"), || count(1), || byte_sum(&bytes, 1)));
        table.add(compare(
            format!("{label}: two threads against a byte sum by two"),
            || count(2),
            || byte_sum(&bytes, 2),
        ));
        table.add(compare(format!("{label}: two threads against one"), || count(2), || count(1)));
    }
}

fn byte_sum(bytes: &[&[u8]], workers: usize) -> u64 {
    let sum = |part: &[u8]| {
        part.as_chunks::<8>().0.iter().fold(0_u64, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word)))
    };
    if workers == 1 {
        return black_box(bytes).iter().fold(0, |total: u64, one| total.wrapping_add(sum(one)));
    }
    std::thread::scope(|scope| {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let other =
            scope.spawn(move || black_box(second).iter().fold(0, |total: u64, one| total.wrapping_add(sum(one))));
        let here = black_box(first).iter().fold(0, |total: u64, one| total.wrapping_add(sum(one)));
        here.wrapping_add(other.join().expect("a sum does not panic"))
    })
}
