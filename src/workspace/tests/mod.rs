//! Tests of all parts of a workspace together.

mod simulation;
