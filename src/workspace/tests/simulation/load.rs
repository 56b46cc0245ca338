//! A load that is written as files, as `ingest` makes one.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Simulation;
use super::events::{Batch, Message, dead_letter_rows, load_record, stored_rows};
use super::process::{PATIENCE, Process};
use crate::error::Result;
use crate::store::events::Partitioner;
use crate::workspace::flush::FLUSH_BUFFER;
use crate::workspace::{Load, LoadedFiles};

/// How a load ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoadEnd {
    Committed,
    /// Before its commit.
    Dropped,
    /// Nobody waits longer for its commit.
    GivenUp(Duration),
}

/// Loads batches, with a pause before each.
pub(super) async fn load(
    simulation: &Simulation,
    process: &Process,
    batches: &[Batch],
    pauses: &[Duration],
    end: LoadEnd,
    received_at: i64,
) {
    let (oracle, workspace) = (&simulation.oracle, &process.workspace);
    let sent = oracle.send(batches);
    let prepared = timeout(PATIENCE, prepare(process, batches, pauses, received_at)).await;
    let (load, files) = match prepared {
        Ok(Ok(prepared)) if end != LoadEnd::Dropped => prepared,
        // Nothing of it shows before it is committed.
        _ => return oracle.refuse(sent),
    };
    let patience = match end {
        LoadEnd::GivenUp(patience) => patience,
        LoadEnd::Committed | LoadEnd::Dropped => PATIENCE,
    };
    // Otherwise nobody knows.
    if let Ok(Ok(_)) = timeout(patience, load.commit(files, |_| Ok(()))).await {
        oracle.acknowledge(sent);
        let ids = batches.iter().flat_map(Batch::ids).collect();
        oracle.look(&simulation.viewer.look(&workspace.snapshot()).await, &ids);
    }
}

/// All but the commit.
async fn prepare(
    process: &Process,
    batches: &[Batch],
    pauses: &[Duration],
    received_at: i64,
) -> Result<(Load, LoadedFiles)> {
    let workspace = &process.workspace;
    let mut writer = workspace.writer().await?;
    let number = writer.new_load_number()?;
    let mut load = writer.begin_load();
    let mut partitioner = Partitioner::new(workspace.file_writer(), workspace.manifest().time_zone, FLUSH_BUFFER);
    let (mut kept, mut read) = (0, 0);
    for (batch, pause) in batches.iter().zip(pauses) {
        load.wait_for(sleep(*pause)).await?;
        load.take_turn().await?;
        let places = load.new_places(&batch.keys()).await?;
        let new: Vec<&Message> = places.iter().map(|place| &batch.messages[*place]).collect();
        let rows = stored_rows(&new, received_at, &mut load.numbers()?)?;
        kept += new.len();
        read += batch.messages.len();
        load.wait_for(partitioner.push(rows)).await??;
    }
    let files = load.wait_for(partitioner.finish()).await??;
    let rejected: Vec<String> = batches.iter().flat_map(|batch| batch.rejected.iter().cloned()).collect();
    let record = load_record(&batches[0].messages[0].id, number, kept, read, rejected.len());
    let dead_letters = dead_letter_rows(&rejected, received_at)?;
    let loaded = LoadedFiles { files, dead_letters, record, received_at, buffer: FLUSH_BUFFER, most_beside: 100 };
    Ok((load, loaded))
}
