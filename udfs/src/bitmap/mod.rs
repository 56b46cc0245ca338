//! Sets of persons as bitmaps: `bitmap_*`, their aliases and aggregates (SQL.md 3), over portable 32-bit Roaring bytes.
//!
//! Must not know: the server, stored sets, persons. The algebra is `kernel`'s; the files here read arguments, call it
//! and build Arrow results.

mod field;
mod operand;

pub use field::{EXTENSION_NAME, bitmap_field};
