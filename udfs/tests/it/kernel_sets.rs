//! Expressions against BTreeSet and CRoaring, over random trees, shapes and densities.

use std::collections::BTreeSet;

use convoke_udfs::kernel::{
    BitmapRef, Encoding, Expr, Split, equals, from_ids, has_all, has_any, jaccard, overlap_matrix, person_hash,
};
use proptest::prelude::*;

use crate::kernel_shapes::{croaring_bytes, croaring_ids, stored};

/// A tree by index into a list of sets, so that it can be evaluated in any way.
#[derive(Clone, Debug)]
enum Tree {
    Set(usize),
    Range(u64, u64),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Xor(Vec<Tree>),
    AndNot(Vec<Tree>),
    Threshold(u32, Vec<Tree>),
}

const SETS: usize = 6;

fn trees() -> impl Strategy<Value = Tree> {
    let bound = prop_oneof![0..300_000_u64, Just(65536_u64), Just(131_072_u64), Just(4_294_900_000_u64)];
    let leaf = prop_oneof![
        10 => (0..SETS).prop_map(Tree::Set),
        1 => (bound.clone(), bound).prop_map(|(a, b)| Tree::Range(a.min(b).min(a + 400_000), b.max(a).min(a.min(b) + 400_000))),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let operands = proptest::collection::vec(inner, 0..6);
        prop_oneof![
            operands.clone().prop_map(Tree::And),
            operands.clone().prop_map(Tree::Or),
            operands.clone().prop_map(Tree::Xor),
            operands.clone().prop_map(Tree::AndNot),
            (1..6_u32, operands).prop_map(|(k, operands)| Tree::Threshold(k, operands)),
        ]
    })
}

fn expression<'a>(tree: &Tree, sets: &[BitmapRef<'a>]) -> Expr<'a> {
    let all = |trees: &[Tree]| trees.iter().map(|tree| expression(tree, sets)).collect();
    match tree {
        Tree::Set(index) => Expr::Set(sets[*index]),
        Tree::Range(from, to) => Expr::Range(*from, *to),
        Tree::And(trees) => Expr::And(all(trees)),
        Tree::Or(trees) => Expr::Or(all(trees)),
        Tree::Xor(trees) => Expr::Xor(all(trees)),
        Tree::AndNot(trees) => Expr::AndNot(all(trees)),
        Tree::Threshold(k, trees) => Expr::Threshold(*k, all(trees)),
    }
}

/// The same by counting members in sorted sets: nothing of it is shared with the kernel.
fn expected(tree: &Tree, sets: &[Vec<u32>]) -> BTreeSet<u32> {
    let all = |trees: &[Tree]| trees.iter().map(|tree| expected(tree, sets)).collect::<Vec<_>>();
    let holds = |trees: &[Tree], test: &dyn Fn(usize, usize) -> bool| {
        let sets = all(trees);
        let mut counts = std::collections::BTreeMap::<u32, usize>::new();
        sets.iter().flatten().for_each(|id| *counts.entry(*id).or_default() += 1);
        counts.into_iter().filter(|(_, n)| test(*n, sets.len())).map(|(id, _)| id).collect::<BTreeSet<u32>>()
    };
    match tree {
        Tree::Set(index) => sets[*index].iter().copied().collect(),
        Tree::Range(from, to) => (*from..*to).map(|id| id as u32).collect(),
        Tree::And(trees) => holds(trees, &|n, of| n == of),
        Tree::Or(trees) => holds(trees, &|_, _| true),
        Tree::Xor(trees) => holds(trees, &|n, _| n % 2 == 1),
        Tree::Threshold(k, trees) => holds(trees, &|n, _| n >= *k as usize),
        Tree::AndNot(trees) => {
            let mut sets = all(trees).into_iter();
            let mut first = sets.next().unwrap_or_default();
            sets.for_each(|other| first.retain(|id| !other.contains(id)));
            first
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_tree_has_the_members_that_btreeset_gives(
        stored in proptest::collection::vec(stored(), SETS),
        tree in trees(),
        pick in any::<u64>(),
    ) {
        let ids: Vec<Vec<u32>> = stored.iter().map(|(ids, _)| ids.clone()).collect();
        let views: Vec<BitmapRef> = stored.iter().map(|(_, bytes)| BitmapRef::new(bytes).unwrap()).collect();
        let want: Vec<u32> = expected(&tree, &ids).into_iter().collect();
        let plan = expression(&tree, &views).plan().unwrap();
        prop_assert_eq!(plan.count(), want.len() as u64);
        prop_assert_eq!(&plan.to_ids(u64::MAX).unwrap(), &want);
        prop_assert_eq!(plan.exists(), !want.is_empty());
        prop_assert!(plan.upper_bound() >= want.len() as u64);
        let limit = pick % (want.len() as u64 + 2);
        prop_assert_eq!(plan.more_than(limit), want.len() as u64 > limit);
        let bytes = plan.to_bytes();
        prop_assert_eq!(&bytes, &croaring_bytes(&want, true), "the bytes of CRoaring after runOptimize");
        prop_assert_eq!(BitmapRef::new(&bytes).unwrap().check_contents(), Ok(()));
        let plain = plan.to_bytes_within(u64::MAX, Encoding::WithoutRuns).unwrap();
        prop_assert_eq!(&plain, &croaring_bytes(&want, false));
        prop_assert_eq!(plan.min(), want.first().copied());
        prop_assert_eq!(plan.max(), want.last().copied());
        let at = (pick % (want.len() as u64 + 1)) as usize;
        prop_assert_eq!(plan.select(at as u64), want.get(at).copied());
        let page: Vec<u32> = want.iter().skip(at).take(1000).copied().collect();
        prop_assert_eq!(&plan.page(at as u64, 1000), &page);
        prop_assert_eq!(croaring_ids(&plan.page_bytes(at as u64, 1000, u64::MAX).unwrap()), page);
        let id = (pick >> 32) as u32 % 300_000;
        for id in [id, want.get(at).copied().unwrap_or(id)] {
            prop_assert_eq!(plan.rank(id), want.iter().filter(|member| **member <= id).count() as u64);
            prop_assert_eq!(plan.contains(id), want.binary_search(&id).is_ok());
            let from: Vec<u32> = want.iter().filter(|member| **member >= id).take(99).copied().collect();
            prop_assert_eq!(croaring_ids(&plan.limit_from(id, 99, u64::MAX).unwrap()), from);
            let mut skipped = plan.ids();
            skipped.skip_to(id);
            prop_assert_eq!(skipped.next(), want.iter().find(|member| **member >= id).copied());
        }
        let row: Vec<u64> = ids.iter().map(|ids| ids.iter().filter(|id| want.binary_search(id).is_ok()).count() as u64).collect();
        prop_assert_eq!(plan.counts_within(&views), row);
    }

    #[test]
    fn views_answer_alone((ids, bytes) in stored(), other in stored(), pick in any::<u32>()) {
        let (view, second) = (BitmapRef::new(&bytes).unwrap(), BitmapRef::new(&other.1).unwrap());
        prop_assert_eq!(view.check_contents(), Ok(()));
        prop_assert_eq!(view.count(), ids.len() as u64);
        prop_assert_eq!((view.min(), view.max()), (ids.first().copied(), ids.last().copied()));
        for id in [pick % 300_000, ids.get(pick as usize % ids.len().max(1)).copied().unwrap_or(0)] {
            prop_assert_eq!(view.contains(id), ids.binary_search(&id).is_ok());
            prop_assert_eq!(view.rank(id), ids.partition_point(|member| *member <= id) as u64);
        }
        let at = u64::from(pick) % (ids.len() as u64 + 1);
        prop_assert_eq!(view.select(at), ids.get(at as usize).copied());
        prop_assert_eq!(from_ids(ids.iter().rev().copied().collect()), croaring_bytes(&ids, true));
        let (a, b): (BTreeSet<u32>, BTreeSet<u32>) = (ids.iter().copied().collect(), other.0.iter().copied().collect());
        prop_assert_eq!(has_any(view, second).unwrap(), !a.is_disjoint(&b));
        prop_assert_eq!(has_all(view, second).unwrap(), b.is_subset(&a));
        prop_assert_eq!(equals(view, second).unwrap(), a == b);
        let (both, either) = (a.intersection(&b).count() as f64, a.union(&b).count() as f64);
        prop_assert_eq!(jaccard(view, second), if either == 0.0 { 0.0 } else { both / either });
        let plain = view.rewrite(Encoding::WithoutRuns).unwrap();
        prop_assert!(equals(view, BitmapRef::new(&plain).unwrap()).unwrap());
    }

    #[test]
    fn the_overlap_matrix_is_that_of_pairs(stored in proptest::collection::vec(stored(), 0..5)) {
        let views: Vec<BitmapRef> = stored.iter().map(|(_, bytes)| BitmapRef::new(bytes).unwrap()).collect();
        let sets: Vec<BTreeSet<u32>> = stored.iter().map(|(ids, _)| ids.iter().copied().collect()).collect();
        let pairs = sets.iter().flat_map(|a| sets.iter().map(|b| a.intersection(b).count() as u64));
        prop_assert_eq!(overlap_matrix(&views), pairs.collect::<Vec<_>>());
    }
}

/// Sets large enough that threads are used.
#[test]
fn any_number_of_workers_gives_the_same_result() {
    let sets: Vec<Vec<u8>> = (0..4_u64)
        .map(|seed| from_ids((0..6_000_000).filter(|id| person_hash(*id, seed) % 4 < 2 + seed % 2).collect()))
        .collect();
    let views: Vec<BitmapRef> = sets.iter().map(|bytes| BitmapRef::new(bytes).unwrap()).collect();
    let tree = Expr::AndNot(vec![Expr::Or(vec![Expr::and([views[0], views[1]]), views[2].into()]), views[3].into()]);
    let one = tree.plan().unwrap();
    assert!(one.input_bytes() > 2_500_000, "{} bytes", one.input_bytes());
    for workers in [2, 3, 7] {
        let many = tree.plan().unwrap().with_workers(workers);
        assert_eq!(many.count(), one.count());
        assert_eq!(many.to_bytes(), one.to_bytes());
        assert_eq!(many.counts_within(&views), one.counts_within(&views));
        for limit in [0, one.count() - 1, one.count()] {
            assert_eq!(many.more_than(limit), one.more_than(limit), "{limit}");
        }
    }
}

#[test]
fn edits_are_expressions() {
    let bytes = from_ids(vec![1, 5, 70_000]);
    let set = || Expr::Set(BitmapRef::new(&bytes).unwrap());
    let ids = |expression: Expr| expression.plan().unwrap().to_ids(100).unwrap();
    assert_eq!(ids(set().add(3)), [1, 3, 5, 70_000]);
    assert_eq!(ids(set().add(5)), [1, 5, 70_000]);
    assert_eq!(ids(set().add(u32::MAX)), [1, 5, 70_000, u32::MAX]);
    assert_eq!(ids(set().remove(5)), [1, 70_000]);
    assert_eq!(ids(set().remove(6)), [1, 5, 70_000]);
    assert_eq!(ids(set().flip(4, 8)), [1, 4, 6, 7, 70_000]);
    assert_eq!(ids(set().within(5, 70_000)), [5]);
    assert_eq!(ids(set().within(5, 1 << 32)), [5, 70_000]);
}

#[test]
fn samples_and_arms_stay_with_the_person() {
    let few: Vec<u32> = (0..20_000).collect();
    let more: Vec<u32> = (0..60_000).collect();
    let (few_bytes, more_bytes) = (from_ids(few.clone()), from_ids(more.clone()));
    let few_plan = Expr::Set(BitmapRef::new(&few_bytes).unwrap()).plan().unwrap();
    let more_plan = Expr::Set(BitmapRef::new(&more_bytes).unwrap()).plan().unwrap();
    let (small, large) = (few_plan.sample(1000, 7), more_plan.sample(1000, 7));
    assert_eq!((small.len(), large.len()), (1000, 1000));
    assert!(
        large.iter().filter(|id| **id < 20_000).all(|id| small.contains(id)),
        "who is drawn of more is drawn of few"
    );
    assert_ne!(small, few_plan.sample(1000, 8));
    assert_eq!(few_plan.sample(30_000, 7), few);
    // Each person once, in the same arm, in shares near the weights.
    let split = Split::new("spring", &[50.0, 0.0, 30.0, 20.0]).unwrap();
    let arms: Vec<Vec<u32>> = (0..4).map(|arm| croaring_ids(&more_plan.arm(&split, arm, u64::MAX).unwrap())).collect();
    let mut together: Vec<u32> = arms.concat();
    together.sort_unstable();
    assert_eq!(together, more);
    for (arm, share) in [(0, 0.5), (1, 0.0), (2, 0.3), (3, 0.2)] {
        assert!((arms[arm].len() as f64 / 60_000.0 - share).abs() < 0.01, "arm {arm} has {}", arms[arm].len());
    }
    let few_arm = croaring_ids(&few_plan.arm(&split, 2, u64::MAX).unwrap());
    assert_eq!(few_arm, arms[2].iter().copied().filter(|id| *id < 20_000).collect::<Vec<_>>());
    // Another salt is independent: half of one arm lies in half of the other.
    let other = Split::new("summer", &[1.0, 1.0]).unwrap();
    let shared = arms[0].iter().filter(|id| other.arm_of(**id) == 0).count() as f64 / arms[0].len() as f64;
    assert!((shared - 0.5).abs() < 0.02, "{shared}");
    assert!(
        Split::new("x", &[]).is_err() && Split::new("x", &[0.0]).is_err() && Split::new("x", &[-1.0, 2.0]).is_err()
    );
}

/// The hash is a promise: these values must never change. (SplitMix64 of seed 0 begins with 0xe220a8397b1dcdaf.)
#[test]
fn the_person_hash_never_changes() {
    // Computed with Python from the published constants.
    assert_eq!(person_hash(0, 0), 0xa706_dd2f_4d19_7e6f);
    assert_eq!(convoke_udfs::kernel::seed_of("a"), 0xaf63_dc4c_8601_ec8c, "FNV-1a's published value for 'a'");
}
