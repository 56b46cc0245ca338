//! The fuzz targets of `udfs/fuzz` on sound bytes changed at random, on every run.

use convoke_udfs::kernel::{map64_from_ids, numeric_from_pairs};
use proptest::prelude::*;

use crate::kernel_shapes::stored;

#[path = "../../fuzz/targets.rs"]
mod targets;

/// Every file of a target's corpus, which has what crashed other systems: the names of the files say what it is.
fn run_corpus(target: &str, run: fn(&[u8])) -> usize {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/").to_owned() + target;
    let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    files.inspect(|path| run(&std::fs::read(path).unwrap())).count()
}

#[test]
fn what_crashed_others_does_no_harm() {
    assert!(run_corpus("view", targets::view) >= 22);
    assert!(run_corpus("evaluate", targets::evaluate) >= 8);
}

/// What is done to bytes: one of them changed, some cut out, some doubled.
fn changes() -> impl Strategy<Value = Vec<(u8, usize, u8)>> {
    // Headers lie in front: most changes go there.
    let place = prop_oneof![3 => 0..64_usize, 1 => any::<usize>()];
    proptest::collection::vec((0..4_u8, place, any::<u8>()), 0..5)
}

fn change(bytes: &mut Vec<u8>, changes: &[(u8, usize, u8)]) {
    for (kind, place, value) in changes {
        if bytes.is_empty() {
            return;
        }
        let at = place % bytes.len();
        match kind {
            0 | 1 => bytes[at] = *value,
            2 => bytes.truncate(at),
            _ => {
                let copy = bytes[at..(at + usize::from(*value)).min(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_bytes_do_no_harm(
        sets in proptest::collection::vec((stored(), changes()), 1..5),
        choice in any::<u8>(),
    ) {
        let mut together = vec![choice];
        for ((_, mut bytes), changes) in sets {
            change(&mut bytes, &changes);
            targets::view(&bytes);
            together.extend(bytes);
        }
        targets::evaluate(&together);
    }

    #[test]
    fn changed_numbers_do_no_harm(
        pairs in proptest::collection::vec((0..200_000_u32, any::<i32>().prop_map(i64::from)), 0..200),
        changes in changes(),
    ) {
        let mut bytes = numeric_from_pairs(pairs.clone()).unwrap();
        change(&mut bytes, &changes);
        targets::numeric(&bytes);
        let mut map = map64_from_ids(pairs.iter().map(|(id, value)| u64::from(*id) << 20 ^ *value as u64).collect()).unwrap();
        change(&mut map, &changes);
        targets::view(&map);
    }

    #[test]
    fn any_bytes_do_no_harm(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), with_runs in any::<bool>()) {
        targets::evaluate(&bytes);
        // A header that is right so far lets the rest be read.
        bytes.splice(0..0, if with_runs { [0x3b, 0x30, 1, 0] } else { [0x3a, 0x30, 0, 0] });
        targets::view(&bytes);
        bytes.insert(0, with_runs.into());
        targets::evaluate(&bytes);
    }
}
