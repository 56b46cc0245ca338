//! Text and numbers to typed values. Each function gives the value or the reason, without the column: callers add it.
//!
//! Must not know files, columns or rows.

mod clock;
mod letters;
mod text;
mod time;
mod whole;
mod year_first;
mod year_last;

#[cfg(test)]
mod tests;

pub use text::{shown, trim_blanks, trimmed};
pub use time::{TimeParser, year_fault};
pub use whole::{whole_number, whole_number_text};

pub use crate::money::{
    decimal_from_float, decimal_from_integer, decimal_from_text, quantity_from_float, quantity_from_integer,
    quantity_from_text,
};

/// Why a value is not what its field needs, as a message for a person.
pub type Reason = String;
