//! What becomes of a workspace whose writer finds its claim gone: another process may have dropped it, and made another one
//! of its name.
//!
//! The manifest alone tells. It is looked at once for each claim that is gone, whoever asks and however often: all who send
//! to a workspace that was dropped get the answer of the first. Must not know how a claim is made, or who looks for it.

use parking_lot::Mutex;

use super::manifest::Manifest;
use super::registry::not_found;
use super::state::Workspace;
use crate::error::{Error, Result};
use crate::store::OwnClaim;

/// What the manifest says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is there: only the claim was removed.
    Kept,
    Dropped,
    /// Another workspace has its name now.
    MadeAnew,
}

/// Watches the claim that this process had last.
#[derive(Debug, Default)]
pub(super) struct ClaimWatch {
    watched: Mutex<Watched>,
    /// Held by the one who looks.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Watched {
    /// `None` before the first.
    claim: Option<OwnClaim>,
    /// What was found after that claim was gone. That it is dropped stays true whatever is claimed.
    fate: Option<Fate>,
}

impl ClaimWatch {
    /// This process has a new claim.
    pub(super) fn follow(&self, claim: &OwnClaim) {
        let mut watched = self.watched.lock();
        watched.claim = Some(claim.clone());
        watched.fate = watched.fate.filter(|fate| *fate != Fate::Kept);
    }

    /// Whether there is reason to ask for the fate of the workspace.
    pub(super) fn is_in_doubt(&self) -> bool {
        let watched = self.watched.lock();
        watched.fate.is_some() || watched.is_claim_gone()
    }

    fn known(&self) -> Option<Fate> {
        self.watched.lock().fate
    }
}

impl Watched {
    fn is_claim_gone(&self) -> bool {
        self.claim.as_ref().is_some_and(OwnClaim::is_gone)
    }
}

impl Workspace {
    /// What has become of the workspace, as far as is known since the last claim was found to be gone; where nothing is, the
    /// manifest is looked at.
    pub(super) async fn fate(&self) -> Result<Fate> {
        if let Some(fate) = self.claim_watch().known() {
            return Ok(fate);
        }
        let _one_look = self.claim_watch().looking.lock().await;
        match self.claim_watch().known() {
            Some(fate) => Ok(fate),
            None => self.look_for_fate().await,
        }
    }

    /// The same by a look at the manifest in any case: for whoever has claimed it a moment ago.
    pub(super) async fn look_for_fate(&self) -> Result<Fate> {
        let (root, name) = (self.root(), self.name());
        // Before the look: what a drop took before is seen then.
        let is_gone = self.claim_watch().watched.lock().is_claim_gone();
        let fate = match Manifest::read(&root.store(), &root.paths(name).manifest(), name).await? {
            Some(stored) if stored.id == self.manifest().id => Fate::Kept,
            Some(_) => Fate::MadeAnew,
            None => Fate::Dropped,
        };
        if is_gone || fate != Fate::Kept {
            self.claim_watch().watched.lock().fate = Some(fate);
        }
        Ok(fate)
    }

    /// # Errors
    /// `NotFound` and `Conflict` where nothing may be written for it any more.
    pub(super) fn check_fate(&self, fate: Fate) -> Result<()> {
        match fate {
            Fate::Kept => Ok(()),
            Fate::Dropped => Err(not_found(self.name().as_str())),
            Fate::MadeAnew => Err(Error::conflict(format!(
                "workspace '{}' was dropped and made anew after it was opened here: connect again, or start again",
                self.name()
            ))),
        }
    }
}
