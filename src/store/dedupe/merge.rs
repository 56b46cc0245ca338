//! Makes one run of several, so that few filters are asked: reads and writes them once, in the order of their keys.
//!
//! Memory: half a megabyte a run that is read, and what the merged run takes in memory anyway.
//!
//! Must not know which runs ought to be merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;

use super::block::BatchEntry;
use super::clock::Hour;
use super::key::RawKey;
use super::run::{BatchScan, Layout, MessageScan, Run, RunWriter};
use crate::error::{Error, Result};

/// Merges runs into a new one at `path`, without the keys older than `horizon`; `None` when no other is left. Inputs
/// stay as they are.
///
/// # Errors
/// `Corrupt` when an input is damaged, `Conflict` when the path is taken, or what the store says.
pub async fn merge(
    inputs: &[Arc<Run>],
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    horizon: Hour,
) -> Result<Option<Run>> {
    merge_with(inputs, store, path, horizon, Layout::STANDARD).await
}

pub(super) async fn merge_with(
    inputs: &[Arc<Run>],
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    horizon: Hour,
    layout: Layout,
) -> Result<Option<Run>> {
    let newest = inputs.iter().map(|run| run.mark()).max_by_key(|mark| mark.position);
    let mark = newest.ok_or_else(|| Error::internal("there are no dedupe runs to merge"))?;
    let mut writer = RunWriter::new(Arc::clone(store), path.clone(), mark, layout);
    merge_messages(inputs, &mut writer, horizon).await?;
    merge_batches(inputs, &mut writer, horizon).await?;
    // Nothing was sent yet when there is nothing to keep.
    if writer.keys() == 0 { Ok(None) } else { writer.finish().await.map(Some) }
}

async fn merge_messages(inputs: &[Arc<Run>], writer: &mut RunWriter, horizon: Hour) -> Result<()> {
    let mut scans: Vec<MessageScan> = inputs.iter().map(|run| MessageScan::new(Arc::clone(run))).collect();
    let mut heads: BinaryHeap<Reverse<(RawKey, Hour, usize)>> = BinaryHeap::with_capacity(scans.len());
    for (source, scan) in scans.iter_mut().enumerate() {
        heads.extend(scan.next().await?.map(|(key, hour)| Reverse((key, hour, source))));
    }
    let mut held: Option<(RawKey, Hour)> = None;
    while let Some(Reverse((key, hour, source))) = heads.pop() {
        heads.extend(scans[source].next().await?.map(|(key, hour)| Reverse((key, hour, source))));
        held = match held {
            // A key that came again after it had left the window: the later hour counts.
            Some((before, earlier)) if before == key => Some((key, hour.max(earlier))),
            _ => {
                write_message(writer, held, horizon).await?;
                Some((key, hour))
            }
        };
    }
    write_message(writer, held, horizon).await
}

async fn write_message(writer: &mut RunWriter, entry: Option<(RawKey, Hour)>, horizon: Hour) -> Result<()> {
    match entry {
        Some((key, hour)) if hour >= horizon => writer.push_message(key, hour).await,
        _ => Ok(()),
    }
}

async fn merge_batches(inputs: &[Arc<Run>], writer: &mut RunWriter, horizon: Hour) -> Result<()> {
    let mut scans: Vec<BatchScan> = inputs.iter().map(|run| BatchScan::new(Arc::clone(run))).collect();
    let mut heads: Vec<Option<BatchEntry>> = Vec::with_capacity(scans.len());
    for scan in &mut scans {
        heads.push(scan.next().await?);
    }
    while let Some(least) = heads.iter().flatten().map(|entry| entry.key).min() {
        let mut held: Option<BatchEntry> = None;
        for (head, scan) in heads.iter_mut().zip(&mut scans) {
            let Some(entry) = head.take_if(|entry| entry.key == least) else { continue };
            *head = scan.next().await?;
            held = match held {
                Some(other) if other.hour >= entry.hour => Some(other),
                _ => Some(entry),
            };
        }
        if let Some(entry) = held.filter(|entry| entry.hour >= horizon) {
            writer.push_batch(entry).await?;
        }
    }
    Ok(())
}
