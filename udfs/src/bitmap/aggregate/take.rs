//! Taking rows into sets: numbers and bitmaps, with a filter or not. Must not know: groups, results.

use std::fmt::Display;

use arrow::array::{Array, BooleanArray};
use arrow::buffer::NullBuffer;
use datafusion::common::{Result, exec_err};

use super::super::columns::Integers;
use crate::kernel::{BitmapRef, Builder, Operator};

/// The rows that are neither NULL nor filtered out; none means all.
pub(super) fn selected(array: &dyn Array, filter: Option<&BooleanArray>) -> Option<NullBuffer> {
    let filter = filter.map(|filter| {
        let nulls = filter.nulls();
        NullBuffer::new(nulls.map_or_else(|| filter.values().clone(), |nulls| filter.values() & nulls.inner()))
    });
    NullBuffer::union(array.nulls(), filter.as_ref())
}

/// Calls with row and member for the selected rows of a column of numbers.
///
/// # Errors
/// For a number that no bitmap holds.
pub(super) fn each_member(
    function: &str,
    array: &dyn Array,
    selected: Option<&NullBuffer>,
    each: impl FnMut(usize, u32),
) -> Result<()> {
    match Integers::new(function, 1, array)? {
        Integers::Signed(array) => each_of(function, array.values(), selected, each),
        Integers::Unsigned(array) => each_of(function, array.values(), selected, each),
    }
}

fn each_of<T: Copy + Display>(
    function: &str,
    values: &[T],
    selected: Option<&NullBuffer>,
    mut each: impl FnMut(usize, u32),
) -> Result<()>
where
    u32: TryFrom<T>,
{
    for (row, value) in values.iter().enumerate() {
        if selected.is_some_and(|selected| selected.is_null(row)) {
            continue;
        }
        match u32::try_from(*value) {
            Ok(member) => each(row, member),
            Err(_) => {
                return exec_err!("{function}: argument 1 has {value}: a bitmap holds numbers from 0 to 4294967295");
            }
        }
    }
    Ok(())
}

/// Combines a bitmap into a set. `seen` is whether there was one before: the first of an intersection is the set.
pub(super) fn take_bitmap(operator: Operator, set: &mut Builder, seen: &mut bool, bitmap: BitmapRef<'_>) {
    let first = !std::mem::replace(seen, true);
    set.combine(if first { Operator::Or } else { operator }, bitmap);
}
