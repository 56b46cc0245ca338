//! The log over stores that lose, delay and reorder.

mod appending;
mod marking;
mod model;
mod opening;
mod reading;
mod simulation;
mod trimming;

use std::time::Duration;

use bytes::Bytes;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;

use super::requests::Requests;
use super::*;
use crate::ids::WorkspaceName;
use crate::store::OwnClaim;
use crate::store::paths::{WalPaths, WorkspacePaths};
use crate::store::wal::record::RecordKind;

const WORKSPACE: Uuid = Uuid::from_u128(7);

/// No pauses: for tests in which no clock runs.
const RETRIES: Retries = Retries { attempts: 3, first_pause: Duration::ZERO, timeout: Duration::from_secs(3_600) };

fn memory() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

fn place(store: &Arc<dyn ObjectStore>) -> LogPlace {
    LogPlace {
        store: Arc::clone(store),
        paths: WalPaths::new(Path::from("shop"), WORKSPACE),
        workspace: WORKSPACE,
        retries: RETRIES,
        read_ahead: 2,
    }
}

fn writer(term: u64, id: u128) -> LogWriter {
    LogWriter { term, id: Uuid::from_u128(id), schema_revision: 1 }
}

fn claim_path(term: u64) -> Path {
    let shop = WorkspaceName::new("shop".to_owned()).unwrap();
    WorkspacePaths::new(&Path::default(), &shop).writer_claim(term)
}

fn probe(place: &LogPlace, term: u64, id: u128) -> ClaimProbe {
    let own = OwnClaim::new(term, Uuid::from_u128(id));
    ClaimProbe::new(Arc::clone(&place.store), place.retries, claim_path, own)
}

fn claims(place: &LogPlace, term: u64, id: u128) -> Arc<dyn TermCheck> {
    Arc::new(probe(place, term, id))
}

/// Claims the next term; `id` tells claims apart.
async fn claim(place: &LogPlace, id: u128) -> Result<u64> {
    let requests = Requests::new(Arc::clone(&place.store), place.retries);
    let claim = Bytes::from(serde_json::json!({ "writer": Uuid::from_u128(id) }).to_string());
    let mut term = 0;
    loop {
        term = probe(place, term, id).newest_from_own().await? + 1;
        if let Landed::Ours = requests.create(&claim_path(term), &claim, |_| Ok(())).await? {
            return Ok(term);
        }
    }
}

/// Claims the next term and opens the log with it.
async fn take(place: &LogPlace, id: u128) -> Result<(ObjectLog, Trimmer)> {
    let term = claim(place, id).await?;
    open(place.clone(), writer(term, id), claims(place, term, id), 0).await
}

fn record(position: u64, text: &str) -> Record {
    Record { position, kind: RecordKind::Events, flags: 0, payload: Bytes::from(text.to_owned()) }
}

/// Appends one object with a record for each text.
async fn append(log: &mut ObjectLog, texts: &[&str]) -> Result<()> {
    let records: Vec<_> = (log.next_position()..).zip(texts).map(|(position, text)| record(position, text)).collect();
    log.append(&records).await
}

/// Position and payload of all that a reader yields; that of a fence is empty.
async fn texts(mut reader: LogReader) -> Result<Vec<(u64, String)>> {
    let mut texts = Vec::new();
    while let Some(object) = reader.next().await? {
        for record in object.records {
            texts.push((record.position, String::from_utf8_lossy(&record.payload).into_owned()));
        }
    }
    Ok(texts)
}

fn pairs(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
    expected.iter().map(|(position, text)| (*position, (*text).to_owned())).collect()
}
