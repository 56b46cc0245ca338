//! Accepts events: parse, validate, dedupe, number, commit. Knows no protocol and no SQL.

mod accept;
mod canonical;
mod check;
mod crowded_values;
mod dead_letters;
mod identifiers;
pub mod input;
mod input_columns;
mod json_text;
mod late_checks;
mod load;
mod omissions;
mod order_columns;
mod order_notes;
mod partition;
pub mod read;
pub mod reference;
mod setting_list;

pub use load::{LOAD_COMPLETE, LOAD_CONDITIONS, LoadConditions, LoadRequest, LoadSummary, Loader};
