//! Aggregates over frames that slide: DataFusion 55.2 takes a row out of a sum by subtracting it, where 1e100 leaves
//! nothing of the numbers beside it, and NaN stays NaN; an aggregate that cannot take rows out it refuses. Here none is
//! taken out: what the rest of the frame gives is merged from partial results. Must know no aggregate but by its name.
//!
//! A small frame is aggregated anew. A greater one is a queue of two parts, so that each row costs a few calls however
//! great the frame is: the back, where rows come in, has one partial result of all its rows; the front, where they
//! leave, has for each row that of the row and all behind it in the front. When no front is left, the back becomes it.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{FieldRef, Schema};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, AggregateUDF};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};

use crate::doubles::holds_doubles;
use crate::error::Error;

/// Aggregates that hold the values themselves, so that each one leaves as it came.
const HOLDERS: [&str; 8] =
    ["array_agg", "count", "longest_interval", "max", "median", "min", "percentile_cont", "shortest_interval"];

/// Aggregates of the engine that take out what is no DOUBLE exactly.
const EXACT_SUMS: [&str; 2] = ["avg", "sum"];

/// Frames up to this size are aggregated anew: that costs no more than to merge, and is rounded as a group is.
const SMALL: usize = 64;

/// The front has partial results of this many rows at a time, and one for all rows behind them: that of a set or a text
/// may be great.
const BLOCK: usize = 256;

type Row = Vec<ScalarValue>;
type State = Vec<ScalarValue>;

/// The accumulator of the aggregate for a frame that slides.
///
/// # Errors
/// What the aggregate refuses.
pub(super) fn sliding_accumulator(
    function: &Arc<AggregateUDF>,
    args: AccumulatorArgs,
) -> DfResult<Box<dyn Accumulator>> {
    let takes_doubles = args.expr_fields.iter().any(|field| holds_doubles(field.data_type()));
    let name = function.name();
    let is_exact = HOLDERS.contains(&name) || (!takes_doubles && EXACT_SUMS.contains(&name));
    // Some refuse frames that slide, as `sum(DISTINCT x)` does.
    if is_exact
        && let Ok(own) = function.create_sliding_accumulator(args.clone())
        && own.supports_retract_batch()
    {
        return Ok(own);
    }
    let call = Call::of(function, &args);
    // What is wrong with the call is said before the first row.
    call.accumulator()?;
    Ok(Box::new(SlidingFrame::new(call)))
}

/// A call of an aggregate: `AccumulatorArgs` that last.
#[derive(Debug)]
struct Call {
    function: Arc<AggregateUDF>,
    return_field: FieldRef,
    schema: Schema,
    ignore_nulls: bool,
    order_bys: Vec<PhysicalSortExpr>,
    is_reversed: bool,
    name: String,
    is_distinct: bool,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    expr_fields: Vec<FieldRef>,
}

impl Call {
    fn of(function: &Arc<AggregateUDF>, args: &AccumulatorArgs) -> Self {
        Self {
            function: Arc::clone(function),
            return_field: Arc::clone(&args.return_field),
            schema: args.schema.clone(),
            ignore_nulls: args.ignore_nulls,
            order_bys: args.order_bys.to_vec(),
            is_reversed: args.is_reversed,
            name: args.name.to_owned(),
            is_distinct: args.is_distinct,
            exprs: args.exprs.to_vec(),
            expr_fields: args.expr_fields.to_vec(),
        }
    }

    fn args(&self) -> AccumulatorArgs<'_> {
        AccumulatorArgs {
            return_field: Arc::clone(&self.return_field),
            schema: &self.schema,
            ignore_nulls: self.ignore_nulls,
            order_bys: &self.order_bys,
            is_reversed: self.is_reversed,
            name: &self.name,
            is_distinct: self.is_distinct,
            exprs: &self.exprs,
            expr_fields: &self.expr_fields,
        }
    }

    fn accumulator(&self) -> DfResult<Box<dyn Accumulator>> {
        self.function.accumulator(self.args())
    }

    /// An accumulator of all that is given, in its order: that of texts matters. A new one each time, since the state
    /// of an accumulator may be taken once.
    fn accumulate(
        &self,
        before: Option<&State>,
        rows: &[ArrayRef],
        behind: Option<&State>,
    ) -> DfResult<Box<dyn Accumulator>> {
        let mut accumulator = self.accumulator()?;
        if let Some(before) = before {
            accumulator.merge_batch(&columns_of(before)?)?;
        }
        if !rows.is_empty() {
            accumulator.update_batch(rows)?;
        }
        if let Some(behind) = behind {
            accumulator.merge_batch(&columns_of(behind)?)?;
        }
        Ok(accumulator)
    }
}

fn columns_of(state: &[ScalarValue]) -> DfResult<Vec<ArrayRef>> {
    state.iter().map(ScalarValue::to_array).collect()
}

fn columns<'a>(rows: impl Iterator<Item = &'a Row> + Clone) -> DfResult<Vec<ArrayRef>> {
    let width = rows.clone().next().map_or(0, Vec::len);
    (0..width).map(|at| ScalarValue::iter_to_array(rows.clone().map(|row| row[at].clone()))).collect()
}

/// Rows of the front that have no partial results yet.
#[derive(Debug)]
struct Block {
    len: usize,
    /// The partial result of all rows of the front behind the block.
    behind: Option<State>,
}

/// The rows of `front`, of `blocks` and of the back follow each other in `rows`.
#[derive(Debug)]
struct SlidingFrame {
    call: Call,
    rows: VecDeque<Row>,
    /// The partial results of the oldest rows, of the oldest one last.
    front: Vec<State>,
    /// The oldest one last; there is none without a front.
    blocks: Vec<Block>,
    /// The rows of all blocks.
    in_blocks: usize,
    back: Option<State>,
    /// The rows that `back` is of; those behind them are in no partial result yet.
    in_back: usize,
}

impl SlidingFrame {
    fn new(call: Call) -> Self {
        Self {
            call,
            rows: VecDeque::new(),
            front: Vec::new(),
            blocks: Vec::new(),
            in_blocks: 0,
            back: None,
            in_back: 0,
        }
    }

    fn forget_oldest(&mut self) -> DfResult<()> {
        if self.rows.pop_front().is_none() {
            return Err(Error::internal("a row left a frame that it was not in").into());
        }
        if self.front.pop().is_none() {
            self.back = None;
            self.in_back = 0;
        } else if self.front.is_empty() {
            self.open_block()?;
        }
        Ok(())
    }

    /// What all rows of the frame give. To ask changes nothing that is seen.
    fn whole(&mut self) -> DfResult<Box<dyn Accumulator>> {
        if self.rows.len() <= SMALL {
            return self.call.accumulate(None, &columns(self.rows.iter())?, None);
        }
        if self.front.is_empty() {
            self.turn()?;
        }
        let first = self.front.len() + self.in_blocks + self.in_back;
        if first < self.rows.len() {
            let rows = columns(self.rows.range(first..))?;
            self.back = Some(self.call.accumulate(self.back.as_ref(), &rows, None)?.state()?);
            self.in_back += self.rows.len() - first;
        }
        self.call.accumulate(self.front.last(), &[], self.back.as_ref())
    }

    /// Makes a front of all rows.
    fn turn(&mut self) -> DfResult<()> {
        self.back = None;
        self.in_back = 0;
        let mut behind = None;
        let mut end = self.rows.len();
        while end > 0 {
            let start = end.saturating_sub(BLOCK);
            let further = match start {
                0 => None,
                _ => {
                    let rows = columns(self.rows.range(start..end))?;
                    Some(self.call.accumulate(None, &rows, behind.as_ref())?.state()?)
                }
            };
            self.blocks.push(Block { len: end - start, behind });
            behind = further;
            end = start;
        }
        self.in_blocks = self.rows.len();
        self.open_block()
    }

    /// Makes the partial results of the oldest block, whose rows are the oldest ones.
    fn open_block(&mut self) -> DfResult<()> {
        let Some(Block { len, behind }) = self.blocks.pop() else { return Ok(()) };
        self.in_blocks -= len;
        self.front.reserve_exact(len);
        for row in self.rows.range(..len).rev() {
            let row = columns(std::iter::once(row))?;
            let behind = self.front.last().or(behind.as_ref());
            let state = self.call.accumulate(None, &row, behind)?.state()?;
            self.front.push(state);
        }
        Ok(())
    }
}

impl Accumulator for SlidingFrame {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let added = values.first().map_or(0, |column| column.len());
        for at in 0..added {
            // Copied: a part of a column would hold on to all of it.
            let row = values.iter().map(|column| ScalarValue::try_from_array(column, at)).collect::<DfResult<Row>>()?;
            self.rows.push_back(row);
        }
        Ok(())
    }

    /// Rows leave in the order in which they came: how many says which.
    fn retract_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let gone = values.first().map_or(0, |column| column.len());
        (0..gone).try_for_each(|_| self.forget_oldest())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        self.whole()?.evaluate()
    }

    fn size(&self) -> usize {
        let behind = self.blocks.iter().filter_map(|block| block.behind.as_ref());
        let states = self.front.iter().chain(behind).chain(&self.back);
        size_of_val(self) + self.rows.iter().chain(states).map(ScalarValue::size_of_vec).sum::<usize>()
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        self.whole()?.state()
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> DfResult<()> {
        Err(Error::internal("a frame that slides is of rows, not of partial results").into())
    }
}

#[cfg(test)]
mod tests;
