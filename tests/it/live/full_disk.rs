//! A disk that is full: what does not fit is refused with the reason, queries go on, and so do writes once there is space.
//! Needs a file system of its own, and with that the right to mount one.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;
use tonic::{Code, Status};

use super::event_stream::{Answer, Batch, send_all};
use crate::program::{Process, command, rows_in_folder, said, token};
use crate::server::{rows, status, within};

const ROWS: usize = 50;
const COUNT: &str = "SELECT count(*), count(DISTINCT message_id) FROM events";

/// A small file system, as long as this is held.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// # Errors
    /// Why it cannot be mounted.
    fn mount(size: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder.path());
        let output = mount.output().map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(Self { folder }),
            false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all space that is left, in a file.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = File::create(&path).unwrap();
        let zeros = vec![0; 64 << 10];
        for size in [zeros.len(), 4 << 10, 1] {
            while matches!(file.write(&zeros[..size]), Ok(1..)) {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg(self.folder.path()).status().ok();
    }
}

/// Sends a batch in a stream of its own: its answer, or why there is none.
async fn send_one(server: &Process, token: &str, batch: &Batch) -> Result<Answer, Status> {
    let (mut answers, ended) = send_all(server.channel().await, token, std::slice::from_ref(batch)).await;
    match ended {
        None => Ok(answers.remove(0)),
        Some(status) => Err(status),
    }
}

/// The counts of all rows and of all ids, by the server and by a command beside it.
async fn counts(disk: &SmallDisk, server: &Process, token: &str) -> [Vec<String>; 2] {
    let mut client = server.client(token).await;
    [rows(&mut client, COUNT).await, rows_in_folder(disk.path(), COUNT)]
}

fn expected(batches: usize) -> [Vec<String>; 2] {
    let rows = batches * ROWS;
    [vec![format!("{rows} {rows}")], vec![format!("{rows} {rows}")]]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_alone_and_takes_them_again() {
    let disk = match SmallDisk::mount("16m") {
        Ok(disk) => disk,
        Err(reason) => return eprintln!("SKIPPED: no file system can be mounted here: {reason}"),
    };
    within(async {
        let token = token(disk.path(), None);
        let server = Process::start(disk.path());
        let mut stored = 0;
        let mut next = || {
            stored += 1;
            Batch::new(format!("m{stored}"), ROWS)
        };
        send_one(&server, &token, &next()).await.unwrap();
        let filler = disk.fill();
        // Until the space is used that the log has reserved.
        let (refused, status) = loop {
            let batch = next();
            if let Err(status) = send_one(&server, &token, &batch).await {
                break (batch, status);
            }
        };
        let before = stored - 1;
        for status in [status, send_one(&server, &token, &refused).await.unwrap_err()] {
            assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
            assert!(status.message().contains("full") && status.message().contains("free space"), "{status:?}");
        }
        assert_eq!(counts(&disk, &server, &token).await, expected(before), "nothing of what was refused");

        fs::remove_file(filler).unwrap();
        let answer = written_again(&server, &token, &refused).await;
        assert_eq!((answer.kept, answer.duplicate), (ROWS as u64, 0));
        let answer = send_one(&server, &token, &refused).await.unwrap();
        assert_eq!((answer.kept, answer.duplicate), (0, ROWS as u64));
        assert_eq!(counts(&disk, &server, &token).await, expected(before + 1));
        drop(server);
        let server = Process::start(disk.path());
        assert_eq!(counts(&disk, &server, &token).await, expected(before + 1), "after a kill");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_a_full_disk_answers_queries_and_what_makes_space_runs() {
    let disk = match SmallDisk::mount("16m") {
        Ok(disk) => disk,
        Err(reason) => return eprintln!("SKIPPED: no file system can be mounted here: {reason}"),
    };
    within(async {
        let token = token(disk.path(), None);
        let server = Process::start(disk.path());
        send_one(&server, &token, &Batch::new("first", ROWS)).await.unwrap();
        let filler = disk.fill();
        drop(server);
        for command in ["vacuum", "compact"] {
            said(disk.path(), &[command]);
        }
        let server = Process::start(disk.path());
        assert_eq!(counts(&disk, &server, &token).await, expected(1));
        let next = Batch::new("next", ROWS);
        let status = send_one(&server, &token, &next).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
        assert!(status.message().contains("full") && status.message().contains("free space"), "{status:?}");
        assert_eq!(counts(&disk, &server, &token).await, expected(1), "nothing of what was refused");

        fs::remove_file(filler).unwrap();
        let answer = written_again(&server, &token, &next).await;
        assert_eq!((answer.kept, answer.duplicate), (ROWS as u64, 0));
        assert_eq!(counts(&disk, &server, &token).await, expected(2));
        drop(server);
        let server = Process::start(disk.path());
        assert_eq!(counts(&disk, &server, &token).await, expected(2), "after a kill");
    })
    .await;
}

/// `convoke ARGUMENTS` with the server.
fn beside(server: &Process, token: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_convoke"));
    command.args(arguments).args(["--connect", server.address(), "--token", token]);
    command
}

/// What is said of a full disk, whoever meets it: where it is, and what helps.
fn check_reason(disk: &SmallDisk, told: &str) {
    let folder = format!("the disk that holds '{}", disk.path().display());
    assert!(
        told.contains(&folder) && told.contains("' is full: free space on it") && told.contains("vacuum"),
        "{told}"
    );
}

fn check_refused(disk: &SmallDisk, mut command: Command) {
    let Output { status, stderr, .. } = command.output().unwrap();
    let told = String::from_utf8_lossy(&stderr).into_owned();
    assert!(!status.success(), "{command:?}: {told}");
    check_reason(disk, &told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_to_all_who_write_to_it() {
    let disk = match SmallDisk::mount("32m") {
        Ok(disk) => disk,
        Err(reason) => return eprintln!("SKIPPED: no file system can be mounted here: {reason}"),
    };
    // More rows than a load leaves in the log.
    let (elsewhere, mut lines) = (tempfile::tempdir().unwrap(), "message_id,ts,event,user_id\n".to_owned());
    lines.extend((0..60_000).map(|row| format!("m{row},2024-01-05T00:00:00Z,Viewed,u{row}\n")));
    let file = elsewhere.path().join("visits.csv");
    fs::write(&file, lines).unwrap();
    let file = file.to_str().unwrap();
    within(async {
        let token = token(disk.path(), None);
        let server = Process::start(disk.path());
        let mut client = server.client(&token).await;
        client.execute_update("CREATE TABLE kept AS SELECT 1 AS v".into(), None).await.unwrap();
        let filler = disk.fill();
        let (create, insert) = ("CREATE TABLE made AS SELECT 1 AS v", "INSERT INTO kept VALUES (2)");
        for sql in [create, insert] {
            let refused = status(client.execute_update(sql.into(), None).await.unwrap_err());
            assert_eq!(refused.code(), Code::ResourceExhausted, "{sql}: {refused:?}");
            check_reason(&disk, refused.message());
        }
        let load = ["ingest", file];
        let commands: [&[&str]; 2] = [&["token", "create", "--role", "analyst"], &["workspace", "create", "other"]];
        check_refused(&disk, beside(&server, &token, &load));
        commands.iter().for_each(|arguments| check_refused(&disk, command(disk.path(), arguments)));
        assert_eq!(rows(&mut client, "SELECT sum(v) FROM kept").await, ["1"], "nothing of what was refused");

        fs::remove_file(&filler).unwrap();
        for sql in [create, insert] {
            client.execute_update(sql.into(), None).await.unwrap();
        }
        commands.iter().for_each(|arguments| drop(said(disk.path(), arguments)));
        assert!(beside(&server, &token, &load).status().unwrap().success());
        let counts = "SELECT (SELECT sum(v) FROM kept), (SELECT sum(v) FROM made), (SELECT count(*) FROM events)";
        assert_eq!(rows(&mut client, counts).await, ["3 1 60000"]);
        drop(server);
        disk.fill();
        check_refused(&disk, command(disk.path(), &["ingest", file, "--again"]));
    })
    .await;
}

/// The answer to a batch once there is space: the server finds that by itself.
async fn written_again(server: &Process, token: &str, batch: &Batch) -> Answer {
    let mut refusal = None;
    for _ in 0..100 {
        match send_one(server, token, batch).await {
            Ok(answer) => return answer,
            Err(status) => refusal = Some(status),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("there is space, and still it says {refusal:?}")
}
