//! Tests of the functions in a plain DataFusion session: `slt` runs every file of `tests/slt`, a file a family.

mod documentation;
mod slt;
