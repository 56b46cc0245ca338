//! Growing sets, canonical sets, shards, 64-bit maps, numeric sets.

use std::collections::{BTreeMap, BTreeSet};

use convoke_udfs::kernel::{
    BitmapRef, Builder, Error, Expr, Map64, NumericRef, Operator, canonicalise, from_ids, from_sorted, join_shards,
    map64_from_ids, numeric_from_pairs, write_map64,
};
use proptest::prelude::*;
use roaring::RoaringTreemap;

use crate::kernel_shapes::{croaring_bytes, croaring_ids, ids, stored};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_builder_takes_ids_and_sets(
        first in proptest::collection::vec(0..150_000_u32, 0..9000),
        steps in proptest::collection::vec((0..4_u8, stored()), 0..5),
        id in any::<u32>(),
    ) {
        let mut builder = Builder::new();
        builder.extend(&first);
        let mut want: BTreeSet<u32> = first.into_iter().collect();
        for (operator, (ids, bytes)) in steps {
            let other: BTreeSet<u32> = ids.into_iter().collect();
            let (operator, result) = match operator {
                0 => (Operator::And, &want & &other),
                1 => (Operator::Or, &want | &other),
                2 => (Operator::Xor, &want ^ &other),
                _ => (Operator::AndNot, &want - &other),
            };
            builder.combine(operator, BitmapRef::new(&bytes).unwrap());
            builder.add(id);
            want = result;
            want.insert(id);
        }
        let want: Vec<u32> = want.into_iter().collect();
        prop_assert_eq!(builder.count(), want.len() as u64);
        let written = croaring_bytes(&want, true).len();
        prop_assert!(2 * builder.size() >= written, "{} bytes of memory for {written} bytes", builder.size());
        prop_assert_eq!(builder.clone().to_bytes_within(u64::MAX).unwrap(), croaring_bytes(&want, true));
        prop_assert_eq!(builder.finish(), croaring_bytes(&want, true));
        prop_assert_eq!(builder.count(), 0);
    }

    #[test]
    fn canonical_sets_have_survivors_for_losers((ids, bytes) in stored(), losers in ids()) {
        let loser_bytes = from_ids(losers.clone());
        let losers: BTreeSet<u32> = losers.into_iter().collect();
        let survivor = |id: u32| id / 3;
        let want: BTreeSet<u32> = ids.iter().map(|id| if losers.contains(id) { survivor(*id) } else { *id }).collect();
        let view = BitmapRef::new(&bytes).unwrap();
        let result = canonicalise(view, BitmapRef::new(&loser_bytes).unwrap(), survivor).unwrap();
        prop_assert_eq!(result.is_none(), ids.iter().all(|id| !losers.contains(id)));
        if let Some(result) = result {
            prop_assert_eq!(croaring_ids(&result), want.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn shards_join_to_the_whole((ids, bytes) in stored(), cuts in proptest::collection::vec(0..50_u64, 0..4)) {
        let mut cuts: Vec<u64> = cuts.into_iter().map(|key| key << 16).chain([0, 1 << 32]).collect();
        cuts.sort_unstable();
        let view = BitmapRef::new(&bytes).unwrap();
        let shards: Vec<Vec<u8>> = cuts
            .windows(2)
            .map(|cut| Expr::Set(view).within(cut[0], cut[1]).plan().unwrap().to_bytes())
            .collect();
        let views: Vec<BitmapRef> = shards.iter().map(|shard| BitmapRef::new(shard).unwrap()).collect();
        let joined = join_shards(&views).unwrap();
        prop_assert_eq!(&joined, &croaring_bytes(&ids, true));
        if !ids.is_empty() {
            let whole = BitmapRef::new(&joined).unwrap();
            prop_assert!(join_shards(&[whole, whole]).is_err());
        }
    }

    #[test]
    fn maps_of_64_bits_are_those_of_the_roaring_crate(ids in proptest::collection::vec(0..(1_u64 << 34), 0..300)) {
        let mut theirs = Vec::new();
        let tree: RoaringTreemap = ids.iter().copied().collect();
        tree.serialize_into(&mut theirs).unwrap();
        let ours = map64_from_ids(ids.clone()).unwrap();
        prop_assert_eq!(RoaringTreemap::deserialize_from(&ours[..]).unwrap(), tree.clone());
        let map = Map64::new(&theirs).unwrap();
        prop_assert_eq!(map.check_contents(), Ok(()));
        prop_assert_eq!(map.count(), tree.len());
        let members = map.parts().iter().flat_map(|(high, view)| {
            let lows = Expr::Set(*view).plan().unwrap().to_ids(u64::MAX).unwrap();
            lows.into_iter().map(|low| u64::from(*high) << 32 | u64::from(low)).collect::<Vec<_>>()
        });
        prop_assert_eq!(members.collect::<Vec<_>>(), tree.iter().collect::<Vec<_>>());
        prop_assert_eq!(&write_map64(map.parts()).unwrap(), &theirs);
        match tree.max() {
            Some(max) if max > u64::from(u32::MAX) => {
                let value = tree.iter().find(|id| *id > u64::from(u32::MAX)).unwrap();
                prop_assert_eq!(map.narrow().err(), Some(Error::TooLarge { value }));
            }
            _ => prop_assert_eq!(map.narrow().unwrap().map_or(0, |view| view.count()), tree.len()),
        }
    }

    #[test]
    fn numbers_are_ordered_summed_and_cut(
        pairs in proptest::collection::vec((prop_oneof![0..3000_u32, 60_000..200_000_u32], -50..50_i64), 0..2000),
        scale in prop_oneof![Just(1_i64), Just(10_000), Just(i64::MAX / 64)],
        audience in proptest::option::of(ids()),
        (k, low, high) in (0..40_u64, -60..60_i64, -60..60_i64),
        q in 0.0..=1.0_f64,
    ) {
        let pairs: Vec<(u32, i64)> = pairs.into_iter().map(|(id, value)| (id, value * scale)).collect();
        let bytes = numeric_from_pairs(pairs.clone()).unwrap();
        let set = NumericRef::new(&bytes).unwrap();
        prop_assert_eq!(set.check_contents(), Ok(()));
        let all: BTreeMap<u32, i64> = pairs.into_iter().collect();
        prop_assert_eq!(set.count(), all.len() as u64);
        prop_assert_eq!(croaring_ids(&set.members().unwrap()), all.keys().copied().collect::<Vec<_>>());
        (0..20_u32).chain(all.keys().copied().take(20)).for_each(|id| assert_eq!(set.get(id), all.get(&id).copied()));
        let (low, high) = (low * scale, high * scale);
        let between: Vec<u32> = all.iter().filter(|(_, v)| (low..=high).contains(v)).map(|(id, _)| *id).collect();
        prop_assert_eq!(croaring_ids(&set.between(low, high).unwrap()), between);
        prop_assert_eq!(set.between(i64::MIN, i64::MAX).unwrap(), set.members().unwrap());

        let chosen: BTreeMap<u32, i64> = match &audience {
            Some(ids) => all.into_iter().filter(|(id, _)| ids.binary_search(id).is_ok()).collect(),
            None => all,
        };
        let audience_bytes = audience.map(from_ids);
        let plan = audience_bytes.as_ref().map(|bytes| Expr::Set(BitmapRef::new(bytes).unwrap()).plan().unwrap());
        let plan = plan.as_ref();
        let sum: i128 = chosen.values().map(|value| i128::from(*value)).sum();
        prop_assert_eq!(set.sum(plan), (sum, chosen.len() as u64));
        let mut ranked: Vec<(i64, u32)> = chosen.iter().map(|(id, value)| (*value, *id)).collect();
        ranked.sort_unstable_by_key(|(value, id)| (std::cmp::Reverse(*value), *id));
        let mut top: Vec<u32> = ranked.iter().take(k as usize).map(|(_, id)| *id).collect();
        top.sort_unstable();
        prop_assert_eq!(croaring_ids(&set.top_k(k, plan).unwrap()), top);
        let mut values: Vec<i64> = chosen.into_values().collect();
        values.sort_unstable();
        prop_assert_eq!(set.nth(k, plan), values.get(k as usize).copied());
        // The smallest value with at least the share q at or below it.
        let quantile = values.iter().enumerate().find(|(at, _)| (*at + 1) as f64 >= q * values.len() as f64);
        prop_assert_eq!(set.quantile(q, plan).unwrap(), quantile.map(|(_, value)| *value));
    }
}

#[test]
fn numbers_may_span_all_of_i64() {
    let bytes = numeric_from_pairs(vec![(3, i64::MAX), (1, i64::MIN), (2, 0), (3, 7), (3, i64::MAX)]).unwrap();
    let set = NumericRef::new(&bytes).unwrap();
    assert_eq!([1, 2, 3, 4].map(|id| set.get(id)), [Some(i64::MIN), Some(0), Some(i64::MAX), None]);
    assert_eq!(set.sum(None), (-1, 3));
    assert_eq!(croaring_ids(&set.between(-5, i64::MAX).unwrap()), [2, 3]);
    assert_eq!(croaring_ids(&set.between(i64::MIN, -1).unwrap()), [1]);
    assert_eq!(set.quantile(0.5, None), Ok(Some(0)));
    assert!(set.quantile(1.5, None).is_err());
    assert!(NumericRef::new(b"CVNS").is_err());
    // Any reader of 64-bit maps reads it: members are container 0 of the block.
    let map = RoaringTreemap::deserialize_from(&bytes[16..]).unwrap();
    assert_eq!(map.iter().take_while(|id| *id < 1 << 16).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn sorted_ids_are_taken_as_they_come() {
    assert_eq!(from_sorted([1, 1, 5, 70_000]).unwrap(), croaring_bytes(&[1, 5, 70_000], true));
    assert!(from_sorted([5, 4]).is_err());
    for n in [4095_u32, 4096, 4097] {
        let ids: Vec<u32> = (0..n).map(|id| 3 * id).collect();
        assert_eq!(from_ids(ids.clone()), croaring_bytes(&ids, true), "{n} members");
    }
}

/// A group of an aggregate is small until it has members.
#[test]
fn a_builder_is_small_while_it_has_little() {
    let mut builder = Builder::new();
    assert!(builder.size() < 200, "{}", builder.size());
    builder.add(7);
    assert!(builder.size() < 300, "{}", builder.size());
    (0..1_000_000).for_each(|id| builder.add(id % 50_000));
    assert!(builder.size() < 100_000, "{} bytes for one full stretch of ids", builder.size());
    assert_eq!(builder.count(), 50_000);
}
