//! All integration tests, one binary. This file is their table of contents.

// A failed unwrap is a failed test.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod harness;
mod observed_store;
mod program;

/// Identity checkpoints: what a start reads, damage, broken-off writes, size and time, what is published.
mod checkpoints;
/// Times and ids of what is stored: the same seed stores the same.
mod clock;
/// The program as it is typed: what it says where something is not as it was meant.
mod commands;
/// The engine: snapshots, limits, parameters, what it refuses.
mod engine;
/// The event stream: many senders, message ids, batch keys, numbers; clocks that jump, commits in doubt, ways back.
mod event_stream;
/// Files whose footers hold bounds of DOUBLE and REAL, as an earlier program wrote them; files that are skipped still.
mod floating_bounds;
/// Rules of identity stitching: by statement and command, and what they make of events.
mod identity_rules;
/// What comes in: spellings, times, currencies, nobodies, the same content, synthetic beside real events.
mod intake;
/// What statements and tickets read while others write; what kill -9, a cut wire, a full disk and a failed sync leave of a
/// stream.
mod live;
/// Loads: all or nothing, once, dead letters, restart.
mod loads;
/// JSON with many levels and long numbers, by each way in.
mod nested_json;
/// One zero and one NaN where SQL text files do not reach: bound parameters, bulk ingest, plans.
mod one_zero;
/// Promise 9 and the layout of the Delta table.
mod open_data;
/// Orders, bookings and items by the worked cases of money.
mod orders;
/// Which tables a role sees.
mod roles;
/// A real server on port 0 and a real Flight SQL client.
mod server;
/// The synthetic shop, loaded and asked, against its truth table.
mod shop_truth;
/// SQL text files under `tests/slt`.
mod slt;
/// Workspaces: settings, reference tables, drop, and that none leaks into another (promise 6).
mod spaces;
/// Layers, sizes and other rules of the code (DESIGN 3).
mod tidy;
/// Compaction, vacuum, clean-up of the Delta log, checks, the write-ahead log, and one person's timeline.
mod upkeep;
/// The zone of the session: parameters, skipped files, bulk ingest.
mod zones;
