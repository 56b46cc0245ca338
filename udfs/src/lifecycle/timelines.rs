//! Accumulators over timed events: they keep an [`EventLog`] and hand each group's timeline to an [`Outcome`].

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, not_impl_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::events::{EventLog, Timeline};

/// What a function makes of the events of a group.
pub(super) trait Outcome: Debug + Send + Sync {
    /// Adds the result of one group.
    fn add(&mut self, timeline: Timeline<'_>) -> Result<()>;

    /// The results since the last call.
    fn finish(&mut self) -> Result<ArrayRef>;
}

/// Serves as both kinds of accumulator; as a plain one it has the one group 0.
#[derive(Debug)]
pub(super) struct Timelines {
    /// Position of the time among the arguments, from 0; the conditions are those after it.
    time: usize,
    conditions: usize,
    log: EventLog,
    outcome: Box<dyn Outcome>,
}

/// The state of each of these functions.
pub(super) fn state_fields() -> Vec<FieldRef> {
    vec![Arc::new(Field::new("events", DataType::LargeBinary, true))]
}

/// # Errors
/// For DISTINCT: equal rows are events of their own.
pub(super) fn no_distinct(function: &str, args: &AccumulatorArgs) -> Result<()> {
    match args.is_distinct {
        true => not_impl_err!("{function}: DISTINCT is not supported"),
        false => Ok(()),
    }
}

impl Timelines {
    /// `time` is the position of the time among the arguments, from 0; `conditions` follow it.
    pub(super) fn new(
        function: &'static str,
        time: usize,
        conditions: usize,
        keep_all: bool,
        outcome: Box<dyn Outcome>,
    ) -> Self {
        Self { time, conditions, log: EventLog::new(function, conditions, keep_all), outcome }
    }

    fn take_in(
        &mut self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
        group_of: impl Fn(usize) -> usize,
    ) -> Result<()> {
        let conditions = &values[self.time + 1..self.time + 1 + self.conditions];
        self.log.update(&values[self.time], conditions, filter, group_of)
    }
}

impl GroupsAccumulator for Timelines {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.log.set_count(total_num_groups);
        self.take_in(values, opt_filter, |row| group_indices[row])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let mut grouped = self.log.take(emit_to)?;
        for group in 0..grouped.groups() {
            self.outcome.add(grouped.timeline(group))?;
        }
        self.outcome.finish()
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![Arc::new(self.log.take(emit_to)?.states()?)])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.log.set_count(total_num_groups);
        self.log.merge(&values[0], |row| group_indices[row])
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let conditions = &values[self.time + 1..self.time + 1 + self.conditions];
        Ok(vec![Arc::new(self.log.row_states(&values[self.time], conditions, opt_filter)?)])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.log.size()
    }
}

impl Accumulator for Timelines {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.take_in(values, None, |_| 0)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        // The state stays: a window asks again after more rows.
        let mut log = self.log.clone();
        log.set_count(1);
        self.outcome.add(log.take(EmitTo::All)?.timeline(0))?;
        ScalarValue::try_from_array(&self.outcome.finish()?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.log.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut log = self.log.clone();
        log.set_count(1);
        Ok(vec![ScalarValue::try_from_array(&log.take(EmitTo::All)?.states()?, 0)?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.log.merge(&states[0], |_| 0)
    }
}
