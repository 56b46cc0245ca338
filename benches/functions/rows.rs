//! The tables of both sides, the same in every run.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, UInt32Array};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;

use super::samples::{Shape, set};

pub const GROUPS: [u64; 3] = [1, 100, 100_000];
/// Table and share of 1 M numbers that are members.
pub const DENSITIES: [(&str, f64); 3] = [("dense", 0.2), ("medium", 0.01), ("sparse", 0.0005)];
/// What stands before the portable bytes in a bitmap of datafusion-roaring 0.1.
pub const THEIR_HEADER: &[u8] = b"DFRB\x01\x01";

const IDS: u64 = 1_000_000;
const SETS: u64 = 200;
const UNIVERSE: u32 = 1_000_000;
/// Rows of a batch, as DataFusion's own sources make them.
const BATCH: usize = 8192;

/// A session with both families of functions and all tables.
pub fn session() -> SessionContext {
    let mut session = SessionContext::new();
    convoke_udfs::register_all(&mut session).expect("register");
    for function in datafusion_roaring::all_udfs() {
        session.register_udf(function);
    }
    for function in datafusion_roaring::all_udafs() {
        session.register_udaf(function);
    }
    register(&session, "ids", ids(), BATCH);
    for (name, density) in DENSITIES {
        // Few rows a batch, so that both cores have work.
        register(&session, name, sets(density), 25);
    }
    session
}

fn register(session: &SessionContext, name: &str, rows: RecordBatch, batch: usize) {
    let starts = (0..rows.num_rows()).step_by(batch);
    let batches: Vec<RecordBatch> = starts.map(|at| rows.slice(at, batch.min(rows.num_rows() - at))).collect();
    let half = batches.len().div_ceil(2);
    let partitions = batches.chunks(half).map(<[RecordBatch]>::to_vec).collect();
    let table = MemTable::try_new(rows.schema(), partitions).expect("one schema");
    session.register_table(name, Arc::new(table)).expect("register");
}

/// A number spread over 64 bits: SplitMix64.
fn spread(number: u64) -> u64 {
    let bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Persons below 4 M in no order, each in one group of each number of groups.
fn ids() -> RecordBatch {
    let person = |row: u64| spread(row) % 4_000_000;
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("person".to_owned(), Arc::new(Int64Array::from_iter_values((0..IDS).map(|row| person(row) as i64)))),
        ("person32".to_owned(), Arc::new(UInt32Array::from_iter_values((0..IDS).map(|row| person(row) as u32)))),
    ];
    for groups in GROUPS {
        let group = (0..IDS).map(|row| (spread(row + IDS) % groups) as i64);
        columns.push((format!("g{groups}"), Arc::new(Int64Array::from_iter_values(group))));
    }
    RecordBatch::try_from_iter(columns).expect("equal lengths")
}

/// Two columns of sets a side, with a group and a number to look for.
fn sets(density: f64) -> RecordBatch {
    let made = |from: u64| (from..from + SETS).map(|seed| set(UNIVERSE, density, Shape::Random, seed)).collect();
    let (a, b): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (made(0), made(SETS));
    let theirs = |sets: &[Vec<u8>]| {
        BinaryArray::from_iter_values(sets.iter().map(|set| [THEIR_HEADER, set.as_slice()].concat()))
    };
    let numbers = || (0..SETS).map(|row| spread(row) % u64::from(UNIVERSE));
    let columns: [(&str, ArrayRef); 7] = [
        ("ours_a", Arc::new(BinaryArray::from_iter_values(&a))),
        ("ours_b", Arc::new(BinaryArray::from_iter_values(&b))),
        ("theirs_a", Arc::new(theirs(&a))),
        ("theirs_b", Arc::new(theirs(&b))),
        ("g", Arc::new(Int64Array::from_iter_values((0..SETS).map(|row| (row % 20) as i64)))),
        ("k", Arc::new(Int64Array::from_iter_values(numbers().map(|number| number as i64)))),
        ("k32", Arc::new(UInt32Array::from_iter_values(numbers().map(|number| number as u32)))),
    ];
    RecordBatch::try_from_iter(columns).expect("equal lengths")
}
