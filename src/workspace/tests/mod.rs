//! Tests of all parts of a workspace together.

pub(super) mod simulation;
