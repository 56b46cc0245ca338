//! Rows that say money, but are in no order, since their event is neither a purchase nor a refund.

use std::collections::BTreeMap;

use super::Named;
use crate::orders::Statement;
use crate::settings::OrderSettings;

/// Event names that are told apart, and those that are shown.
const MOST_NAMES: usize = 100;
const SHOWN: usize = 3;

#[derive(Default)]
pub(super) struct NoOrder {
    rows: u64,
    /// By name; without a name by type.
    by_event: BTreeMap<Label, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Event(String),
    /// The type of rows without an event.
    Kind(String),
}

impl NoOrder {
    pub(super) fn add(&mut self, row: &Named<'_>, statement: &Statement) {
        let says_amount = row.has_revenue || (row.order_id.is_some() && statement.says_amount());
        if !says_amount {
            return;
        }
        self.rows += 1;
        let label = match row.event {
            Some(event) => Label::Event(event.to_owned()),
            None => Label::Kind(row.kind.to_owned()),
        };
        if self.by_event.len() < MOST_NAMES || self.by_event.contains_key(&label) {
            *self.by_event.entry(label).or_default() += 1;
        }
    }

    /// What is to be said, with the names that were most likely meant otherwise, then the most frequent ones.
    pub(super) fn note(&self, settings: &OrderSettings) -> Option<String> {
        if self.rows == 0 {
            return None;
        }
        let mut events: Vec<(Option<&str>, &Label, u64)> =
            self.by_event.iter().map(|(label, rows)| (meant(label, settings), label, *rows)).collect();
        events.sort_by_key(|(meant, label, rows)| (meant.is_none(), u64::MAX - rows, *label));
        let shown: Vec<String> =
            events.iter().take(SHOWN).map(|(meant, label, rows)| show(*meant, label, *rows)).collect();
        let more = events.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (rows, are) = if self.rows == 1 { ("row has", "is") } else { ("rows have", "are") };
        let nameless = match self.by_event.keys().any(|label| matches!(label, Label::Kind(_))) {
            true => "; rows without an event need --type track and --event",
            false => "",
        };
        Some(format!(
            "{} {rows} a revenue, or an order number and an amount, but {are} in no order, since the event is neither a \
             purchase nor a refund: {}{more}; if they are purchases, name their event in the setting purchase_events, beside \
             those that are there ({}): it holds for rows that are loaded already{nameless}",
            self.rows,
            shown.join(", "),
            settings.purchase_events.join(", "),
        ))
    }
}

fn show(meant: Option<&str>, label: &Label, rows: u64) -> String {
    match (label, meant) {
        (Label::Event(event), None) => format!("'{event}' ({rows})"),
        (Label::Event(event), Some(meant)) => format!("'{event}' ({rows}; the setting has '{meant}')"),
        (Label::Kind(kind), _) => format!("type {kind} without an event ({rows})"),
    }
}

/// The purchase or refund event that has the same letters and digits, in another case or spelling.
fn meant<'s>(label: &Label, settings: &'s OrderSettings) -> Option<&'s str> {
    let Label::Event(event) = label else { return None };
    let folded = fold(event);
    let known = settings.purchase_events.iter().chain(&settings.refund_events);
    known.map(String::as_str).find(|known| fold(known) == folded)
}

fn fold(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
