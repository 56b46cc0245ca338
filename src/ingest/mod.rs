//! Accepts events: parse, validate, dedupe, number, commit. Knows no protocol and no SQL.

mod accept;
mod canonical;
mod check;
mod crowded_values;
mod dead_letters;
mod expanded_size;
mod identifiers;
pub mod input;
mod input_columns;
mod intake;
mod json_text;
mod late_checks;
mod load;
mod omissions;
mod order_columns;
mod order_notes;
pub mod read;
pub mod reference;
mod repetition;
mod sent_columns;
mod setting_list;
mod stream;

pub use load::{LOAD_COMPLETE, LOAD_CONDITIONS, LoadConditions, LoadRequest, LoadSummary, Loader};
pub use sent_columns::SentColumns;
pub use stream::{CheckedBatches, EventStream};
