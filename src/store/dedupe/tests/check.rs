use bytes::Bytes;
use object_store::path::Path;

use super::super::check::Verdict;
use super::super::index::{DedupeIndex, DedupeSettings};
use super::super::key::BatchKey;
use super::super::pending::{GroupId, Pending};
use super::{at_hour, key, keys, memory_store};

const NOTHING_EXACT: DedupeSettings = DedupeSettings { window_hours: 48, exact_bytes: 0, cache_bytes: 1 << 20 };

#[tokio::test]
async fn the_first_of_a_batch_stays_and_the_others_repeat_it() {
    let index = DedupeIndex::new(NOTHING_EXACT);
    let batch = [key(7), key(1), key(7), key(2), key(7)];
    let decision = index.check(&batch, &Pending::default()).resolve().await.unwrap();
    assert_eq!(decision.verdicts(), [Verdict::New, Verdict::New, Verdict::Repeat(0), Verdict::New, Verdict::Repeat(0)]);
    assert_eq!(decision.new_places().collect::<Vec<_>>(), [0, 1, 3]);
}

#[tokio::test]
async fn a_key_on_its_way_is_pending_until_it_is_settled() {
    let mut index = DedupeIndex::new(NOTHING_EXACT);
    let mut pending = Pending::default();
    let first = index.check(&keys(0..3), &pending);
    pending.reserve(GroupId(1), first.open_keys());
    assert_eq!(first.resolve().await.unwrap().new_places().count(), 3);

    let second = index.check(&[key(2), key(3), key(2)], &pending).resolve().await.unwrap();
    let awaited = Verdict::Pending(GroupId(1));
    assert_eq!(second.verdicts(), [awaited, Verdict::New, awaited]);
    assert_eq!(second.awaited_groups(), [GroupId(1)]);

    // Made before the group is durable, resolved behind it: nothing is missed.
    let overlapping = index.check(&keys(0..3), &pending);
    index.add(pending.settle(GroupId(1)).messages, at_hour(1000));
    assert_eq!(overlapping.resolve().await.unwrap().verdicts(), [awaited; 3]);
    let behind = index.check(&keys(0..3), &pending).resolve().await.unwrap();
    assert_eq!(behind.verdicts(), [Verdict::Duplicate; 3]);
}

#[tokio::test]
async fn a_group_that_failed_leaves_its_keys_new() {
    let index = DedupeIndex::new(NOTHING_EXACT);
    let mut pending = Pending::default();
    pending.reserve(GroupId(1), keys(0..3));
    pending.settle(GroupId(1));
    assert_eq!(index.check(&keys(0..3), &pending).resolve().await.unwrap().new_places().count(), 3);
}

#[tokio::test]
async fn runs_answer_as_memory_does() {
    let store = memory_store();
    let mut index = DedupeIndex::new(NOTHING_EXACT);
    index.add(keys(0..1000), at_hour(1000));
    index.add_batch(BatchKey::of("a"), Bytes::from_static(b"first"), at_hour(1000));
    let sealed = index.seal(1).unwrap();
    assert!(index.seal(1).is_none(), "there is nothing new");
    assert_eq!(index.unwritten_messages(), 1000);
    let batch: Vec<_> = keys(990..1010);
    for written in [false, true] {
        if written {
            let run = sealed.write(&store, &Path::from("run")).await.unwrap();
            index.install(&sealed, run).unwrap();
            assert_eq!(index.unwritten_messages(), 0);
        }
        let decision = index.check(&batch, &Pending::default()).resolve().await.unwrap();
        assert_eq!(decision.new_places().collect::<Vec<_>>(), (10..20).collect::<Vec<_>>(), "written: {written}");
        assert_eq!(index.batch_result(BatchKey::of("a")).await.unwrap().as_deref(), Some(&b"first"[..]));
        assert_eq!(index.batch_result(BatchKey::of("b")).await.unwrap(), None);
    }
}

#[tokio::test]
async fn sealed_keys_are_installed_in_their_order() {
    let store = memory_store();
    let mut index = DedupeIndex::new(NOTHING_EXACT);
    index.add(keys(0..3), at_hour(1000));
    let older = index.seal(1).unwrap();
    index.add(keys(3..6), at_hour(1000));
    let newer = index.seal(2).unwrap();
    let run = newer.write(&store, &Path::from("newer")).await.unwrap();
    assert!(index.install(&newer, run).is_err());
    let run = older.write(&store, &Path::from("older")).await.unwrap();
    index.install(&older, run).unwrap();
    let run = newer.write(&store, &Path::from("newer again")).await.unwrap();
    index.install(&newer, run).unwrap();
    assert_eq!(index.check(&keys(0..6), &Pending::default()).resolve().await.unwrap().new_places().count(), 0);
}

#[tokio::test]
async fn a_key_is_new_again_when_it_has_left_the_window() {
    let store = memory_store();
    let mut index = DedupeIndex::new(NOTHING_EXACT);
    index.add(keys(0..10), at_hour(1000));
    index.add_batch(BatchKey::of("a"), Bytes::from_static(b"first"), at_hour(1000));
    let sealed = index.seal(1).unwrap();
    let run = sealed.write(&store, &Path::from("run")).await.unwrap();
    index.install(&sealed, run).unwrap();
    for (hour, new) in [(1024, 0), (1048, 0), (1072, 0), (1096, 0), (1097, 10)] {
        index.add([key(u64::from(hour))], at_hour(hour));
        let decision = index.check(&keys(0..10), &Pending::default()).resolve().await.unwrap();
        assert_eq!(decision.new_places().count(), new, "hour {hour}");
        assert_eq!(index.batch_result(BatchKey::of("a")).await.unwrap().is_none(), new > 0, "hour {hour}");
        assert_eq!(index.expire().len(), usize::from(new > 0), "hour {hour}");
    }
}
