//! The signs of life of one term. Must not know when a writer counts as gone.

use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::error::Result;
use crate::store::{OwnClaim, objects};

/// Writes the signs of life of one term.
pub(super) struct Heart {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) path: Path,
    /// Where the claim lies.
    pub(super) claim: Path,
    pub(super) own: OwnClaim,
    pub(super) clock: Clock,
    /// Where the server of this process is reached, once it is one.
    pub(super) address: Mutex<Option<String>>,
}

impl Heart {
    pub(super) async fn beat(&self) -> Result<()> {
        let address = self.address.lock().clone();
        let sign = json!({ "beat": self.clock.new_id(), "address": address }).to_string();
        self.store.put(&self.path, sign.into()).await?;
        Ok(())
    }

    /// Whether the claim is there and this process's.
    pub(super) async fn is_claimed(&self) -> Result<bool> {
        let claim: Option<Value> = objects::read_json(&self.store, &self.claim).await?;
        Ok(self.own.is_still(claim.as_ref()))
    }

    /// False when there is no claim any more that it could be a sign of life of: nothing is written then.
    pub(super) async fn beat_if_claimed(&self) -> Result<bool> {
        let is_claimed = self.is_claimed().await?;
        if is_claimed {
            self.beat().await?;
        }
        Ok(is_claimed)
    }

    pub(super) async fn go_on(self: Arc<Self>, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            match self.beat_if_claimed().await {
                Ok(true) => {}
                Ok(false) => {
                    tracing::warn!(claim = %self.claim, "this writer's claim is gone: the workspace was dropped");
                    return;
                }
                Err(error) => tracing::warn!(%error, "cannot tell the object store that this writer lives"),
            }
        }
    }
}
