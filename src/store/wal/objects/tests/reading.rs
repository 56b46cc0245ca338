//! Reading back: whole, from the middle, damaged, and while the log is trimmed.

use object_store::{ObjectStoreExt, PutPayload};

use super::*;
use crate::error::Kind;

async fn filled(place: &LogPlace) -> (ObjectLog, Trimmer) {
    let (mut log, trimmer) = take(place, 1).await.unwrap();
    for texts in [&["2", "3"][..], &["4"], &["5", "6", "7"]] {
        append(&mut log, texts).await.unwrap();
    }
    (log, trimmer)
}

#[tokio::test]
async fn records_behind_any_position_come_in_order() {
    let place = place(&memory());
    let (log, _) = filled(&place).await;
    let view = LogView::open(place.clone()).await.unwrap();
    assert_eq!(view.status(), log.status());
    let all = pairs(&[(1, ""), (2, "2"), (3, "3"), (4, "4"), (5, "5"), (6, "6"), (7, "7")]);
    for position in 0..=8 {
        let rest = &all[(position as usize).min(7)..];
        assert_eq!(texts(view.read_after(position).unwrap()).await.unwrap(), rest, "behind {position}");
        assert_eq!(texts(log.read_after(position).unwrap()).await.unwrap(), rest, "behind {position}");
    }
}

#[tokio::test]
async fn a_log_that_is_not_there_is_empty() {
    let view = LogView::open(place(&memory())).await.unwrap();
    assert_eq!(view.status(), LogStatus { objects: 0, bytes: 0, first_position: 1, last_position: 0 });
    assert_eq!(texts(view.read_after(0).unwrap()).await.unwrap(), []);
}

#[tokio::test]
async fn a_reader_that_is_overtaken_by_the_trimmer_is_told_to_read_the_state_again() {
    let mut place = place(&memory());
    place.read_ahead = 1;
    let (_log, mut trimmer) = filled(&place).await;
    let view = LogView::open(place.clone()).await.unwrap();
    let mut reader = view.read_after(0).unwrap();
    reader.next().await.unwrap().unwrap();
    trimmer.trim(4).await.unwrap();
    assert_eq!(reader.next().await.unwrap_err().kind(), Kind::Conflict);
    let view = LogView::open(place).await.unwrap();
    assert_eq!(view.read_after(3).err().unwrap().kind(), Kind::Conflict);
    assert_eq!(texts(view.read_after(4).unwrap()).await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_object_that_is_gone_is_not_taken_for_trimmed() {
    let place = place(&memory());
    let (log, _) = filled(&place).await;
    place.store.delete(&place.paths.object(3)).await.unwrap();
    let error = texts(log.read_after(0).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    assert!(error.message().contains("00000000000000000003.log"), "{error}");
}

#[tokio::test]
async fn each_flipped_bit_of_an_object_is_noticed_and_named() {
    let place = place(&memory());
    let (log, _) = filled(&place).await;
    let path = place.paths.object(2);
    let bytes = place.store.get(&path).await.unwrap().bytes().await.unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut hurt = bytes.to_vec();
        hurt[bit / 8] ^= 1 << (bit % 8);
        place.store.put(&path, PutPayload::from(hurt)).await.unwrap();
        let error = texts(log.read_after(0).unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt, "bit {bit}");
        assert!(error.message().contains("/00000000000000000002.log"), "bit {bit}: {error}");
        if bit >= 72 * 8 {
            assert!(error.message().contains("at byte ") && error.message().contains("position "), "{error}");
        }
    }
}

#[tokio::test]
async fn an_object_from_elsewhere_is_noticed() {
    let place = place(&memory());
    let (log, _) = filled(&place).await;
    place.store.copy(&place.paths.object(3), &place.paths.object(2)).await.unwrap();
    let error = texts(log.read_after(0).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    let other = LogPlace { workspace: Uuid::from_u128(8), ..place.clone() };
    assert_eq!(LogView::open(other).await.err().unwrap().kind(), Kind::Corrupt);
}

#[tokio::test]
async fn an_object_cut_at_a_record_is_noticed_by_the_next_one() {
    let place = place(&memory());
    let (log, _) = filled(&place).await;
    let path = place.paths.object(2);
    let bytes = place.store.get(&path).await.unwrap().bytes().await.unwrap();
    place.store.put(&path, bytes.slice(..72 + 21).into()).await.unwrap();
    let error = texts(log.read_after(0).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    assert!(error.message().contains("ends at 2"), "{error}");
}
