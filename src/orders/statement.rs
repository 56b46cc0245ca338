//! What an event says of an order: its amount, its products, and whether it states the order whole (SQL.md 1, "Amount").
//!
//! Read once, when the event comes in. Properties follow the e-commerce events of Segment's spec, in any case: a table's
//! header says `Price` as it says `Revenue`.

use serde_json::value::RawValue;

use super::picked::{elements, pick, pick_and_look, scalar};
use super::product_keys::{Meant, find_resemblance};
use super::product_list::ProductList;
use crate::error::shown;
use crate::money::{self, Exact};

/// Columns of the event itself. Amounts are ten-thousandths.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnLine {
    pub revenue: Option<i128>,
    pub has_product: bool,
    /// With all its digits, as those of the properties are: rounded before, it would give another amount than they.
    pub quantity: Option<Exact>,
    pub cost: Option<i128>,
}

/// What an event says of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    pub amount: Option<i128>,
    /// Of all products together, `None` unless each has one.
    pub cost: Option<i128>,
    /// Pieces of all products, of those that say them. Without products `None`, but 0 for a line whose own quantity is no
    /// number: how many pieces it has is not known.
    pub pieces: Option<i128>,
    /// It states the whole order, provided that it has a number.
    pub whole: bool,
    /// A product has neither an amount nor a price, and nothing says the amount of all.
    pub unpriced: bool,
    /// The first amount, price or quantity that was given and is no number, as people are told of it.
    pub not_a_number: Option<String>,
    /// What is beyond DECIMAL(18,4): nothing in place of it would be right.
    pub too_large: Option<&'static str>,
    /// The price of a piece of the event's own product, rounded as an amount is.
    pub price: Option<i128>,
    /// What `total` says, where it is a number.
    pub total: Option<i128>,
    pub products: Vec<Product>,
    /// It has more products than are read: none is.
    pub has_too_many_products: bool,
    /// Keys of products that look like one that counts, which their product lacks, and the key that counts.
    pub look_alikes: Vec<(String, &'static str)>,
}

impl Statement {
    /// Whether the event says of money anything at all.
    pub fn says_amount(&self) -> bool {
        self.amount.is_some() || self.too_large.is_some()
    }
}

/// One element of `products`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    pub product_id: Option<String>,
    pub category: Option<Vec<String>>,
    /// 1 where none is given; `None` where what is given is no number: then what is counted by it is not known either.
    pub quantity: Option<i128>,
    pub amount: Option<i128>,
    /// The price of a piece, rounded as an amount is.
    pub price: Option<i128>,
    pub cost: Option<i128>,
}

/// The prices of a piece that an event states.
#[derive(Debug, Default)]
pub struct StatedPrices {
    /// Of the event's own product.
    pub own: Option<i128>,
    /// Of each product, in their order.
    pub of_products: Vec<Option<i128>>,
}

const MEMBERS: [&str; 7] = ["products", "line_items", "items", "total", "value", "price", "quantity"];
const PRODUCT_MEMBERS: [&str; 9] =
    ["product_id", "sku", "category", "quantity", "price", "total", "amount", "discount", "cost"];

/// Whether a property of this name says something of an order.
pub fn is_read(property: &str) -> bool {
    MEMBERS.iter().any(|name| name.eq_ignore_ascii_case(property))
}

/// The prices in the properties of an event that names a product, or has products.
pub fn stated_prices(properties: &str) -> StatedPrices {
    let statement = read_statement(Some(properties), OwnLine { has_product: true, ..OwnLine::default() });
    let of_products = statement.products.iter().map(|product| product.price).collect();
    StatedPrices { own: statement.price, of_products }
}

/// Reads the properties of an event (JSON text, if any) beside its own columns.
pub fn read_statement(properties: Option<&str>, own: OwnLine) -> Statement {
    let [products, line_items, items, total, value, price, quantity] =
        properties.filter(|text| mentions(text)).and_then(|text| pick(text, &MEMBERS)).unwrap_or_default();
    let mut numbers = Numbers::default();
    let lists = [products, line_items, items].into_iter().flatten();
    let mut look_alikes = LookAlikes::default();
    let read_list = |list| products_of(list, &mut numbers, &mut look_alikes);
    let listed = lists.into_iter().map(read_list).find(|listed| !matches!(listed, Products::Absent));
    let (products, has_too_many_products) = match listed {
        Some(Products::Listed(products)) => (products, false),
        Some(Products::TooMany) => (Vec::new(), true),
        Some(Products::Absent) | None => (Vec::new(), false),
    };
    let [total, value, price] =
        [("total", total), ("value", value), ("price", price)].map(|(name, value)| numbers.read(name, value));
    // What a reader could read is the event's own; what it could not is no 1 either.
    let lacks_quantity = own.quantity.is_none() && matches!(numbers.read_given("quantity", quantity), Some(None));
    let quantity = own.quantity.unwrap_or(Exact::ONE);
    let own_price = price.filter(|_| own.has_product && !lacks_quantity);
    let stated = (own.revenue.map(|revenue| ("revenue", Some(revenue))))
        .or_else(|| own_price.map(|price| ("price x quantity", price.times(quantity))))
        .or_else(|| total.map(|total| ("total", total.amount())))
        .or_else(|| value.map(|value| ("value", value.amount())));
    let has_unpriced = match products.is_empty() {
        true => own.has_product || has_too_many_products,
        false => products.iter().any(|product| product.amount.is_none()),
    };
    let unpriced = stated.is_none() && has_unpriced;
    let of_products = products.iter().filter_map(|product| product.amount).reduce(|left, right| left + right);
    let amount = stated.or(of_products.map(|sum| ("the sum of the products", in_range(sum))));
    let of_all = |of: fn(&Product) -> Option<i128>| match products.is_empty() {
        true => None,
        false => products.iter().map(of).sum::<Option<i128>>(),
    };
    let cost = own.cost.or_else(|| of_all(|product| product.cost)).map(|cost| ("the cost", in_range(cost)));
    let has_products = !products.is_empty();
    let whole = has_products || (total.is_some() && !own.has_product);
    let pieces: i128 = products.iter().filter_map(|product| product.quantity).sum();
    let pieces = (has_products || (lacks_quantity && !whole)).then(|| ("the quantity", in_range(pieces)));
    Statement {
        amount: numbers.keep(amount),
        cost: numbers.keep(cost),
        pieces: numbers.keep(pieces),
        whole,
        unpriced,
        not_a_number: numbers.refused,
        too_large: numbers.too_large,
        // Of an event without a product it would be all that is said, and make a statement of it.
        price: price.filter(|_| own.has_product).and_then(Exact::amount),
        total: total.and_then(Exact::amount),
        products,
        has_too_many_products,
        look_alikes: look_alikes.missed,
    }
}

fn in_range(amount: i128) -> Option<i128> {
    Some(amount).filter(|amount| money::is_amount(*amount))
}

/// Whether a text may have one of the members: most events have none, and are not parsed.
pub(super) fn mentions(text: &str) -> bool {
    // Bytes, since a search for a character costs more the more often it is found.
    let quotes = text.bytes().enumerate().filter(|(_, byte)| *byte == b'"');
    quotes.map(|(quote, _)| &text.as_bytes()[quote + 1..]).any(|inside| {
        MEMBERS.iter().any(|name| {
            inside.get(name.len()) == Some(&b'"') && inside[..name.len()].eq_ignore_ascii_case(name.as_bytes())
        })
    })
}

/// Reads numbers, and notes the first one that is none, or that is none that can be kept.
#[derive(Default)]
struct Numbers {
    refused: Option<String>,
    too_large: Option<&'static str>,
}

impl Numbers {
    /// A number, or a number in a text.
    fn read(&mut self, name: &str, value: Option<&RawValue>) -> Option<Exact> {
        self.read_given(name, value).flatten()
    }

    /// `None` where nothing is given, and `Some(None)` for what is no number.
    fn read_given(&mut self, name: &str, value: Option<&RawValue>) -> Option<Option<Exact>> {
        let value = value.filter(|value| value.get() != "null")?;
        let text = scalar(value);
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            return None;
        }
        let read = text.as_ref().and_then(|text| Exact::from_text(text.trim()).ok());
        if read.is_none() {
            self.refused.get_or_insert_with(|| format!("{name} {}", shown(text.as_deref().unwrap_or(value.get()))));
        }
        Some(read)
    }

    /// The amount of what has this name, `None` where it is beyond what an amount is.
    fn keep(&mut self, named: Option<(&'static str, Option<i128>)>) -> Option<i128> {
        let (name, amount) = named?;
        if amount.is_none() {
            self.too_large.get_or_insert(name);
        }
        amount
    }
}

/// Gathers keys of products that look like one that counts.
#[derive(Default)]
struct LookAlikes {
    /// Of the product under way.
    seen: Vec<(String, Meant)>,
    /// Those of which the product lacks what they look like.
    missed: Vec<(String, &'static str)>,
}

impl LookAlikes {
    fn see(&mut self, key: &str) {
        // Products repeat their keys.
        let is_known = |meant: Meant| self.missed.iter().any(|(known, name)| known == key && *name == meant.name());
        if let Some(meant) = find_resemblance(key).filter(|meant| !is_known(*meant)) {
            self.seen.push((key.to_owned(), meant));
        }
    }

    /// Judges those of the product under way.
    fn judge(&mut self, lacks: impl Fn(Meant) -> bool) {
        for (key, meant) in self.seen.drain(..) {
            let missed = (key, meant.name());
            if lacks(meant) && !self.missed.contains(&missed) {
                self.missed.push(missed);
            }
        }
    }
}

/// What a property that may have products has.
enum Products {
    /// It is no list, or an empty one: another property may have them.
    Absent,
    /// More than are read.
    TooMany,
    /// At least one.
    Listed(Vec<Product>),
}

fn products_of(value: &RawValue, numbers: &mut Numbers, look_alikes: &mut LookAlikes) -> Products {
    let values = match ProductList::of(value) {
        Some(ProductList::Products(values)) => values,
        Some(ProductList::TooLong) => return Products::TooMany,
        None => {
            // A cell of a CSV file holds the array as a text.
            let inner = scalar(value).filter(|text| text.starts_with('['));
            let inner: Option<Box<RawValue>> = inner.and_then(|text| serde_json::from_str(&text).ok());
            return inner.map_or(Products::Absent, |inner| products_of(&inner, numbers, look_alikes));
        }
    };
    let given = values.into_iter().filter(|value| value.get() != "null");
    let products: Vec<Product> = given.map(|value| product(value, numbers, look_alikes)).collect();
    if products.is_empty() { Products::Absent } else { Products::Listed(products) }
}

fn product(value: &RawValue, numbers: &mut Numbers, look_alikes: &mut LookAlikes) -> Product {
    let picked = pick_and_look(value.get(), &PRODUCT_MEMBERS, &mut |key| look_alikes.see(key));
    let Some([product_id, sku, category, quantity, price, total, amount, discount, cost]) = picked else {
        look_alikes.judge(|_| false);
        return Product { product_id: text(value), quantity: Some(money::ONE), ..Product::default() };
    };
    let given_quantity = numbers.read_given("a product's quantity", quantity);
    let quantity = given_quantity.unwrap_or(Some(Exact::ONE));
    let [price, discount, cost] =
        [("a product's price", price), ("a product's discount", discount), ("a product's cost", cost)]
            .map(|(name, value)| numbers.read(name, value));
    let of_price = |(price, quantity): (Exact, Exact)| match discount {
        None => price.times(quantity),
        Some(discount) => price.times_less(quantity, discount),
    };
    let given = [("a product's total", total), ("a product's amount", amount)]
        .into_iter()
        .find_map(|(name, value)| numbers.read(name, value));
    let product_id = [product_id, sku].into_iter().flatten().find_map(text);
    look_alikes.judge(|meant| match meant {
        Meant::ProductId => product_id.is_none(),
        Meant::Quantity => given_quantity.is_none(),
        Meant::Price | Meant::Total => given.is_none() && price.is_none(),
        Meant::Discount => given.is_none() && discount.is_none(),
        Meant::Cost => cost.is_none(),
    });
    let amount = (given.map(|given| ("a product's total", given.amount())))
        .or_else(|| price.zip(quantity).map(|priced| ("a product's price x quantity", of_price(priced))));
    let cost = cost.zip(quantity).map(|(cost, quantity)| ("a product's cost x quantity", cost.times(quantity)));
    Product {
        product_id,
        category: category.and_then(path),
        quantity: numbers.keep(quantity.map(|quantity| ("a product's quantity", quantity.amount()))),
        amount: numbers.keep(amount),
        price: price.and_then(Exact::amount),
        cost: numbers.keep(cost),
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
