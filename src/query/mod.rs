//! The engine: SQL in, Arrow out, for one caller at one snapshot. Knows no protocol.

mod engine;

pub use engine::{Engine, Execution, Prepared, SessionOptions, SnapshotId, StatementKind, TableEntry, TableKind};
