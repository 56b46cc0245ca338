//! Where bytes lie: the object store, the paths in it, the Delta table of events.
//!
//! Knows nothing of callers, persons, SQL or protocols.

pub mod dead_letters;
mod durable;
pub mod events;
mod lock;
pub mod objects;
pub mod paths;
mod root;

pub use lock::WriterLock;
pub use root::Root;
