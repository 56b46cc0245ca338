//! `retention(c1, ..., cn)`: which conditions a group met besides the first. State of a group: one byte for every eight
//! conditions.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, ListArray};
use arrow::array::{FixedSizeBinaryArray, FixedSizeBinaryBuilder};
use arrow::buffer::{BooleanBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, resources_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, DocSection, Documentation, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use super::arguments::{conditions, damaged};
use super::events::{masks_of, truths};
use super::timelines::no_distinct;

const NAME: &str = "retention";
const SIGNATURE: &str = "retention(c1, ..., cn)";

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

fn width_of(conditions: usize) -> Result<i32> {
    match i32::try_from(conditions.div_ceil(8)) {
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
    /// By group, the first condition in the lowest bit.
    masks: Vec<u8>,
}

impl Met {
    fn width(&self) -> usize {
        self.conditions.div_ceil(8)
    }

    fn grow(&mut self, groups: usize) {
        self.masks.resize(groups * self.width(), 0);
    }

    fn mask(&mut self, group: usize) -> &mut [u8] {
        let width = self.width();
        &mut self.masks[group * width..(group + 1) * width]
    }

    fn take_in(&mut self, values: &[ArrayRef], filter: Option<&BooleanArray>, group_of: impl Fn(usize) -> usize) {
        let mut conditions: Vec<BooleanBuffer> =
            values.iter().map(|condition| truths(condition.as_boolean())).collect();
        if let Some(filter) = filter {
            let filter = truths(filter);
            conditions.iter_mut().for_each(|condition| *condition &= &filter);
        }
        let rows = conditions.first().map_or(0, BooleanBuffer::len);
        let width = self.width();
        for (row, mask) in masks_of(&conditions, rows, width).chunks_exact(width).enumerate() {
            if mask.iter().any(|byte| *byte != 0) {
                self.mask(group_of(row)).iter_mut().zip(mask).for_each(|(held, byte)| *held |= byte);
            }
        }
    }

    fn take_in_states(&mut self, states: &ArrayRef, group_of: impl Fn(usize) -> usize) -> Result<()> {
        let states = states.as_fixed_size_binary();
        if usize::try_from(states.value_length()) != Ok(self.width()) {
            return Err(damaged(NAME));
        }
        for (row, state) in states.iter().enumerate() {
            let mask = self.mask(group_of(row)).iter_mut();
            mask.zip(state.unwrap_or_default()).for_each(|(held, byte)| *held |= byte);
        }
        Ok(())
    }

    /// The list of each group.
    fn lists(&self, masks: &[u8]) -> Result<ListArray> {
        let groups = masks.len() / self.width();
        let values = groups * self.conditions;
        if i32::try_from(values).is_err() {
            return resources_err!(
                "{NAME}: {groups} groups of {} conditions are too many for one result",
                self.conditions
            );
        }
        let mut flags = BooleanBufferBuilder::new(values);
        for mask in masks.chunks_exact(self.width()) {
            let began = mask[0] & 1 == 1;
            (0..self.conditions).for_each(|place| flags.append(began && mask[place / 8] >> (place % 8) & 1 == 1));
        }
        let flags = BooleanArray::new(flags.finish(), None);
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(self.conditions, groups));
        Ok(ListArray::try_new(item(), offsets, Arc::new(flags), None)?)
    }

    fn states(&self, masks: &[u8]) -> Result<FixedSizeBinaryArray> {
        let mut states = FixedSizeBinaryBuilder::with_capacity(masks.len() / self.width(), width_of(self.conditions)?);
        masks.chunks_exact(self.width()).try_for_each(|mask| states.append_value(mask))?;
        Ok(states.finish())
    }

    fn taken(&mut self, emit: EmitTo) -> Vec<u8> {
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
        size_of_val(self) + self.masks.capacity()
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
        size_of_val(self) + self.masks.capacity()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::FixedSizeBinary(width_of(self.conditions)?, Some(self.masks.clone()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.take_in_states(&states[0], |_| 0)
    }
}
