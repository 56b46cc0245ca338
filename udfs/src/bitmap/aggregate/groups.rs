//! A set for each group of GROUP BY. Memory is known at any time: each change adds its difference.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array};
use arrow::buffer::NullBuffer;
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::super::columns::BytesColumn;
use super::super::operand::Operand;
use super::shape::{Input, Output, Shape};
use super::take::{each_member, selected, take_bitmap};
use crate::kernel::{Builder, Operator};

pub(super) struct Groups {
    shape: &'static Shape,
    sets: Vec<Builder>,
    /// Whether a group had a bitmap; kept for intersections.
    seen: Vec<bool>,
    /// Memory of all sets beyond the vector.
    held: usize,
}

/// Memory of a set beyond the value itself.
fn heap(set: &Builder) -> usize {
    set.size() - size_of::<Builder>()
}

impl Groups {
    pub(super) fn new(shape: &'static Shape) -> Self {
        Self { shape, sets: Vec::new(), seen: Vec::new(), held: 0 }
    }

    fn grow(&mut self, groups: usize) {
        self.sets.resize_with(groups, Builder::new);
        self.seen.resize(groups, false);
    }

    /// `groups` has the group of each row, below the number of sets.
    fn take_numbers(&mut self, column: &ArrayRef, groups: &[usize], selected: Option<&NullBuffer>) -> Result<()> {
        let (sets, held) = (&mut self.sets, &mut self.held);
        each_member(self.shape.name, column.as_ref(), selected, |row, member| {
            let set = &mut sets[groups[row]];
            let before = heap(set);
            set.add(member);
            *held = *held + heap(set) - before;
        })
    }

    fn take_bitmaps(&mut self, column: &ArrayRef, groups: &[usize], selected: Option<&NullBuffer>) -> Result<()> {
        let operand = Operand::new(self.shape.name, 1, column.as_ref())?;
        for (row, group) in groups.iter().enumerate() {
            if selected.is_some_and(|selected| selected.is_null(row)) {
                continue;
            }
            if let Some(bitmap) = operand.bitmap(self.shape.name, 1, row)? {
                let (set, seen) = (&mut self.sets[*group], &mut self.seen[*group]);
                let before = heap(set);
                take_bitmap(self.shape.operator, set, seen, bitmap);
                self.held = self.held + heap(set) - before;
            }
        }
        Ok(())
    }

    /// Takes the sets of the first groups out, each with whether it had a bitmap.
    fn emit(&mut self, emit_to: EmitTo) -> impl ExactSizeIterator<Item = (Builder, bool)> {
        let sets = emit_to.take_needed(&mut self.sets);
        let seen = emit_to.take_needed(&mut self.seen);
        self.held -= sets.iter().map(heap).sum::<usize>();
        sets.into_iter().zip(seen)
    }

    /// `check` may end it after each set.
    fn emit_bytes(&mut self, emit_to: EmitTo, check: impl Fn(&BytesColumn) -> Result<()>) -> Result<BytesColumn> {
        let intersection = self.shape.operator == Operator::And;
        let sets = self.emit(emit_to);
        let mut column = BytesColumn::with_capacity(sets.len());
        for (set, seen) in sets {
            if intersection && !seen {
                column.push_null();
            } else {
                set.finish_into(&mut column.values);
                column.end_row();
                check(&column)?;
            }
        }
        Ok(column)
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let [column] = values else { return Ok(()) };
        self.grow(total_num_groups);
        let selected = selected(column.as_ref(), opt_filter);
        match self.shape.input {
            Input::Numbers => self.take_numbers(column, group_indices, selected.as_ref()),
            Input::Bitmaps => self.take_bitmaps(column, group_indices, selected.as_ref()),
        }
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        match self.shape.output {
            Output::Bitmap => {
                let name = self.shape.name;
                self.emit_bytes(emit_to, |column| column.check(name))?.finish(name)
            }
            Output::Count => {
                let counts = self.emit(emit_to).map(|(mut set, _)| set.count() as i64);
                Ok(Arc::new(Int64Array::from_iter_values(counts)))
            }
        }
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.emit_bytes(emit_to, |_| Ok(()))?.finish_large()?])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        let [states] = values else { return Ok(()) };
        self.grow(total_num_groups);
        self.take_bitmaps(states, group_indices, None)
    }

    /// A state a row, where groups are so many that aggregating before the exchange does not pay.
    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let [column] = values else { return Ok(Vec::new()) };
        let selected = selected(column.as_ref(), opt_filter);
        let mut states = BytesColumn::with_capacity(column.len());
        let mut rows = 0;
        match self.shape.input {
            Input::Numbers => each_member(self.shape.name, column.as_ref(), selected.as_ref(), |row, member| {
                (rows..row).for_each(|_| states.push_null());
                rows = row + 1;
                let mut set = Builder::new();
                set.add(member);
                set.finish_into(&mut states.values);
                states.end_row();
            })?,
            Input::Bitmaps => {
                let operand = Operand::new(self.shape.name, 1, column.as_ref())?;
                for row in 0..column.len() {
                    let wanted = selected.as_ref().is_none_or(|selected| selected.is_valid(row));
                    match operand.bytes(row).filter(|_| wanted) {
                        Some(bytes) => states.push(bytes),
                        None => states.push_null(),
                    }
                }
                rows = column.len();
            }
        }
        (rows..column.len()).for_each(|_| states.push_null());
        Ok(vec![states.finish_large()?])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sets.capacity() * size_of::<Builder>() + self.seen.capacity() + self.held
    }
}
