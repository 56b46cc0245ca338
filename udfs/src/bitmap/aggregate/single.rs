//! One set, without GROUP BY and in windows.

use arrow::array::ArrayRef;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::super::operand::{Operand, refused};
use super::shape::{Input, Output, Shape};
use super::take::{each_member, selected, take_bitmap};
use crate::kernel::{Builder, Operator};

#[derive(Debug)]
pub(super) struct Single {
    shape: &'static Shape,
    set: Builder,
    seen: bool,
}

impl Single {
    pub(super) fn new(shape: &'static Shape) -> Self {
        Self { shape, set: Builder::new(), seen: false }
    }

    /// The set as bytes; none for an intersection of nothing. The set stays: a window asks after each row.
    fn bytes(&mut self) -> Result<Option<Vec<u8>>> {
        if self.shape.operator == Operator::And && !self.seen {
            return Ok(None);
        }
        let bytes = self.set.to_bytes_within(u64::MAX);
        bytes.map(Some).map_err(|error| refused(self.shape.name, 1, &error))
    }

    fn take_bitmaps(&mut self, column: &ArrayRef) -> Result<()> {
        let operand = Operand::new(self.shape.name, 1, column.as_ref())?;
        for row in 0..column.len() {
            if let Some(bitmap) = operand.bitmap(self.shape.name, 1, row)? {
                take_bitmap(self.shape.operator, &mut self.set, &mut self.seen, bitmap);
            }
        }
        Ok(())
    }
}

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [column] = values else { return Ok(()) };
        match self.shape.input {
            Input::Numbers => {
                let selected = selected(column.as_ref(), None);
                each_member(self.shape.name, column.as_ref(), selected.as_ref(), |_, member| self.set.add(member))
            }
            Input::Bitmaps => self.take_bitmaps(column),
        }
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(match self.shape.output {
            Output::Bitmap => ScalarValue::Binary(self.bytes()?),
            Output::Count => ScalarValue::Int64(Some(self.set.count() as i64)),
        })
    }

    fn size(&self) -> usize {
        size_of_val(self) - size_of_val(&self.set) + self.set.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::LargeBinary(self.bytes()?)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [states] = states else { return Ok(()) };
        self.take_bitmaps(states)
    }
}
