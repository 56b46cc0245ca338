//! Which term is the newest, as far as the log must know it.
//!
//! A term is claimed by creating the object of its number. Numbers are dense and claims are never deleted, so that one
//! look at the next number tells whether anybody has taken over.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::ObjectStore;
use object_store::path::Path;

use super::requests::{Requests, Retries};
use crate::error::Result;

/// Tells the newest term that was claimed.
#[async_trait]
pub trait TermCheck: Send + Sync {
    /// The number of the newest claim. A claim that was made before this call began must be seen: no list and no cache
    /// is good enough.
    ///
    /// # Errors
    /// When the store does not tell, however often it was asked: the log ends writing then.
    async fn newest(&self) -> Result<u64>;
}

/// Looks for claims beyond a known one, by reading their objects.
pub struct ClaimProbe {
    requests: Requests,
    /// Path of the claim of a term.
    claim: Box<dyn Fn(u64) -> Path + Send + Sync>,
    known: u64,
}

impl ClaimProbe {
    /// `known` is a term that is claimed, such as the caller's own; 0 asks for all.
    pub fn new(
        store: Arc<dyn ObjectStore>,
        retries: Retries,
        claim: impl Fn(u64) -> Path + Send + Sync + 'static,
        known: u64,
    ) -> Self {
        Self { requests: Requests::new(store, retries), claim: Box::new(claim), known }
    }
}

#[async_trait]
impl TermCheck for ClaimProbe {
    async fn newest(&self) -> Result<u64> {
        let mut newest = self.known;
        while self.requests.read(&(self.claim)(newest + 1), None, |_, _| Ok(())).await?.is_some() {
            newest += 1;
        }
        Ok(newest)
    }
}
