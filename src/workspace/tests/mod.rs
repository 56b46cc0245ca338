//! Tests of all parts of a workspace together.

mod dropping;
pub(super) mod simulation;
