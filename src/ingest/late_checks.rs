//! Which rows may still be rejected when their reader has taken them. Of these the reader gives the text, so that a
//! dead letter holds the row as its file has it, to be corrected and loaded again; the text of all rows would double
//! what a load moves.
//!
//! Looks at what costs little, and suspects too many rows rather than too few: `check` judges. A row that is missed is
//! shown by its values. Must not know files.

use chrono::Utc;

use super::input::{InputRow, QUANTITY_ONE};
use super::json_text;
use crate::identity::IdentifierTypes;
use crate::orders;
use crate::settings::currency_code;

/// Longest message id in bytes, as in the Segment protocol.
pub(super) const MAX_MESSAGE_ID_BYTES: usize = 100;
/// Longest text of properties or context in bytes.
pub(super) const MAX_JSON_BYTES: usize = 1 << 20;

/// What is known of the checks without the workspace that makes them; made once a file.
pub(super) struct LateChecks {
    /// Microseconds since 1970. How far beyond it a time may lie is a setting.
    now: i64,
    /// Those that every workspace has.
    types: IdentifierTypes,
}

impl LateChecks {
    pub(super) fn new() -> Self {
        Self { now: Utc::now().timestamp_micros(), types: IdentifierTypes::default() }
    }

    pub(super) fn may_reject(&self, row: &InputRow<'_>) -> bool {
        row.ts.is_some_and(|ts| ts > self.now)
            || row.currency.is_some_and(|text| currency_code(text).is_none())
            || row.message_id.is_some_and(|id| id.len() > MAX_MESSAGE_ID_BYTES)
            || row.identifiers.iter().any(|(kind, _)| !self.types.contains(kind))
            || [row.properties, row.context].into_iter().flatten().any(is_too_large)
            || may_be_beyond(row)
    }
}

fn is_too_large(json: &str) -> bool {
    json.len() > MAX_JSON_BYTES || json_text::is_too_deep(json)
}

/// Whether what the event says of money may be beyond an amount, or of too many products.
fn may_be_beyond(row: &InputRow<'_>) -> bool {
    const MANY: u128 = orders::LARGE * QUANTITY_ONE.unsigned_abs();
    row.event.is_some()
        && (row.quantity.is_some_and(|quantity| quantity.unsigned_abs() >= MANY)
            || row
                .properties
                .is_some_and(|text| orders::may_be_too_large(text) || orders::may_have_too_many_products(text)))
}
