//! One purchase or refund event as the rules of orders see it.

use crate::money;

/// A purchase or refund event. Amounts, quantities and costs are ten-thousandths.
#[derive(Debug, Clone, Default)]
pub struct OrderEvent<'a> {
    /// The caller's own number of the event.
    pub source: usize,
    /// Microseconds since 1970.
    pub ts: i64,
    pub received_at: i64,
    pub message_id: &'a str,
    pub is_refund: bool,
    /// States its order whole: it has a number, and products or a total of its own.
    pub whole: bool,
    /// What it says of money in all; `None` when it says nothing.
    pub amount: Option<i128>,
    /// Names a product of which neither an amount nor a price is said, and no amount that holds for all.
    pub unpriced: bool,
    pub currency: Option<&'a str>,
    pub cost: Option<i128>,
    /// Pieces of all its products. `None` when it has none, but 0 for a line whose own quantity is not known.
    pub pieces: Option<i128>,
    pub quantity: Option<i128>,
    pub product_id: Option<&'a str>,
    /// As [`Row::price`], of the event as its own single line.
    pub price: Option<i128>,
    /// Its products, where the caller needs items, or prices of products.
    pub products: Vec<Row<'a>>,
}

/// One product of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row<'a> {
    pub product_id: Option<&'a str>,
    /// `None` where it is not known.
    pub quantity: Option<i128>,
    pub amount: Option<i128>,
    /// What is stated as the price of a piece. The amount may be another one: less a discount, or stated itself.
    pub price: Option<i128>,
    pub cost: Option<i128>,
    /// Where the event holds it, for what is not needed here: `None` is the event itself.
    pub position: Option<usize>,
}

impl<'a> OrderEvent<'a> {
    /// The order of events within an order: no two events have the same message id.
    pub fn sort_key(&self) -> (i64, i64, &'a str) {
        (self.ts, self.received_at, self.message_id)
    }

    /// The event as its own single line.
    pub fn own_row(&self, amount: i128) -> Row<'a> {
        Row {
            product_id: self.product_id,
            quantity: if self.pieces.is_none() { Some(self.quantity.unwrap_or(money::ONE)) } else { self.quantity },
            amount: Some(amount),
            price: self.price,
            cost: self.cost,
            position: None,
        }
    }

    /// Pieces without a look at the products.
    pub fn pieces(&self) -> i128 {
        self.pieces.or(self.quantity).unwrap_or(money::ONE)
    }

    /// Of an event that states its order whole: of lines see [`Self::pieces`].
    pub fn has_products(&self) -> bool {
        self.pieces.is_some()
    }
}
