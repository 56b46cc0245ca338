//! Tests of the functions crate at its borders, in one binary.

mod kernel_bytes;
mod kernel_fuzz;
mod kernel_sets;
mod kernel_shapes;
mod kernel_writing;
