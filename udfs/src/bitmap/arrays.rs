//! `bitmap_to_array`, `bitmap_from_array`, `to_bitmap`, `bitmap_empty`: sets as lists of numbers and back.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListArray, NullBufferBuilder};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;

use super::columns::{BytesColumn, Columns, Integers, member};
use super::declared::{Argument, Declaration, Kind, Returns};
use super::limit::{MOST_BYTES, too_large};
use crate::kernel::{EMPTY, from_ids};

pub(super) static TO_ARRAY: Declaration = Declaration {
    name: "bitmap_to_array",
    aliases: &["rb_to_array", "bitmaptoarray"],
    arguments: &[Argument { name: "b", kind: Kind::Bitmap, meaning: "a bitmap" }],
    returns: Returns::Integers,
    evaluate: to_array,
    description: "The members in ascending order, as one list of BIGINT. A list of many millions takes 8 bytes a member: \
                  unnest_bitmap gives rows, a batch at a time.",
    example: "SELECT bitmap_to_array(bitmap_from_string('5,1,9'))",
};

pub(super) static FROM_ARRAY: Declaration = Declaration {
    name: "bitmap_from_array",
    aliases: &["bitmap_build", "build_bitmap", "rb_build", "bitmapbuild"],
    arguments: &[Argument { name: "list", kind: Kind::Integers, meaning: "numbers in any order, repeated or not" }],
    returns: Returns::Bitmap,
    evaluate: from_array,
    description: "The set of the numbers in a list. NULL elements are skipped, a NULL list gives NULL, and \
                  a number outside 0 .. 4294967295 is an error.",
    example: "SELECT bitmap_count(bitmap_from_array([1, 5, 9, 5]))",
};

pub(super) static TO_BITMAP: Declaration = Declaration {
    name: "to_bitmap",
    aliases: &[],
    arguments: &[Argument { name: "x", kind: Kind::Integer, meaning: "a number" }],
    returns: Returns::Bitmap,
    evaluate: to_bitmap,
    description: "The set of one number from 0 to 4294967295; another number is an error.",
    example: "SELECT bitmap_union(to_bitmap(person)) FROM persons",
};

pub(super) static EMPTY_SET: Declaration = Declaration {
    name: "bitmap_empty",
    aliases: &[],
    arguments: &[],
    returns: Returns::Bitmap,
    evaluate: empty,
    description: "The set without members.",
    example: "SELECT coalesce(b, bitmap_empty()) FROM sets",
};

/// Members that the lists of one batch may have together.
const MOST_ELEMENTS: usize = MOST_BYTES as usize / size_of::<i64>();

fn to_array(columns: &Columns) -> Result<ArrayRef> {
    let bitmaps = columns.bitmaps(0)?;
    let (mut members, mut ends) = (Vec::new(), vec![0_i32]);
    let mut nulls = NullBufferBuilder::new(columns.rows);
    for row in 0..columns.rows {
        match bitmaps.get(row)? {
            Some(bitmap) => {
                let after = members.len() as u64 + bitmap.count();
                if after > MOST_ELEMENTS as u64 {
                    return Err(too_large(columns.function, MOST_BYTES));
                }
                // What the header says is not proven: room for it is taken only in proportion to the bytes.
                members.reserve(usize::min(bitmap.count() as usize, 8 * bitmap.as_bytes().len()));
                bitmap.for_each(|id| {
                    if members.len() < MOST_ELEMENTS {
                        members.push(i64::from(id));
                    }
                });
                nulls.append_non_null();
            }
            None => nulls.append_null(),
        }
        ends.push(members.len() as i32);
    }
    let field = Arc::new(Field::new_list_field(DataType::Int64, true));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    Ok(Arc::new(ListArray::try_new(field, offsets, Arc::new(Int64Array::from(members)), nulls.finish())?))
}

fn from_array(columns: &Columns) -> Result<ArrayRef> {
    let lists = columns.lists(0)?;
    let mut result = BytesColumn::with_capacity(columns.rows);
    for row in 0..columns.rows {
        let Some(list) = lists.get(row) else {
            result.push_null();
            continue;
        };
        let numbers = Integers::new(columns.function, 1, list.as_ref())?;
        let ids = (0..list.len()).filter_map(|place| numbers.get(place));
        let ids: Vec<u32> = ids.map(|value| member(columns.function, 1, value)).collect::<Result<_>>()?;
        result.push(&from_ids(ids));
    }
    result.finish(columns.function)
}

fn to_bitmap(columns: &Columns) -> Result<ArrayRef> {
    let (numbers, column) = columns.integers(0)?;
    let mut result = BytesColumn::with_capacity(columns.rows);
    for row in 0..columns.rows {
        match numbers.at(column, row) {
            Some(value) => result.push(&from_ids(vec![member(columns.function, 1, value)?])),
            None => result.push_null(),
        }
    }
    result.finish(columns.function)
}

fn empty(columns: &Columns) -> Result<ArrayRef> {
    let mut result = BytesColumn::with_capacity(columns.rows);
    (0..columns.rows).for_each(|_| result.push(&EMPTY));
    result.finish(columns.function)
}
