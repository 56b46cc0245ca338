//! Taking a log over.

use object_store::ObjectStoreExt;

use super::*;
use crate::error::Kind;
use crate::store::tests::simulated::{Rates, SimulatedStore};

#[tokio::test]
async fn an_empty_log_begins_with_a_fence() {
    let place = place(&memory());
    let (log, _) = take(&place, 1).await.unwrap();
    assert_eq!(log.next_position(), 2);
    assert_eq!(texts(log.read_after(0).unwrap()).await.unwrap(), pairs(&[(1, "")]));
    let status = log.status();
    assert_eq!((status.objects, status.first_position, status.last_position), (1, 1, 1));
    assert_eq!(status.bytes, 92, "a header and a frame without payload");
}

#[tokio::test]
async fn the_next_writer_has_all_that_was_acknowledged_and_the_older_one_is_told() {
    let place = place(&memory());
    let (mut first, _) = take(&place, 1).await.unwrap();
    append(&mut first, &["a", "b"]).await.unwrap();
    let (mut second, _) = take(&place, 2).await.unwrap();
    assert_eq!(texts(second.read_after(0).unwrap()).await.unwrap(), pairs(&[(1, ""), (2, "a"), (3, "b"), (4, "")]));
    let refused = append(&mut first, &["late"]).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    // The newer one may have ended by then: to wait is all that always helps.
    assert!(refused.message().ends_with("send again in a moment"), "{refused}");
    assert_eq!(first.state(), LogState::Fenced { newer_term: 2 });
    assert_eq!(append(&mut first, &["later"]).await.unwrap_err().kind(), Kind::Conflict);
    append(&mut second, &["c"]).await.unwrap();
    assert_eq!(texts(second.read_after(4).unwrap()).await.unwrap(), pairs(&[(5, "c")]));
}

#[tokio::test]
async fn an_object_of_an_older_writer_at_the_end_is_stepped_over() {
    let place = place(&memory());
    let (mut first, _) = take(&place, 1).await.unwrap();
    let term = claim(&place, 2).await.unwrap();
    let folder = Folder::new(place.clone());
    // It lands behind the claim, and is not acknowledged; the fence comes behind it all the same.
    assert_eq!(append(&mut first, &["landed"]).await.unwrap_err().kind(), Kind::Conflict);
    let (log, _) = open(place.clone(), writer(term, 2), claims(&place, term, 2), 0).await.unwrap();
    assert_eq!(texts(log.read_after(0).unwrap()).await.unwrap(), pairs(&[(1, ""), (2, "landed"), (3, "")]));
    let fence = folder.read_object(3).await.unwrap().unwrap();
    assert_eq!((fence.header.term, fence.records[0].kind), (term, RecordKind::Fence));
}

/// Each try would else push the end on by a fence, until the log seems to be long enough.
#[tokio::test]
async fn a_log_that_ends_before_what_was_flushed_is_refused_each_time() {
    let place = place(&memory());
    let (mut first, _) = take(&place, 1).await.unwrap();
    append(&mut first, &["a"]).await.unwrap();
    for id in 2..4 {
        let term = claim(&place, id).await.unwrap();
        let refused = open(place.clone(), writer(term, id), claims(&place, term, id), 3).await.err().unwrap();
        assert_eq!(refused.kind(), Kind::Corrupt);
        assert!(
            refused.message().contains("ends at position 2") && refused.message().contains("position 3"),
            "{refused}"
        );
    }
    let term = claim(&place, 4).await.unwrap();
    let (log, _) = open(place.clone(), writer(term, 4), claims(&place, term, 4), 2).await.unwrap();
    assert_eq!(texts(log.read_after(0).unwrap()).await.unwrap(), pairs(&[(1, ""), (2, "a"), (3, "")]));
}

#[tokio::test]
async fn a_term_opens_once() {
    let place = place(&memory());
    let (mut log, _) = take(&place, 1).await.unwrap();
    let refused = open(place.clone(), writer(1, 9), claims(&place, 1, 1), 0).await.err().unwrap();
    assert_eq!(refused.kind(), Kind::Conflict);
    append(&mut log, &["still mine"]).await.unwrap();
}

#[tokio::test]
async fn a_writer_whose_term_was_passed_before_it_opened_is_refused() {
    let place = place(&memory());
    let early = claim(&place, 1).await.unwrap();
    let passed = |refused: Result<(ObjectLog, Trimmer)>| assert_eq!(refused.err().unwrap().kind(), Kind::Conflict);
    let late = claim(&place, 2).await.unwrap();
    passed(open(place.clone(), writer(early, 1), claims(&place, early, 1), 0).await);
    // Its fence stands there, and harms nobody.
    let (log, _) = open(place.clone(), writer(late, 2), claims(&place, late, 2), 0).await.unwrap();
    assert_eq!(log.next_position(), 3);
    passed(open(place.clone(), writer(early, 3), claims(&place, early, 1), 0).await);
}

/// The workspace was dropped behind the claim. What the opening wrote before it knew lies in the log of the old id alone.
#[tokio::test]
async fn an_opening_whose_claim_is_gone_is_refused_and_leaves_nothing_in_the_log_of_the_next_workspace() {
    const NEXT: Uuid = Uuid::from_u128(8);
    let place = place(&memory());
    let term = claim(&place, 1).await.unwrap();
    place.store.delete(&claim_path(term)).await.unwrap();
    let refused = open(place.clone(), writer(term, 1), claims(&place, term, 1), 0).await.err().unwrap();
    assert_eq!(refused.kind(), Kind::Conflict, "{refused}");
    assert_eq!(claim(&place, 2).await.unwrap(), term);
    let refused = open(place.clone(), writer(term, 3), claims(&place, term, 1), 0).await.err().unwrap();
    assert_eq!(refused.kind(), Kind::Conflict, "{refused}");
    assert!(
        place.store.head(&place.paths.object(1)).await.is_ok()
            && place.store.head(&place.paths.trim_mark(1)).await.is_ok()
    );
    let next = LogPlace { paths: WalPaths::new(Path::from("shop"), NEXT), workspace: NEXT, ..place.clone() };
    let (log, _) = open(next, writer(term, 2), claims(&place, term, 2), 0).await.unwrap();
    assert_eq!(texts(log.read_after(0).unwrap()).await.unwrap(), pairs(&[(1, "")]));
}

#[tokio::test]
async fn an_object_that_is_missing_before_another_is_named() {
    let store = memory();
    let place = place(&store);
    let (mut log, _) = take(&place, 1).await.unwrap();
    for text in ["a", "b", "c"] {
        append(&mut log, &[text]).await.unwrap();
    }
    store.delete(&place.paths.object(2)).await.unwrap();
    let error = take(&place, 2).await.err().unwrap();
    assert_eq!(error.kind(), Kind::Corrupt);
    assert!(error.message().contains("/00000000000000000002.log"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn lists_are_not_needed_and_ambiguous_answers_are_resolved() {
    let rates = Rates { lost_answer: 300, false_conflict: 200, stale_list: 1_000, ..Rates::default() };
    for seed in 0..50 {
        let store: Arc<dyn ObjectStore> = Arc::new(SimulatedStore::new(seed, rates));
        let retries = Retries { attempts: 20, first_pause: Duration::from_millis(1), ..RETRIES };
        let place = LogPlace { retries, ..place(&store) };
        for round in 1..=3 {
            let (mut log, mut trimmer) = take(&place, round).await.unwrap_or_else(|error| panic!("{seed}: {error}"));
            append(&mut log, &["x"]).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            assert_eq!(log.next_position(), 2 * round as u64 + 1, "seed {seed}: nothing twice");
            trimmer.trim(log.next_position() - 3).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
    }
}
