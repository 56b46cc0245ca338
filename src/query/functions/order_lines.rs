//! `order_lines(...)` and `order_quantity(...)`: the lines of a purchase event.
//!
//! A `products` array in the properties holds the lines; an event without one is its own single line.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Decimal128Builder, Int64Builder, ListBuilder, StringBuilder,
};
use arrow::datatypes::{DataType, Decimal128Type, Field, Fields};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use serde_json::Value;

use crate::store::events::schema;

/// Ten-thousandths in one.
const ONE: i128 = 10_000;

/// One line of a purchase; amounts in ten-thousandths.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) product_id: Option<String>,
    pub(super) category: Option<Vec<String>>,
    pub(super) quantity: i128,
    pub(super) amount: Option<i128>,
    pub(super) cost: Option<i128>,
}

/// The lines in `properties`, `None` when there is no `products` array.
///
/// An element follows the Segment e-commerce spec: product_id (or sku), category, quantity (else 1), price and cost of
/// one piece; `total` or `amount` is the amount of the line where it is given.
pub(super) fn lines_of(properties: &str) -> Option<Vec<Line>> {
    // Cheap refusal before the text is parsed.
    if !properties.contains("\"products\"") {
        return None;
    }
    let document: Value = serde_json::from_str(properties).ok()?;
    let products = document.get("products")?.as_array()?;
    Some(products.iter().map(line_of).collect())
}

fn line_of(product: &Value) -> Line {
    let quantity = product.get("quantity").and_then(decimal).unwrap_or(ONE);
    let of_pieces = |price: i128| round_ten_thousandths(price.saturating_mul(quantity));
    let given = ["total", "amount"].into_iter().find_map(|key| product.get(key).and_then(decimal));
    Line {
        product_id: ["product_id", "sku"].into_iter().find_map(|key| product.get(key).and_then(text)),
        category: product.get("category").and_then(path),
        quantity,
        amount: given.or_else(|| product.get("price").and_then(decimal).map(of_pieces)),
        cost: product.get("cost").and_then(decimal).map(of_pieces),
    }
}

/// A product of two values in ten-thousandths, rounded half away from zero.
fn round_ten_thousandths(product: i128) -> i128 {
    let half = if product < 0 { -ONE / 2 } else { ONE / 2 };
    (product + half) / ONE
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn path(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(parts) => parts.iter().map(text).collect(),
        Value::String(path) => Some(path.split('/').map(|part| part.trim().to_owned()).collect()),
        _ => None,
    }
}

/// A JSON number, or a number in a text, as ten-thousandths.
fn decimal(value: &Value) -> Option<i128> {
    let text = text(value)?;
    let parsed = arrow::compute::kernels::cast_utils::parse_decimal::<Decimal128Type>(&text, 18, 4);
    parsed.ok()
}

fn line_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            Field::new("position", DataType::Int64, false),
            Field::new("product_id", DataType::Utf8, true),
            Field::new("category", schema::path(), true),
            Field::new("quantity", schema::DECIMAL, false),
            Field::new("amount", schema::DECIMAL, true),
            Field::new("cost", schema::DECIMAL, true),
        ])
    });
    FIELDS.clone()
}

fn lines_type() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Struct(line_fields()), true)))
}

/// `order_lines(properties, product_id, category, quantity, revenue, cost)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct OrderLines {
    signature: Signature,
}

impl OrderLines {
    pub(super) fn new() -> Self {
        let arguments =
            vec![DataType::Utf8, DataType::Utf8, schema::path(), schema::DECIMAL, schema::DECIMAL, schema::DECIMAL];
        Self { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for OrderLines {
    fn name(&self) -> &str {
        "order_lines"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        Ok(lines_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let mut lists = LineLists::default();
        let properties = columns[0].as_string::<i32>();
        for row in 0..properties.len() {
            let held = (!properties.is_null(row)).then(|| lines_of(properties.value(row))).flatten();
            match held {
                Some(lines) => lines.iter().enumerate().for_each(|(at, line)| lists.push(at, line)),
                None => lists.push(0, &event_line(&columns[1..], row)),
            }
            lists.end_row();
        }
        Ok(ColumnarValue::Array(lists.finish()))
    }
}

/// The event's own columns (product_id, category, quantity, revenue, cost) as a line.
fn event_line(columns: &[ArrayRef], row: usize) -> Line {
    let amount = |column: &ArrayRef| {
        let column: &Decimal128Array = column.as_primitive();
        (!column.is_null(row)).then(|| column.value(row))
    };
    let product = columns[0].as_string::<i32>();
    let categories = columns[1].as_list::<i32>();
    let category = (!categories.is_null(row)).then(|| {
        let parts = categories.value(row);
        parts.as_string::<i32>().iter().flatten().map(str::to_owned).collect()
    });
    Line {
        product_id: (!product.is_null(row)).then(|| product.value(row).to_owned()),
        category,
        quantity: amount(&columns[2]).unwrap_or(ONE),
        amount: amount(&columns[3]),
        cost: amount(&columns[4]),
    }
}

/// Builds a list of lines for each row.
struct LineLists {
    offsets: Vec<i32>,
    position: Int64Builder,
    product_id: StringBuilder,
    category: ListBuilder<StringBuilder>,
    quantity: Decimal128Builder,
    amount: Decimal128Builder,
    cost: Decimal128Builder,
    lines: i32,
}

impl Default for LineLists {
    fn default() -> Self {
        let decimal = || Decimal128Builder::new().with_data_type(schema::DECIMAL);
        Self {
            offsets: vec![0],
            position: Int64Builder::new(),
            product_id: StringBuilder::new(),
            category: ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true)),
            quantity: decimal(),
            amount: decimal(),
            cost: decimal(),
            lines: 0,
        }
    }
}

impl LineLists {
    fn push(&mut self, at: usize, line: &Line) {
        self.position.append_value(at as i64);
        self.product_id.append_option(line.product_id.as_deref());
        match &line.category {
            Some(path) => self.category.append_value(path.iter().map(Some)),
            None => self.category.append_null(),
        }
        self.quantity.append_value(line.quantity);
        self.amount.append_option(line.amount);
        self.cost.append_option(line.cost);
        self.lines += 1;
    }

    fn end_row(&mut self) {
        self.offsets.push(self.lines);
    }

    fn finish(mut self) -> ArrayRef {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.position.finish()),
            Arc::new(self.product_id.finish()),
            Arc::new(self.category.finish()),
            Arc::new(self.quantity.finish()),
            Arc::new(self.amount.finish()),
            Arc::new(self.cost.finish()),
        ];
        let elements = arrow::array::StructArray::new(line_fields(), columns, None);
        let field = Arc::new(Field::new("element", DataType::Struct(line_fields()), true));
        let offsets = arrow::buffer::OffsetBuffer::new(self.offsets.into());
        Arc::new(arrow::array::ListArray::new(field, offsets, Arc::new(elements), None))
    }
}

/// `order_quantity(properties, quantity)`: pieces of a purchase event.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct OrderQuantity {
    signature: Signature,
}

impl OrderQuantity {
    pub(super) fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Utf8, schema::DECIMAL], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for OrderQuantity {
    fn name(&self) -> &str {
        "order_quantity"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        Ok(schema::DECIMAL)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let properties = columns[0].as_string::<i32>();
        let quantities: &Decimal128Array = columns[1].as_primitive();
        let pieces = (0..properties.len()).map(|row| {
            let lines = (!properties.is_null(row)).then(|| lines_of(properties.value(row))).flatten();
            match lines {
                Some(lines) => lines.iter().map(|line| line.quantity).sum(),
                None if quantities.is_null(row) => ONE,
                None => quantities.value(row),
            }
        });
        let pieces = Decimal128Array::from_iter_values(pieces).with_precision_and_scale(18, 4)?;
        Ok(ColumnarValue::Array(Arc::new(pieces)))
    }
}

#[cfg(test)]
mod tests;
