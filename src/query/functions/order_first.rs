//! `order_first(value, is_refund, ts, received_at, message_id)`: what the earliest purchase event that has it says; what
//! the earliest refund event says only where there is no purchase.
//!
//! One small aggregate a column, so that a query pays for the columns that it reads.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringArray, TimestampMicrosecondArray, UInt8Array,
};
use arrow::compute::nullif;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, TimestampMicrosecondType, UInt8Type};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, TypeSignature, Volatility,
};

use super::single_group::SingleGroup;
use crate::store::events::schema::instant;

/// Ranks of what an event is: a purchase is heard before any refund.
const NOTHING: u8 = 0;
const REFUND: u8 = 1;
const PURCHASE: u8 = 2;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct OrderFirst {
    signature: Signature,
}

impl OrderFirst {
    pub(super) fn new() -> Self {
        let with = |value| TypeSignature::Exact(vec![value, DataType::Boolean, instant(), instant(), DataType::Utf8]);
        let lists = vec![with(DataType::Int64), with(DataType::Utf8)];
        Self { signature: Signature::one_of(lists, Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for OrderFirst {
    fn name(&self) -> &str {
        "order_first"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> DfResult<DataType> {
        Ok(arguments[0].clone())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        Ok(Box::new(SingleGroup(Groups::of(args.return_field.data_type()))))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::of(args.return_field.data_type())))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> DfResult<Vec<FieldRef>> {
        let fields = [
            ("value", args.return_field.data_type().clone()),
            ("rank", DataType::UInt8),
            ("ts", instant()),
            ("received_at", instant()),
            ("message_id", DataType::Utf8),
        ];
        Ok(fields.into_iter().map(|(name, kind)| Arc::new(Field::new(name, kind, true))).collect())
    }
}

/// What is held of a group.
#[derive(Debug, Clone)]
struct Slot {
    rank: u8,
    /// Without a value, time and id mean nothing.
    has_value: bool,
    ts: i64,
    received_at: i64,
    message_id: Range<usize>,
    number: i64,
    text: Range<usize>,
}

const EMPTY: Slot =
    Slot { rank: NOTHING, has_value: false, ts: 0, received_at: 0, message_id: 0..0, number: 0, text: 0..0 };

#[derive(Debug)]
struct Groups {
    is_text: bool,
    slots: Vec<Slot>,
    /// Message ids and values, those that were replaced included.
    texts: String,
}

/// The columns of a batch, whether of events or of states.
struct Columns<'a> {
    value: &'a ArrayRef,
    ts: &'a TimestampMicrosecondArray,
    received_at: &'a TimestampMicrosecondArray,
    message_id: &'a StringArray,
}

impl Groups {
    fn of(value: &DataType) -> Self {
        Self { is_text: *value == DataType::Utf8, slots: Vec::new(), texts: String::new() }
    }

    fn keep(&mut self, text: &str) -> Range<usize> {
        let start = self.texts.len();
        self.texts.push_str(text);
        start..self.texts.len()
    }

    fn consider(&mut self, group: usize, rank: u8, columns: &Columns<'_>, row: usize) {
        let slot = &mut self.slots[group];
        if rank < slot.rank {
            return;
        }
        if rank > slot.rank {
            *slot = Slot { rank, ..EMPTY };
        }
        if columns.value.is_null(row) {
            return;
        }
        let (ts, received_at) = (columns.ts.value(row), columns.received_at.value(row));
        let message_id = columns.message_id.value(row);
        let held = (slot.ts, slot.received_at, &self.texts[slot.message_id.clone()]);
        if slot.has_value && held <= (ts, received_at, message_id) {
            return;
        }
        let (message_id, text) = (
            self.keep(message_id),
            match self.is_text {
                true => self.keep(columns.value.as_string::<i32>().value(row)),
                false => 0..0,
            },
        );
        let number = if self.is_text { 0 } else { columns.value.as_primitive::<Int64Type>().value(row) };
        self.slots[group] = Slot { rank, has_value: true, ts, received_at, message_id, number, text };
    }

    fn values(&self, slots: &[Slot]) -> ArrayRef {
        let held = slots.iter().map(|slot| Some(slot).filter(|slot| slot.has_value));
        match self.is_text {
            true => Arc::new(held.map(|slot| slot.map(|slot| &self.texts[slot.text.clone()])).collect::<StringArray>()),
            false => Arc::new(held.map(|slot| slot.map(|slot| slot.number)).collect::<Int64Array>()),
        }
    }

    fn release(&mut self) {
        if self.slots.is_empty() {
            self.texts.clear();
        }
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> DfResult<()> {
        self.slots.resize(total_num_groups, EMPTY);
        let [value, is_refund, ts, received_at, message_id] = values else { return Ok(()) };
        let is_refund = is_refund.as_boolean();
        let columns = Columns {
            value,
            ts: ts.as_primitive::<TimestampMicrosecondType>(),
            received_at: received_at.as_primitive::<TimestampMicrosecondType>(),
            message_id: message_id.as_string(),
        };
        for (row, group) in group_indices.iter().enumerate() {
            if opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row)) {
                self.consider(*group, rank(is_refund, row), &columns, row);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DfResult<ArrayRef> {
        let slots = emit_to.take_needed(&mut self.slots);
        let values = self.values(&slots);
        self.release();
        Ok(values)
    }

    fn state(&mut self, emit_to: EmitTo) -> DfResult<Vec<ArrayRef>> {
        let slots = emit_to.take_needed(&mut self.slots);
        let instants = |of: fn(&Slot) -> i64| {
            let instants: TimestampMicrosecondArray = slots.iter().map(|slot| Some(of(slot))).collect();
            Arc::new(instants.with_timezone("UTC")) as ArrayRef
        };
        let ids: StringArray = slots.iter().map(|slot| Some(&self.texts[slot.message_id.clone()])).collect();
        let ranks: UInt8Array = slots.iter().map(|slot| Some(slot.rank)).collect();
        let state = vec![
            self.values(&slots),
            Arc::new(ranks) as ArrayRef,
            instants(|slot| slot.ts),
            instants(|slot| slot.received_at),
            Arc::new(ids),
        ];
        self.release();
        Ok(state)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> DfResult<()> {
        self.slots.resize(total_num_groups, EMPTY);
        let [value, ranks, ts, received_at, message_id] = values else { return Ok(()) };
        let ranks = ranks.as_primitive::<UInt8Type>();
        let columns = Columns {
            value,
            ts: ts.as_primitive::<TimestampMicrosecondType>(),
            received_at: received_at.as_primitive::<TimestampMicrosecondType>(),
            message_id: message_id.as_string(),
        };
        for (row, group) in group_indices.iter().enumerate() {
            self.consider(*group, ranks.value(row), &columns, row);
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> DfResult<Vec<ArrayRef>> {
        let is_refund = values[1].as_boolean();
        let mut ranks: UInt8Array = (0..is_refund.len()).map(|row| Some(rank(is_refund, row))).collect();
        let mut value = Arc::clone(&values[0]);
        if let Some(kept) = opt_filter {
            let left_out: BooleanArray =
                (0..kept.len()).map(|row| Some(!(kept.is_valid(row) && kept.value(row)))).collect();
            ranks = (0..ranks.len())
                .map(|row| Some(if left_out.value(row) { NOTHING } else { ranks.value(row) }))
                .collect();
            value = nullif(&value, &left_out)?;
        }
        let others = values[2..].iter().map(Arc::clone);
        Ok([value, Arc::new(ranks) as ArrayRef].into_iter().chain(others).collect())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.slots.capacity() * size_of::<Slot>() + self.texts.capacity()
    }
}

fn rank(is_refund: &BooleanArray, row: usize) -> u8 {
    if is_refund.is_valid(row) && is_refund.value(row) { REFUND } else { PURCHASE }
}
