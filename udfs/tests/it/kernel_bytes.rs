//! The format: golden files, every way of being malformed with the byte named, and a bomb.

use convoke_udfs::kernel::{BitmapRef, EMPTY, Encoding, Error, Expr, from_ids, has_any};

use crate::kernel_shapes::{croaring_bytes, croaring_ids};

const WITHOUT_RUNS: &[u8] = include_bytes!("golden/bitmapwithoutruns.bin");
const WITH_RUNS: &[u8] = include_bytes!("golden/bitmapwithruns.bin");

/// What golden/README.md says.
fn golden_ids() -> Vec<u32> {
    let mut ids: Vec<u32> = (0..100_000).step_by(1000).collect();
    ids.extend((100_000..200_000).map(|k| 3 * k));
    ids.extend(700_000..800_000);
    ids
}

#[test]
fn golden_files_are_read_and_written() {
    for bytes in [WITHOUT_RUNS, WITH_RUNS] {
        let view = BitmapRef::new(bytes).unwrap();
        assert_eq!(view.check_contents(), Ok(()));
        assert_eq!(Expr::Set(view).plan().unwrap().to_ids(1 << 20).unwrap(), golden_ids());
    }
    let view = BitmapRef::new(WITH_RUNS).unwrap();
    assert_eq!(view.rewrite(Encoding::WithoutRuns).unwrap(), WITHOUT_RUNS);
    assert_eq!(from_ids(golden_ids()), WITH_RUNS);
}

fn fault(bytes: &[u8]) -> (usize, &'static str) {
    match BitmapRef::new(bytes).and_then(|view| view.check_contents()) {
        Err(Error::Malformed { offset, fault }) => (offset, fault),
        other => panic!("{other:?}"),
    }
}

/// One container without runs: key, members - 1, offset, payload.
fn plain(key: u16, more: u16, offset: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x3a, 0x30, 0, 0, 1, 0, 0, 0];
    bytes.extend(key.to_le_bytes());
    bytes.extend(more.to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes.extend(payload);
    bytes
}

/// One run container; runs as (start, length - 1).
fn runs(more: u16, runs: &[(u16, u16)]) -> Vec<u8> {
    let mut bytes = vec![0x3b, 0x30, 0, 0, 1, 0, 0];
    bytes.extend(more.to_le_bytes());
    bytes.extend((runs.len() as u16).to_le_bytes());
    runs.iter().for_each(|(start, more)| bytes.extend([start.to_le_bytes(), more.to_le_bytes()].concat()));
    bytes
}

#[test]
fn every_fault_is_named_with_its_byte() {
    assert_eq!(fault(b""), (0, "the header ends early"));
    assert_eq!(fault(&[0x3a, 0x30, 0]), (3, "the header ends early"));
    assert_eq!(fault(b"abcdefgh"), (0, "unknown cookie"));
    // Counts that claim more than there is: 20 million containers (CRoaring's 64-byte case), 65,537 of them, one.
    let mut claims = vec![0x3a, 0x30, 0, 0];
    claims.extend(20_000_000_u32.to_le_bytes());
    claims.resize(64, 0);
    assert_eq!(fault(&claims), (4, "more than 65536 containers"));
    assert_eq!(fault(&[0x3a, 0x30, 0, 0, 1, 0, 1, 0]), (4, "more than 65536 containers"));
    assert_eq!(fault(&[0x3a, 0x30, 0, 0, 1, 0, 0, 0]), (8, "the header ends early"));
    assert_eq!(fault(&[0x3b, 0x30, 0xff, 0xff, 1]), (5, "the header ends early"));
    let two = croaring_bytes(&[1, 65_537], false);
    let mut backwards = two.clone();
    backwards[8] = 1;
    assert_eq!(fault(&backwards), (12, "keys do not ascend"));
    let mut lying = two.clone();
    lying[20] = 25;
    assert_eq!(fault(&lying), (20, "an offset does not point at its container"));
    assert_eq!(fault(&two[..two.len() - 1]), (two.len() - 1, "a container ends early"));
    assert_eq!(fault(&[&two[..], b"x"].concat()), (two.len(), "bytes follow the last container"));
    assert_eq!(fault(&plain(0, 4096, 16, &[0; 100])), (116, "a container ends early"));
    assert_eq!(fault(&[0x3b, 0x30, 0, 0, 1, 0, 0, 0, 0, 9]), (10, "a container ends early"));
    // Contents.
    assert_eq!(fault(&plain(0, 1, 16, &[5, 0, 5, 0])), (18, "array values do not ascend"));
    assert_eq!(fault(&plain(0, 4096, 16, &[0; 8192])), (16, "a bitset has other members than its header says"));
    assert_eq!(fault(&runs(0, &[])), (9, "a run container without runs"));
    assert_eq!(fault(&runs(3, &[(5, 1), (6, 1)])), (15, "runs overlap, touch or do not ascend"));
    assert_eq!(fault(&runs(3, &[(5, 1), (7, 1)])), (15, "runs overlap, touch or do not ascend"));
    assert_eq!(fault(&runs(9, &[(65_530, 9)])), (13, "a run passes the end of its container"));
    assert_eq!(fault(&runs(8, &[(5, 9)])), (9, "runs have other members than the header says"));
}

/// Byte strings like those that crashed other systems: wrappers of StarRocks and Doris (`Av8DCg==` is the CSV field of
/// apache/doris 52767), an empty run container, a lying offset, a run that passes the end (u16 overflow).
#[test]
fn known_crash_families_are_refused_or_answered() {
    let doris = [0x02, 0xff, 0x03, 0x0a];
    let wrapped = [&[0x02][..], &croaring_bytes(&[1, 2, 3], false)].concat();
    for bytes in [&doris[..], &wrapped, &[0], &[0xff; 64], &[0; 64]] {
        assert!(BitmapRef::new(bytes).is_err(), "{bytes:?}");
    }
    // Structure alone is right: answers may be wrong, but come.
    for bytes in
        [runs(0, &[]), runs(9, &[(65_530, 65_535)]), runs(3, &[(9, 9), (1, 1)]), plain(0, 4096, 16, &[0; 8192])]
    {
        let view = BitmapRef::new(&bytes).unwrap();
        assert!(view.check_contents().is_err());
        let _ = (view.min(), view.max(), view.contains(65_535), view.rank(u32::MAX), view.select(2));
        assert!(Expr::or([view, view, view]).plan().unwrap().to_bytes().len() < 9000);
    }
}

/// Overlapping runs must not cost more than their bytes: 65,535 runs that each cover all.
#[test]
fn overlapping_runs_cost_no_more_than_their_bytes() {
    let bytes = runs(65_535, &vec![(0, 65_535); 65_535]);
    let view = BitmapRef::new(&bytes).unwrap();
    let other = BitmapRef::new(WITH_RUNS).unwrap();
    let xor = Expr::xor([view, other, other, view, view]).plan().unwrap();
    assert_eq!(xor.count(), 65_536);
    assert_eq!(Expr::or([view, view]).plan().unwrap().to_ids(1 << 17).unwrap().len(), 65_536);
}

/// All numbers in 655,372 bytes: counted and intersected at once, never expanded beyond what the caller allows.
#[test]
fn a_bomb_is_counted_and_not_expanded() {
    let all = Expr::Range(0, 1 << 32).plan().unwrap();
    let bytes = all.to_bytes();
    // 4 + 8192 run flags + 65536 x (4 descriptor + 4 offset + 6 run).
    assert_eq!(bytes.len(), 4 + 8192 + 65_536 * 14);
    let bomb = BitmapRef::new(&bytes).unwrap();
    assert_eq!(bomb.count(), 1 << 32);
    let golden = BitmapRef::new(WITHOUT_RUNS).unwrap();
    let plan = Expr::and([bomb, golden]).plan().unwrap();
    assert_eq!(plan.to_ids(1 << 20).unwrap(), golden_ids());
    let plan = Expr::Set(bomb).plan().unwrap();
    assert_eq!(plan.to_ids(1 << 20), Err(Error::OverBudget { needed: 1 << 32, budget: 1 << 20 }));
    assert!(matches!(plan.to_bytes_within(1 << 20, Encoding::WithoutRuns), Err(Error::OverBudget { .. })));
    assert_eq!(plan.page(4_000_000_000, 3), [4_000_000_000, 4_000_000_001, 4_000_000_002]);
    assert!(has_any(bomb, golden).unwrap());
    assert_eq!(
        Expr::Xor(vec![bomb.into(), Expr::Range(7, 1 << 32)]).plan().unwrap().to_bytes(),
        from_ids((0..7).collect())
    );
}

#[test]
fn the_empty_set_has_eight_bytes() {
    assert_eq!(from_ids(vec![]), EMPTY);
    assert_eq!(croaring_bytes(&[], true), EMPTY);
    let empty = BitmapRef::new(&EMPTY).unwrap();
    assert_eq!((empty.count(), empty.min(), empty.max(), empty.select(0)), (0, None, None, None));
    assert!(!Expr::and([]).plan().unwrap().exists());
    assert_eq!(Expr::andnot([empty]).plan().unwrap().to_bytes(), EMPTY);
}

/// With run flags nothing is aligned; a view may begin at any address.
#[test]
fn any_address_will_do() {
    let ids: Vec<u32> = (0..200_000).filter(|id| id % 3 > 0 || id % 1000 < 300).collect();
    let bytes = croaring_bytes(&ids, true);
    for shift in 0..9 {
        let moved = [&vec![0xaa; shift][..], &bytes].concat();
        let view = BitmapRef::new(&moved[shift..]).unwrap();
        assert_eq!(croaring_ids(&Expr::or([view, view, view]).plan().unwrap().to_bytes()), ids);
    }
}

#[test]
fn deep_expressions_and_bad_arguments_are_refused() {
    let bytes = from_ids(vec![1]);
    let view = BitmapRef::new(&bytes).unwrap();
    let nested = |levels| (0..levels).fold(Expr::Set(view), |inner, _| Expr::Xor(vec![inner]));
    assert_eq!(nested(200).plan().unwrap().count(), 1);
    assert_eq!(nested(300).plan().err(), Some(Error::TooDeep));
    assert!(Expr::threshold(0, [view]).plan().is_err());
    assert!(Expr::Range(0, (1 << 32) + 1).plan().is_err());
    assert_eq!(Expr::threshold(2, [view]).plan().unwrap().count(), 0);
}
