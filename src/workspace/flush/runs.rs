//! The runs of message ids of a flush: written beside everything else, taken into the index once a commit names them.

use std::sync::Arc;

use object_store::path::Path;

use super::Sealing;
use crate::error::{Error, Kind, Result};
use crate::store::dedupe::{Run, Sealed, merge};
use crate::store::events::RunChange;
use crate::store::paths;
use crate::workspace::state::Workspace;
use crate::workspace::writer::Writer;

/// Runs of message ids that a flush wrote.
#[derive(Default)]
pub(super) struct WrittenRuns {
    of_keys: Vec<(Sealed, Run)>,
    merge: Option<Merge>,
    /// Why older ones could not be merged.
    damage: Option<Error>,
}

/// Runs of message ids that became one, or none where all had left the window.
struct Merge {
    inputs: Vec<Path>,
    merged: Option<Run>,
}

impl WrittenRuns {
    /// Whether this run became a part of another one.
    pub(super) fn are_merged(&self, run: &Path) -> bool {
        self.merge.as_ref().is_some_and(|merge| merge.inputs.contains(run))
    }
}

impl Workspace {
    /// `begun` gets the paths that it writes to, before it does.
    pub(super) async fn write_runs(
        &self,
        sealed: &Sealing,
        change: &mut RunChange,
        begun: &mut Vec<Path>,
    ) -> Result<WrittenRuns> {
        let store = self.store();
        let mut runs = WrittenRuns::default();
        for keys in &sealed.keys {
            let path = paths::dedupe_run_in_workspace(self.clock().new_id());
            begun.push(path.clone());
            let run = keys.write(&store, &path).await?;
            change.added.push(run.path().to_string());
            runs.of_keys.push((keys.clone(), run));
        }
        let Some((inputs, horizon)) = &sealed.merging else { return Ok(runs) };
        let path = paths::dedupe_run_in_workspace(self.clock().new_id());
        begun.push(path.clone());
        let merged = match merge(inputs, &store, &path, *horizon).await {
            // Rows of the log become files all the same: the writer makes the runs anew behind that.
            Err(error) if error.kind() == Kind::Corrupt => {
                runs.damage = Some(error);
                self.remove_begun(begun.pop().into_iter().collect()).await;
                return Ok(runs);
            }
            merged => merged?,
        };
        let inputs: Vec<Path> = inputs.iter().map(|run| run.path().clone()).collect();
        change.removed.extend(inputs.iter().map(Path::to_string));
        change.added.extend(merged.iter().map(|run| run.path().to_string()));
        runs.merge = Some(Merge { inputs, merged });
        Ok(runs)
    }
}

impl Writer {
    /// Takes the message ids of a flush that stands; gives why older runs could not be merged.
    pub(super) fn take_runs(&mut self, runs: WrittenRuns) -> Option<Error> {
        let WrittenRuns { of_keys, merge, damage } = runs;
        if let Err(error) = self.install_runs(of_keys, merge) {
            tracing::warn!(workspace = %self.workspace.name(), %error, "message ids are read again");
            self.forget();
        }
        damage
    }

    /// The flush stands without that: who needs the runs next tries again.
    pub(super) async fn replace_damaged_runs(&mut self, damage: &Error) {
        if let Err(error) = self.make_keys_anew(damage).await {
            tracing::warn!(workspace = %self.workspace.name(), %error, "message ids are read again");
            self.forget();
        }
    }

    /// The message ids of a flush that stands are in runs now; those that memory has no room for are left out.
    fn install_runs(&mut self, runs: Vec<(Sealed, Run)>, merge: Option<Merge>) -> Result<()> {
        let written = runs.len().min(self.writing.unwritten_keys.len());
        self.writing.unwritten_keys.drain(..written);
        let workspace = Arc::clone(&self.workspace);
        let (memory, keys) = (&workspace.memory().message_ids, self.keys_of_messages()?);
        for (sealed, run) in runs {
            keys.install(&sealed, run)?;
        }
        if let Some(Merge { inputs, merged }) = merge {
            keys.replace(&inputs, merged)?;
        }
        // What only saves reads must not take the place of what others need to recognise duplicates.
        keys.shrink_caches_to(memory.spare_allowance());
        let shrinkage = keys.shrink_to(memory.take_up_to(keys.bytes()));
        memory.set(shrinkage.bytes);
        self.tell_window(&shrinkage);
        Ok(())
    }
}
