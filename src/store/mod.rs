//! Where bytes lie: the object store, the paths in it, the Delta tables of events and of users.
//!
//! Knows nothing of callers, persons, SQL or protocols.

mod cloud;
pub mod dead_letters;
pub mod dedupe;
pub mod delta;
mod durable;
pub mod events;
pub mod floating_bounds;
mod lock;
mod log_store;
pub mod objects;
mod own_claim;
pub mod paths;
mod root;
pub mod tables;
mod term;
#[cfg(test)]
pub(crate) mod tests;
pub mod wal;

pub use lock::WriterLock;
pub use own_claim::OwnClaim;
pub use root::Root;
pub use term::{Holder, end_terms};
