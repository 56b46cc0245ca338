//! A set that questions are asked of: a stored one answers from its header where it can, an expression is evaluated.
//!
//! Must not know: SQL, rows.

use crate::kernel::{self, BitmapRef, Expr, Plan};

pub(super) enum Asked<'a> {
    Stored(BitmapRef<'a>),
    Evaluated(Plan<'a>),
}

impl<'a> Asked<'a> {
    pub(super) fn new(set: Expr<'a>) -> kernel::Result<Self> {
        match set {
            Expr::Set(bitmap) => Ok(Self::Stored(bitmap)),
            other => other.plan().map(Self::Evaluated),
        }
    }

    pub(super) fn into_plan(self) -> kernel::Result<Plan<'a>> {
        match self {
            Self::Stored(bitmap) => Expr::Set(bitmap).plan(),
            Self::Evaluated(plan) => Ok(plan),
        }
    }

    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Stored(bitmap) => bitmap.count(),
            Self::Evaluated(plan) => plan.count(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Stored(bitmap) => bitmap.is_empty(),
            Self::Evaluated(plan) => !plan.exists(),
        }
    }

    pub(super) fn contains(&self, id: u32) -> bool {
        match self {
            Self::Stored(bitmap) => bitmap.contains(id),
            Self::Evaluated(plan) => plan.contains(id),
        }
    }

    pub(super) fn min(&self) -> Option<u32> {
        match self {
            Self::Stored(bitmap) => bitmap.min(),
            Self::Evaluated(plan) => plan.min(),
        }
    }

    pub(super) fn max(&self) -> Option<u32> {
        match self {
            Self::Stored(bitmap) => bitmap.max(),
            Self::Evaluated(plan) => plan.max(),
        }
    }

    /// Members up to and including `id`.
    pub(super) fn rank(&self, id: u32) -> u64 {
        match self {
            Self::Stored(bitmap) => bitmap.rank(id),
            Self::Evaluated(plan) => plan.rank(id),
        }
    }

    /// The member with `index` members before it.
    pub(super) fn select(&self, index: u64) -> Option<u32> {
        match self {
            Self::Stored(bitmap) => bitmap.select(index),
            Self::Evaluated(plan) => plan.select(index),
        }
    }
}
