//! `bitmap_sample` and `bitmap_split`: persons drawn by a hash of their number, so that a person's lot never depends on
//! who else is in the set.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use datafusion::common::{Result, exec_err};

use super::columns::{BytesColumn, Columns};
use super::declared::{Argument, Declaration, Kind, Returns};
use super::operand::refused;
use crate::kernel::{BitmapRef, Encoding, Error, Expr, Plan, Split, from_ids};

const SET: Argument = Argument { name: "b", kind: Kind::Bitmap, meaning: "a bitmap" };

pub(super) static SAMPLE: Declaration = Declaration {
    name: "bitmap_sample",
    aliases: &[],
    arguments: &[
        SET,
        Argument { name: "n", kind: Kind::Integer, meaning: "how many, not below 0; all where there are fewer" },
        Argument { name: "seed", kind: Kind::Integer, meaning: "any integer: another seed draws others" },
    ],
    returns: Returns::Bitmap,
    evaluate: sample,
    description: "n members drawn by a hash of each with the seed. The draw is stable: a person drawn stays drawn when \
                  others leave the set.",
    example: "SELECT bitmap_sample(b, 1000, 42) FROM sets",
};

pub(super) static SPLIT: Declaration = Declaration {
    name: "bitmap_split",
    aliases: &[],
    arguments: &[
        SET,
        Argument { name: "salt", kind: Kind::Text, meaning: "name of the experiment; other salts split independently" },
        Argument { name: "weights", kind: Kind::Numbers, meaning: "one weight an arm, relative to each other" },
        Argument { name: "arm", kind: Kind::Integer, meaning: "which arm to return, from 0" },
    ],
    returns: Returns::Bitmap,
    evaluate: split,
    description: "The members that fall into one arm of a split by weight. Each member is in exactly one arm, and stays \
                  in it as the set grows.",
    example: "SELECT bitmap_split(b, 'spring sale', [0.9, 0.1], 1) AS control FROM sets",
};

fn plan<'a>(function: &str, bitmap: BitmapRef<'a>) -> Result<Plan<'a>> {
    Expr::Set(bitmap).plan().map_err(|error| refused(function, 1, &error))
}

fn sample(columns: &Columns) -> Result<ArrayRef> {
    let function = columns.function;
    let bitmaps = columns.bitmaps(0)?;
    let ((sizes, size_column), (seeds, seed_column)) = (columns.integers(1)?, columns.integers(2)?);
    let mut result = BytesColumn::with_capacity(columns.rows);
    for row in 0..columns.rows {
        let (bitmap, size, seed) = (bitmaps.get(row)?, sizes.at(size_column, row), seeds.at(seed_column, row));
        let (Some(bitmap), Some(size), Some(seed)) = (bitmap, size, seed) else {
            result.push_null();
            continue;
        };
        if size < 0 {
            return exec_err!("{function}: argument 2 (n) is {size}: it is a number of members, not below 0");
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size as u64 >= bitmap.count() {
            let all = bitmap.rewrite(Encoding::Optimized).map_err(|error| refused(function, 1, &error))?;
            result.push(&all);
            continue;
        }
        // The low 64 bits of a seed: a negative one in two's complement.
        result.push(&from_ids(plan(function, bitmap)?.sample(size, seed as u64)));
    }
    result.finish(function)
}

fn split(columns: &Columns) -> Result<ArrayRef> {
    let function = columns.function;
    let (bitmaps, salts, weights) = (columns.bitmaps(0)?, columns.texts(1)?, columns.lists(2)?);
    let (arms, arm_column) = columns.integers(3)?;
    let constant = columns.is_constant(1) && columns.is_constant(2);
    let mut result = BytesColumn::with_capacity(columns.rows);
    let mut held: Option<(Split, usize)> = None;
    for row in 0..columns.rows {
        let (bitmap, arm) = (bitmaps.get(row)?, arms.at(arm_column, row));
        let (Some(bitmap), Some(salt), Some(list), Some(arm)) = (bitmap, salts.get(row), weights.get(row), arm) else {
            result.push_null();
            continue;
        };
        let (split, count) = match held.take().filter(|_| constant) {
            Some(held) => held,
            None => arms_of(function, salt, list.as_ref())?,
        };
        let arm = match usize::try_from(arm) {
            Ok(arm) if arm < count => arm,
            _ => return exec_err!("{function}: argument 4 (arm) is {arm}: the arms are 0 to {}", count - 1),
        };
        let bytes = plan(function, bitmap)?.arm(&split, arm, u64::MAX);
        result.push(&bytes.map_err(|error| refused(function, 1, &error))?);
        held = Some((split, count));
    }
    result.finish(function)
}

/// The split, and its number of arms, which is at least one.
fn arms_of(function: &str, salt: &str, weights: &dyn Array) -> Result<(Split, usize)> {
    let weights = weights.as_primitive::<Float64Type>();
    if weights.null_count() > 0 {
        return Err(refused(function, 3, &Error::Argument("a weight of a split is NULL")));
    }
    let split = Split::new(salt, weights.values()).map_err(|error| refused(function, 3, &error))?;
    Ok((split, weights.len()))
}
