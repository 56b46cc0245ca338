//! Runs against runs, number by number.

use proptest::prelude::*;

use super::super::container::run;
use super::*;

/// Disjoint runs: even ones, clusters of short ones, few and many, up to the end of the container.
fn runs() -> impl Strategy<Value = Vec<Run>> {
    let gaps = prop_oneof![
        proptest::collection::vec((1..400_u32, 1..400_u32), 0..200),
        proptest::collection::vec((1..4_u32, 1..9_u32), 0..900),
        proptest::collection::vec((prop_oneof![9 => 1..3_u32, 1 => 1000..9000_u32], 1..6_u32), 0..500),
        proptest::collection::vec((1..30_000_u32, 1..30_000_u32), 0..6),
    ];
    (gaps, 0..60_000_u32).prop_map(|(gaps, first)| {
        let mut at = first;
        let mut runs = Vec::new();
        for (gap, length) in gaps {
            let (from, to) = (at + gap, at + gap + length);
            if to > 1 << 16 {
                break;
            }
            runs.push(run(from, to));
            at = to;
        }
        runs
    })
}

fn members(runs: &[Run]) -> Vec<bool> {
    let mut members = vec![false; 1 << 16];
    runs.iter().map(|run| bounds(*run)).for_each(|(from, to)| members[from as usize..to as usize].fill(true));
    members
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn runs_meet_as_their_members_do(a in runs(), b in runs()) {
        let both: Vec<bool> = members(&a).into_iter().zip(members(&b)).map(|(a, b)| a && b).collect();
        let count = both.iter().filter(|member| **member).count() as u32;
        prop_assert_eq!(count_runs(&a, &b), count);
        prop_assert_eq!(count_runs(&b, &a), count);
        let mut common = Vec::new();
        and_runs(&a, &b, &mut common);
        prop_assert_eq!(members(&common), both);
    }

    /// Malformed: unsorted and overlapping. Wrong answers are allowed, an endless loop or a panic is not.
    #[test]
    fn unsorted_runs_do_no_harm(
        a in proptest::collection::vec(any::<Run>(), 0..300),
        b in proptest::collection::vec(any::<Run>(), 0..300),
    ) {
        let _ = (count_runs(&a, &b), count_runs(&b, &a));
    }
}
