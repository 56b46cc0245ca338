//! Exactly once: which message ids and batches are durable already, over a stated window.
//!
//! Keys are hashes. Those of the newest records are exact in memory; each flush writes the others as a [`Run`], an
//! immutable object of sorted keys with an 8-bit filter that stays in memory, and a key that passes a filter is looked up
//! in the run itself: no answer is a guess.
//!
//! How the sequencer uses it, for each group:
//! 1. `index.check(keys, &pending)`, then `pending.reserve(group, check.open_keys())`, then `check.resolve().await`;
//!    keys that turned out to be duplicates are released.
//! 2. The record is made durable.
//! 3. In one step: `pending.settle(group)`, and its keys go to `index.add`. Then those are answered that waited.
//!
//! A flush seals the keys, writes them, names the run in its commit and installs it. Replay adds the keys of records
//! behind the newest run's position.
//!
//! Must not know the log, Delta, events or arrow.

mod block;
mod cache;
mod check;
mod clock;
mod exact;
mod filter;
mod index;
mod key;
mod load_keys;
mod merge;
mod merge_plan;
mod pending;
mod reader;
mod rebuild;
mod run;
#[cfg(test)]
mod tests;

pub use self::check::{Check, Decision, Verdict};
pub use self::clock::{Hour, IndexClock, MAX_STEP_HOURS, RESERVE_HOURS, ReceiveHours, Timeline};
pub use self::exact::Sealed;
pub use self::index::{DedupeIndex, DedupeSettings, Shrinkage, load};
pub use self::key::{BatchKey, MessageKey};
pub use self::load_keys::LoadKeys;
pub use self::merge::merge;
pub use self::pending::{GroupId, GroupKeys, Pending};
pub use self::rebuild::{IndexBuilder, RunPaths};
pub use self::run::{Mark, Run, RunSummary, summarize, verify_run};
