//! What the events of a batch say of orders, as the stored columns [`schema::ORDER_COLUMNS`].

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Decimal128Array, Decimal128Builder, ListArray, ListBuilder, RecordBatch,
    StringArray, StringBuilder, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Decimal128Type, Field};

use super::late_checks::MAX_JSON_BYTES;
use super::read::whole_number_text;
use crate::error::{Error, Result};
use crate::money::{self, Exact};
use crate::orders::{OwnLine, Product, Statement, read_statement};
use crate::store::events::schema::{self, DECIMAL};

/// What a row says of orders; nearly all rows say nothing.
pub(super) type Said = Option<Box<Statement>>;

/// The statements of input or stored rows. A row that names no event has none.
pub(super) fn statements(rows: &RecordBatch) -> Result<Vec<Said>> {
    let refused = || Error::invalid("the batch does not have the columns of an ingest stream");
    let column = |name: &str| rows.column_by_name(name).ok_or_else(refused);
    let text = |name: &str| column(name)?.as_string_opt::<i32>().ok_or_else(refused);
    let number = |name: &str| column(name)?.as_primitive_opt::<Decimal128Type>().ok_or_else(refused);
    let (events, products, properties): (&StringArray, &StringArray, &StringArray) =
        (text("event")?, text("product_id")?, text("properties")?);
    let (revenues, quantities, costs) = (number("revenue")?, number("quantity")?, number("cost")?);
    let of = |numbers: &Decimal128Array, row: usize| numbers.is_valid(row).then(|| numbers.value(row));
    let statement = |row: usize| {
        if events.is_null(row) {
            return None;
        }
        let own = OwnLine {
            revenue: of(revenues, row),
            has_product: products.is_valid(row),
            quantity: of(quantities, row).map(|units| Exact::of_units(units, quantities.scale())),
            cost: of(costs, row),
        };
        // A longer text makes a row none that is kept: it must not cost many times its length before that is found.
        let properties = properties.is_valid(row).then(|| properties.value(row));
        let statement = read_statement(properties.filter(|text| text.len() <= MAX_JSON_BYTES), own);
        (statement != Statement::default()).then(|| Box::new(statement))
    };
    Ok((0..rows.num_rows()).map(statement).collect())
}

/// The events' own quantities as they are stored: NULL where one is beyond that.
pub(super) fn quantities(given: &Decimal128Array) -> Decimal128Array {
    let stored = |units| money::decimal_from_integer(units, given.scale()).ok();
    given.unary_opt::<_, Decimal128Type>(stored).with_data_type(DECIMAL)
}

/// The stored columns, in the order of [`schema::ORDER_COLUMNS`].
pub(super) fn columns(statements: &[Said]) -> Result<[ArrayRef; 6]> {
    let decimals = |of: fn(&Statement) -> Option<i128>| -> Result<ArrayRef> {
        let values: Decimal128Array = statements.iter().map(|said| said.as_deref().and_then(of)).collect();
        Ok(Arc::new(values.with_data_type(DECIMAL)))
    };
    let flags = |of: fn(&Statement) -> bool| -> ArrayRef {
        let mut flags = BooleanBuilder::with_capacity(statements.len());
        statements.iter().for_each(|said| flags.append_option(said.as_deref().is_some_and(of).then_some(true)));
        Arc::new(flags.finish())
    };
    Ok([
        decimals(|statement| statement.amount)?,
        decimals(|statement| statement.cost)?,
        decimals(|statement| statement.pieces)?,
        flags(|statement| statement.whole),
        flags(|statement| statement.unpriced),
        product_lists(statements)?,
    ])
}

fn product_lists(statements: &[Said]) -> Result<ArrayRef> {
    let products = || statements.iter().flat_map(products_of);
    let mut category = ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true));
    for product in products() {
        match &product.category {
            Some(path) => category.append_value(path.iter().map(Some)),
            None => category.append_null(),
        }
    }
    let decimals = |of: fn(&Product) -> Option<i128>| {
        let mut values = Decimal128Builder::new().with_data_type(DECIMAL);
        products().for_each(|product| values.append_option(of(product)));
        Arc::new(values.finish()) as ArrayRef
    };
    let columns: Vec<ArrayRef> = vec![
        // Spelled as the column `product_id` is.
        Arc::new(
            products().map(|product| product.product_id.as_deref().map(whole_number_text)).collect::<StringArray>(),
        ),
        Arc::new(category.finish()),
        decimals(|product| product.quantity),
        decimals(|product| product.amount),
        decimals(|product| product.cost),
    ];
    let elements = StructArray::try_new(schema::product_fields(), columns, None)?;
    let element = Arc::new(Field::new("element", DataType::Struct(schema::product_fields()), true));
    let offsets = OffsetBuffer::from_lengths(statements.iter().map(|said| products_of(said).len()));
    let with_products: Vec<bool> = statements.iter().map(|said| !products_of(said).is_empty()).collect();
    Ok(Arc::new(ListArray::try_new(element, offsets, Arc::new(elements), Some(NullBuffer::from(with_products)))?))
}

fn products_of(said: &Said) -> &[Product] {
    said.as_deref().map_or(&[], |statement| &statement.products)
}
