//! Rows of a load that say word for word what earlier loads said: a file that was corrected and loaded whole counts its
//! good rows twice, and nothing else tells.
//!
//! Must not know what an order adds up to: only which statements add up.

use std::collections::HashMap;

use super::held::Held;
use crate::orders::Product;

/// What a row says, whichever file it came in and whatever its message is called.
#[derive(PartialEq, Eq, Hash)]
struct Words<'h> {
    ts: i64,
    event: &'h str,
    node: Option<i64>,
    part: Option<&'h str>,
    brand: Option<&'h str>,
    currency: Option<&'h str>,
    product_id: Option<&'h str>,
    quantity: Option<i128>,
    amount: Option<i128>,
    products: Vec<ProductWords<'h>>,
}

#[derive(PartialEq, Eq, Hash)]
struct ProductWords<'h> {
    product_id: Option<&'h str>,
    quantity: Option<i128>,
    amount: Option<i128>,
}

/// How many of the load's rows among the events of one key are there already. Each earlier row stands for one.
pub(super) fn count(events: &[Held]) -> u64 {
    let whole = whole_until(events);
    let mut earlier: HashMap<Words<'_>, u64> = HashMap::new();
    for held in events.iter().filter(|held| held.is_earlier && adds_up(held, &whole)) {
        *earlier.entry(words_of(held)).or_default() += 1;
    }
    if earlier.is_empty() {
        return 0;
    }
    let of_load = events.iter().filter(|held| !held.is_earlier && adds_up(held, &whole));
    of_load.filter(|held| take_one(&mut earlier, &words_of(held))).count() as u64
}

fn take_one<'h>(earlier: &mut HashMap<Words<'h>, u64>, words: &Words<'h>) -> bool {
    let Some(left) = earlier.get_mut(words).filter(|left| **left > 0) else { return false };
    *left -= 1;
    true
}

/// Until when the purchases of an order are replaced by a statement of the whole, by what the number counts within.
fn whole_until(events: &[Held]) -> HashMap<Option<&str>, i64> {
    let mut until = HashMap::new();
    for held in events.iter().filter(|held| states_whole(held)) {
        let last = until.entry(held.part.as_deref()).or_insert(held.ts);
        *last = held.ts.max(*last);
    }
    until
}

fn states_whole(held: &Held) -> bool {
    !held.is_refund && held.has_number && held.statement.whole
}

/// Whether it counts beside an equal one. What states an order whole replaces what was stated before, and of refunds that
/// say nothing of what is given back the first gives back the rest.
fn adds_up(held: &Held, whole_until: &HashMap<Option<&str>, i64>) -> bool {
    if held.is_refund {
        return held.statement.amount.is_some() || held.statement.unpriced;
    }
    let is_replaced = whole_until.get(&held.part.as_deref()).is_some_and(|until| held.ts <= *until);
    !states_whole(held) && !is_replaced
}

fn words_of(held: &Held) -> Words<'_> {
    Words {
        ts: held.ts,
        event: &held.event,
        node: held.node,
        part: held.part.as_deref(),
        brand: held.brand.as_deref(),
        currency: held.currency.as_deref(),
        product_id: held.product_id.as_deref(),
        quantity: held.quantity,
        amount: held.statement.amount,
        products: held.statement.products.iter().map(words_of_product).collect(),
    }
}

fn words_of_product(product: &Product) -> ProductWords<'_> {
    ProductWords { product_id: product.product_id.as_deref(), quantity: product.quantity, amount: product.amount }
}
