//! Where bytes lie: the object store, the paths in it, the Delta tables of events and of users.
//!
//! Knows nothing of callers, persons, SQL or protocols.

pub mod dead_letters;
pub mod delta;
mod durable;
pub mod events;
mod lock;
pub mod objects;
pub mod paths;
mod root;
pub mod tables;

pub use lock::WriterLock;
pub use root::Root;
