//! Sets in all shapes and densities, as sorted ids and as bytes written by CRoaring: an independent writer.

use croaring::{Bitmap, Portable};
use proptest::prelude::*;

/// Ids as CRoaring writes them, run-optimised or not.
pub fn croaring_bytes(ids: &[u32], runs: bool) -> Vec<u8> {
    let mut bitmap = Bitmap::of(ids);
    if runs {
        bitmap.run_optimize();
    } else {
        bitmap.remove_run_compression();
    }
    bitmap.serialize::<Portable>()
}

/// The members of bytes, as CRoaring reads them.
pub fn croaring_ids(bytes: &[u8]) -> Vec<u32> {
    Bitmap::try_deserialize::<Portable>(bytes).expect("CRoaring reads our bytes").to_vec()
}

/// One container's low halves: sparse, around the border of arrays and bitsets, dense, runs, full, a mix.
fn lows() -> impl Strategy<Value = Vec<u32>> {
    let edges = prop_oneof![Just(4095_usize), Just(4096), Just(4097)];
    prop_oneof![
        4 => proptest::collection::vec(0..65536_u32, 0..40),
        2 => proptest::collection::vec(0..65536_u32, 0..3000),
        2 => (edges, 1..15_u32, 0..4000_u32).prop_map(|(n, step, first)| {
            (0..n as u32).map(|i| first + i * step).filter(|id| *id < 65536).collect()
        }),
        1 => (any::<u64>(), 1..15_u64).prop_map(|(seed, share)| {
            (0..65536_u32).filter(|id| hash(*id, seed) % 16 < share).collect()
        }),
        4 => proptest::collection::vec((0..65536_u32, 1..3000_u32), 1..30).prop_map(|runs| {
            runs.into_iter().flat_map(|(from, n)| from..(from + n).min(65536)).collect()
        }),
        1 => Just((0..65536).collect()),
        1 => (0..65536_u32, 0..65536_u32).prop_map(|(a, b)| (a.min(b)..a.max(b)).collect()),
    ]
}

fn hash(id: u32, seed: u64) -> u64 {
    let bits = (u64::from(id) ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32
}

/// Sorted ids over a few keys, some of them far apart and the highest one among them.
pub fn ids() -> impl Strategy<Value = Vec<u32>> {
    let key = prop_oneof![6 => 0..4_u32, 1 => Just(40_u32), 1 => Just(65535_u32)];
    proptest::collection::vec((key, lows()), 0..4).prop_map(|parts| {
        let mut ids: Vec<u32> =
            parts.into_iter().flat_map(|(key, lows)| lows.into_iter().map(move |low| key << 16 | low)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    })
}

/// The same with bytes.
pub fn stored() -> impl Strategy<Value = (Vec<u32>, Vec<u8>)> {
    (ids(), any::<bool>()).prop_map(|(ids, runs)| {
        let bytes = croaring_bytes(&ids, runs);
        (ids, bytes)
    })
}
