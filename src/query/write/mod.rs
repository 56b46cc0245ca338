//! Statements that change something: user tables by CREATE TABLE [AS], INSERT, DELETE, DROP TABLE and bulk ingest; the
//! rules of identity stitching.
//!
//! Rows are found and written at one snapshot; the commit then checks that what it replaces is still there. Nothing is
//! visible before the commit, and a commit that has begun is brought to its end whoever goes away.

mod bulk;
mod change;
mod delete;
mod engine;
mod identity_rules;
mod once;
mod rows;
mod run;

pub use bulk::{IfExists, TableIngest};
pub(super) use change::{Change, is_change};
pub use once::Once;
pub(super) use run::count_schema;
