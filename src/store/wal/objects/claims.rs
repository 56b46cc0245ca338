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
use uuid::Uuid;

use super::requests::{Requests, Retries};
use crate::error::{Error, Result};

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

/// A claim of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnClaim {
    pub term: u64,
    /// Whom it names as the writer.
    pub writer: Uuid,
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
        let mut newest = self.own.term;
        while self.requests.read(&(self.claim)(newest + 1), None, |_, _| Ok(())).await?.is_some() {
            newest += 1;
        }
        Ok(newest)
    }

    async fn is_claimed(&self) -> Result<bool> {
        let path = (self.claim)(self.own.term);
        let writer = self.requests.read(&path, None, |bytes, _| {
            let claim: Value = serde_json::from_slice(&bytes)
                .map_err(|error| Error::corrupt(format!("claim '{path}' is not the JSON it should be: {error}")))?;
            Ok(claim["writer"].as_str().map(str::to_owned))
        });
        Ok(writer.await?.flatten().is_some_and(|writer| writer == self.own.writer.to_string()))
    }
}

#[async_trait]
impl TermCheck for ClaimProbe {
    async fn newest(&self) -> Result<u64> {
        // Both at once: a drop that ended before has taken the own claim with it, and one that goes on meanwhile takes what
        // is acknowledged with it, too.
        let (newest, is_claimed) = futures::future::try_join(self.newest_from_own(), self.is_claimed()).await?;
        if newest == self.own.term && !is_claimed {
            return Err(Error::conflict(
                "the workspace was dropped, and perhaps made anew, while this process wrote to it: send again in a moment",
            ));
        }
        Ok(newest)
    }
}
