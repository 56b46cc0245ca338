//! What trimming deletes, and what it must not.

use futures::TryStreamExt;
use object_store::ObjectStoreExt;

use super::*;
use crate::error::Kind;

async fn sequences(place: &LogPlace) -> Vec<u64> {
    let listed: Vec<_> = place.store.list(Some(&place.paths.objects())).try_collect().await.unwrap();
    listed.iter().filter_map(|object| WalPaths::sequence_of(&object.location)).collect()
}

#[tokio::test]
async fn objects_go_when_all_their_records_are_flushed_and_the_newest_stays() {
    let place = place(&memory());
    let (mut log, mut trimmer) = take(&place, 1).await.unwrap();
    append(&mut log, &["2", "3", "4"]).await.unwrap();
    append(&mut log, &["5"]).await.unwrap();
    for (flushed, kept) in
        [(0, vec![1, 2, 3]), (1, vec![2, 3]), (3, vec![2, 3]), (4, vec![3]), (5, vec![3]), (99, vec![3])]
    {
        trimmer.trim(flushed).await.unwrap();
        assert_eq!(sequences(&place).await, kept, "flushed to {flushed}");
    }
    let status = log.status();
    assert_eq!((status.objects, status.first_position, status.last_position), (1, 5, 5));
    assert_eq!(log.read_after(3).err().unwrap().kind(), Kind::Conflict, "position 4 is trimmed");
    assert_eq!(texts(log.read_after(4).unwrap()).await.unwrap(), pairs(&[(5, "5")]));
    assert_eq!(texts(log.read_after(5).unwrap()).await.unwrap(), []);
    let (log, _) = take(&place, 2).await.unwrap();
    assert_eq!(texts(log.read_after(4).unwrap()).await.unwrap(), pairs(&[(5, "5"), (6, "")]));
}

#[tokio::test]
async fn a_trimmer_of_an_older_term_deletes_nothing_more() {
    let place = place(&memory());
    let (mut first, mut trimmer) = take(&place, 1).await.unwrap();
    append(&mut first, &["a"]).await.unwrap();
    let (second, _) = take(&place, 2).await.unwrap();
    assert_eq!(trimmer.trim(1).await.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(first.state(), LogState::Fenced { newer_term: 2 });
    assert_eq!(sequences(&place).await, [1, 2, 3]);
    assert_eq!(texts(second.read_after(0).unwrap()).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_trimmer_that_was_held_up_behind_its_check_is_stopped_by_the_mark() {
    let place = place(&memory());
    let (mut first, mut trimmer) = take(&place, 1).await.unwrap();
    append(&mut first, &["a"]).await.unwrap();
    let mark = trimmer.next_mark(1).unwrap();
    let (second, _) = take(&place, 2).await.unwrap();
    assert_eq!(trimmer.advance(mark).await.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(first.state(), LogState::Fenced { newer_term: 2 });
    assert_eq!(texts(second.read_after(0).unwrap()).await.unwrap().len(), 3);
}

#[tokio::test]
async fn what_a_mark_gave_up_is_swept_by_a_later_trim() {
    let place = place(&memory());
    let (mut log, mut trimmer) = take(&place, 1).await.unwrap();
    append(&mut log, &["a"]).await.unwrap();
    let mark = trimmer.next_mark(1).unwrap();
    trimmer.advance(mark).await.unwrap();
    assert_eq!(sequences(&place).await, [1, 2], "a crash between mark and deletion");
    let (log, mut trimmer) = take(&place, 2).await.unwrap();
    assert_eq!(log.status().first_position, 2, "what is given up is not read");
    trimmer.trim(0).await.unwrap();
    assert_eq!(sequences(&place).await, [2, 3]);
    assert!(place.store.head(&place.paths.trim_mark(3)).await.is_ok());
}
