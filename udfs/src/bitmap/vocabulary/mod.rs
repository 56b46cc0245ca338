//! The scalar functions over bitmaps as tables, one file a family: names, arguments, meaning, documentation.
//!
//! Must not know: rows, arrays, how a meaning is evaluated (`evaluation`).

mod algebra;
mod counts;
mod edits;
mod function;
mod order;
mod pieces;
mod questions;

pub(crate) use function::{Function, Kind, Meaning, OneSet, Operator, ResultKind, TwoSets};

/// Every function.
pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    let families: [&'static [Function]; 6] = [
        &algebra::FUNCTIONS,
        &counts::FUNCTIONS,
        &questions::FUNCTIONS,
        &order::FUNCTIONS,
        &pieces::FUNCTIONS,
        &edits::FUNCTIONS,
    ];
    families.into_iter().flatten()
}

/// The function of this name; aliases are not looked at.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}
