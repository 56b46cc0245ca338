//! Aggregates over frames that slide: DataFusion 55.2 takes a row out of a sum by subtracting it, where 1e100 leaves
//! nothing of the numbers beside it, and NaN stays NaN; an aggregate that cannot take rows out it refuses. Here none is
//! taken out: what the rest of the frame gives is merged from partial results, in `queue`. Sums of DOUBLE, which are
//! asked for most, are in `double_sums`; every other aggregate has its own accumulators called. Must know no aggregate
//! but by its name.

mod double_sums;
mod queue;

use std::collections::vec_deque::Iter;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, AggregateUDF};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};

use self::double_sums::SlidingDoubles;
use self::queue::{Merge, TwoPartQueue, Whole};
use crate::doubles::holds_doubles;
use crate::error::Error;

/// Aggregates that hold the values themselves, so that each one leaves as it came.
const HOLDERS: [&str; 8] =
    ["array_agg", "count", "longest_interval", "max", "median", "min", "percentile_cont", "shortest_interval"];

/// The sums of the engine, which take out exactly what is no DOUBLE.
const SUMS: [&str; 2] = ["avg", "sum"];

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
    let name = function.name();
    let is_sum = SUMS.contains(&name);
    if is_sum && !args.is_distinct && takes_one_double(&args) {
        return Ok(Box::new(SlidingDoubles::new(name == "avg")));
    }
    let takes_doubles = args.expr_fields.iter().any(|field| holds_doubles(field.data_type()));
    let is_exact = HOLDERS.contains(&name) || (is_sum && !takes_doubles);
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

/// REAL is cast before it comes here.
fn takes_one_double(args: &AccumulatorArgs) -> bool {
    matches!(args.expr_fields, [field] if *field.data_type() == DataType::Float64)
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
        rows: Iter<'_, Row>,
        behind: Option<&State>,
    ) -> DfResult<Box<dyn Accumulator>> {
        let mut accumulator = self.accumulator()?;
        if let Some(before) = before {
            accumulator.merge_batch(&columns_of(before)?)?;
        }
        let rows = columns(rows)?;
        if !rows.is_empty() {
            accumulator.update_batch(&rows)?;
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

fn columns(rows: Iter<'_, Row>) -> DfResult<Vec<ArrayRef>> {
    let width = rows.clone().next().map_or(0, Vec::len);
    (0..width).map(|at| ScalarValue::iter_to_array(rows.clone().map(|row| row[at].clone()))).collect()
}

impl Merge for Call {
    type Row = Row;
    type Partial = State;

    fn merge(&self, before: Option<&State>, rows: Iter<'_, Row>, behind: Option<&State>) -> DfResult<State> {
        self.accumulate(before, rows, behind)?.state()
    }
}

/// An aggregate that cannot take rows out.
#[derive(Debug)]
struct SlidingFrame {
    queue: TwoPartQueue<Call>,
}

impl SlidingFrame {
    fn new(call: Call) -> Self {
        Self { queue: TwoPartQueue::new(call) }
    }

    /// What all rows of the frame give. To ask changes nothing that is seen.
    fn whole(&mut self) -> DfResult<Box<dyn Accumulator>> {
        let Whole { merge: call, front, rows, back } = self.queue.whole()?;
        call.accumulate(front, rows, back)
    }
}

impl Accumulator for SlidingFrame {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let added = values.first().map_or(0, |column| column.len());
        for at in 0..added {
            // Copied: a part of a column would hold on to all of it.
            let row = values.iter().map(|column| ScalarValue::try_from_array(column, at)).collect::<DfResult<Row>>()?;
            self.queue.push(row);
        }
        Ok(())
    }

    /// Rows leave in the order in which they came: how many says which.
    fn retract_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let gone = values.first().map_or(0, |column| column.len());
        self.queue.forget_oldest(gone)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        self.whole()?.evaluate()
    }

    fn size(&self) -> usize {
        let values = self.queue.rows().chain(self.queue.partials());
        size_of_val(self) + values.map(ScalarValue::size_of_vec).sum::<usize>()
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
