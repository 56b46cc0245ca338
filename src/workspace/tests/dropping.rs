//! A workspace that is dropped, and made anew, under a writer that slept meanwhile.

use std::sync::Arc;

use bytes::Bytes;
use chrono_tz::Tz;
use futures::{TryStreamExt, future};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::simulation::events::{Batch, Message};
use crate::error::{Kind, Result};
use crate::ids::WorkspaceName;
use crate::store::delta::{Change, ChangeKind};
use crate::store::events::CommitRecord;
use crate::store::paths::{LogObject, WalPaths};
use crate::store::tests::delete_all;
use crate::store::tests::faulty::FaultyStore;
use crate::store::{Root, paths};
use crate::workspace::flush::FLUSH_BUFFER;
use crate::workspace::hot::AppendResult;
use crate::workspace::{Manifest, Workspace, Workspaces};

/// As one more process over the same bucket.
fn process(store: &Arc<dyn ObjectStore>) -> Workspaces {
    Workspaces::new(Root::in_shared_store(Arc::clone(store)).unwrap())
}

async fn make(store: &Arc<dyn ObjectStore>) -> Arc<Workspace> {
    process(store).create(&WorkspaceName::default(), &Manifest::new(Tz::UTC)).await.unwrap()
}

async fn open(store: &Arc<dyn ObjectStore>) -> Result<Arc<Workspace>> {
    process(store).get(&WorkspaceName::default()).await
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
    let error = send(&slept, 4).await.unwrap_err();
    assert!(error.kind() == Kind::Conflict && error.message().contains("made anew"), "{error}");
    for number in 11..15 {
        assert_eq!(send(&other, number).await.unwrap().kept, 1, "{number}");
    }
    let opened = open(&store).await.unwrap();
    assert_eq!(opened.snapshot().hot.rows(), 5);
    assert_eq!(opened.manifest().id, other.manifest().id);
}

/// Who has read the manifest may get the lock when a drop has ended: the lock file went with the folder.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drop_on_a_local_disk_leaves_nothing_to_those_who_opened_the_workspace_before() {
    let (folder, name) = (tempfile::tempdir().unwrap(), WorkspaceName::default());
    let process = || Workspaces::new(Root::open(folder.path().to_str().unwrap()).unwrap());
    let make = async || drop(process().create(&name, &Manifest::new(Tz::UTC)).await.unwrap());
    make().await;
    let opened = process().get(&name).await.unwrap();
    process().remove(&name).await.unwrap();
    assert_eq!(send(&opened, 0).await.unwrap_err().kind(), Kind::NotFound);
    assert!(!folder.path().join(name.as_str()).exists());

    make().await;
    let opened = process().get(&name).await.unwrap();
    process().remove(&name).await.unwrap();
    make().await;
    let error = send(&opened, 0).await.unwrap_err();
    assert!(error.kind() == Kind::Conflict && error.message().contains("made anew"), "{error}");
    let made = process().get(&name).await.unwrap();
    assert_eq!(send(&made, 1).await.unwrap().kept, 1);
    assert_eq!(made.snapshot().hot.rows(), 1);
}

/// Whether the log of a workspace has an object of this number; the first one is a fence.
async fn has_record(workspace: &Workspace, sequence: u64) -> bool {
    let paths = WalPaths::new(Path::default(), workspace.manifest().id);
    workspace.store().head(&paths.object(sequence)).await.is_ok()
}

/// The record lands before its writer looks at its claim. It is the only one: none follows a record that failed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_late_record_of_a_writer_is_shown_until_it_is_removed_and_replayed_by_nobody() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let slept = make(&store).await;
    assert_eq!(send(&slept, 0).await.unwrap().kept, 1);
    delete_all(&store).await;
    for number in 1..4 {
        assert!(send(&slept, number).await.is_err());
    }
    assert!(has_record(&slept, 3).await && !has_record(&slept, 4).await);
    // Events of somebody lie there: nobody makes a workspace over them unawares.
    let refused = process(&store).create(&WorkspaceName::default(), &Manifest::new(Tz::UTC)).await.err().unwrap();
    assert!(refused.kind() == Kind::Conflict && refused.message().contains("workspace drop"), "{refused}");
    process(&store).remove(&WorkspaceName::default()).await.unwrap();
    assert!(!has_record(&slept, 3).await);
    let made = make(&store).await;
    assert_eq!(send(&made, 1).await.unwrap().kept, 1);
    assert_eq!(open(&store).await.unwrap().snapshot().hot.rows(), 1);
}

async fn copy_all(store: &Arc<dyn ObjectStore>) -> Vec<(Path, Bytes)> {
    let listed: Vec<Path> = store.list(None).map_ok(|object| object.location).try_collect().await.unwrap();
    let read = listed.into_iter().map(|path| async move {
        let bytes = store.get(&path).await.unwrap().bytes().await.unwrap();
        (path, bytes)
    });
    future::join_all(read).await
}

/// As by the versions of a bucket: the id is the same, and so is the folder of the log. The late record is like one whose
/// answer was lost: its sender was told to send it again, and it is stored once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_record_counts_once_when_the_drop_is_undone() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let slept = make(&store).await;
    assert_eq!(send(&slept, 0).await.unwrap().kept, 1);
    let copy = copy_all(&store).await;
    delete_all(&store).await;
    assert!(send(&slept, 1).await.is_err() && has_record(&slept, 3).await);
    for (path, bytes) in copy {
        store.put(&path, bytes.into()).await.unwrap();
    }
    let of_slept = slept.root().paths(slept.name());
    store.put(&of_slept.writer_ended(1), "{}".into()).await.unwrap();
    let undone = open(&store).await.unwrap();
    assert_eq!((undone.manifest().id, undone.snapshot().hot.rows()), (slept.manifest().id, 2));
    let again = send(&undone, 1).await.unwrap();
    assert_eq!((again.kept, again.duplicate), (0, 1));
    assert_eq!(send(&undone, 2).await.unwrap().kept, 1);
    assert_eq!(open(&store).await.unwrap().snapshot().hot.rows(), 3);
}

/// How often the manifest was read.
fn looks(store: &FaultyStore) -> usize {
    store.gets.lock().iter().filter(|path| path.filename() == Some(paths::MANIFEST)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_look_tells_all_who_send_that_the_workspace_was_dropped() {
    let counting = Arc::new(FaultyStore::default());
    let store: Arc<dyn ObjectStore> = Arc::clone(&counting) as _;
    let slept = make(&store).await;
    assert_eq!(send(&slept, 0).await.unwrap().kept, 1);
    delete_all(&store).await;
    let before = looks(&counting);
    for number in 1..5 {
        assert!(send(&slept, number).await.is_err());
    }
    assert!(future::join_all((5..25).map(|number| send(&slept, number))).await.iter().all(Result::is_err));
    assert_eq!(looks(&counting) - before, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_look_tells_all_who_ask_that_only_the_claim_was_removed() {
    let counting = Arc::new(FaultyStore::default());
    let store: Arc<dyn ObjectStore> = Arc::clone(&counting) as _;
    let (server, name) = (process(&store), WorkspaceName::default());
    let workspace = server.create(&name, &Manifest::new(Tz::UTC)).await.unwrap();
    assert_eq!(send(&workspace, 0).await.unwrap().kept, 1);
    store.delete(&workspace.root().paths(&name).writer_claim(1)).await.unwrap();
    assert_eq!(send(&workspace, 1).await.unwrap_err().kind(), Kind::Conflict);
    let before = looks(&counting);
    for asked in future::join_all((0..20).map(|_| server.get(&name))).await {
        assert!(Arc::ptr_eq(&asked.unwrap(), &workspace));
    }
    assert_eq!(looks(&counting) - before, 1);
    // Numbers of terms that the log has seen are of no use: each try claims the next one.
    let mut tries = 0;
    while let Err(error) = send(&workspace, 2).await {
        tries += 1;
        assert!(tries < 5, "{error}");
    }
    let before = looks(&counting);
    for number in 3..6 {
        assert_eq!(send(&workspace, number).await.unwrap().kept, 1);
    }
    assert_eq!(looks(&counting) - before, 0);
    assert_eq!(
        open(&store).await.unwrap().snapshot().hot.rows(),
        6,
        "the record beside which the claim was gone is one"
    );
}

/// Its last check was before the drop: nothing keeps the entry of the next version from landing. It must be no commit of the
/// next workspace, whose log it would say to be in files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_commit_takes_nothing_from_the_next_workspace() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let slept = make(&store).await;
    for number in 0..3 {
        assert_eq!(send(&slept, number).await.unwrap().kept, 1);
    }
    delete_all(&store).await;
    let other = make(&store).await;
    assert_eq!(send(&other, 10).await.unwrap().kept, 1);
    // One that wakes up before.
    assert_eq!(slept.flush(FLUSH_BUFFER).await.err().unwrap().kind(), Kind::Conflict);
    assert!(!other.events().has_version(1).await.unwrap());

    let nothing = Change { removed: &[], added: &[], kind: ChangeKind::Append };
    let record = CommitRecord { position: 100, ..CommitRecord::default() };
    slept.events().commit(1, nothing, &record).await.unwrap();
    assert!(other.flush(FLUSH_BUFFER).await.is_err());
    for refused in [other.flush(FLUSH_BUFFER).await.map(drop), open(&store).await.map(drop)] {
        let error = refused.unwrap_err();
        assert!(error.kind() == Kind::Corrupt && error.what().contains("was dropped"), "{error}");
    }
    // As the error says.
    other.store().delete(&LogObject::entry_path(paths::EVENTS, 1)).await.unwrap();
    let opened = open(&store).await.unwrap();
    assert_eq!((opened.snapshot().hot.rows(), opened.snapshot().flushed), (1, 0));
}
