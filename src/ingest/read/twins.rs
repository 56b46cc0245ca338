//! Keys of one row that are one field by their names and say different things: one counts, and the others are told.
//!
//! Must not know what the keys are for.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::value::RawValue;

use super::json::{identifier_text, is_empty};
use super::look_alike::escape;
use super::mapping::Target;

/// Pairs that are told apart.
const MOST_PAIRS: usize = 100;

/// Twins of a file by their names. All clones share them.
#[derive(Debug, Clone, Default)]
pub struct Twins {
    rows: Arc<Mutex<BTreeMap<Pair, u64>>>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    taken: String,
    left: String,
    /// What a mapping would feed from the one that is left; `None` where no mapping reaches it.
    target: Option<Target>,
}

/// A key and its value.
pub type Member<'m> = (&'m str, &'m RawValue);

impl Twins {
    /// Takes note of a row that has both, unless what is left says the same or nothing.
    pub fn note(&self, taken: Member<'_>, left: Member<'_>, target: Option<Target>) {
        let says_nothing = is_empty(left.1) || text_of(left.1).is_empty();
        if says_nothing || text_of(taken.1) == text_of(left.1) {
            return;
        }
        let pair = Pair { taken: taken.0.to_owned(), left: left.0.to_owned(), target };
        let mut rows = self.rows.lock();
        if rows.len() < MOST_PAIRS || rows.contains_key(&pair) {
            *rows.entry(pair).or_default() += 1;
        }
    }

    pub fn notes(&self) -> Vec<String> {
        self.rows.lock().iter().map(|(pair, rows)| pair.note(*rows)).collect()
    }
}

impl Pair {
    fn note(&self, rows: u64) -> String {
        let Self { taken, left, target } = self;
        let have = if rows == 1 { "row has" } else { "rows have" };
        let remedy = match target {
            Some(target) => format!("rename one; --map '{target}={}' takes the other one, of all rows", escape(left)),
            None => "rename one".to_owned(),
        };
        format!("{rows} {have} both '{taken}' and '{left}' with different values, and '{taken}' alone counts: {remedy}")
    }
}

/// The value as a field takes it: numbers and texts of the same digits are the same.
fn text_of(value: &RawValue) -> String {
    let text = identifier_text(value).ok().flatten();
    text.as_deref().unwrap_or(value.get()).trim().to_owned()
}
