//! Rows that say money, but are in no order, since their event is neither a purchase nor a refund.

use std::collections::{BTreeMap, HashMap};

use super::Named;
use super::no_purchase::says_no_purchase;
use crate::ingest::setting_list::list_of;
use crate::orders::Statement;
use crate::settings::OrderSettings;

/// Event names that are told apart, and those that are shown.
const MOST_NAMES: usize = 100;
const SHOWN: usize = 3;
/// What GA4 calls a sale and a refund. Their number is `transaction_id` there, which is none here.
const SALE_ELSEWHERE: &str = "purchase";
const REFUND_ELSEWHERE: &str = "refund";
const PURCHASE_SETTING: &str = "purchase_events";
const REFUND_SETTING: &str = "refund_events";

#[derive(Default)]
pub(super) struct NoOrder {
    rows: u64,
    /// By name; without a name by type.
    by_event: BTreeMap<Label, u64>,
    /// By event name: whether it is that of a sale or a refund.
    sales: HashMap<String, bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Event(String),
    /// The type of rows without an event.
    Kind(String),
}

impl Label {
    fn event(&self) -> Option<&str> {
        match self {
            Label::Event(event) => Some(event),
            Label::Kind(_) => None,
        }
    }
}

impl NoOrder {
    pub(super) fn add(&mut self, row: &Named<'_>, said: Option<&Statement>, settings: &OrderSettings) {
        let mut is_of_order = || row.order_id.is_some() || row.event.is_some_and(|event| self.is_sale(event, settings));
        let says_money = row.has_revenue || (said.is_some_and(Statement::says_amount) && is_of_order());
        if !says_money {
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

    fn is_sale(&mut self, event: &str, settings: &OrderSettings) -> bool {
        if let Some(known) = self.sales.get(event) {
            return *known;
        }
        let found = is_sale(event, settings);
        if self.sales.len() < MOST_NAMES {
            self.sales.insert(event.to_owned(), found);
        }
        found
    }

    /// What is to be said, with the names that were most likely meant otherwise, then the most frequent ones.
    pub(super) fn note(&self, settings: &OrderSettings) -> Option<String> {
        if self.rows == 0 {
            return None;
        }
        let mut events: Vec<(Option<NearName<'_>>, &Label, u64)> =
            self.by_event.iter().map(|(label, rows)| (meant(label, settings), label, *rows)).collect();
        events.sort_by_key(|(meant, label, rows)| (meant.is_none(), u64::MAX - rows, *label));
        let shown: Vec<String> =
            events.iter().take(SHOWN).map(|(meant, label, rows)| show(*meant, label, *rows)).collect();
        let more = events.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (rows, are) = if self.rows == 1 { ("row has", "is") } else { ("rows have", "are") };
        let mut advice = String::new();
        let named: Vec<&str> = events.iter().filter_map(|(_, label, _)| label.event()).collect();
        if !named.is_empty() {
            advice.push_str(&advice_on_events(settings, events.iter().any(|(meant, ..)| meant.is_some())));
            advice.push_str(&command_for(&named, settings));
        }
        advice.extend(self.kinds().filter_map(advice_on_kind));
        Some(format!(
            "{} {rows} a revenue, or an amount and the number or name of an order, but {are} in no order, since the event is \
             neither a purchase nor a refund: {}{more}{advice}",
            self.rows,
            shown.join(", "),
        ))
    }

    /// The types of rows without an event.
    fn kinds(&self) -> impl Iterator<Item = &str> {
        self.by_event.keys().filter_map(|label| match label {
            Label::Kind(kind) => Some(kind.as_str()),
            Label::Event(_) => None,
        })
    }
}

fn advice_on_events(settings: &OrderSettings, has_near: bool) -> String {
    let near =
        if has_near { "; a name counts as the setting spells it: write it so, or add the other spelling" } else { "" };
    format!(
        "; name an event that is a purchase in the setting purchase_events, beside those that are there ({}), one that is \
         a refund in refund_events ({}): that holds for rows that are loaded already{near}",
        settings.purchase_events.join(", "),
        settings.refund_events.join(", "),
    )
}

/// The command that makes the events those of orders: all whose name says that they are sales or refunds, or else the most
/// frequent ones whose name does not say that they are none. It replaces the lists, so that it has to name all that is
/// there.
fn command_for(events: &[&str], settings: &OrderSettings) -> String {
    let sales: Vec<&str> = events.iter().copied().filter(|event| is_sale(event, settings)).collect();
    let has_sales = !sales.is_empty();
    let (left_out, meant): (Vec<&str>, Vec<&str>) = match has_sales {
        true => (Vec::new(), sales),
        false => events.iter().copied().partition(|event| says_no_purchase(event)),
    };
    let meant = if has_sales { &meant[..] } else { &meant[..meant.len().min(SHOWN)] };
    let others = names_of(&left_out);
    if meant.is_empty() {
        return format!("; by name these are no purchases, but what was not bought or was taken back: {others}");
    }
    let lists = [(PURCHASE_SETTING, &settings.purchase_events), (REFUND_SETTING, &settings.refund_events)];
    let arguments = lists.into_iter().filter_map(|(setting, held)| {
        let added: Vec<&str> = meant.iter().copied().filter(|event| setting_of(event, settings) == setting).collect();
        (!added.is_empty()).then(|| format!(" {setting}='{}'", list_of(held, &added)))
    });
    let arguments: String = arguments.collect();
    let unless = if !has_sales && meant.len() > 1 { ", without those that are no purchase" } else { "" };
    let without = match left_out.is_empty() {
        true => String::new(),
        false => format!(" (left out, as what was not bought or was taken back: {others})"),
    };
    format!("; the command takes the whole list{unless}{without}: convoke workspace set NAME{arguments}")
}

/// Some names, and how many there are more.
fn names_of(events: &[&str]) -> String {
    let shown: Vec<String> = events.iter().take(SHOWN).map(|event| format!("'{event}'")).collect();
    match events.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The setting that an event is to be named in.
fn setting_of(event: &str, settings: &OrderSettings) -> &'static str {
    match near_name(event, settings) {
        Some(near) => near.setting,
        None if event.eq_ignore_ascii_case(REFUND_ELSEWHERE) => REFUND_SETTING,
        None => PURCHASE_SETTING,
    }
}

/// What rows of a type are for that have no event.
fn advice_on_kind(kind: &str) -> Option<String> {
    if kind == "identify" {
        return Some(
            "; the revenue of a row of type identify makes no order, and its column no trait: --map \
             'properties.NAME=COLUMN' makes a trait of it"
                .to_owned(),
        );
    }
    let takes_default = matches!(kind, "track" | "page" | "screen");
    takes_default.then(|| {
        format!(
            "; a row of type {kind} without an event gets one by --event when it is loaded: those that are there stay as \
             they are, and --again puts the same rows beside them"
        )
    })
}

fn show(meant: Option<NearName<'_>>, label: &Label, rows: u64) -> String {
    match (label, meant) {
        (Label::Event(event), None) => format!("'{event}' ({rows})"),
        (Label::Event(event), Some(NearName { setting, name })) => {
            format!("'{event}' ({rows}; the setting {setting} has '{name}')")
        }
        (Label::Kind(kind), _) => format!("type {kind} without an event ({rows})"),
    }
}

/// The event that a name was most likely meant to be, and the setting that holds it.
#[derive(Debug, Clone, Copy)]
struct NearName<'s> {
    setting: &'static str,
    name: &'s str,
}

fn meant<'s>(label: &Label, settings: &'s OrderSettings) -> Option<NearName<'s>> {
    near_name(label.event()?, settings)
}

/// The purchase or refund event that has the same letters and digits, in another case or spelling.
fn near_name<'s>(event: &str, settings: &'s OrderSettings) -> Option<NearName<'s>> {
    let folded = fold(event);
    let of = |setting: &'static str, names: &'s [String]| {
        names.iter().find(|name| fold(name) == folded).map(|name| NearName { setting, name })
    };
    of(PURCHASE_SETTING, &settings.purchase_events).or_else(|| of(REFUND_SETTING, &settings.refund_events))
}

/// Whether the name alone says that the event is a sale or a refund: other events say amounts, too, such as those of a cart.
fn is_sale(event: &str, settings: &OrderSettings) -> bool {
    [SALE_ELSEWHERE, REFUND_ELSEWHERE].iter().any(|name| event.eq_ignore_ascii_case(name))
        || near_name(event, settings).is_some()
}

fn fold(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
