//! Tests of the exactly-once index; `model` is the one that ties all parts together.

mod cache;
mod check;
mod clock;
mod damage;
mod filter;
mod memory;
mod merge;
mod model;
mod pending;
mod rebuild;
mod run;
mod upload;

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;

use super::clock::{Hour, IndexClock};
use super::key::MessageKey;
use super::run::{Layout, Mark, Run, RunWriter};

/// Few keys make many blocks, sections and parts.
const SMALL: Layout = Layout { block_entries: 4, section_keys: 16, part_bytes: 300 };

const MICROS_PER_HOUR: i64 = 3_600_000_000;

fn memory_store() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

/// The receive time at the start of an hour since 1970.
fn at_hour(hour: u32) -> i64 {
    i64::from(hour) * MICROS_PER_HOUR
}

fn key(number: u64) -> MessageKey {
    MessageKey::of(&format!("message-{number}"))
}

fn keys(numbers: std::ops::Range<u64>) -> Vec<MessageKey> {
    numbers.map(key).collect()
}

fn mark(position: u64, hour: u32) -> Mark {
    Mark { position, clock: IndexClock::start(at_hour(hour)), lost: None }
}

/// A run of these keys, all of one hour.
async fn write_run(store: &Arc<dyn ObjectStore>, path: &str, keys: &[MessageKey], hour: u32) -> Run {
    let mut sorted: Vec<MessageKey> = keys.to_vec();
    sorted.sort_unstable();
    let mut writer = RunWriter::new(Arc::clone(store), Path::from(path), mark(1, hour), SMALL);
    for key in sorted {
        writer.push_message(key.raw(), Hour(hour)).await.unwrap();
    }
    writer.finish().await.unwrap()
}
