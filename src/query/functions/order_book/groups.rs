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
    /// Events of groups that were emitted.
    emitted: usize,
}

impl OrderGroups {
    pub(super) fn new(output: Output, base: Arc<BaseCurrency>, fields: Fields) -> Self {
        Self { output, base, fields, batches: Vec::new(), events: Vec::new(), last: Vec::new(), bytes: 0, emitted: 0 }
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

    /// The events of a group, the last first.
    fn chain(&self, last: u32) -> impl Iterator<Item = Held> {
        let held = |at: u32| self.events.get(at as usize).copied();
        std::iter::successors(held(last), move |event| held(event.before))
    }

    /// The columns of these events, in order.
    fn gather(&self, rows: &[(usize, usize)]) -> DfResult<Vec<ArrayRef>> {
        let columns = self.fields.iter().enumerate().map(|(at, field)| -> DfResult<ArrayRef> {
            let of_batches: Vec<&dyn Array> = self.batches.iter().map(|batch| batch[at].as_ref()).collect();
            match of_batches.is_empty() {
                true => Ok(new_empty_array(field.data_type())),
                false => Ok(interleave(&of_batches, rows)?),
            }
        });
        columns.collect()
    }

    /// Lets go of events that no group needs any more, once they are as many as the others.
    fn release(&mut self, emitted: usize) -> DfResult<()> {
        self.emitted += emitted;
        if self.last.is_empty() {
            self.forget();
        } else if self.emitted * 2 > self.events.len() {
            let (mut rows, mut ends) = (Vec::new(), Vec::with_capacity(self.last.len()));
            for last in &self.last {
                rows.extend(self.chain(*last).map(|held| (held.batch as usize, held.row as usize)));
                ends.push(rows.len());
            }
            let columns = self.gather(&rows)?;
            self.forget();
            let batch = self.keep(columns)?;
            let mut row = 0;
            for (group, end) in ends.into_iter().enumerate() {
                self.last[group] = NONE;
                while row < end {
                    self.add(group, batch, row);
                    row += 1;
                }
            }
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn batches_are_released(&self) -> bool {
        self.batches.is_empty() && self.bytes == 0
    }

    fn forget(&mut self) {
        self.batches.clear();
        self.events.clear();
        self.bytes = 0;
        self.emitted = 0;
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
        let groups = emit_to.take_needed(&mut self.last);
        let columns: Vec<EventColumns<'_>> = self.batches.iter().map(|batch| EventColumns::of(batch)).collect();
        let mut builder = Builder::new(self.output, &self.base, groups.len());
        let (mut held, mut emitted) = (Vec::new(), 0);
        for last in groups {
            held.clear();
            held.extend(self.chain(last));
            emitted += held.len();
            let event = |(at, held): (usize, &Held)| columns[held.batch as usize].event(held.row as usize, at);
            let order = resolve(held.iter().enumerate().map(event).collect(), &self.base.name);
            builder.push(&order, &|event, position| {
                let held: Held = held[event];
                columns[held.batch as usize].category(held.row as usize, position)
            });
        }
        let built = builder.finish()?;
        drop(columns);
        self.release(emitted)?;
        Ok(built)
    }

    fn state(&mut self, emit_to: EmitTo) -> DfResult<Vec<ArrayRef>> {
        let groups = emit_to.take_needed(&mut self.last);
        let mut offsets = vec![0];
        let mut rows = Vec::with_capacity(self.events.len());
        for last in groups {
            rows.extend(self.chain(last).map(|held| (held.batch as usize, held.row as usize)));
            offsets.push(rows.len() as i32);
        }
        let columns = self.gather(&rows)?;
        let state = self.list(offsets, columns)?;
        self.release(rows.len())?;
        Ok(vec![state])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> DfResult<()> {
        self.last.resize(total_num_groups, NONE);
        let lists = values[0].as_list::<i32>();
        let offsets = lists.value_offsets();
        // A slice of a longer array: what lies outside of it is held by its own batch.
        let (start, end) = (offsets[0] as usize, offsets[lists.len()] as usize);
        let batch = self.keep(lists.values().slice(start, end - start).as_struct().columns().to_vec())?;
        for (list, group) in group_indices.iter().enumerate() {
            for row in offsets[list] as usize..offsets[list + 1] as usize {
                self.add(*group, batch, row - start);
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
