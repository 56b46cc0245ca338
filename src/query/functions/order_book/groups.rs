//! The events of many orders, as the batches that they came in: nothing is copied until an order is resolved.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, StructArray, new_empty_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{filter, interleave};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::columns::EventColumns;
use super::output::{Builder, Output};
use crate::orders::resolve;
use crate::workspace::BaseCurrency;

/// No event: the end of a chain.
const NONE: u32 = u32::MAX;

/// Where an event is held, and the event of the same order that came before it.
#[derive(Debug, Clone, Copy)]
struct Held {
    batch: u32,
    row: u32,
    before: u32,
}

#[derive(Debug)]
pub(super) struct OrderGroups {
    output: Output,
    base: Arc<BaseCurrency>,
    fields: Fields,
    batches: Vec<Vec<ArrayRef>>,
    events: Vec<Held>,
    /// By group: the event that came last.
    last: Vec<u32>,
    /// Of the batches.
    bytes: usize,
}

impl OrderGroups {
    pub(super) fn new(output: Output, base: Arc<BaseCurrency>, fields: Fields) -> Self {
        Self { output, base, fields, batches: Vec::new(), events: Vec::new(), last: Vec::new(), bytes: 0 }
    }

    fn keep(&mut self, columns: Vec<ArrayRef>) -> DfResult<u32> {
        for column in &columns {
            self.bytes += column.to_data().get_slice_memory_size()?;
        }
        self.batches.push(columns);
        Ok(self.batches.len() as u32 - 1)
    }

    fn add(&mut self, group: usize, batch: u32, row: usize) {
        let event = self.events.len() as u32;
        self.events.push(Held { batch, row: row as u32, before: self.last[group] });
        self.last[group] = event;
    }

    /// The events of the groups to emit, group by group.
    fn take(&mut self, emit_to: EmitTo) -> Vec<Vec<Held>> {
        let last = emit_to.take_needed(&mut self.last);
        let chain = |last: u32| {
            let mut events = Vec::new();
            let mut at = last;
            while let Some(held) = self.events.get(at as usize) {
                events.push(*held);
                at = held.before;
            }
            events
        };
        last.into_iter().map(chain).collect()
    }

    /// Lets go of what no group needs any more.
    fn release(&mut self) {
        if self.last.is_empty() {
            self.batches.clear();
            self.events.clear();
            self.bytes = 0;
        }
    }

    fn list(&self, offsets: Vec<i32>, columns: Vec<ArrayRef>) -> DfResult<ArrayRef> {
        let events = StructArray::try_new(self.fields.clone(), columns, None)?;
        let element = Arc::new(Field::new("element", DataType::Struct(self.fields.clone()), true));
        Ok(Arc::new(ListArray::try_new(element, OffsetBuffer::new(offsets.into()), Arc::new(events), None)?))
    }
}

impl GroupsAccumulator for OrderGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> DfResult<()> {
        self.last.resize(total_num_groups, NONE);
        if group_indices.is_empty() {
            return Ok(());
        }
        let batch = self.keep(values.to_vec())?;
        for (row, group) in group_indices.iter().enumerate() {
            if opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row)) {
                self.add(*group, batch, row);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DfResult<ArrayRef> {
        let groups = self.take(emit_to);
        let columns: Vec<EventColumns<'_>> = self.batches.iter().map(|batch| EventColumns::of(batch)).collect();
        let mut builder = Builder::new(self.output, &self.base, groups.len());
        for held in &groups {
            let event = |(at, held): (usize, &Held)| columns[held.batch as usize].event(held.row as usize, at);
            let events = held.iter().enumerate().map(event).collect();
            let order = resolve(events, &self.base.name);
            builder.push(&order, &|event, position| {
                let held = held[event];
                columns[held.batch as usize].category(held.row as usize, position)
            })?;
        }
        let built = builder.finish()?;
        drop(columns);
        self.release();
        Ok(built)
    }

    fn state(&mut self, emit_to: EmitTo) -> DfResult<Vec<ArrayRef>> {
        let groups = self.take(emit_to);
        let mut offsets = vec![0];
        let mut rows = Vec::with_capacity(self.events.len());
        for group in groups {
            rows.extend(group.iter().map(|held| (held.batch as usize, held.row as usize)));
            offsets.push(rows.len() as i32);
        }
        let columns = self.fields.iter().enumerate().map(|(at, field)| -> DfResult<ArrayRef> {
            let of_batches: Vec<&dyn Array> = self.batches.iter().map(|batch| batch[at].as_ref()).collect();
            match of_batches.is_empty() {
                true => Ok(new_empty_array(field.data_type())),
                false => Ok(interleave(&of_batches, &rows)?),
            }
        });
        let columns = columns.collect::<DfResult<Vec<_>>>()?;
        let state = self.list(offsets, columns)?;
        self.release();
        Ok(vec![state])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> DfResult<()> {
        self.last.resize(total_num_groups, NONE);
        let lists = values[0].as_list::<i32>();
        let batch = self.keep(lists.values().as_struct().columns().to_vec())?;
        for (list, group) in group_indices.iter().enumerate() {
            let offsets = lists.value_offsets();
            for row in offsets[list] as usize..offsets[list + 1] as usize {
                self.add(*group, batch, row);
            }
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> DfResult<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |values| values.len());
        let Some(kept) = opt_filter else {
            return Ok(vec![self.list((0..=rows as i32).collect(), values.to_vec())?]);
        };
        let mut offsets = vec![0];
        for row in 0..rows {
            let is_kept = kept.is_valid(row) && kept.value(row);
            offsets.push(offsets[row] + i32::from(is_kept));
        }
        let values = values.iter().map(|column| Ok(filter(column, kept)?)).collect::<DfResult<Vec<_>>>()?;
        Ok(vec![self.list(offsets, values)?])
    }

    fn size(&self) -> usize {
        let of_groups = self.last.capacity() * size_of::<u32>();
        size_of_val(self) + self.bytes + self.events.capacity() * size_of::<Held>() + of_groups
    }
}
