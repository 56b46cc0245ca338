//! What the tests of this layer share.

pub(super) mod faulty;
pub(super) mod simulated;
