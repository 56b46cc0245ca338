use chrono_tz::Tz;

use super::*;
use crate::ids::WorkspaceName;
use crate::settings::LogSettings;
use crate::store::Root;
use crate::store::dedupe::{MessageKey, Pending};
use crate::workspace::Manifest;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_message_ids_of_a_writer_keep_to_their_budget() {
    let (root, name) = (Root::open("memory://").unwrap(), WorkspaceName::default());
    let (manifest, log) = (Manifest::new(Tz::UTC), LogSettings::default());
    let mut workspace = Workspace::unread(root, name, manifest, log, Arc::default()).await.unwrap();
    workspace.keys_budget = BUDGET;
    let workspace = Arc::new(workspace);
    for flush in 0..FLUSHES {
        let mut writer = workspace.writer().await.unwrap();
        writer.keys_of_messages().unwrap().add(keys(flush), (500_000 + flush) * MICROS_PER_HOUR);
        let mut sealed = writer.seal().unwrap();
        sealed.merging = None;
        let flushed = workspace.write_parts(&sealed, &IdentifierTypes::default(), 1 << 20).await.unwrap();
        writer.commit_flush(flushed, None).await.unwrap();
        let bytes = writer.keys_of_messages().unwrap().bytes();
        assert!(bytes <= BUDGET, "{bytes} bytes behind flush {flush}");
    }
    let mut writer = workspace.writer().await.unwrap();
    let window = writer.keys_of_messages().unwrap().window_hours();
    assert!((1..FLUSHES as u32).contains(&window), "{window} hours of {FLUSHES}");
    assert!(writer.writing.window_is_told);
    assert_eq!(count_new(&mut writer, FLUSHES - 1).await, 0, "the newest are known");
    assert_eq!(count_new(&mut writer, 0).await, 5_000, "the oldest are not");
}
