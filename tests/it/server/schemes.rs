//! `convoke sql --connect` with the wrong scheme: it says which one is right.

use std::io::{Read, Write};
use std::net::TcpListener as Listener;
use std::process::Command;

use super::*;

/// What `convoke sql` says when it fails.
async fn complaint(address: String, token: String) -> String {
    let run = move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_convoke"));
        command.args(["sql", "SELECT 1", "--connect", &address, "--token", &token]).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_tls_is_named() {
    within(async {
        let served = served().await;
        let said = complaint(format!("https://{}", served.address), served.token.clone()).await;
        assert!(said.contains(&format!("speaks no TLS: connect to http://{}", served.address)), "{said}");
    })
    .await;
}

/// Answers whatever comes as a TLS server does that finds no common ground: by a fatal alert (RFC 8446, 6: record type
/// 21, version 3.3, two bytes: fatal, handshake_failure).
fn alerting(listener: Listener) {
    while let Ok((mut stream, _)) = listener.accept() {
        let mut first = [0; 1];
        if stream.read_exact(&mut first).is_ok() {
            stream.write_all(&[21, 3, 3, 0, 2, 2, 40]).ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_tls_is_named() {
    within(async {
        let listener = Listener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || alerting(listener));
        let said = complaint(format!("http://{address}"), "x".to_owned()).await;
        assert!(said.contains(&format!("speaks TLS only: connect to https://{address}")), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_where_nothing_speaks_either_is_not_taken_for_one() {
    within(async {
        let listener = Listener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // Closes each connection without a word.
        std::thread::spawn(move || while listener.accept().is_ok() {});
        let said = complaint(format!("http://{address}"), "x".to_owned()).await;
        assert!(said.starts_with("error: ") && !said.contains("TLS only"), "{said}");
    })
    .await;
}
