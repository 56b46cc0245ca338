//! What may stand beside a length of time where two are compared: another one, or a text that says one.

use arrow::datatypes::DataType;

use super::interval_length::has_length;
use super::operands::is_number;
use crate::error::{Error, Result};

/// # Errors
/// `InvalidInput` for a number beside a length of time, of which nobody says what it counts.
pub(in crate::query) fn check_length_operands(types: &[DataType]) -> Result<()> {
    match types.iter().any(has_length) && types.iter().any(is_number) {
        true => Err(Error::invalid(
            "a length of time is compared with a number: write what the number counts, as in INTERVAL '5 days', or compare \
             the seconds, extract(epoch FROM i) > 5",
        )),
        false => Ok(()),
    }
}

/// What a text of a column, or of a parameter, beside a length of time is refused with.
pub(in crate::query) fn text_beside_length() -> Error {
    Error::invalid(
        "a length of time is compared with a text: write INTERVAL '1 day', and of a column CAST(x AS INTERVAL)",
    )
}
