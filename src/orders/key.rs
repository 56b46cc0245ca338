//! How an order is named where its events give no number, or where a number counts within a brand or source.

use std::borrow::Cow;

use chrono::{Days, NaiveDate};

/// Days since 1970-01-01, local to the workspace.
pub type Day = i32;

/// The name of an order without a number: all that one main node buys on a local day, so that merges never change it.
/// An event without a node is an order of its own.
pub fn name_without_number(node: Option<i64>, day: Day, message_id: &str) -> String {
    match node {
        Some(node) => format!("{OF_DAY}{}:{node}", iso(day)),
        None => format!("{OF_EVENT}{message_id}"),
    }
}

/// What names begin with that are made up.
const OF_DAY: &str = "day:";
const OF_EVENT: &str = "event:";

/// The name of an order with a number: the number.
///
/// One that looks made up gets a `\` in front, and one more where it has some: a shop's own number `day:2024-01-01:0`
/// would be one order with what a stranger bought on that day. No two numbers get the same name.
pub fn name_of_number(number: &str) -> Cow<'_, str> {
    let bare = number.trim_start_matches('\\');
    match bare.starts_with(OF_DAY) || bare.starts_with(OF_EVENT) {
        true => Cow::Owned(format!("\\{number}")),
        false => Cow::Borrowed(number),
    }
}

fn iso(day: Day) -> String {
    let epoch = NaiveDate::default();
    let days = Days::new(u64::from(day.unsigned_abs()));
    let date = if day < 0 { epoch.checked_sub_days(days) } else { epoch.checked_add_days(days) };
    date.map_or_else(|| day.to_string(), |date| date.to_string())
}

/// The number within `part`, such as a brand: `part/number`, a number without one alone. A '/' of their own is `\/`.
pub fn within(number: &str, part: Option<&str>) -> String {
    let escape = |text: &str| text.replace('\\', "\\\\").replace('/', "\\/");
    match part {
        Some(part) => format!("{}/{}", escape(part), escape(number)),
        None => escape(number),
    }
}
