//! What can go wrong in the kernel. Must not know: SQL, arrow, who called.

use std::fmt;

/// A refusal of the kernel. Offsets are bytes from the start of the input that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The bytes are not a portable Roaring bitmap (or not a numeric set); `offset` is the byte of the fault.
    Malformed { offset: usize, fault: &'static str },
    /// The result would be larger than the caller allows. `needed` is a lower bound.
    OverBudget { needed: u64, budget: u64 },
    /// An expression is nested deeper than [`super::MAX_DEPTH`].
    TooDeep,
    /// An argument makes no sense; the text says which and why.
    Argument(&'static str),
    /// A 64-bit map holds this value, which does not fit in 32 bits.
    TooLarge { value: u64 },
}

pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Malformed { offset, fault } => write!(f, "malformed bitmap: {fault}, at byte {offset}"),
            Error::OverBudget { needed, budget } => {
                write!(f, "the result needs at least {needed} but only {budget} is allowed")
            }
            Error::TooDeep => write!(f, "the expression is nested deeper than {} levels", super::MAX_DEPTH),
            Error::Argument(fault) => f.write_str(fault),
            Error::TooLarge { value } => write!(f, "value {value} does not fit in 32 bits"),
        }
    }
}

impl std::error::Error for Error {}

pub(crate) fn malformed<T>(offset: usize, fault: &'static str) -> Result<T> {
    Err(Error::Malformed { offset, fault })
}
