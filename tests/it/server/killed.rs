//! kill -9 of a server that acknowledged loads: their records tell a new one what was loaded, `#` in names or not.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use arrow_flight::FlightClient;
use convoke::ingest::LoadSummary;
use convoke::ingest::input;
use tempfile::TempDir;

use super::ingest::{upload, visit};
use super::*;

/// `convoke ARGUMENTS` over a folder.
fn command(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_convoke"));
    command.args(arguments).arg("--data").arg(folder.path());
    command
}

/// Of role admin, or bound to a source.
fn token(folder: &TempDir, source: Option<&str>) -> String {
    let mut create = command(folder, &["token", "create", "--role", "admin"]);
    if let Some(source) = source {
        create = command(folder, &["token", "create", "--role", "ingest", "--source", source]);
    }
    let output = create.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A server in a process of its own, which its drop kills as a power cut would.
struct Process {
    child: Child,
    address: String,
    /// Held, so that the server may go on writing.
    _output: BufReader<ChildStdout>,
}

impl Process {
    fn start(folder: &TempDir) -> Self {
        let mut command = command(folder, &["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.split_whitespace().last().unwrap_or_default().to_owned();
        assert!(address.starts_with("http://127.0.0.1:"), "{line}");
        Self { child, address, _output: output }
    }

    async fn channel(&self) -> Channel {
        Endpoint::from_shared(self.address.clone()).unwrap().connect().await.unwrap()
    }

    /// One visit under a content hash.
    async fn put(&self, token: &str, hash: &str) -> LoadSummary {
        let mut client = FlightClient::new(self.channel().await);
        client.add_header("authorization", &format!("Bearer {token}")).unwrap();
        let data = upload("ingest", hash, input::schema(), vec![visit("x")]);
        let answers: Vec<_> = client.do_put(data).await.unwrap().try_collect().await.unwrap();
        serde_json::from_slice(&answers[0].app_metadata).unwrap()
    }

    async fn count(&self, token: &str) -> String {
        let mut client = FlightSqlServiceClient::new(self.channel().await);
        client.set_token(token.to_owned());
        rows(&mut client, "SELECT count(*) FROM events").await.join(", ")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// (token's source, content hash): all of them other content, some the same text when `#` joins their parts.
const CONTENTS: [(Option<&str>, &str); 6] =
    [(None, "a"), (None, "a#1"), (None, "a#2"), (Some("web"), "a"), (Some("web#1"), "a"), (Some("web"), "a#1")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_known_after_kill_9_by_hash_and_source() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let mut loaded = Vec::new();
        for (source, hash) in CONTENTS {
            let token = token(&folder, source);
            let server = Process::start(&folder);
            let summary = server.put(&token, hash).await;
            drop(server);
            assert_eq!((summary.kept, summary.skipped), (1, false), "{source:?} {hash} is new");
            loaded.push((token, hash));
            // Each time all that came before is asked for again, of a server that only has the records.
            let server = Process::start(&folder);
            for (token, hash) in &loaded {
                assert!(server.put(token, hash).await.skipped, "{hash} is there after {source:?} {hash}");
            }
            assert_eq!(server.count(&loaded[0].0).await, loaded.len().to_string());
        }
    })
    .await;
}
