//! `intersect_count(b, column, v1, v2, ...)`: how many members the sets of several values share, as StarRocks has it:
//! the sets of rows with column = v1 united, those with column = v2 united, and so on; the unions intersected.
//!
//! State: one set a value.

use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use arrow::compute::kernels::cmp::eq;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, DocSection, Documentation, Signature, Volatility};

use super::super::operand::{Operand, is_binary, refused};
use crate::kernel::{BitmapRef, Builder, Expr, Operator};

const NAME: &str = "intersect_count";
const SIGNATURE: &str = "intersect_count(b, column, v1 [, v2, ...])";
/// Arguments before the values.
const BEFORE_VALUES: usize = 2;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct IntersectCount {
    signature: Signature,
}

impl IntersectCount {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for IntersectCount {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [bitmap, column, values @ ..] = given else {
            return plan_err!("{SIGNATURE}: {} arguments were given", given.len());
        };
        if values.is_empty() {
            return plan_err!("{SIGNATURE}: {} arguments were given", given.len());
        }
        if !is_binary(bitmap) && !bitmap.is_null() {
            return plan_err!("{SIGNATURE}: argument 1 (b) is {bitmap}, not a bitmap");
        }
        let mut common = column.clone();
        for (place, value) in values.iter().enumerate() {
            match comparison_coercion(&common, value) {
                Some(both) if !both.is_nested() => common = both,
                _ => {
                    let position = place + 1 + BEFORE_VALUES;
                    return plan_err!(
                        "{SIGNATURE}: argument {position} is {value}, which {column} is not compared with"
                    );
                }
            }
        }
        if common.is_null() {
            common = DataType::Utf8;
        }
        let mut types = vec![if bitmap.is_null() { DataType::Binary } else { bitmap.clone() }];
        types.resize(given.len(), common);
        Ok(types)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(0)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let values = args.exprs.len().saturating_sub(BEFORE_VALUES);
        Ok(Box::new(Counter { sets: vec![Builder::new(); values] }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let values = args.input_fields.len().saturating_sub(BEFORE_VALUES);
        let field =
            |value| Field::new(format_state_name(args.name, &format!("set{value}")), DataType::LargeBinary, true);
        Ok((0..values).map(|value| Arc::new(field(value))).collect())
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "How many members are in a set of a row with column = v1, and in one of a row with column = v2, and so on: \
                 persons who were there on each of several days. NULL rows are skipped; 0 without rows.",
                SIGNATURE,
            )
            .with_argument("b", "bitmaps")
            .with_argument("column", "what tells the sets apart: a day, a tag value")
            .with_argument("v1", "a value of that column; any number of them")
            .with_sql_example("SELECT intersect_count(visitors, day, '2026-01-01', '2026-01-02') FROM visits")
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

#[derive(Debug)]
struct Counter {
    sets: Vec<Builder>,
}

impl Accumulator for Counter {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [bitmaps, column, values @ ..] = values else { return Ok(()) };
        let operand = Operand::new(NAME, 1, bitmaps.as_ref())?;
        for (set, value) in self.sets.iter_mut().zip(values) {
            let matches = eq(column, value)?;
            let rows = matches.iter().enumerate().filter(|(_, matches)| *matches == Some(true));
            for (row, _) in rows {
                if let Some(bitmap) = operand.bitmap(NAME, 1, row)? {
                    set.combine(Operator::Or, bitmap);
                }
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sets = self.bytes()?;
        let views = sets.iter().map(|bytes| BitmapRef::new(bytes)).collect::<Result<Vec<_>, _>>();
        let count = views.and_then(|views| Ok(Expr::and(views).plan()?.count()));
        Ok(ScalarValue::Int64(Some(count.map_err(|error| refused(NAME, 1, &error))? as i64)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sets.iter().map(Builder::size).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(self.bytes()?.into_iter().map(|bytes| ScalarValue::LargeBinary(Some(bytes))).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for (set, column) in self.sets.iter_mut().zip(states) {
            let operand = Operand::new(NAME, 1, column.as_ref())?;
            for row in 0..column.len() {
                if let Some(bitmap) = operand.bitmap(NAME, 1, row)? {
                    set.combine(Operator::Or, bitmap);
                }
            }
        }
        Ok(())
    }
}

impl Counter {
    fn bytes(&mut self) -> Result<Vec<Vec<u8>>> {
        let written = self.sets.iter_mut().map(|set| set.to_bytes_within(u64::MAX));
        written.collect::<Result<_, _>>().map_err(|error| refused(NAME, 1, &error))
    }
}
