//! Every level that this processor has against the plain loops.

use std::cell::Cell;

use proptest::prelude::*;

use super::super::container::WorkWords;
use super::super::loops;
use super::*;

thread_local! {
    /// The highest level that this test's thread may use.
    pub(super) static ALLOWED: Cell<Level> = const { Cell::new(TOP) };
}

#[cfg(target_arch = "x86_64")]
const TOP: Level = Level::Avx512;
#[cfg(not(target_arch = "x86_64"))]
const TOP: Level = Level::Scalar;

#[cfg(target_arch = "x86_64")]
const LEVELS: [Level; 3] = [Level::Scalar, Level::Avx2, Level::Avx512];
#[cfg(not(target_arch = "x86_64"))]
const LEVELS: [Level; 1] = [Level::Scalar];

fn at_each_level(mut test: impl FnMut(Level)) {
    for level in LEVELS {
        ALLOWED.set(level);
        test(level);
    }
    ALLOWED.set(TOP);
}

/// Ascending values of any number from 0 to 4,096, from sparse to dense, with and without 0 and 65,535.
fn arrays() -> impl Strategy<Value = Vec<Value>> {
    let members = prop_oneof![
        proptest::collection::btree_set(any::<u16>(), 0..40),
        proptest::collection::btree_set(0..300_u16, 0..200),
        proptest::collection::btree_set(any::<u16>(), 0..2000),
        (0..4097_u16, 1..16_u16, 0..100_u16)
            .prop_map(|(n, step, first)| { (0..n).filter_map(|i| i.checked_mul(step)?.checked_add(first)).collect() }),
    ];
    members.prop_map(|members| members.into_iter().map(u16::to_le_bytes).collect())
}

fn bitsets() -> impl Strategy<Value = Box<WorkWords>> {
    (arrays(), any::<u64>()).prop_map(|(values, noise)| {
        let mut words = WorkWords::zeros();
        loops::set_values_plain(&mut words, &values);
        if noise & 1 == 1 {
            words.iter_mut().enumerate().for_each(|(at, word)| *word = noise.rotate_left(at as u32).to_le_bytes());
        }
        words
    })
}

fn runs() -> impl Strategy<Value = Vec<Run>> {
    proptest::collection::vec((any::<u16>(), prop_oneof![0..80_u16, any::<u16>()]), 0..60).prop_map(|mut runs| {
        runs.sort_unstable();
        runs.iter().map(|(from, more)| [from.to_le_bytes(), more.to_le_bytes()].concat().try_into().unwrap()).collect()
    })
}

/// The values that both have, by looking each one up.
fn common(left: &[Value], right: &[Value]) -> Vec<Value> {
    left.iter().filter(|v| right.binary_search_by_key(&value(**v), |v| value(*v)).is_ok()).copied().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arrays_meet_alike(left in arrays(), right in arrays(), before in any::<u8>()) {
        let want = common(&left, &right);
        at_each_level(|level| {
            assert_eq!(intersect_count(&left, &right), want.len() as u32, "{level:?}");
            let mut marks = [0; MAX_ARRAY / 8];
            mark_array(&left, &right, &mut marks);
            let (mut found, mut others) = (vec![[9, 9]], Vec::new());
            compress::<true>(&left, &marks, &mut found);
            compress::<false>(&left, &marks, &mut others);
            assert_eq!(found[1..], want, "{level:?}");
            assert_eq!(others.len(), left.len() - want.len());
            let mut plain = Vec::new();
            loops::compress_plain::<false>(&left, &marks, &mut plain);
            assert_eq!(others, plain, "{level:?}");
            // Marks that were there stay.
            let mut more = [before; MAX_ARRAY / 8];
            mark_array(&left, &right, &mut more);
            assert!(more.iter().zip(marks).all(|(more, marks)| *more == before | marks), "{level:?}");
        });
    }

    #[test]
    fn arrays_and_bitsets_meet_alike(left in arrays(), words in bitsets()) {
        let mut want = [0; MAX_ARRAY / 8];
        loops::mark_bitset_plain(&left, &words, &mut want);
        at_each_level(|level| {
            let mut marks = [0; MAX_ARRAY / 8];
            mark_bitset(&left, &words, &mut marks);
            assert_eq!(marks, want, "{level:?}");
            assert_eq!(count_in_bitset(&left, &words), marks.iter().map(|byte| byte.count_ones()).sum::<u32>());
            for (change, plain) in [
                (set_values as fn(&mut Words, &[Value]), loops::set_values_plain as fn(&mut Words, &[Value])),
                (clear_values, loops::clear_values_plain),
                (flip_values, loops::flip_values_plain),
            ] {
                let (mut one, mut other) = (words.clone(), words.clone());
                change(&mut one, &left);
                plain(&mut other, &left);
                assert_eq!(one, other, "{level:?}");
            }
        });
    }

    #[test]
    fn bitsets_meet_alike(sets in proptest::collection::vec(bitsets(), 1..7)) {
        fused::<AND>(&sets);
        fused::<OR>(&sets);
        fused::<XOR>(&sets);
        fused::<ANDNOT>(&sets);
        at_each_level(|level| {
            assert_eq!(count(&sets[0][3..]), loops::count_plain(&sets[0][3..]), "{level:?}");
            assert_eq!(run_count(&sets[0]), loops::run_count_plain(&sets[0]), "{level:?}");
            let planes = || (0..3).map(|_| WorkWords::zeros()).collect::<Vec<_>>();
            let (mut one, mut other) = (planes(), planes());
            sets.iter().for_each(|words| add_to_planes(&mut one, words));
            sets.iter().for_each(|words| loops::add_to_planes_plain(&mut other, words));
            assert_eq!(one, other, "{level:?}");
        });
    }

    #[test]
    fn runs_change_and_count_alike(words in bitsets(), second in bitsets(), runs in runs()) {
        let sets: [&Words; 2] = [&words, &second];
        at_each_level(|level| {
            for k in 1..=2 {
                let want = loops::and_count_in_runs_plain(&sets[..k], &runs);
                assert_eq!(and_count_in_runs(&sets[..k], &runs), want, "{level:?}");
            }
            changed::<OR>(&words, &runs, level);
            changed::<XOR>(&words, &runs, level);
            changed::<ANDNOT>(&words, &runs, level);
        });
    }

    /// Malformed arrays: unsorted, with repeated values. Wrong answers are allowed, wrong places are not.
    #[test]
    fn unsorted_arrays_do_no_harm(
        left in proptest::collection::vec(any::<u16>(), 0..4097),
        right in proptest::collection::vec(0..50_u16, 0..4097),
    ) {
        let bytes = |values: &[u16]| values.iter().map(|v| v.to_le_bytes()).collect::<Vec<Value>>();
        let (left, right) = (bytes(&left), bytes(&right));
        at_each_level(|_| {
            let mut marks = [0; MAX_ARRAY / 8];
            let _ = intersect_count(&left, &right) + intersect_count(&right, &left);
            mark_array(&left, &right, &mut marks);
            let mut out = Vec::new();
            compress::<true>(&left, &marks, &mut out);
            assert!(out.len() <= left.len());
        });
    }
}

fn fused<const OP: u8>(sets: &[Box<WorkWords>]) {
    let rest: Vec<&Words> = sets[1..].iter().map(|words| &***words).collect();
    let mut want = WorkWords::zeros();
    loops::fused_store_plain::<OP>(&mut want, &sets[0], &rest);
    at_each_level(|level| {
        assert_eq!(fused_count::<OP>(&sets[0], &rest), loops::count_plain(&want[..]), "{level:?}");
        let mut stored = WorkWords::zeros();
        fused_store::<OP>(&mut stored, &sets[0], &rest);
        assert_eq!(stored, want, "{level:?}");
        let mut folded = sets[0].clone();
        rest.iter().for_each(|other| fused_into::<OP>(&mut folded, other));
        assert_eq!(folded, want, "{level:?}");
    });
    assert_eq!(loops::fused_count_plain::<OP>(&sets[0], &rest), loops::count_plain(&want[..]));
}

fn changed<const OP: u8>(words: &Words, runs: &[Run], level: Level) {
    let (mut one, mut other) = (Box::new(*words), Box::new(*words));
    change_runs::<OP>(&mut one, runs);
    loops::change_runs_plain::<OP>(&mut other, runs);
    assert_eq!(one, other, "{level:?}");
}
