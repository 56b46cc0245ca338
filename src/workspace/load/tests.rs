use chrono_tz::Tz;

use crate::identity::{NumberEvents, Origin, Seen, TypeId};
use crate::ids::WorkspaceName;
use crate::store::Root;
use crate::store::wal::record::MAX_PAYLOAD_BYTES;
use crate::workspace::{Manifest, Workspaces};

/// A million of them are more than a record of the log takes (`MAX_PAYLOAD_BYTES`), and than memory should hold.
const VALUE_BYTES: usize = 300;

/// The first of the types that come with the program (SQL.md 5).
const USER_ID: TypeId = 0;

/// Events of a batch of rows.
const EVENTS: usize = 8_192;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_of_long_identifiers_makes_them_durable_in_records_of_bounded_size() {
    let workspaces = Workspaces::new(Root::open("memory://").unwrap());
    let workspace = workspaces.create(&WorkspaceName::default(), &Manifest::new(Tz::UTC)).await.unwrap();
    let mut load = workspace.writer().await.unwrap().begin_load();
    let before = workspace.snapshot().position;
    let mut batches = 0;
    while workspace.snapshot().position == before {
        load.take_turn().await.unwrap();
        let mut numbers = load.numbers().unwrap();
        let origin = numbers.origin(Origin { source: None, kind: "track".to_owned(), load: None }.by_ref());
        for event in 0..EVENTS {
            let value = format!("{:0VALUE_BYTES$}", batches * EVENTS + event);
            numbers.add_event(Seen { ts: 0, origin }, [(USER_ID, value.as_str())]).unwrap();
        }
        load.store_numbers_if_many().await.unwrap();
        batches += 1;
        assert!(batches * EVENTS * VALUE_BYTES < MAX_PAYLOAD_BYTES / 2, "nothing is durable after {batches} batches");
    }
    assert_eq!(workspace.snapshot().identity.nodes(), batches * EVENTS);
    assert!(load.numbers().is_err(), "others have their turn");
}
