//! Rows of a load that say word for word what earlier loads said: a file that was corrected and loaded whole counts its
//! good rows twice, and nothing else tells.
//!
//! Must not know what an order adds up to: only which statements add up.

use std::collections::HashMap;
use std::iter::Sum;

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

/// Rows of a load that earlier loads brought.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Repeated {
    word_for_word: u64,
    /// Rows of one number, event, time and amount, of which one says what the other leaves open, or names another person:
    /// a file loaded once more with another mapping gives such rows.
    otherwise: u64,
}

impl Repeated {
    pub(super) fn rows(self) -> u64 {
        self.word_for_word + self.otherwise
    }

    /// In what they are like the earlier ones.
    pub(super) fn likeness(self) -> String {
        const BY_NUMBER: &str =
            "by order number, event, time and amount, though with other columns, as by another --map";
        match (self.word_for_word, self.otherwise) {
            (_, 0) => "word for word".to_owned(),
            (0, _) => BY_NUMBER.to_owned(),
            (same, others) => format!("{same} word for word and {others} {BY_NUMBER}"),
        }
    }
}

impl Sum for Repeated {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| Self {
            word_for_word: sum.word_for_word + part.word_for_word,
            otherwise: sum.otherwise + part.otherwise,
        })
    }
}

/// How many of the load's rows among the events of one key are there already. Each earlier row stands for one.
pub(super) fn count(events: &[Held]) -> Repeated {
    let whole = whole_until(events);
    let mut earlier: HashMap<Words<'_>, u64> = HashMap::new();
    for held in events.iter().filter(|held| held.is_earlier && adds_up(held, &whole)) {
        *earlier.entry(words_of(held)).or_default() += 1;
    }
    if earlier.is_empty() {
        return Repeated::default();
    }
    let of_load = events.iter().filter(|held| !held.is_earlier && adds_up(held, &whole));
    let (same, others): (Vec<&Held>, Vec<&Held>) = of_load.partition(|held| take_one(&mut earlier, &words_of(held)));
    let of_number: Vec<Words<'_>> = others.into_iter().filter(|held| held.has_number).map(words_of).collect();
    Repeated { word_for_word: same.len() as u64, otherwise: count_otherwise(earlier, &of_number) }
}

/// How many of the load's rows are those of `earlier` but for what another mapping changes.
fn count_otherwise<'h>(earlier: HashMap<Words<'h>, u64>, of_load: &[Words<'h>]) -> u64 {
    if of_load.is_empty() {
        return 0;
    }
    // Few rows of a number are of one time and amount.
    let mut left: HashMap<_, Vec<(Words<'h>, u64)>> = HashMap::new();
    for (words, count) in earlier {
        left.entry(words.booking()).or_default().push((words, count));
    }
    let mut found = 0;
    for words in of_load {
        let candidates = left.get_mut(&words.booking()).map(Vec::as_mut_slice).unwrap_or_default();
        if let Some((_, count)) = candidates.iter_mut().find(|(other, count)| *count > 0 && words.may_be(other)) {
            *count -= 1;
            found += 1;
        }
    }
    found
}

impl<'h> Words<'h> {
    /// What no other mapping of persons and products changes.
    fn booking(&self) -> (i64, &'h str, Option<i128>) {
        (self.ts, self.event, self.amount)
    }

    /// Whether nothing but the person differs that both say.
    fn may_be(&self, other: &Self) -> bool {
        agree(self.part, other.part)
            && agree(self.brand, other.brand)
            && agree(self.currency, other.currency)
            && agree(self.product_id, other.product_id)
            && agree(self.quantity, other.quantity)
            && self.products == other.products
    }
}

fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.zip(other).is_none_or(|(one, other)| one == other)
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
