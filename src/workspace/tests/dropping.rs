//! A workspace that is dropped, and made anew, under a writer that slept meanwhile.

use std::sync::Arc;

use chrono_tz::Tz;
use object_store::ObjectStore;
use object_store::memory::InMemory;

use super::simulation::events::{Batch, Message};
use crate::error::{Kind, Result};
use crate::ids::WorkspaceName;
use crate::store::Root;
use crate::store::tests::delete_all;
use crate::workspace::hot::AppendResult;
use crate::workspace::{Manifest, Workspace, Workspaces};

/// As one more process over the same bucket.
fn process(store: &Arc<dyn ObjectStore>) -> Workspaces {
    Workspaces::new(Root::in_shared_store(Arc::clone(store)).unwrap())
}

async fn make(store: &Arc<dyn ObjectStore>) -> Arc<Workspace> {
    process(store).create(&WorkspaceName::default(), &Manifest::new(Tz::UTC)).await.unwrap()
}

async fn send(workspace: &Arc<Workspace>, number: u32) -> Result<AppendResult> {
    let batch = Batch { messages: vec![Message::new(0, number)], rejected: Vec::new(), key: None };
    let events = batch.events(workspace.snapshot().rules.revision, workspace.clock().now_micros());
    workspace.enqueue(events, 0).await.wait().await.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_to_a_workspace_that_was_dropped() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let slept = make(&store).await;
    assert_eq!(send(&slept, 0).await.unwrap().kept, 1);
    delete_all(&store).await;
    let error = send(&slept, 1).await.unwrap_err();
    assert!(error.kind() == Kind::Conflict && error.message().contains("was dropped"), "{error}");
    assert_eq!(send(&slept, 2).await.unwrap_err().kind(), Kind::NotFound);
}

/// The new one's terms have the numbers of the old one's, and so have the objects of its log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_writer_of_before_sends_reaches_no_workspace_that_was_made_anew() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let slept = make(&store).await;
    for number in 0..3 {
        assert_eq!(send(&slept, number).await.unwrap().kept, 1);
    }
    delete_all(&store).await;
    let other = make(&store).await;
    assert_eq!(send(&other, 10).await.unwrap().kept, 1);
    let error = send(&slept, 3).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    for number in 11..15 {
        assert_eq!(send(&other, number).await.unwrap().kept, 1, "{number}");
    }
    let opened = process(&store).get(&WorkspaceName::default()).await.unwrap();
    assert_eq!(opened.snapshot().hot.rows(), 5);
    assert_eq!(opened.manifest().id, other.manifest().id);
}
