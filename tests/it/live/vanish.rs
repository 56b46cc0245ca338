//! A client whose wire is cut while a batch is on it: nothing of that batch is stored, all that was answered is.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

use super::event_stream::{Answer, Batch, send_all};
use crate::harness::{World, world};
use crate::server::{boot, within};

const BATCHES: usize = 6;
const ROWS: usize = 300;

/// A wire to a server that is cut behind so many bytes of the client; gives its address, and how many went over it.
async fn wire(server: SocketAddr, bytes: u64) -> (SocketAddr, JoinHandle<u64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let passing = tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let (from_client, mut to_client) = client.into_split();
        let mut from_client = from_client.take(bytes);
        let (mut from_server, mut to_server) = TcpStream::connect(server).await.unwrap().into_split();
        let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
        let (mut passed, mut some) = (0, [0; 4096]);
        // However the client ends, what came before has gone on.
        while let Ok(read @ 1..) = from_client.read(&mut some).await {
            to_server.write_all(&some[..read]).await.unwrap();
            passed += read as u64;
        }
        back.abort();
        drop(back.await);
        passed
    });
    (address, passing)
}

async fn channel(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

fn batches(name: &str) -> Vec<Batch> {
    (0..BATCHES).map(|number| Batch::new(format!("{name}-{number}"), ROWS)).collect()
}

/// Rows of each batch.
async fn stored(world: &World) -> HashMap<String, usize> {
    let sql = "SELECT split_part(message_id, '.', 1), count(*), count(DISTINCT message_id) FROM events GROUP BY 1";
    let batch = |row: String| {
        let parts: Vec<&str> = row.split(' ').collect();
        assert_eq!(parts[1], parts[2], "an id is there once: {row}");
        (parts[0].to_owned(), parts[1].parse::<usize>().unwrap())
    };
    world.rows(sql).await.into_iter().map(batch).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_stored_of_a_batch_whose_client_vanishes() {
    within(async {
        let served = boot(world().await, Duration::from_secs(5)).await;
        let (address, passing) = wire(served.address, u64::MAX).await;
        let (answers, ended) = send_all(channel(address).await, &served.token, &batches("a")).await;
        assert!(ended.is_none() && answers.len() == BATCHES, "{ended:?}");
        // As many bytes go over it each time, but for a few of the protocol.
        let whole = passing.await.unwrap();
        for (name, percent) in [("b", 25), ("c", 40), ("d", 55), ("e", 65), ("f", 80), ("g", 92)] {
            let batches = batches(name);
            let (address, passing) = wire(served.address, whole * percent / 100).await;
            let (answers, ended) = send_all(channel(address).await, &served.token, &batches).await;
            assert!(ended.is_some(), "a stream of which {percent} % went over the wire");
            passing.await.unwrap();
            let found = stored(&served.world).await;
            for (number, batch) in batches.iter().enumerate() {
                let rows = found.get(&batch.name).copied().unwrap_or_default();
                assert!(rows == ROWS || rows == 0, "{rows} rows of {batch:?}");
                assert!(rows == ROWS || number >= answers.len(), "{batch:?} was answered {:?}", answers[number]);
            }
            assert_eq!(found.get(&batches[BATCHES - 1].name), None, "the wire was cut in it, or before");
            // Its client comes back.
            let (answers, ended) = send_all(served.channel().await, &served.token, &batches).await;
            assert!(ended.is_none(), "{ended:?}");
            let is_whole =
                |answer: &Answer| [(ROWS as u64, 0), (0, ROWS as u64)].contains(&(answer.kept, answer.duplicate));
            assert!(answers.len() == BATCHES && answers.iter().all(is_whole), "{answers:?}");
            let found = stored(&served.world).await;
            assert!(batches.iter().all(|batch| found[&batch.name] == ROWS), "{found:?}");
        }
        assert_eq!(served.world.row("SELECT count(*) FROM events").await, (7 * BATCHES * ROWS).to_string());
    })
    .await;
}
