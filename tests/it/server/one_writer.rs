//! A workspace that a server holds: whoever else wants to write is sent to that server.

use std::fs;
use std::path::Path;

use crate::program::{Process, command};

/// What a command that is refused says.
fn refusal(data: &Path, arguments: &[&str]) -> String {
    let output = command(data, arguments).output().unwrap();
    assert!(!output.status.success(), "{arguments:?} is not refused");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_refusal_of_a_second_writer_says_where_the_first_is() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("more.csv"));
    fs::write(&file, "ts,user_id,event\n2024-12-01,u1,late\n").unwrap();
    let server = Process::start(&data);
    let load = ["ingest", file.to_str().unwrap()];
    let told = refusal(&data, &load);
    assert!(told.contains(&format!("served by {0}: use --connect {0}", server.address())), "{told}");
    // A server has no such flag.
    let told = refusal(&data, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(told.contains(&format!("served by {}: a data folder has one server: ", server.address())), "{told}");
    assert!(told.contains("--data") && !told.contains("--connect"), "{told}");
    drop(server);
    assert!(command(&data, &load).output().unwrap().status.success(), "the server has ended");
}
