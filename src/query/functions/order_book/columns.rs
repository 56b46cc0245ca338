//! The arguments of one batch, typed: rows become events of the rules.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, ListArray, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Decimal128Type, TimestampMicrosecondType};

use crate::orders::{OrderEvent, Row, StatedPrices, stated_prices};

/// In the order of [`super::SHORT`], [`super::PRICES`] and [`super::CATEGORY`]; the signature of the functions checks the types.
pub(super) struct EventColumns<'a> {
    is_refund: &'a BooleanArray,
    ts: &'a TimestampMicrosecondArray,
    received_at: &'a TimestampMicrosecondArray,
    message_id: &'a StringArray,
    amount: &'a Decimal128Array,
    is_whole: &'a BooleanArray,
    currency: &'a StringArray,
    pieces: &'a Decimal128Array,
    quantity: &'a Decimal128Array,
    cost: &'a Decimal128Array,
    products: Option<ProductColumns<'a>>,
}

struct ProductColumns<'a> {
    lacks_price: &'a BooleanArray,
    product_id: &'a StringArray,
    /// The properties of a sale whose amount does not tell the price of a piece exactly.
    priced_by: &'a StringArray,
    /// Of the event itself, where categories are asked for.
    category: Option<&'a ListArray>,
    lists: &'a ListArray,
    product_ids: &'a StringArray,
    categories: &'a ListArray,
    quantities: &'a Decimal128Array,
    amounts: &'a Decimal128Array,
    costs: &'a Decimal128Array,
}

impl<'a> EventColumns<'a> {
    pub(super) fn of(columns: &'a [ArrayRef]) -> Self {
        let decimal = |at: usize| columns[at].as_primitive::<Decimal128Type>();
        Self {
            is_refund: columns[0].as_boolean(),
            ts: columns[1].as_primitive::<TimestampMicrosecondType>(),
            received_at: columns[2].as_primitive::<TimestampMicrosecondType>(),
            message_id: columns[3].as_string(),
            amount: decimal(4),
            is_whole: columns[5].as_boolean(),
            currency: columns[6].as_string(),
            pieces: decimal(7),
            quantity: decimal(8),
            cost: decimal(9),
            products: (columns.len() > 10).then(|| ProductColumns::of(&columns[10..])),
        }
    }

    /// The event of a row; `source` is the caller's number of it.
    pub(super) fn event(&self, row: usize, source: usize) -> OrderEvent<'a> {
        let products = self.products.as_ref();
        let prices = products.map(|products| products.prices(row)).unwrap_or_default();
        OrderEvent {
            source,
            ts: self.ts.value(row),
            received_at: self.received_at.value(row),
            message_id: self.message_id.value(row),
            is_refund: is_true(self.is_refund, row),
            whole: is_true(self.is_whole, row),
            amount: decimal(self.amount, row),
            unpriced: products.is_some_and(|products| is_true(products.lacks_price, row)),
            currency: text(self.currency, row),
            cost: decimal(self.cost, row),
            pieces: decimal(self.pieces, row),
            quantity: decimal(self.quantity, row),
            product_id: products.and_then(|products| text(products.product_id, row)),
            price: prices.own,
            products: products.map(|products| products.rows(row, &prices)).unwrap_or_default(),
        }
    }

    /// The category of a product of the event, or of the event itself.
    pub(super) fn category(&self, row: usize, position: Option<usize>) -> Option<ArrayRef> {
        let products = self.products.as_ref()?;
        let (lists, at) = match position {
            Some(position) => (products.categories, position),
            None => (products.category?, row),
        };
        lists.is_valid(at).then(|| lists.value(at))
    }
}

impl<'a> ProductColumns<'a> {
    fn of(columns: &'a [ArrayRef]) -> Self {
        let lists: &'a ListArray = columns[2].as_list();
        let elements = lists.values().as_struct();
        let decimal = |at: usize| elements.column(at).as_primitive::<Decimal128Type>();
        Self {
            lacks_price: columns[0].as_boolean(),
            product_id: columns[1].as_string(),
            priced_by: columns[3].as_string(),
            category: columns.get(4).map(|column| column.as_list()),
            lists,
            product_ids: elements.column(0).as_string(),
            categories: elements.column(1).as_list(),
            quantities: decimal(2),
            amounts: decimal(3),
            costs: decimal(4),
        }
    }

    fn prices(&self, row: usize) -> StatedPrices {
        text(self.priced_by, row).map(stated_prices).unwrap_or_default()
    }

    fn rows(&self, row: usize, prices: &StatedPrices) -> Vec<Row<'a>> {
        if self.lists.is_null(row) {
            return Vec::new();
        }
        let offsets = self.lists.value_offsets();
        (offsets[row] as usize..offsets[row + 1] as usize)
            .enumerate()
            .map(|(number, at)| Row {
                product_id: text(self.product_ids, at),
                quantity: decimal(self.quantities, at),
                amount: decimal(self.amounts, at),
                price: prices.of_products.get(number).copied().flatten(),
                cost: decimal(self.costs, at),
                position: Some(at),
            })
            .collect()
    }
}

fn is_true(column: &BooleanArray, row: usize) -> bool {
    column.is_valid(row) && column.value(row)
}

fn decimal(column: &Decimal128Array, row: usize) -> Option<i128> {
    column.is_valid(row).then(|| column.value(row))
}

fn text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}
