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
    let advice = format!("served by {0}: use --connect {0}", server.address());
    let load = ["ingest", file.to_str().unwrap()];
    for second in [&load[..], &["serve", "--listen", "127.0.0.1:0"]] {
        let told = refusal(&data, second);
        assert!(told.contains(&advice), "{second:?}: {told}");
    }
    drop(server);
    assert!(command(&data, &load).output().unwrap().status.success(), "the server has ended");
}
