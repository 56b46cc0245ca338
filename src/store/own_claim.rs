//! A claim to write that this process has made in an object store, told apart from all others by the writer that it names;
//! and whether it was found to be gone.
//!
//! A workspace that is dropped while its writer sleeps loses its claims, and those of the next one of its name have the
//! same numbers. Whoever reads the object of the claim asks here whether it is still that. Must not know who reads it, when
//! or how, nor what is done about a claim that is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use uuid::Uuid;

use crate::error::Error;

/// A claim of this process. A copy is told of the same claim.
#[derive(Debug, Clone)]
pub struct OwnClaim {
    term: u64,
    writer: Uuid,
    is_gone: Arc<AtomicBool>,
}

impl OwnClaim {
    /// `writer` is whom the claim names as the writer.
    pub fn new(term: u64, writer: Uuid) -> Self {
        Self { term, writer, is_gone: Arc::default() }
    }

    pub fn term(&self) -> u64 {
        self.term
    }

    /// Whether the object that was found where the claim was made, if there was one, is still this claim.
    pub fn is_still(&self, found: Option<&Value>) -> bool {
        let is_this = found.is_some_and(|found| found["writer"] == self.writer.to_string());
        if !is_this {
            self.is_gone.store(true, Ordering::Relaxed);
        }
        is_this
    }

    /// What is said to those who wrote under a claim that is gone.
    pub fn refusal() -> Error {
        Error::conflict(
            "the workspace was dropped, and perhaps made anew, while this process wrote to it: send again in a moment",
        )
    }

    /// Whether it was looked for and not found.
    pub fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_of_another_writer_under_the_same_number_is_not_it() {
        let (own, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for found in [None, Some(json!({ "writer": other })), Some(json!(7))] {
            let claim = OwnClaim::new(1, own);
            let copy = claim.clone();
            assert!(claim.is_still(Some(&json!({ "writer": own }))) && !copy.is_gone());
            assert!(!claim.is_still(found.as_ref()) && copy.is_gone(), "{found:?}");
        }
    }
}
