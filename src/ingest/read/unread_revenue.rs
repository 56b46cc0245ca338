//! A revenue that is no number: absent where the event says its amount otherwise (SQL.md 1, "Amount"). Where it says none,
//! the row stays rejected, since an order of 0 would be wrong.

use crate::money::Exact;
use crate::orders::{OwnLine, read_statement};

/// Whether an event with `text` as its revenue counts as one without. A number that is too large is a number.
pub fn is_absent(text: &str, properties: Option<&str>, has_product: bool) -> bool {
    let own = OwnLine { has_product, ..OwnLine::default() };
    Exact::from_text(text).is_err() && read_statement(properties, own).says_amount()
}
