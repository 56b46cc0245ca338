//! How the functions of `vocabulary` run: one implementation for all of them, and the rewrite that makes nested calls one.
//!
//! A call is a [`formula::Call`]. `Single` is a function as it is registered: a call with its own arguments.
//! `Fused` is registered once, under the name `bitmap_fused`: its first argument is the text of nested calls and the others
//! are their leaves. `fuse` makes the second of the first when a plan is simplified. Because the text is an argument, a
//! plan with fused calls can be printed, sent to a worker and read there by the names of functions alone.
//!
//! Must not know: which functions there are (`vocabulary`), what a meaning takes to compute (`kernel`).

mod asked;
mod formula;
mod fuse;
mod fused;
mod leaves;
mod output;
mod row;
mod single;
#[cfg(test)]
mod tests;

use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ColumnarValue;

pub(super) use fused::Fused;
pub(super) use single::Single;

use super::limit::MOST_BYTES;
use formula::Call;
use leaves::Leaves;
use output::Output;
use row::Row;

/// The results of a call for a batch of rows; one value where all arguments are constants.
fn evaluate(call: &Call, arguments: &[ColumnarValue], rows: usize) -> Result<ColumnarValue> {
    evaluate_within(call, arguments, rows, MOST_BYTES)
}

/// The same, with a limit of its own for the bytes of all sets that are built.
fn evaluate_within(call: &Call, arguments: &[ColumnarValue], rows: usize, most_bytes: u64) -> Result<ColumnarValue> {
    let leaves = Leaves::new(call, arguments)?;
    let one = leaves.are_constant();
    let rows = if one { 1 } else { rows };
    let mut output = Output::new(call.function.result(), rows, most_bytes);
    let mut values = Vec::with_capacity(arguments.len());
    for row in 0..rows {
        if leaves.read(row, &mut values)? {
            let answer = Row { values: &values, budget: output.budget(), most_bytes }.answer(call)?;
            output.push(answer)?;
        } else {
            output.push_null();
        }
    }
    let results = output.finish();
    Ok(if one {
        ColumnarValue::Scalar(ScalarValue::try_from_array(&results, 0)?)
    } else {
        ColumnarValue::Array(results)
    })
}
