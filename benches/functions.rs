//! SQL functions over bitmaps against `datafusion-roaring`, in one DataFusion session.
//!
//! `cargo bench -p convoke-udfs --bench functions [-- filter]`, about two minutes. Both sides answer first, and a
//! difference ends the run; then they run in turns. What is printed is the median of the ratios: below 1 means that ours
//! is faster. Times are those of whole queries, planning included.

#![allow(clippy::expect_used, clippy::print_stdout)]

#[path = "functions/rows.rs"]
mod rows;
#[allow(dead_code)]
#[path = "kernel/samples.rs"]
mod samples;

use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type, UInt64Type};
use datafusion::prelude::SessionContext;
use roaring::RoaringBitmap;
use tokio::runtime::Runtime;

/// Turns of a cell: at least the first, then as many as fit the time, at most the second.
const TURNS: (usize, usize) = (5, 21);
const CELL: Duration = Duration::from_secs(6);

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).unwrap_or_default();
    let runtime = Runtime::new().expect("threads");
    let session = rows::session();
    println!("| cell | ours, ms | datafusion-roaring, ms | ours / theirs |\n|---|---|---|---|");
    for (label, ours, theirs) in cells() {
        if !label.contains(&filter) {
            continue;
        }
        let run = |sql: &str| runtime.block_on(collect(&session, sql));
        assert_eq!(answers(&run(&ours)), answers(&run(&theirs)), "{label}");
        let (mut pairs, start) = (Vec::new(), Instant::now());
        while pairs.len() < TURNS.0 || (pairs.len() < TURNS.1 && start.elapsed() < CELL) {
            pairs.push((seconds(|| run(&ours)), seconds(|| run(&theirs))));
        }
        let mine = median(pairs.iter().map(|pair| pair.0).collect());
        let other = median(pairs.iter().map(|pair| pair.1).collect());
        let ratio = median(pairs.iter().map(|pair| pair.0 / pair.1).collect());
        println!("| {label} | {:.2} | {:.2} | {ratio:.2} |", mine * 1e3, other * 1e3);
    }
}

/// Label, our query, theirs.
fn cells() -> Vec<(String, String, String)> {
    let mut cells = Vec::new();
    let mut add = |label: String, ours: String, theirs: String| cells.push((label, ours, theirs));
    for groups in rows::GROUPS {
        let query = |function: &str, column: &str| {
            format!("SELECT g{groups}, {function}({column}) AS b FROM ids GROUP BY g{groups} ORDER BY g{groups}")
        };
        add(format!("1 M ids in {groups} groups"), query("bitmap_agg", "person"), query("roaring_agg", "person32"));
    }
    for (name, _) in rows::DENSITIES {
        let union = |function: &str, side: &str| format!("SELECT {function}({side}_a) FROM {name}");
        add(format!("union of 200 sets, {name}"), union("bitmap_union", "ours"), union("roaring_or_agg", "theirs"));
        let grouped =
            |function: &str, side: &str| format!("SELECT g, {function}({side}_a) FROM {name} GROUP BY g ORDER BY g");
        add(
            format!("union of 200 sets in 20 groups, {name}"),
            grouped("bitmap_union", "ours"),
            grouped("roaring_or_agg", "theirs"),
        );
        let counts = [
            ("bitmap_count({}_a)", "roaring_cardinality({}_a)"),
            ("bitmap_and_count({}_a, {}_b)", "roaring_and_cardinality({}_a, {}_b)"),
            ("bitmap_or_count({}_a, {}_b)", "roaring_or_cardinality({}_a, {}_b)"),
            ("bitmap_count(bitmap_and({}_a, {}_b))", "roaring_cardinality(roaring_and({}_a, {}_b))"),
            ("bitmap_count(bitmap_or({}_a, {}_b))", "roaring_cardinality(roaring_or({}_a, {}_b))"),
        ];
        for (ours, theirs) in counts {
            let sum = |call: &str, side: &str| format!("SELECT sum({}) FROM {name}", call.replace("{}", side));
            let label = ours.replace("{}_", "");
            add(format!("{label} of 200 rows, {name}"), sum(ours, "ours"), sum(theirs, "theirs"));
        }
        let contained = |function: &str, side: &str, number: &str| {
            format!("SELECT count(*) FROM {name} WHERE {function}({side}_a, {number})")
        };
        add(
            format!("bitmap_contains of 200 rows, {name}"),
            contained("bitmap_contains", "ours", "k"),
            contained("roaring_contains", "theirs", "k32"),
        );
    }
    cells
}

async fn collect(session: &SessionContext, sql: &str) -> Vec<RecordBatch> {
    session.sql(sql).await.expect(sql).collect().await.expect(sql)
}

/// What a result says, whatever the header of its bitmaps and the sign of its integers.
fn answers(batches: &[RecordBatch]) -> Vec<Vec<u32>> {
    let mut answers = Vec::new();
    for batch in batches {
        for column in batch.columns() {
            answers.extend((0..batch.num_rows()).map(|row| answer(column.as_ref(), row)));
        }
    }
    answers
}

fn answer(column: &dyn Array, row: usize) -> Vec<u32> {
    let halves = |number: u64| vec![(number >> 32) as u32, number as u32];
    match column.data_type() {
        DataType::Int64 => halves(column.as_primitive::<Int64Type>().value(row) as u64),
        DataType::UInt64 => halves(column.as_primitive::<UInt64Type>().value(row)),
        DataType::Binary => {
            let bytes = column.as_binary::<i32>().value(row);
            let bytes = bytes.strip_prefix(rows::THEIR_HEADER).unwrap_or(bytes);
            RoaringBitmap::deserialize_from(bytes).expect("a bitmap").iter().collect()
        }
        other => panic!("no answer of type {other} is expected"),
    }
}

fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    std::hint::black_box(work());
    start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
