//! What the tests of this layer, and of those above it, share.

pub(crate) mod dice;
pub(super) mod faulty;
pub(crate) mod simulated;
