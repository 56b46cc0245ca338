//! Accumulators as they are, but for a change of each result at the end. Must know no function: who builds one says what
//! becomes of a result.

use arrow::array::{ArrayRef, BooleanArray};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

/// One group, whose result goes through `change`.
#[derive(Debug)]
pub(super) struct ResultOfGroup {
    pub(super) inner: Box<dyn Accumulator>,
    pub(super) change: fn(&ScalarValue) -> DfResult<ScalarValue>,
}

impl Accumulator for ResultOfGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        self.inner.update_batch(values)
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        (self.change)(&self.inner.evaluate()?)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.inner.size()
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        self.inner.merge_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        self.inner.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }
}

/// Many groups, whose results go through `change`.
pub(super) struct ResultsOfGroups {
    pub(super) inner: Box<dyn GroupsAccumulator>,
    pub(super) change: fn(&ArrayRef) -> DfResult<ArrayRef>,
}

impl GroupsAccumulator for ResultsOfGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) -> DfResult<()> {
        self.inner.update_batch(values, group_indices, filter, group_count)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DfResult<ArrayRef> {
        (self.change)(&self.inner.evaluate(emit_to)?)
    }

    fn state(&mut self, emit_to: EmitTo) -> DfResult<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], group_count: usize) -> DfResult<()> {
        self.inner.merge_batch(states, group_indices, group_count)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> DfResult<Vec<ArrayRef>> {
        self.inner.convert_to_state(values, filter)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.inner.size()
    }
}
