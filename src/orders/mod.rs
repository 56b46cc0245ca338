//! What an order is (SQL.md 1): what one event says of it, and how the events of one order become entries and items.
//!
//! `statement` reads an event on its way in, `event` is what is left of it, `resolve` turns the events of one order into
//! its bookings, `items` takes these apart, `key` names the order, `product_keys` knows keys that count for nothing,
//! `product_list` how many products there may be, `large_numbers` guesses what `statement` will refuse. Pure rules: must
//! not know Arrow, SQL or storage.

mod event;
mod items;
pub mod key;
mod large_numbers;
mod order;
mod picked;
mod product_keys;
mod product_list;
mod resolve;
mod statement;
#[cfg(test)]
mod tests;

pub use event::{OrderEvent, Row};
pub use items::Item;
pub use large_numbers::{LARGE, may_be_too_large};
pub use order::{Entry, Kind, Order};
pub use product_list::{MOST_PRODUCTS, may_have_too_many_products};
pub use resolve::{Totals, resolve};
pub use statement::{OwnLine, Product, StatedPrices, Statement, is_read, read_statement, stated_prices};
