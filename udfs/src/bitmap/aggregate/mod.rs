//! Aggregates over sets: `bitmap_agg` makes one of numbers, `bitmap_union` and its siblings combine sets.
//!
//! The state is the set so far as portable bytes, so states of any partition merge. NULL rows are skipped.

mod groups;
mod intersect_count;
mod shape;
mod single;
mod take;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, not_impl_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};

use super::declared::{coerce, documentation};
use super::field::bitmap_field;
use crate::kernel::{EMPTY, Operator};
use shape::{Output, SHAPES, Shape};

/// All aggregates of the family.
pub(crate) fn all() -> Vec<Arc<AggregateUDF>> {
    let mut functions: Vec<AggregateUDF> = SHAPES.iter().map(|shape| SetAggregate::new(shape).into()).collect();
    functions.push(intersect_count::IntersectCount::new().into());
    functions.into_iter().map(Arc::new).collect()
}

#[derive(Debug)]
struct SetAggregate {
    shape: &'static Shape,
    aliases: Vec<String>,
    signature: Signature,
    documentation: Documentation,
}

impl SetAggregate {
    fn new(shape: &'static Shape) -> Self {
        Self {
            aliases: shape.aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            signature: Signature::user_defined(Volatility::Immutable),
            documentation: documentation(shape.name, &shape.arguments, shape.description, shape.example),
            shape,
        }
    }
}

impl PartialEq for SetAggregate {
    fn eq(&self, other: &Self) -> bool {
        self.shape.name == other.shape.name
    }
}

impl Eq for SetAggregate {}

impl std::hash::Hash for SetAggregate {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.shape.name.hash(state);
    }
}

impl AggregateUDFImpl for SetAggregate {
    fn name(&self) -> &str {
        self.shape.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.shape.name, &self.shape.arguments, given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(match self.shape.output {
            Output::Bitmap => DataType::Binary,
            Output::Count => DataType::Int64,
        })
    }

    fn return_field(&self, _given: &[FieldRef]) -> Result<FieldRef> {
        Ok(match self.shape.output {
            Output::Bitmap => bitmap_field(self.shape.name, self.is_nullable()),
            Output::Count => Arc::new(Field::new(self.shape.name, DataType::Int64, false)),
        })
    }

    /// An intersection of nothing would be everything.
    fn is_nullable(&self) -> bool {
        self.shape.output == Output::Bitmap && self.shape.operator == Operator::And
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        Ok(match self.shape.output {
            Output::Count => ScalarValue::Int64(Some(0)),
            Output::Bitmap if self.is_nullable() => ScalarValue::Binary(None),
            Output::Bitmap => ScalarValue::Binary(Some(EMPTY.to_vec())),
        })
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "set"), DataType::LargeBinary, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.check_distinct(&args)?;
        Ok(Box::new(single::Single::new(self.shape)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        self.check_distinct(&args)?;
        Ok(Box::new(groups::Groups::new(self.shape)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

impl SetAggregate {
    /// Equal rows change nothing in a set, except that two of them cancel out under XOR.
    fn check_distinct(&self, args: &AccumulatorArgs) -> Result<()> {
        if args.is_distinct && self.shape.operator == Operator::Xor {
            return not_impl_err!("{}: DISTINCT is not supported; aggregate a SELECT DISTINCT", self.shape.name);
        }
        Ok(())
    }
}
