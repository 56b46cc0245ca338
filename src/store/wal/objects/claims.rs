//! Whether the caller's term is still the newest, as far as the log must know it.
//!
//! A term is claimed by creating the object of its number. Numbers are dense, and claims are deleted with their workspace
//! alone: one look at the next number tells whether anybody has taken over, and one at the own claim whether the workspace
//! was dropped meanwhile. The next one of its name begins with the same numbers, so that the writer is compared.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::ObjectStore;
use object_store::path::Path;
use serde_json::Value;

use super::requests::{Requests, Retries};
use crate::error::{Error, Result};
use crate::store::OwnClaim;

/// Tells the newest term that was claimed.
#[async_trait]
pub trait TermCheck: Send + Sync {
    /// The number of the newest claim. A claim that was made before this call began must be seen: no list and no cache
    /// is good enough.
    ///
    /// # Errors
    /// `Conflict` when the caller's own claim is gone, or is somebody else's by now. When the store does not tell, however
    /// often it was asked. The log ends writing then.
    async fn newest(&self) -> Result<u64>;
}

/// Looks at the caller's claim and for those beyond it, by reading their objects.
pub struct ClaimProbe {
    requests: Requests,
    /// Path of the claim of a term.
    claim: Box<dyn Fn(u64) -> Path + Send + Sync>,
    own: OwnClaim,
}

impl ClaimProbe {
    pub fn new(
        store: Arc<dyn ObjectStore>,
        retries: Retries,
        claim: impl Fn(u64) -> Path + Send + Sync + 'static,
        own: OwnClaim,
    ) -> Self {
        Self { requests: Requests::new(store, retries), claim: Box::new(claim), own }
    }

    /// The newest claim, that of the caller or one behind it.
    pub(super) async fn newest_from_own(&self) -> Result<u64> {
        let mut newest = self.own.term();
        while self.requests.read(&(self.claim)(newest + 1), None, |_, _| Ok(())).await?.is_some() {
            newest += 1;
        }
        Ok(newest)
    }

    async fn is_claimed(&self) -> Result<bool> {
        let path = (self.claim)(self.own.term());
        let found = self.requests.read(&path, None, |bytes, _| {
            serde_json::from_slice::<Value>(&bytes)
                .map_err(|error| Error::corrupt(format!("claim '{path}' is not the JSON it should be: {error}")))
        });
        Ok(self.own.is_still(found.await?.as_ref()))
    }
}

#[async_trait]
impl TermCheck for ClaimProbe {
    async fn newest(&self) -> Result<u64> {
        // Both at once: a drop that ended before has taken the own claim with it, and one that goes on meanwhile takes what
        // is acknowledged with it, too.
        let (newest, is_claimed) = futures::future::try_join(self.newest_from_own(), self.is_claimed()).await?;
        if newest == self.own.term() && !is_claimed {
            return Err(OwnClaim::refusal());
        }
        Ok(newest)
    }
}
