use super::super::key::BatchKey;
use super::super::pending::{GroupId, GroupKeys, Pending};
use super::{key, keys};

const FIRST: GroupId = GroupId(1);
const SECOND: GroupId = GroupId(2);

#[test]
fn a_key_stays_with_the_group_that_was_first() {
    let mut pending = Pending::default();
    pending.reserve(FIRST, keys(0..3));
    pending.reserve(SECOND, keys(2..5));
    assert_eq!(pending.group_of(&key(2)), Some(FIRST));
    assert_eq!(pending.group_of(&key(4)), Some(SECOND));
    assert_eq!(pending.settle(SECOND).messages, keys(3..5));
    assert_eq!(pending.group_of(&key(2)), Some(FIRST));
    assert_eq!(pending.settle(FIRST).messages, keys(0..3));
    assert_eq!(pending.group_of(&key(2)), None);
    assert_eq!(pending.groups(), 0);
}

#[test]
fn a_released_key_is_neither_pending_nor_settled() {
    let mut pending = Pending::default();
    pending.reserve(FIRST, keys(0..3));
    pending.reserve(SECOND, keys(3..4));
    pending.release(FIRST, [key(1), key(3)]);
    assert_eq!(pending.group_of(&key(1)), None);
    assert_eq!(pending.group_of(&key(3)), Some(SECOND), "one group does not release the keys of another");
    assert_eq!(pending.settle(FIRST).messages, [key(0), key(2)]);
}

#[test]
fn a_batch_stays_with_the_group_that_was_first() {
    let mut pending = Pending::default();
    let batch = BatchKey::of("upload 7");
    pending.reserve_batch(FIRST, batch);
    pending.reserve_batch(SECOND, batch);
    assert_eq!(pending.group_of_batch(&batch), Some(FIRST));
    assert_eq!(pending.settle(SECOND), GroupKeys::default());
    assert_eq!(pending.settle(FIRST).batches, [batch]);
    assert_eq!(pending.group_of_batch(&batch), None);
}
