//! Accepts events: parse, validate, dedupe, number, commit. Knows no protocol and no SQL.

pub mod input;
mod load;
pub mod read;

pub use load::{LoadRequest, LoadSummary, Loader};
