//! The newest mark is found without a list, however many there were.

use futures::TryStreamExt;

use super::super::marks::{MILESTONE, TrimMark};
use super::*;
use crate::error::Kind;

fn mark(number: u64) -> TrimMark {
    TrimMark { number, first_kept: number * 10, term: 1, writer: Uuid::from_u128(1) }
}

#[tokio::test]
async fn the_newest_of_many_marks_is_found_and_few_are_kept() {
    let store = memory();
    let folder = Folder::new(place(&store));
    assert_eq!(folder.newest_mark().await.unwrap().first_kept, 1);
    for number in 1..=4 * MILESTONE + 3 {
        assert!(matches!(folder.create_mark(&mark(number)).await.unwrap(), Landed::Ours));
        assert!(matches!(folder.create_mark(&TrimMark { term: 2, ..mark(number) }).await.unwrap(), Landed::Others(_)));
        folder.forget_marks(number).await;
        if number < 40 || number % MILESTONE < 3 || number % 97 == 0 {
            assert_eq!(folder.newest_mark().await.unwrap(), mark(number));
        }
    }
    let kept: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert!(kept.len() < 2 * MILESTONE as usize, "{} marks", kept.len());
}

#[tokio::test]
async fn each_flipped_bit_of_a_mark_is_noticed() {
    let store = memory();
    let folder = Folder::new(place(&store));
    folder.create_mark(&mark(1)).await.unwrap();
    let path = folder.paths.trim_mark(1);
    let bytes = store.get_opts(&path, Default::default()).await.unwrap().bytes().await.unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut hurt = bytes.to_vec();
        hurt[bit / 8] ^= 1 << (bit % 8);
        store.put_opts(&path, hurt.into(), Default::default()).await.unwrap();
        let error = folder.newest_mark().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt, "bit {bit}");
        assert!(error.message().contains("/00000000000000000001.mark"), "{error}");
    }
}
