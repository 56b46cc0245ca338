//! What an event says of an order: its amount, its products, and whether it states the order whole (SQL.md 1, "Amount").
//!
//! Read once, when the event comes in. Properties follow the e-commerce events of Segment's spec.

use serde_json::value::RawValue;

use super::picked::{elements, pick, scalar};
use crate::money::{self, decimal_from_text};

/// Columns of the event itself. Amounts and quantities are ten-thousandths.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnLine {
    pub revenue: Option<i128>,
    pub has_product: bool,
    pub quantity: Option<i128>,
    pub cost: Option<i128>,
}

/// What an event says of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    pub amount: Option<i128>,
    /// Of all products together, `None` unless each has one.
    pub cost: Option<i128>,
    /// Pieces of all products, `None` without products.
    pub pieces: Option<i128>,
    /// It states the whole order, provided that it has a number.
    pub whole: bool,
    /// A product has neither an amount nor a price, and nothing says the amount of all.
    pub unpriced: bool,
    /// Some amount was given that is no number.
    pub not_a_number: bool,
    /// What `total` says, where it is a number.
    pub total: Option<i128>,
    pub products: Vec<Product>,
}

/// One element of `products`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    pub product_id: Option<String>,
    pub category: Option<Vec<String>>,
    pub quantity: i128,
    pub amount: Option<i128>,
    pub cost: Option<i128>,
}

const MEMBERS: [&str; 6] = ["products", "line_items", "items", "total", "value", "price"];
const PRODUCT_MEMBERS: [&str; 9] =
    ["product_id", "sku", "category", "quantity", "price", "total", "amount", "discount", "cost"];

/// Reads the properties of an event (JSON text, if any) beside its own columns.
pub fn read_statement(properties: Option<&str>, own: OwnLine) -> Statement {
    let [products, line_items, items, total, value, price] =
        properties.filter(|text| mentions(text)).and_then(|text| pick(text, &MEMBERS)).unwrap_or_default();
    let mut numbers = Numbers::default();
    let products = [products, line_items, items].into_iter().flatten().find_map(products_of).unwrap_or_default();
    let [total, value, price] = [total, value, price].map(|value| numbers.read(value));
    let of_pieces = |price| money::multiply(price, own.quantity.unwrap_or(money::ONE));
    let own_price = price.filter(|_| own.has_product).and_then(of_pieces);
    let stated = own.revenue.or(own_price).or(total).or(value);
    let of_products: Option<i128> =
        products.iter().filter_map(|product| product.amount).reduce(|left, right| left + right);
    let has_unpriced = match products.is_empty() {
        true => own.has_product,
        false => products.iter().any(|product| product.amount.is_none()),
    };
    let of_all = |of: fn(&Product) -> Option<i128>| products.iter().map(of).sum::<Option<i128>>();
    let has_products = !products.is_empty();
    Statement {
        amount: stated.or(of_products).filter(|amount| money::is_amount(*amount)),
        cost: own.cost.or_else(|| of_all(|product| product.cost).filter(|_| has_products)),
        pieces: of_all(|product| Some(product.quantity)).filter(|_| has_products),
        whole: has_products || (total.is_some() && !own.has_product),
        unpriced: stated.is_none() && has_unpriced,
        not_a_number: numbers.refused,
        total,
        products,
    }
}

/// Whether a text may have one of the members: most events have none, and are not parsed.
fn mentions(text: &str) -> bool {
    MEMBERS.iter().any(|name| {
        text.match_indices(name).any(|(at, _)| {
            let quote = |index: usize| text.as_bytes().get(index) == Some(&b'"');
            at > 0 && quote(at - 1) && quote(at + name.len())
        })
    })
}

/// Reads amounts, and notes when one is given that is no number.
#[derive(Default)]
struct Numbers {
    refused: bool,
}

impl Numbers {
    fn read(&mut self, value: Option<&RawValue>) -> Option<i128> {
        let value = value.filter(|value| value.get() != "null")?;
        let read = number(value);
        self.refused |= read.is_none();
        read
    }
}

/// A number, or a number in a text.
fn number(value: &RawValue) -> Option<i128> {
    decimal_from_text(scalar(value)?.trim()).ok()
}

fn products_of(value: &RawValue) -> Option<Vec<Product>> {
    // A cell of a CSV file holds the array as a text.
    let Some(values) = elements(value) else {
        let text = scalar(value).filter(|text| text.starts_with('['))?;
        let inner: Box<RawValue> = serde_json::from_str(&text).ok()?;
        return products_of(&inner);
    };
    let products: Vec<Product> = values.into_iter().filter(|value| value.get() != "null").map(product).collect();
    (!products.is_empty()).then_some(products)
}

fn product(value: &RawValue) -> Product {
    let Some([product_id, sku, category, quantity, price, total, amount, discount, cost]) =
        pick(value.get(), &PRODUCT_MEMBERS)
    else {
        return Product { product_id: text(value), quantity: money::ONE, ..Product::default() };
    };
    let quantity = quantity.and_then(number).unwrap_or(money::ONE);
    let of_pieces = |price| money::multiply(price, quantity);
    let discount = discount.and_then(number).unwrap_or_default();
    let of_price = price.and_then(number).and_then(of_pieces).map(|amount| amount - discount);
    let given = [total, amount].into_iter().flatten().find_map(number);
    Product {
        product_id: [product_id, sku].into_iter().flatten().find_map(text),
        category: category.and_then(path),
        quantity,
        amount: given.or(of_price).filter(|amount| money::is_amount(*amount)),
        cost: cost.and_then(number).and_then(of_pieces),
    }
}

fn text(value: &RawValue) -> Option<String> {
    scalar(value).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A category's levels, as a list or as one text with '/'.
fn path(value: &RawValue) -> Option<Vec<String>> {
    match elements(value) {
        Some(levels) => levels.into_iter().map(text).collect(),
        None => scalar(value).map(|path| path.split('/').map(|level| level.trim().to_owned()).collect()),
    }
}
