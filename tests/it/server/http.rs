use std::net::SocketAddr;
use std::time::Duration;

use convoke::error::{Error, Result};
use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tonic::Code;

use super::{boot, boot_with, load, open, query, rows, served, status, within};
use crate::harness::world;

pub async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_answers_before_it_is_ready_and_ends_when_it_cannot_be() {
    within(async {
        let (open, opened) = tokio::sync::oneshot::channel::<Result<()>>();
        let served = boot_with(world().await, Duration::ZERO, async move { opened.await.unwrap() }).await;
        assert!(get(served.address, "/healthz").await.starts_with("HTTP/1.1 200"));
        let answer = get(served.address, "/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nnot ready: the server starts: the stored state is being read\n"), "{answer}");
        open.send(Ok(())).unwrap();
        super::until("it is ready", async || get(served.address, "/readyz").await.starts_with("HTTP/1.1 200")).await;
        let refused = async { Err(Error::conflict("another process writes")) };
        let served = boot_with(world().await, Duration::ZERO, refused).await;
        assert_eq!(served.end().await.unwrap_err().message(), "another process writes");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_and_unknown_paths_on_the_port_of_flight() {
    within(async {
        let served = served().await;
        for path in ["/healthz", "/readyz"] {
            let answer = get(served.address, path).await;
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"), "{answer}");
        }
        let answer = get(served.address, "/nope?x=1").await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        let body = answer.split("\r\n\r\n").nth(1).unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"]["kind"], "not_found");
        assert!(body["error"]["message"].as_str().unwrap().contains("'/nope'"), "{body}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_count_what_was_asked() {
    within(async {
        let served = served().await;
        let mut client = served.client().await;
        assert_eq!(rows(&mut client, "SELECT message_id FROM events").await.len(), 4);
        query(&mut client, "SELECT 1 / (rows - rows) FROM event_catalog").await.unwrap_err();
        let wanted = [
            "convoke_queries_started_total 2\n",
            "convoke_queries_finished_total 1\n",
            "convoke_queries_failed_total 1\n",
            "convoke_queries_running 0\n",
            "convoke_rows_sent_total 4\n",
        ];
        super::until("the counts are right", async || {
            let text = get(served.address, "/metrics").await;
            wanted.iter().all(|line| text.contains(line))
        })
        .await;
        let text = get(served.address, "/metrics").await;
        assert!(text.contains("application/openmetrics-text"));
        // The events of the world are in files, and lay in the log before.
        assert!(text.contains("convoke_log_position 1\n"), "{text}");
        assert!(text.contains("convoke_log_flushed_position 1\n"), "{text}");
        assert!(text.contains("convoke_hot_rows 0\n"), "{text}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_without_queries_is_quick() {
    within(async {
        let served = served().await;
        let (address, mut client) = (served.address, served.client().await);
        rows(&mut client, "SELECT 1").await;
        let begun = Instant::now();
        let (_world, outcome) = served.stop().await;
        outcome.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        assert!(TcpStream::connect(address).await.is_err(), "the port is free again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_without_end_is_told_after_the_grace() {
    within(async {
        let world = world().await;
        load(&world).await;
        let served = boot(world, Duration::from_millis(500)).await;
        let mut client = served.client().await;
        let mut stream = open(&mut client, "SELECT value FROM generate_series(1, 1000000000000)").await.unwrap();
        stream.next().await.unwrap().unwrap();
        let begun = Instant::now();
        let (_world, task) = served.say_stop();
        let end = loop {
            match stream.next().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => break status(error),
                None => panic!("a cut-off result looks whole"),
            }
        };
        // Unknown is the broken connection of the ignored test above.
        assert!(matches!(end.code(), Code::Cancelled | Code::Unknown), "{end:?}");
        task.await.unwrap().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    })
    .await;
}
