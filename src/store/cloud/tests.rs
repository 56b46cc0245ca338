use std::sync::Arc;

use object_store::ObjectStoreExt;

use super::*;
use crate::error::Kind;
use crate::store::tests::faulty::{Fault, FaultyStore};
use crate::store::{Root, objects};

fn store(faults: &[Fault]) -> (Arc<FaultyStore>, CloudStore) {
    let inner = Arc::new(FaultyStore::with(faults));
    (Arc::clone(&inner), CloudStore::new(inner, "s3://bucket".to_owned()))
}

async fn content(store: &CloudStore, path: &Path) -> Bytes {
    store.get(path).await.unwrap().bytes().await.unwrap()
}

#[tokio::test]
async fn a_create_that_landed_is_a_success_whatever_the_answer() {
    for fault in [Fault::LostAnswer, Fault::AlreadyExistsAfterLanding] {
        let (inner, store) = store(&[fault]);
        let path = Path::from("a");
        objects::create(&store, &path, "ours").await.unwrap();
        assert_eq!(content(&store, &path).await, "ours", "{fault:?}");
        assert_eq!(*inner.puts.lock(), 1);
    }
}

#[tokio::test]
async fn a_create_that_did_not_land_is_sent_again() {
    for fault in [Fault::ConflictWithoutLanding, Fault::Lost] {
        let (inner, store) = store(&[fault]);
        let path = Path::from("a");
        objects::create(&store, &path, "ours").await.unwrap();
        assert_eq!(content(&store, &path).await, "ours", "{fault:?}");
        assert_eq!(*inner.puts.lock(), 2);
    }
}

#[tokio::test]
async fn a_create_that_never_lands_fails_in_the_end() {
    let (_, store) = store(&[Fault::Lost; 9]);
    assert!(objects::create(&store, &Path::from("a"), "ours").await.is_err());
}

#[tokio::test]
async fn other_bytes_are_a_conflict_and_stay() {
    for faults in [vec![], vec![Fault::Lost], vec![Fault::ConflictWithoutLanding]] {
        let (inner, store) = store(&[]);
        let path = Path::from("a");
        objects::create(&store, &path, "theirs").await.unwrap();
        inner.faults.lock().extend(faults);
        let refused = objects::create(&store, &path, "theirs, but longer").await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Conflict);
        assert_eq!(content(&store, &path).await, "theirs");
    }
}

#[test]
fn payloads_are_compared_across_their_parts() {
    let payload: PutPayload = ["ab", "", "cd"].into_iter().map(Bytes::from).collect();
    assert!(same(&Bytes::from_static(b"abcd"), &payload));
    for other in ["abc", "abcde", "abce", ""] {
        assert!(!same(&Bytes::from(other), &payload), "{other}");
    }
}

#[tokio::test]
async fn large_objects_go_in_parts() {
    let (inner, store) = store(&[]);
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|at| (at % 251) as u8).collect();
    let path = Path::from("large");
    objects::create_unique(&store, &path, bytes.clone()).await.unwrap();
    assert_eq!(content(&store, &path).await, bytes);
    assert_eq!(*inner.puts.lock(), 0, "no single put");
}

#[test]
fn secrets_in_a_location_are_refused_and_not_repeated() {
    for location in
        ["s3://key:hush@bucket/data", "s3://hush@bucket/data", "gs://bucket/data?token=hush", "az://box/a#hush"]
    {
        let refused = Root::open(location).unwrap_err();
        assert_eq!(refused.kind(), Kind::InvalidInput, "{location}");
        assert!(!refused.to_string().contains("hush") && refused.to_string().contains("environment"), "{refused}");
    }
}

#[test]
fn locations_without_a_bucket_are_refused() {
    for location in ["s3://", "s3:///folder", "s3:bucket"] {
        let refused = Root::open(location).unwrap_err();
        assert_eq!(refused.kind(), Kind::InvalidInput, "{location}");
        assert!(refused.to_string().contains("s3://bucket/folder"), "{refused}");
    }
}

#[test]
fn debug_shows_the_bucket_alone() {
    let (_, store) = store(&[]);
    assert_eq!(format!("{store:?}"), "CloudStore(s3://bucket)");
}
