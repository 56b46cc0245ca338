//! All integration tests, one binary. This file is their table of contents.

mod harness;

/// Layers, sizes and other rules of the code (DESIGN 3).
mod tidy;
/// SQL text files under `tests/slt`.
mod slt;
/// The synthetic shop, loaded and asked, against its truth table.
mod shop_truth;
/// Loads: all or nothing, once, dead letters, restart.
mod loads;
/// Promise 9 and the layout of the Delta table.
mod open_data;
/// The engine: snapshots, limits, parameters, what it refuses.
mod engine;
/// A real server on port 0 and a real Flight SQL client.
mod server;
