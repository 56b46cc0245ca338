//! From what is stored to the newest state: the newest checkpoint that can be read, the commits after it, and the records
//! of the log after those.

use std::sync::Arc;
use std::time::Instant;

use object_store::path::Path;

use super::checkpoint::Restored;
use super::hot::{Hot, HotPart};
use super::rules::Rules;
use super::snapshot::{Commits, Snapshot};
use super::state::Workspace;
use crate::error::{Error, Kind, RUN_CHECK, Result};
use crate::identity::{IdentifierTypes, IdentityBatch, IdentityGraph};
use crate::store::dedupe::{self, DedupeIndex, DedupeSettings, Shrinkage};
use crate::store::delta::LiveFiles;
use crate::store::events::LocalMonths;
use crate::store::objects;
use crate::store::wal::record::{RecordKind, unknown_kind};
use crate::store::wal::{Log, Records};

/// Up to which version of the events table a graph is true, and by which rules.
struct Known {
    version: u64,
    commits: Commits,
    rules: Arc<Rules>,
}

/// How often a state is read whose log was flushed and trimmed meanwhile.
const MOST_READS: u32 = 5;

impl Workspace {
    /// Reads the stored state by these rules, which may be newer than those of the state before; the log through its
    /// writer, where this process is that.
    pub(super) async fn recover(&self, rules: &Arc<Rules>, log: Option<&Log>) -> Result<IdentityGraph> {
        for _ in 1..MOST_READS {
            let events = self.events().newest().await?;
            match self.recover_at(events.clone(), rules, log).await {
                Err(error) if matches!(error.kind(), Kind::Corrupt | Kind::Conflict) => {
                    // The writer may have brought the records into files in between, or committed a load; a newer version
                    // tells.
                    if self.events().newest().await?.version == events.version {
                        return Err(error);
                    }
                }
                outcome => return outcome,
            }
        }
        self.recover_at(self.events().newest().await?, rules, log).await
    }

    async fn recover_at(&self, events: LiveFiles, rules: &Arc<Rules>, log: Option<&Log>) -> Result<IdentityGraph> {
        let begun = Instant::now();
        let (graph, state) = self.read_files(events, rules).await?;
        let graph = self.take_records(graph, state, log).await?;
        self.log_monitor().note_replay(begun.elapsed());
        Ok(graph)
    }

    /// The state of a version without the log.
    async fn read_files(&self, events: LiveFiles, rules: &Arc<Rules>) -> Result<(IdentityGraph, Snapshot)> {
        let types = Arc::clone(rules.types());
        if let Some(restored) =
            self.checkpoints().restore(events.version, || IdentityGraph::new(Arc::clone(&types))).await
        {
            match self.read_files_behind(restored, events.clone(), rules).await {
                Err(error) if error.kind() == Kind::Corrupt => {
                    tracing::warn!(workspace = %self.name(), %error, "loads do not follow on the checkpoint: all are read");
                }
                outcome => return outcome,
            }
        }
        self.read_files_behind(Restored::nothing(types), events, rules).await
    }

    async fn read_files_behind(
        &self,
        restored: Restored,
        events: LiveFiles,
        rules: &Arc<Rules>,
    ) -> Result<(IdentityGraph, Snapshot)> {
        let Restored { checkpoint, version, graph, commits } = restored;
        self.checkpoints().set_newest(checkpoint);
        self.read_commits(graph, Known { version, commits, rules: Arc::clone(rules) }, events).await
    }

    /// Makes visible what was written since the newest state, of which `graph` is the identity graph, up to these events.
    pub(super) async fn catch_up(
        &self,
        graph: IdentityGraph,
        events: LiveFiles,
        log: Option<&Log>,
    ) -> Result<IdentityGraph> {
        let held = self.snapshot();
        if !held.is_read() || (events.version != held.events.version && !held.hot.is_empty()) {
            // Records that the graph has may be in the commits by now: nothing tells how far.
            return self.recover(&held.rules, log).await;
        }
        if events.version != held.events.version {
            let (version, commits, rules) = (held.events.version, held.commits.clone(), Arc::clone(&held.rules));
            let known = Known { version, commits, rules };
            let (graph, state) = self.read_commits(graph, known, events).await?;
            return self.take_records(graph, state, log).await;
        }
        let tables = self.user_tables().load(&held.tables).await?;
        self.take_records(graph, Snapshot { tables, ..held.as_ref().clone() }, log).await
    }

    /// Replays the commits after those that the graph knows.
    async fn read_commits(
        &self,
        mut graph: IdentityGraph,
        known: Known,
        events: LiveFiles,
    ) -> Result<(IdentityGraph, Snapshot)> {
        let Known { version, mut commits, rules } = known;
        for commit in self.events().commits(version, events.version).await? {
            if let Some(path) = commit.identity.as_deref() {
                graph.replay(&self.read_identity(graph.types(), path).await?)?;
            }
            graph.set_epoch(commit.epoch);
            commits.push(Arc::new(commit));
        }
        let held = self.snapshot();
        let tables = self.user_tables().load(&held.tables).await?;
        let reach = self.events().reach(events.version).await?;
        self.log_monitor().note_stored_flush(reach.since);
        let flushed = reach.position;
        let identity = graph.snapshot();
        let hot = Hot::default();
        let state = Snapshot { position: flushed, events, flushed, hot, identity, commits, tables, rules };
        Ok((graph, state))
    }

    /// Rows of records up to this one are in files, as the newest version says.
    pub(super) async fn flushed_position(&self) -> Result<u64> {
        let version = self.events().newest().await?.version;
        self.events().position(version).await
    }

    /// Replays the records of the log behind a state, and makes what comes out visible.
    async fn take_records(
        &self,
        mut graph: IdentityGraph,
        mut state: Snapshot,
        log: Option<&Log>,
    ) -> Result<IdentityGraph> {
        let mut records = match log {
            Some(log) => log.read(state.position).await?,
            None => Records::of(self.root(), self.name(), self.manifest().id, state.position).await?,
        };
        self.log_monitor().gauge().tell(records.size());
        let mut months = LocalMonths::new(self.manifest().time_zone);
        let mut passes_load = false;
        while let Some(some) = records.next().await? {
            for record in some {
                if record.kind == RecordKind::Load {
                    // Its commit brings the position of the files here: it failed, or came after they were listed.
                    passes_load = true;
                    continue;
                }
                state.position = record.position;
                match record.kind {
                    RecordKind::Events => {}
                    RecordKind::Fence | RecordKind::Flushed | RecordKind::End => continue,
                    other => return Err(unknown_kind(record.position, other as u8)),
                }
                let mut part = HotPart::from_payload(record.position, record.payload, graph.types(), &mut months)?;
                if !part.identity.is_empty() {
                    graph.replay(&part.identity)?;
                }
                part.epoch = graph.epoch();
                state.hot.push(part)?;
            }
        }
        if passes_load && self.events().newest().await?.version != state.events.version {
            return Err(Error::conflict("a load was committed while the log was read: try again"));
        }
        state.identity = graph.snapshot();
        self.publish(state);
        Ok(graph)
    }

    /// The message ids of a state: of the runs that its commits name, and of its rows in the log; and what did not fit.
    pub(super) async fn recover_keys(&self, state: &Snapshot) -> Result<(DedupeIndex, Shrinkage)> {
        let paths: Vec<Path> = state.dedupe_runs().into_iter().map(Path::from).collect();
        let settings = DedupeSettings::default();
        let memory = &self.memory().message_ids;
        let (mut index, mut shrinkage) = dedupe::load(&self.store(), &paths, settings, memory.allowance()).await?;
        // Others may have taken some meanwhile.
        let more = index.shrink_to(memory.take_up_to(index.bytes()));
        memory.set(more.bytes);
        shrinkage.dropped.extend(more.dropped);
        (shrinkage.window_hours, shrinkage.bytes) = (more.window_hours, more.bytes);
        for part in state.hot.parts() {
            part.add_keys(&mut index, part.keys()?)?;
        }
        Ok((index, shrinkage))
    }

    /// The identity graph of the newest state, over these types.
    pub(super) async fn replay(&self, types: Arc<IdentifierTypes>) -> Result<IdentityGraph> {
        let held = self.snapshot();
        let empty = || IdentityGraph::new(Arc::clone(&types));
        let restored = self.checkpoints().restore(held.events.version, empty).await;
        let is_of_these = |restored: &Restored| {
            restored.commits.len() <= held.commits.len()
                && restored.commits.iter().zip(held.commits.iter()).all(|(restored, held)| restored == held)
        };
        let restored = restored.filter(is_of_these).unwrap_or_else(|| Restored::nothing(Arc::clone(&types)));
        let mut graph = restored.graph;
        for commit in held.commits.iter().skip(restored.commits.len()) {
            if let Some(path) = commit.identity.as_deref() {
                graph.replay(&self.read_identity(graph.types(), path).await?)?;
            }
            graph.set_epoch(commit.epoch);
        }
        Ok(graph)
    }

    async fn read_identity(&self, types: &IdentifierTypes, path: &str) -> Result<IdentityBatch> {
        let bytes = objects::read(&self.store(), &path.into()).await?.ok_or_else(|| {
            Error::corrupt(format!("object '{path}' of workspace '{}' is missing", self.name())).with_help(RUN_CHECK)
        })?;
        IdentityBatch::from_record_batches(types, &objects::decode_parquet(bytes)?)
    }
}
