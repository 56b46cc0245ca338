//! A sync of the log that fails once: nothing is acknowledged behind it, though all later ones succeed; queries go on, and the
//! next start has all that was acknowledged. The system's fsync and fdatasync are replaced in the server (LD_PRELOAD).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use tonic::Code;

use super::event_stream::{Batch, send};
use super::watched_root::{PATIENCE, WatchedRoot};
use crate::program::Process;
use crate::server::{rows, within};

const COUNT: &str = "SELECT count(*), count(DISTINCT message_id) FROM events";

/// The library with the other fsync, and the file that makes it fail.
struct FailingSync {
    library: PathBuf,
    trigger: PathBuf,
    _folder: TempDir,
}

impl FailingSync {
    /// Made by the program that has linked this test.
    fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (library, trigger) = (folder.path().join("failing_sync.so"), folder.path().join("trigger"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/live/failing_sync.c");
        let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Self { library, trigger, _folder: folder }
    }

    fn server(&self, data: &Path) -> Process {
        let environment = [("LD_PRELOAD", self.library.as_path()), ("FAILING_SYNC_TRIGGER", self.trigger.as_path())];
        Process::start_with(data, &environment)
    }
}

/// Without an end; some have a batch key.
fn batches(name: String) -> impl Stream<Item = Batch> + Send + 'static {
    stream::iter(0..).map(move |number: usize| {
        let name = format!("{name}-{number}");
        let key = number.is_multiple_of(3).then(|| format!("key of {name}"));
        Batch { name, rows: 1 + number % 20, key }
    })
}

/// Two streams that go on until a sync fails: each is refused then.
async fn stream_until_it_fails(root: &WatchedRoot, server: &Process, failing: &FailingSync, round: u64) {
    let mut streams = Vec::new();
    for client in 0..2 {
        let (channel, token, oracle) = (server.channel().await, root.token.clone(), Arc::clone(&root.oracle));
        let batches = batches(format!("m{round}-{client}"));
        streams.push(tokio::spawn(async move { send(channel, &token, batches, 8, oracle).await }));
    }
    sleep(Duration::from_millis(100 + 70 * round)).await;
    fs::write(&failing.trigger, "").unwrap();
    for stream in streams {
        let ended = timeout(PATIENCE, stream).await.expect("a stream ends when a sync fails").unwrap();
        let status = ended.expect("a stream that has no end is refused");
        assert!(matches!(status.code(), Code::Internal | Code::ResourceExhausted), "{status:?}");
        assert!(status.message().contains("look at the disk"), "{status:?}");
    }
    assert!(!failing.trigger.exists(), "the server uses the library");
}

/// No sync fails any more, and still nothing is written; what was there is read as before.
async fn check_that_it_only_reads(root: &WatchedRoot, server: &Process, round: u64) {
    let mut client = server.client(&root.token).await;
    let before = rows(&mut client, COUNT).await;
    for number in 0..4 {
        let status = root.send(server, vec![Batch::new(format!("refused{round}-{number}"), 5)]).await;
        let status = status.expect("a batch behind the failed sync is not acknowledged");
        assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
        let says = |part: &str| status.message().contains(part);
        assert!(says("the disk did not keep") && says("nothing is written") && says("start again"), "{status:?}");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(rows(&mut client, COUNT).await, before);
    root.check_running(server, &format!("round {round}, behind the failed sync")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_that_fails_once_ends_writing_and_loses_nothing() {
    within(async {
        let (root, failing) = (WatchedRoot::new(), FailingSync::build());
        for (round, is_killed) in [(0, true), (1, false), (2, true)] {
            let server = failing.server(root.path());
            root.oracle.lock().server_started();
            root.check_running(&server, &format!("round {round}, at the start")).await;
            let unanswered = root.oracle.lock().unanswered();
            root.send_well(&server, unanswered).await;
            stream_until_it_fails(&root, &server, &failing, round).await;
            check_that_it_only_reads(&root, &server, round).await;
            match is_killed {
                true => drop(server),
                false => assert!(server.stop().success()),
            }
            root.check_folder(&format!("round {round}, without a server"));
        }
        let server = Process::start(root.path());
        root.oracle.lock().server_started();
        root.check_running(&server, "without the library").await;
        let unanswered = root.oracle.lock().unanswered();
        root.send_well(&server, unanswered).await;
        assert!(root.oracle.lock().unanswered().is_empty());
        root.check_running(&server, "all answered").await;
        let told = root.oracle.lock().describe();
        eprintln!("3 failed syncs: {told}");
    })
    .await;
}
