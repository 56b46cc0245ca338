//! Rules of identity stitching by statement and command, and what no change of them may do.

use super::Writer;
use crate::error::{Error, Result};
use crate::identity::Rulebook;
use crate::workspace::rules::RuleChange;
use crate::workspace::snapshot::Snapshot;

impl Writer {
    /// Makes the rules of a text those of the workspace, for events that come from now on. They say all of its types and
    /// blocked values from then on. Returns whether they are other rules than before.
    ///
    /// # Errors
    /// `InvalidInput` for a text that cannot be used, with all that is wrong, and for rules that are not supported yet;
    /// `Conflict` for rules that stored identifiers stand against.
    pub async fn change_identity_rules(&mut self, text: &str) -> Result<bool> {
        // Others may have changed them in between.
        self.check().await?;
        let held = self.workspace.snapshot();
        let settings = held.rules.settings.with_identity_rules(text)?;
        if settings == held.rules.settings {
            return Ok(false);
        }
        self.change_rules(RuleChange { settings: Some(settings), ..RuleChange::default() }).await?;
        Ok(true)
    }
}

/// # Errors
/// `Conflict` when the next rules leave out a type of which there are identifiers, or spell them in another way: those that
/// are stored would be other identifiers than those that come.
pub(super) fn check_change(held: &Snapshot, next: &Rulebook) -> Result<()> {
    let types = held.rules.types();
    let is_used = |name: &str| types.id(name).is_ok_and(|kind| held.identity.uses(kind));
    for name in types.by_priority().into_iter().map(|kind| types.name(kind)) {
        if !next.types().contains(name) && is_used(name) {
            return Err(Error::conflict(format!(
                "identifier type '{name}' has identifiers: it cannot be taken away, name it with the others"
            )));
        }
    }
    if let Some(name) = next.respelled(&held.rules.rulebook).find(|name| is_used(name)) {
        return Err(Error::conflict(format!(
            "identifier type '{name}' has identifiers, which stay in the spelling that they have: another normalize for it is \
             not supported yet; leave it as it is, or set the rules in a new workspace and load the events there"
        )));
    }
    Ok(())
}
