use std::time::Duration;

use futures::StreamExt;
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{ObjectStore, ObjectStoreExt};

use super::*;
use crate::store::tests::delete_all;

const ADDRESS: &str = "http://127.0.0.1:8815";

fn name(text: &str) -> WorkspaceName {
    WorkspaceName::new(text).unwrap()
}

async fn make(workspaces: &Workspaces, names: &[&str]) {
    for text in names {
        workspaces.create(&name(text), &Manifest::new(Tz::UTC)).await.unwrap();
    }
}

fn in_folder(folder: &tempfile::TempDir) -> Workspaces {
    Workspaces::new(Root::open(folder.path().to_str().unwrap()).unwrap())
}

/// Whether another process would get the right to write.
async fn is_free(folder: &tempfile::TempDir, text: &str) -> bool {
    let workspace = in_folder(folder).get(&name(text)).await.unwrap();
    match workspace.writer().await {
        Ok(_) => true,
        Err(error) => {
            assert!(error.message().contains(&format!("--connect {ADDRESS}")), "{error}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_opens_all_workspaces_and_writes_to_each() {
    let folder = tempfile::tempdir().unwrap();
    make(&in_folder(&folder), &["a", "b", "c"]).await;
    std::fs::write(folder.path().join("b/workspace.json"), "{").unwrap();
    let server = in_folder(&folder);
    server.serve(ADDRESS).await;
    // One that is asked for before the others are come to.
    server.get(&name("c")).await.unwrap();
    assert!(!is_free(&folder, "c").await && is_free(&folder, "a").await);
    let names = server.unopened().await.unwrap();
    assert_eq!((names.clone(), server.to_open()), (vec![name("a"), name("b")], 2));
    server.open_each(names).await;
    assert_eq!((server.opened().len(), server.to_open()), (2, 0), "the damaged one keeps no other back");
    assert!(!is_free(&folder, "a").await);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_need_wait_for_an_opening_to_come_to_its_end() {
    let store = Arc::new(ThrottledStore::new(InMemory::new(), ThrottleConfig::default()));
    let root = Root::in_store(store.clone()).unwrap();
    make(&Workspaces::new(root.clone()), &["a"]).await;
    store.config_mut(|config| config.wait_get_per_call = Duration::from_millis(20));
    let server = Workspaces::new(root);
    let asked = name("a");
    assert!(tokio::time::timeout(Duration::from_millis(5), server.get(&asked)).await.is_err(), "it takes longer");
    tokio::time::timeout(Duration::from_secs(30), async {
        while server.opened().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_no_workspace_that_is_being_read() {
    let store = Arc::new(ThrottledStore::new(InMemory::new(), ThrottleConfig::default()));
    let root = Root::in_store(store.clone()).unwrap();
    make(&Workspaces::new(root.clone()), &["a", "b"]).await;
    let server = Workspaces::new(root);
    server.serve(ADDRESS).await;
    server.get(&name("a")).await.unwrap();
    store.config_mut(|config| config.wait_get_per_call = Duration::from_secs(3_600));
    let asked = tokio::spawn({
        let server = server.clone();
        async move { server.get(&name("b")).await.map(drop) }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    tokio::time::timeout(Duration::from_secs(10), server.close()).await.unwrap();
    for refused in [asked.await.unwrap(), server.get(&name("b")).await.map(drop)] {
        let error = refused.unwrap_err();
        assert!(error.kind() == Kind::Busy && error.message().contains("the server stops"), "{error}");
    }
    server.get(&name("a")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_closes_some_workspaces_beside_those_that_take_long() {
    let folder = tempfile::tempdir().unwrap();
    let server = in_folder(&folder);
    server.serve(ADDRESS).await;
    let names = ["a", "b", "c", "d", "e", "f"];
    make(&server, &names).await;
    let mut busy = Vec::new();
    // One less than are closed at once.
    for text in &names[..3] {
        busy.push(server.get(&name(text)).await.unwrap().writer().await.unwrap());
    }
    let closing = tokio::spawn({
        let server = server.clone();
        async move { server.close().await }
    });
    tokio::time::timeout(Duration::from_secs(30), async {
        for text in &names[3..] {
            let workspace = server.get(&name(text)).await.unwrap();
            while workspace.writer().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    })
    .await
    .unwrap();
    assert!(!closing.is_finished());
    drop(busy);
    tokio::time::timeout(Duration::from_secs(30), closing).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_that_was_dropped_while_its_writer_slept_stays_dropped() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let process = || Workspaces::new(Root::in_shared_store(Arc::clone(&store)).unwrap());
    let server = process();
    make(&server, &["a"]).await;
    let slept = server.get(&name("a")).await.unwrap();
    drop(slept.writer().await.unwrap());
    // As another process does that takes this one for gone.
    delete_all(&store).await;
    assert_eq!(slept.writer().await.err().unwrap().kind(), Kind::NotFound);
    assert!(store.list(None).next().await.is_none(), "nothing of it came back");
    // A sign of life that was on its way.
    let heartbeat = server.root().paths(&name("a")).writer_heartbeat(1);
    store.put(&heartbeat, "{}".into()).await.unwrap();
    let other = process();
    assert!(other.list().await.unwrap().is_empty());
    make(&other, &["a"]).await;
    drop(other.get(&name("a")).await.unwrap().writer().await.unwrap());
    assert_eq!(slept.writer().await.err().unwrap().kind(), Kind::NotFound, "what was found stays true of that one");
    let opened = server.get(&name("a")).await.unwrap();
    assert_ne!(opened.manifest().id, slept.manifest().id, "whoever asks again gets the one that is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_only_answers_queries_closes_what_others_have_dropped() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let process = || Workspaces::new(Root::in_shared_store(Arc::clone(&store)).unwrap().with_stale_seconds(1));
    let server = process();
    server.serve(ADDRESS).await;
    make(&server, &["a", "b"]).await;
    delete_all(&store).await;
    let other = process();
    make(&other, &["a"]).await;
    let made = other.get(&name("a")).await.unwrap().manifest().id;
    // Each heartbeat looks at the claim.
    tokio::time::timeout(Duration::from_secs(30), async {
        while server.get(&name("a")).await.unwrap().manifest().id != made || server.get(&name("b")).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(server.get(&name("b")).await.err().unwrap().kind(), Kind::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_that_is_made_anew_is_not_the_one_that_others_have_dropped() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let server = Workspaces::new(Root::in_shared_store(Arc::clone(&store)).unwrap());
    make(&server, &["a"]).await;
    let before = server.get(&name("a")).await.unwrap();
    delete_all(&store).await;
    let made = server.create(&name("a"), &Manifest::new(Tz::UTC)).await.unwrap();
    assert_ne!(made.manifest().id, before.manifest().id);
    assert_eq!(server.get(&name("a")).await.unwrap().manifest().id, made.manifest().id);
}
