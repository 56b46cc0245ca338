//! `retention(c1, ..., cn)`: which conditions a group met besides the first. State of a group: 8 bytes for every 64
//! conditions.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, FixedSizeBinaryArray, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, resources_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, DocSection, Documentation, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use super::arguments::{conditions, damaged};
use super::events::truths;
use super::timelines::no_distinct;

const NAME: &str = "retention";
const SIGNATURE: &str = "retention(c1, ..., cn)";
const BITS: usize = u64::BITS as usize;
const WORD: usize = size_of::<u64>();

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Retention {
    signature: Signature,
}

impl Retention {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Boolean, true))
}

fn met(args: &AccumulatorArgs) -> Result<Met> {
    no_distinct(NAME, args)?;
    Ok(Met { conditions: args.exprs.len(), masks: Vec::new() })
}

/// Bytes of a state.
fn width_of(conditions: usize) -> Result<i32> {
    match i32::try_from(conditions.div_ceil(BITS) * WORD) {
        Ok(width) => Ok(width),
        Err(_) => exec_err!("{NAME}: {conditions} conditions are too many"),
    }
}

impl AggregateUDFImpl for Retention {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        conditions(SIGNATURE, 1, given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(item()))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let mut met = met(&args)?;
        met.grow(1);
        Ok(Box::new(met))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(met(&args)?))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let width = width_of(args.input_fields.len())?;
        Ok(vec![Arc::new(Field::new("met", DataType::FixedSizeBinary(width), true))])
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "A list of booleans, one for each condition: the first is true when some row met c1, any other when some row \
                 met c1 and some row met that condition, as in ClickHouse. A NULL condition is false; no rows give a list of \
                 false.",
                SIGNATURE,
            )
            .with_argument("c1, ..., cn", "conditions, such as the day on which a cohort began and the days after it")
            .with_sql_example(
                "SELECT person, retention(day = DATE '2026-06-01', day = DATE '2026-06-02', day = DATE '2026-06-08') \
                 FROM orders GROUP BY person",
            )
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

/// The conditions that the rows of each group met. As a plain accumulator it has one group.
#[derive(Debug)]
struct Met {
    conditions: usize,
    /// By group some words, the first condition in the lowest bit of the first.
    masks: Vec<u64>,
}

impl Met {
    /// Words of a group.
    fn width(&self) -> usize {
        self.conditions.div_ceil(BITS)
    }

    fn grow(&mut self, groups: usize) {
        self.masks.resize(groups * self.width(), 0);
    }

    fn take_in(&mut self, values: &[ArrayRef], filter: Option<&BooleanArray>, group_of: impl Fn(usize) -> usize) {
        let filter = filter.map(truths);
        let rows = values.first().map_or(0, |condition| condition.len());
        let width = self.width();
        let mut met = vec![0_u64; rows];
        // Word by word: 64 conditions of a row are joined to those of its group at once.
        for (word, conditions) in values.chunks(BITS).enumerate() {
            met.fill(0);
            for (place, condition) in conditions.iter().enumerate() {
                let mut holds = truths(condition.as_boolean());
                if let Some(filter) = &filter {
                    holds &= filter;
                }
                holds.set_indices().for_each(|row| met[row] |= 1 << place);
            }
            for (row, met) in met.iter().enumerate().filter(|(_, met)| **met != 0) {
                self.masks[group_of(row) * width + word] |= met;
            }
        }
    }

    fn take_in_states(&mut self, states: &ArrayRef, group_of: impl Fn(usize) -> usize) -> Result<()> {
        let states = states.as_fixed_size_binary();
        if states.value_length() != width_of(self.conditions)? {
            return Err(damaged(NAME));
        }
        let width = self.width();
        for (row, state) in states.iter().enumerate() {
            let first = group_of(row) * width;
            let (words, _) = state.unwrap_or_default().as_chunks();
            let held = &mut self.masks[first..first + width];
            held.iter_mut().zip(words).for_each(|(held, word)| *held |= u64::from_le_bytes(*word));
        }
        Ok(())
    }

    /// The list of each group.
    fn lists(&self, masks: &[u64]) -> Result<ListArray> {
        let groups = masks.len() / self.width();
        let values = groups * self.conditions;
        if i32::try_from(values).is_err() {
            return resources_err!(
                "{NAME}: {groups} groups of {} conditions are too many for one result",
                self.conditions
            );
        }
        let mut flags = BooleanBufferBuilder::new(values);
        let mut bytes = Vec::with_capacity(self.width() * WORD);
        for mask in masks.chunks_exact(self.width()) {
            match mask[0] & 1 {
                0 => flags.append_n(self.conditions, false),
                _ => {
                    bytes.clear();
                    mask.iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
                    flags.append_packed_range(0..self.conditions, &bytes);
                }
            }
        }
        let flags = BooleanArray::new(flags.finish(), None);
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(self.conditions, groups));
        Ok(ListArray::try_new(item(), offsets, Arc::new(flags), None)?)
    }

    fn states(&self, masks: &[u64]) -> Result<FixedSizeBinaryArray> {
        let bytes: Vec<u8> = masks.iter().flat_map(|word| word.to_le_bytes()).collect();
        Ok(FixedSizeBinaryArray::try_new(width_of(self.conditions)?, bytes.into(), None)?)
    }

    fn taken(&mut self, emit: EmitTo) -> Vec<u64> {
        match emit {
            EmitTo::All => std::mem::take(&mut self.masks),
            EmitTo::First(groups) => EmitTo::First(groups * self.width()).take_needed(&mut self.masks),
        }
    }
}

impl GroupsAccumulator for Met {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        self.take_in(values, opt_filter, |row| group_indices[row]);
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let masks = self.taken(emit_to);
        Ok(Arc::new(self.lists(&masks)?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let masks = self.taken(emit_to);
        Ok(vec![Arc::new(self.states(&masks)?)])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.grow(total_num_groups);
        self.take_in_states(&values[0], |row| group_indices[row])
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut rows = Self { conditions: self.conditions, masks: Vec::new() };
        rows.grow(values.first().map_or(0, |condition| condition.len()));
        rows.take_in(values, opt_filter, |row| row);
        Ok(vec![Arc::new(rows.states(&rows.masks)?)])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.masks.capacity() * WORD
    }
}

impl Accumulator for Met {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.take_in(values, None, |_| 0);
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::List(Arc::new(self.lists(&self.masks)?)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.masks.capacity() * WORD
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::FixedSizeBinary(
            width_of(self.conditions)?,
            Some(self.masks.iter().flat_map(|word| word.to_le_bytes()).collect()),
        )])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.take_in_states(&states[0], |_| 0)
    }
}
