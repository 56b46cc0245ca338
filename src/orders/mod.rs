//! What an order is (SQL.md 1): what one event says of it, and how the events of one order become entries and items.
//!
//! `statement` reads an event on its way in, `event` is what is left of it, `resolve` turns the events of one order into
//! its bookings, `items` takes these apart, `key` names the order. Pure rules: must not know Arrow, SQL or storage.

mod event;
mod items;
pub mod key;
mod picked;
mod resolve;
mod statement;
#[cfg(test)]
mod tests;

pub use event::{OrderEvent, Row};
pub use items::Item;
pub use resolve::{Entry, Kind, Order, Totals, resolve};
pub use statement::{OwnLine, Product, Statement, read_statement};
