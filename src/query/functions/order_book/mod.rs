//! `order_sums`, `order_bookings`, `order_parts`: the events of one order resolved into its sums, entries or items.
//!
//! The rules are those of [`crate::orders`]; here they become aggregates of the engine. Arguments say what a function
//! needs: the short list has no products, and may be taken where no refund lacks a price; a category is of items alone.

mod columns;
mod groups;
mod output;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, GroupsAccumulator, Signature, TypeSignature, Volatility,
};

use super::single_group::SingleGroup;
use crate::store::events::schema::{self, DECIMAL, instant};
use crate::workspace::BaseCurrency;
use groups::OrderGroups;
use output::Output;

/// Arguments that every call has, in order.
pub(in crate::query) const SHORT: &str =
    "is_refund, ts, received_at, message_id, stated_amount, is_whole, currency, stated_pieces, quantity, stated_cost";

/// What is added where a refund needs the prices of its order's products.
pub(in crate::query) const PRICES: &str = "lacks_price, product_id, products, priced_by";

/// What is added to both where products are shown.
pub(in crate::query) const CATEGORY: &str = "category";

/// How many arguments the lists have: [`SHORT`], with [`PRICES`], with [`CATEGORY`] as well.
const LENGTHS: [usize; 3] = [10, 14, 15];

/// Types of the first so many arguments of the longest list.
fn argument_types(arguments: usize) -> Vec<DataType> {
    let mut types = vec![
        DataType::Boolean,
        instant(),
        instant(),
        DataType::Utf8,
        DECIMAL,
        DataType::Boolean,
        DataType::Utf8,
        DECIMAL,
        DECIMAL,
        DECIMAL,
        DataType::Boolean,
        DataType::Utf8,
        schema::products(),
        DataType::Utf8,
        schema::path(),
    ];
    types.truncate(arguments);
    types
}

/// The arguments of one event as a struct: what a state keeps of it.
fn event_fields(arguments: usize) -> Fields {
    argument_types(arguments)
        .into_iter()
        .enumerate()
        .map(|(at, kind)| Field::new(format!("a{at}"), kind, true))
        .collect()
}

fn events_type(arguments: usize) -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Struct(event_fields(arguments)), true)))
}

/// One of the three aggregates.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::query) struct OrderBook {
    name: &'static str,
    signature: Signature,
    output: Output,
    base: Arc<BaseCurrency>,
}

impl OrderBook {
    /// A struct of gross, refund, net, currency, cost, items, net_base.
    pub(in crate::query) fn sums(base: &Arc<BaseCurrency>) -> Self {
        Self::new("order_sums", Output::Sums, base)
    }

    /// A list of structs, one a booking.
    pub(in crate::query) fn bookings(base: &Arc<BaseCurrency>) -> Self {
        Self::new("order_bookings", Output::Entries, base)
    }

    /// A list of structs, one an item.
    pub(in crate::query) fn parts(base: &Arc<BaseCurrency>) -> Self {
        Self::new("order_parts", Output::Items, base)
    }

    fn new(name: &'static str, output: Output, base: &Arc<BaseCurrency>) -> Self {
        let lists = LENGTHS.map(|arguments| TypeSignature::Exact(argument_types(arguments)));
        let signature = Signature::one_of(lists.to_vec(), Volatility::Stable);
        Self { name, signature, output, base: Arc::clone(base) }
    }

    fn groups(&self, arguments: usize) -> OrderGroups {
        OrderGroups::new(self.output, Arc::clone(&self.base), event_fields(arguments))
    }
}

impl AggregateUDFImpl for OrderBook {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        Ok(self.output.data_type())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        Ok(Box::new(SingleGroup(self.groups(args.exprs.len()))))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.groups(args.exprs.len())))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> DfResult<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new("events", events_type(args.input_fields.len()), true))])
    }
}

#[cfg(test)]
mod tests;
