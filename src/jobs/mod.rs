//! Work that nobody waits for: compaction, vacuum, checks. Each runs from the command line and, where it changes
//! things, inside a running server, while loads and queries go on.
//!
//! Must not know protocols or terminals.

mod check;
mod compact;
mod upkeep;
mod vacuum;

pub use check::{Check, CheckSummary, Finding};
pub use compact::{CompactionSummary, Compactor, Need};
pub use upkeep::run_every;
pub use vacuum::{Unneeded, Vacuum};
