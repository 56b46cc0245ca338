//! The engine: SQL in, Arrow out, for one caller at one state.
//!
//! Must know no protocol and no wire format, and must never take a path or a URL from a statement.

mod bind;
mod binding;
mod catalog;
mod damage;
mod engine;
mod foreign_functions;
mod functions;
mod history;
mod limits;
mod memory;
mod panics;
mod parameters;
mod pinned_state;
mod places;
mod planning;
mod promise;
mod rules;
mod runtime;
mod session;
mod spill_folder;
mod spilling_join;
mod statement;
mod stop;
mod subquery_values;
mod suggest;
mod table_functions;
mod tables;
mod threads;
mod walk;
mod write;
mod zone;

pub use engine::{Engine, EngineLoad, Execution, Prepared, StatementKind, TableEntry, TableKind};
pub use history::{QueryRecord, QueryState};
pub use parameters::Parameters;
pub use session::SessionOptions;
pub use statement::{Split, split};
pub use write::{IfExists, Once, TableIngest};

pub use crate::workspace::SnapshotId;
