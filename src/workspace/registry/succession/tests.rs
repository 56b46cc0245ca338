use chrono_tz::Tz;
use object_store::memory::InMemory;
use tokio::runtime::Runtime;

use super::*;
use crate::error::Kind;
use crate::store::Root;
use crate::workspace::Manifest;

const OWN: &str = "http://127.0.0.1:8815";
const OTHER: &str = "http://127.0.0.1:8816";

/// A store in which a writer counts as gone after three seconds.
fn root() -> Root {
    Root::in_shared_store(Arc::new(InMemory::new())).unwrap().with_stale_seconds(3)
}

/// A server that has made and opened the default workspace.
async fn server(root: &Root, address: &str) -> Workspaces {
    let server = Workspaces::new(root.clone());
    server.serve(address).await;
    server.get_or_create(&WorkspaceName::default(), &Manifest::new(Tz::UTC)).await.unwrap();
    server
}

/// The same, whose process is killed: its claim stays, and nobody gives signs of life for it.
fn killed_server(root: &Root, address: &'static str) {
    let root = root.clone();
    // Outside of any runtime a claim that is dropped stays.
    let thread = std::thread::spawn(move || {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(async { server(&root, address).await });
        drop(runtime);
        drop(server);
    });
    thread.join().unwrap();
}

async fn started(root: &Root) -> (Workspaces, Result<Arc<Workspace>>) {
    let server = Workspaces::new(root.clone());
    server.serve(OWN).await;
    let name = WorkspaceName::default();
    let starting = server.get_after_predecessor(&name);
    let outcome = tokio::time::timeout(Duration::from_secs(60), starting).await.unwrap();
    (server, outcome)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_waits_for_one_that_was_killed_and_takes_over() {
    // Mostly it is the same command, which has the same address.
    for address in [OWN, OTHER] {
        let root = root();
        killed_server(&root, address);
        let at_once = Workspaces::new(root.clone());
        at_once.serve(OWN).await;
        let refused = at_once.get(&WorkspaceName::default()).await.map(drop).unwrap_err();
        assert_eq!(refused.kind(), Kind::Busy, "{refused}");
        let (server, outcome) = started(&root).await;
        outcome.unwrap();
        assert_eq!(server.start_report(), "the stored state is being read", "nobody is waited for any more");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_waited_for_is_said() {
    let root = root().with_stale_seconds(3_600);
    killed_server(&root, OTHER);
    let server = Workspaces::new(root);
    server.serve(OWN).await;
    let starting = tokio::spawn({
        let server = server.clone();
        async move { server.get_after_predecessor(&WorkspaceName::default()).await.map(drop) }
    });
    let (begin, end) = ("waiting up to 3", format!(" s for the writer at {OTHER} to count as gone"));
    let said = async {
        loop {
            let report = server.start_report();
            if report.starts_with(begin) && report.ends_with(&end) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), said).await.unwrap();
    starting.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lives_keeps_others_out() {
    for (address, said) in [(OTHER, "is served by http://127.0.0.1:8816"), (OWN, "the same address")] {
        let root = root();
        let _living = server(&root, address).await;
        let (_, outcome) = started(&root).await;
        let refused = outcome.map(drop).unwrap_err();
        assert!(refused.kind() == Kind::Busy && refused.message().contains(said), "{refused}");
        assert_eq!(refused.message().contains("connect"), address == OTHER, "{refused}");
    }
}
