//! Tests of the functions crate at its borders, in one binary.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bitmap_expressions;
mod bitmap_fusing;
mod bitmap_sessions;
mod documentation;
mod kernel_bytes;
mod kernel_fuzz;
mod kernel_sets;
mod kernel_shapes;
mod kernel_writing;
mod slt;
