//! Tests of the functions crate at its borders, in one binary.

mod kernel_sets;
mod kernel_shapes;
