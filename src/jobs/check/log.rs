//! The log of a workspace beyond what is in files: whole records without a gap, payloads that can be read, identities
//! that follow on those of the files.
//!
//! Records up to there are of no use any more; what a start would stumble over is found with them.

use std::sync::Arc;

use chrono_tz::Tz;
use object_store::ObjectMeta;
use object_store::path::Path;

use super::{RESTORE, Report, help};
use crate::error::{Error, Kind, Result};
use crate::identity::{IdentifierTypes, IdentityGraph};
use crate::ids::WorkspaceName;
use crate::store::events::{EventsTable, LocalMonths};
use crate::store::wal::Records;
use crate::store::wal::record::{Record, RecordKind, unknown_kind};
use crate::store::{Root, paths};
use crate::workspace::Manifest;
use crate::workspace::hot::HotPart;

/// How often the log is read anew when a server that runs beside has trimmed it meanwhile.
const LOOKS: u32 = 3;

/// A log that is checked.
pub(super) struct LogCheck<'a> {
    pub(super) root: &'a Root,
    pub(super) name: &'a WorkspaceName,
    pub(super) manifest: &'a Manifest,
    pub(super) types: &'a Arc<IdentifierTypes>,
}

impl LogCheck<'_> {
    /// `position` is that up to which rows are in files, and `graph` the identity graph there, where these are known;
    /// `listed` are all objects of the workspace.
    pub(super) async fn run(
        &self,
        position: Option<u64>,
        mut graph: Option<IdentityGraph>,
        listed: &[ObjectMeta],
        report: &mut Report<'_>,
    ) -> Result<()> {
        let folder = Path::from(paths::WAL);
        let is_of_it = |path: &Path| path.prefix_matches(&folder) && !paths::is_of_other_log(path, self.manifest.id);
        listed.iter().filter(|object| is_of_it(&object.location)).for_each(|object| report.looked_at(object.size));
        let path = format!("{}/{folder}", self.name);
        // Without it nothing tells where the log goes on, and why it is not known was said.
        let Some(mut position) = position else { return Ok(()) };
        for look in 1..=LOOKS {
            let faults = match self.read(position, graph.take()).await {
                Ok(faults) if faults.is_empty() => return Ok(()),
                Ok(faults) => faults,
                Err(error) if matches!(error.kind(), Kind::Corrupt | Kind::Conflict) => vec![error],
                Err(error) => return Err(error),
            };
            let reached = if look < LOOKS { self.position().await.unwrap_or(position) } else { position };
            if reached == position {
                faults.iter().for_each(|fault| report.fault(&path, fault.what(), help(fault)));
                return Ok(());
            }
            // A server has brought more of it into files, and may have trimmed what was read.
            position = reached;
        }
        Ok(())
    }

    /// Up to which record the rows are in files now.
    async fn position(&self) -> Result<u64> {
        let events = EventsTable::new(self.root, self.name, self.manifest.id)?;
        let newest = events.newest().await?;
        events.position(newest.version).await
    }

    /// Reads the log behind `position`, of which `graph` is the identity graph, to its end; what is wrong with payloads.
    async fn read(&self, position: u64, mut graph: Option<IdentityGraph>) -> Result<Vec<Error>> {
        let mut records = Records::of(self.root, self.name, self.manifest.id, position).await?;
        if let Some(last) = records.last().filter(|last| *last < position) {
            return Err(Error::corrupt(format!(
                "the log ends at position {last}, and records up to position {position} were brought into files from it"
            ))
            .with_help(RESTORE));
        }
        let (mut faults, mut expected) = (Vec::new(), position + 1);
        while let Some(some) = records.next().await? {
            let decoded = decode(some, self.types, self.manifest.time_zone).await?;
            let places = records.places();
            let place = |position| match places.and_then(|places| places.find(position)) {
                Some((name, offset)) => format!("segment '{name}', offset {offset}, position {position}"),
                None => format!("position {position}"),
            };
            for (position, part) in decoded {
                if position != expected {
                    let gap = Error::corrupt(format!("the record of position {expected} should stand here"));
                    faults.push(gap.with_help(RESTORE).context(place(position)));
                }
                expected = position + 1;
                // Behind a record that is lost nothing can follow on.
                let outcome = match (part, &mut graph) {
                    (Ok(Some(part)), Some(graph)) => graph.replay(&part.identity),
                    (Ok(_), _) => Ok(()),
                    (Err(error), _) => Err(error),
                };
                if let Err(error) = outcome {
                    graph = None;
                    faults.push(error.context(place(position)));
                }
            }
        }
        Ok(faults)
    }
}

/// What each record brings; `None` of those that bring no events.
type Decoded = Vec<(u64, Result<Option<HotPart>>)>;

async fn decode(records: Vec<Record>, types: &Arc<IdentifierTypes>, time_zone: Tz) -> Result<Decoded> {
    let types = Arc::clone(types);
    let positions = records.first().zip(records.last()).map(|(first, last)| (first.position, last.position));
    let decoding = tokio::task::spawn_blocking(move || {
        let mut months = LocalMonths::new(time_zone);
        let mut decode = |record: Record| match record.kind {
            RecordKind::Events => HotPart::from_payload(record.position, record.payload, &types, &mut months).map(Some),
            RecordKind::Load | RecordKind::Fence | RecordKind::Flushed | RecordKind::End => Ok(None),
            other => Err(unknown_kind(record.position, other as u8)),
        };
        records.into_iter().map(|record| (record.position, decode(record))).collect::<Decoded>()
    });
    decoding.await.map_err(|_| {
        let (first, last) = positions.unwrap_or_default();
        let what = format!("one of the records {first} to {last} of the log makes the reader break off");
        Error::corrupt(what).with_help(RESTORE)
    })
}
