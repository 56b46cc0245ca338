use chrono_tz::Tz;

use super::*;
use crate::ids::WorkspaceName;
use crate::settings::LogSettings;
use crate::store::Root;
use crate::store::dedupe::{MessageKey, Pending};
use crate::workspace::Manifest;
use crate::workspace::memory::WorkspacesMemory;

const BUDGET: usize = 64 << 10;
const FLUSHES: i64 = 20;
const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// Of one flush: some 6 KB in a run, some 200 KB while they are exact.
fn keys(flush: i64) -> Vec<MessageKey> {
    (0..5_000).map(|number| MessageKey::of(&format!("{flush}-{number}"))).collect()
}

async fn count_new(writer: &mut Writer, flush: i64) -> usize {
    let check = writer.keys_of_messages().unwrap().check(&keys(flush), &Pending::default());
    check.resolve().await.unwrap().new_places().count()
}

/// Of workspaces that share this budget.
async fn open(names: &[&str]) -> Vec<Arc<Workspace>> {
    let memory = Arc::new(WorkspacesMemory::new(usize::MAX, usize::MAX, BUDGET));
    let mut opened = Vec::new();
    for name in names {
        let (root, name) = (Root::open("memory://").unwrap(), WorkspaceName::new(*name).unwrap());
        let (manifest, log) = (Manifest::new(Tz::UTC), LogSettings::default());
        objects::create_json(root.store().as_ref(), &root.paths(&name).manifest(), &manifest).await.unwrap();
        opened.push(Arc::new(Workspace::unread(root, name, manifest, log, Arc::default(), &memory).await.unwrap()));
    }
    opened
}

/// Brings the keys of a flush into a run; gives the bytes of memory that the index takes then.
async fn flush_keys(workspace: &Arc<Workspace>, flush: i64) -> usize {
    let mut writer = workspace.writer().await.unwrap();
    writer.keys_of_messages().unwrap().add(keys(flush), (500_000 + flush) * MICROS_PER_HOUR);
    let mut sealed = writer.seal(workspace.snapshot().position).unwrap();
    sealed.merging = None;
    let flushed = workspace.write_parts(&sealed, &IdentifierTypes::default(), 1 << 20).await.unwrap();
    writer.commit_flush(flushed, None).await.unwrap();
    writer.keys_of_messages().unwrap().bytes()
}

/// The newest keys are known, older ones are not, and that was said.
async fn check_window(workspace: &Arc<Workspace>) {
    let mut writer = workspace.writer().await.unwrap();
    let window = writer.keys_of_messages().unwrap().window_hours();
    assert!((1..FLUSHES as u32).contains(&window), "{window} hours of {FLUSHES}");
    assert!(writer.writing.window_is_told);
    assert_eq!(count_new(&mut writer, FLUSHES - 1).await, 0, "the newest are known");
    assert_eq!(count_new(&mut writer, 0).await, 5_000, "the oldest are not");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_message_ids_of_a_writer_keep_to_their_budget() {
    let opened = open(&["one"]).await;
    for flush in 0..FLUSHES {
        let bytes = flush_keys(&opened[0], flush).await;
        assert!(bytes <= BUDGET, "{bytes} bytes behind flush {flush}");
    }
    check_window(&opened[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_message_ids_of_all_workspaces_keep_to_one_budget() {
    let mut opened = open(&["one", "other"]).await;
    let mut bytes = [0, 0];
    for flush in 0..FLUSHES {
        for (workspace, bytes) in opened.iter().zip(&mut bytes) {
            *bytes = flush_keys(workspace, flush).await;
        }
        assert!(bytes.iter().sum::<usize>() <= BUDGET, "{bytes:?} bytes behind flush {flush}");
    }
    for workspace in &opened {
        check_window(workspace).await;
    }
    // One that has ended leaves its part to the other.
    let allowance = |opened: &[Arc<Workspace>]| opened[0].memory().message_ids.allowance();
    assert!(allowance(&opened) < BUDGET);
    opened.pop();
    assert_eq!(allowance(&opened), BUDGET);
}
