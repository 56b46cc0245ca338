//! kill -9 of a server that acknowledged loads: their records tell a new one what was loaded, `#` in names or not.

use arrow_flight::FlightClient;
use convoke::ingest::LoadSummary;
use convoke::ingest::input;
use uuid::Uuid;

use super::ingest::{upload, visit};
use super::*;
use crate::program::{Process, token};

/// One visit under a content hash.
async fn put(server: &Process, token: &str, hash: &str) -> LoadSummary {
    let mut client = FlightClient::new(server.channel().await);
    client.add_header("authorization", &format!("Bearer {token}")).unwrap();
    let data = upload("ingest", hash, input::schema(), vec![visit(&Uuid::now_v7().to_string())]);
    let answers: Vec<_> = client.do_put(data).await.unwrap().try_collect().await.unwrap();
    serde_json::from_slice(&answers[0].app_metadata).unwrap()
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
            let token = token(folder.path(), source);
            let server = Process::start(folder.path());
            let summary = put(&server, &token, hash).await;
            drop(server);
            assert_eq!((summary.kept, summary.skipped), (1, false), "{source:?} {hash} is new");
            loaded.push((token, hash));
            // Each time all that came before is asked for again, of a server that only has the records.
            let server = Process::start(folder.path());
            for (token, hash) in &loaded {
                assert!(put(&server, token, hash).await.skipped, "{hash} is there after {source:?} {hash}");
            }
            let mut client = server.client(&loaded[0].0).await;
            assert_eq!(rows(&mut client, "SELECT count(*) FROM events").await, [loaded.len().to_string()]);
        }
    })
    .await;
}
