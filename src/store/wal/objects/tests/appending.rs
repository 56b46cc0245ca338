//! What an append promises, and what ends a log.

use object_store::{ObjectStoreExt, PutPayload};

use super::*;
use crate::error::Kind;
use crate::store::tests::simulated::{Rates, SimulatedStore};

fn simulated(rates: Rates) -> (SimulatedStore, LogPlace) {
    let store = SimulatedStore::new(0, Rates::default());
    let place = place(&(Arc::new(store.clone()) as Arc<dyn ObjectStore>));
    store.set_rates(rates);
    (store, place)
}

#[tokio::test(start_paused = true)]
async fn an_append_that_cannot_be_resolved_ends_the_log_and_the_next_opening_tells() {
    let (store, place) = simulated(Rates::default());
    for (rates, text, landed) in [
        // Also the answer of the read that would resolve it is lost.
        (Rates { lost_answer: 1_000, ..Rates::default() }, "lost", 1),
        (Rates { false_conflict: 1_000, ..Rates::default() }, "conflict", 0),
        (Rates { throttled: 1_000, ..Rates::default() }, "throttled", 0),
    ] {
        let (mut log, _) = take(&place, 1).await.unwrap();
        store.set_rates(rates);
        let error = append(&mut log, &[text]).await.unwrap_err();
        assert!(matches!(log.state(), LogState::Ended { .. }), "{text}: {error}");
        store.set_rates(Rates::default());
        assert_eq!(append(&mut log, &["more"]).await.unwrap_err().kind(), Kind::Busy);
        let all = texts(LogView::open(place.clone()).await.unwrap().read_after(0).unwrap()).await.unwrap();
        assert_eq!(all.iter().filter(|(_, found)| found == text).count(), landed, "{all:?}");
    }
}

/// A second handle with what a log shares, to put another check of terms into it.
fn unshared(log: &ObjectLog) -> Shared {
    Shared {
        folder: Arc::clone(&log.shared.folder),
        writer: log.shared.writer,
        claims: Arc::clone(&log.shared.claims),
        index: Mutex::new(log.shared.index.lock().clone()),
        state: Mutex::new(LogState::Serving),
    }
}

/// Cannot tell.
struct Silent;

#[async_trait::async_trait]
impl TermCheck for Silent {
    async fn newest(&self) -> Result<u64> {
        Err(Error::busy("no answer"))
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_while_nobody_tells_the_newest_term() {
    let place = place(&memory());
    let (mut log, _) = take(&place, 1).await.unwrap();
    log.shared = Arc::new(Shared { claims: Arc::new(Silent), ..unshared(&log) });
    assert_eq!(append(&mut log, &["landed"]).await.unwrap_err().message(), "no answer");
    assert!(matches!(log.state(), LogState::Ended { .. }), "{:?}", log.state());
    let (log, _) = take(&place, 2).await.unwrap();
    assert_eq!(texts(log.read_after(1).unwrap()).await.unwrap(), pairs(&[(2, "landed"), (3, "")]));
}

#[tokio::test]
async fn a_stale_writer_whose_object_number_was_trimmed_acknowledges_nothing() {
    let place = place(&memory());
    let (mut stale, _) = take(&place, 1).await.unwrap();
    append(&mut stale, &["a"]).await.unwrap();
    let (mut log, mut trimmer) = take(&place, 2).await.unwrap();
    append(&mut log, &["b"]).await.unwrap();
    trimmer.trim(4).await.unwrap();
    assert_eq!(log.status().objects, 1, "the fence that would stop the stale writer is gone");
    let refused = append(&mut stale, &["lost"]).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert!(place.store.head(&place.paths.object(3)).await.is_ok(), "it has landed, and counts for nothing");
    assert_eq!(stale.state(), LogState::Fenced { newer_term: 2 });
    append(&mut log, &["c"]).await.unwrap();
    assert_eq!(texts(log.read_after(4).unwrap()).await.unwrap(), pairs(&[(5, "c")]));
    trimmer.trim(4).await.unwrap();
    assert!(place.store.head(&place.paths.object(3)).await.is_err(), "what it left is swept");
}

/// A workspace that is dropped loses its claims; the next one of its name begins with the same numbers.
#[tokio::test]
async fn a_writer_whose_claim_is_gone_or_another_ones_acknowledges_nothing() {
    for is_made_anew in [false, true] {
        let place = place(&memory());
        let (mut log, mut trimmer) = take(&place, 1).await.unwrap();
        append(&mut log, &["a"]).await.unwrap();
        place.store.delete(&claim_path(1)).await.unwrap();
        if is_made_anew {
            assert_eq!(claim(&place, 2).await.unwrap(), 1);
        }
        assert_eq!(trimmer.trim(1).await.unwrap_err().kind(), Kind::Conflict);
        assert_eq!(append(&mut log, &["lost"]).await.unwrap_err().kind(), Kind::Conflict);
        assert!(matches!(log.state(), LogState::Ended { .. }), "{:?}", log.state());
    }
}

#[tokio::test(start_paused = true)]
async fn an_append_that_is_given_up_ends_the_log() {
    let (store, place) = simulated(Rates::default());
    let (mut log, _) = take(&place, 1).await.unwrap();
    store.pause();
    let waited = tokio::time::timeout(Duration::from_secs(1), append(&mut log, &["x"])).await;
    assert!(waited.is_err());
    store.resume();
    assert!(matches!(log.state(), LogState::Ended { .. }));
    assert_eq!(append(&mut log, &["y"]).await.unwrap_err().kind(), Kind::Busy);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_ends_the_log_after_its_time() {
    let (store, mut place) = simulated(Rates::default());
    place.retries.timeout = Duration::from_secs(5);
    let (mut log, _) = take(&place, 1).await.unwrap();
    store.pause();
    let error = append(&mut log, &["x"]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Busy);
    assert!(error.message().contains("5 s"), "{error}");
    assert!(matches!(log.state(), LogState::Ended { .. }));
}

#[tokio::test]
async fn a_foreign_object_in_the_way_is_damage_and_not_a_takeover() {
    let place = place(&memory());
    let (mut log, _) = take(&place, 1).await.unwrap();
    place.store.put(&place.paths.object(2), PutPayload::from("nonsense".as_bytes().to_vec())).await.unwrap();
    assert_eq!(append(&mut log, &["x"]).await.unwrap_err().kind(), Kind::Corrupt);
    assert!(matches!(log.state(), LogState::Ended { .. }));
}

#[tokio::test]
async fn records_that_cannot_follow_are_refused_and_change_nothing() {
    let place = place(&memory());
    let (mut log, _) = take(&place, 1).await.unwrap();
    let end = Record { kind: RecordKind::End, ..record(2, "") };
    let next = Record { kind: RecordKind::Next, ..record(2, "") };
    for wrong in [vec![], vec![record(3, "a")], vec![record(2, "a"), record(2, "b")], vec![end], vec![next]] {
        assert_eq!(log.append(&wrong).await.unwrap_err().kind(), Kind::InvalidInput, "{wrong:?}");
    }
    assert_eq!(log.state(), LogState::Serving);
    append(&mut log, &["a"]).await.unwrap();
    let object = log.shared.folder.read_object(2).await.unwrap().unwrap();
    let header = object.header;
    assert_eq!((header.term, header.sequence, header.first_position, header.schema_revision), (1, 2, 2, 1));
}
