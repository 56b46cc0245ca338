//! Whether an event may say more than an amount holds, told by the looks of its numbers: far cheaper than to read them.

use super::statement::mentions;

/// From here on the product of two numbers may be beyond the 14 digits of an amount.
pub const LARGE: u128 = 10_u128.pow(LARGE_DIGITS as u32 - 1);

/// Digits of such a number before its point.
const LARGE_DIGITS: usize = 8;

/// Whether properties (JSON text) have a large number, and say something of an order.
///
/// Missed are numbers with an exponent, and sums of many products of which none is large.
pub fn may_be_too_large(properties: &str) -> bool {
    has_large_number(properties.as_bytes()) && mentions(properties)
}

fn has_large_number(text: &[u8]) -> bool {
    // Of so many digits in a row one is met in steps of as many.
    let mut at = LARGE_DIGITS - 1;
    while let Some(byte) = text.get(at) {
        if byte.is_ascii_digit() {
            let start = text[..at].iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |before| before + 1);
            let length = text[at..].iter().position(|byte| !byte.is_ascii_digit());
            let end = length.map_or(text.len(), |length| at + length);
            let is_fraction = text[..start].last() == Some(&b'.');
            if end - start >= LARGE_DIGITS && !is_fraction {
                return true;
            }
            at = end;
        }
        at += LARGE_DIGITS;
    }
    false
}
