//! Accepts events: parse, validate, dedupe, number, commit. Knows no protocol and no SQL.

pub mod input;
mod load;

pub use load::{LoadRequest, LoadSummary, Loader};
