//! How large the results of one batch of rows may become. Must not know: what they are results of.

use datafusion::common::DataFusionError;

/// Bytes that the results of a scalar function for one batch may take together, but for eight a row. A set of all 2^32
/// numbers without any order takes half of this, and a Binary array holds twice this. Algebra gives at most about twice
/// what it reads, but a flip of everything turns 8 bytes into a million, and a list has 8 bytes for what took a bit.
pub(super) const MOST_BYTES: u64 = 1 << 30;

/// What a Binary or Utf8 array holds: offsets are of 31 bits. An aggregate gives all of its groups at once.
pub(super) const MOST_ARRAY_BYTES: u64 = i32::MAX as u64;

/// Results above a limit.
pub(super) fn too_large(function: &str, most: u64) -> DataFusionError {
    DataFusionError::ResourcesExhausted(format!(
        "{function}: the results of one batch of rows need more than {most} bytes; count them, take pieces, or use a \
         smaller batch size"
    ))
}
