//! Reads keys and values of a mapping, and notes what is wrong with them. Knows no rules.

use super::faults::{Fault, Faults};
use super::yaml::{Entry, Node, Value, is_nothing};
use crate::error::shown;
use crate::settings::did_you_mean;

/// A mapping of known keys.
#[derive(Clone, Copy)]
pub(super) struct Fields<'n> {
    pub(super) line: usize,
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    /// The mapping at `node`; `what` says what it is ("a type") for what is said of a key that is not `known`.
    pub(super) fn of(node: &'n Node, what: &str, key: &str, known: &[&str], faults: &mut Faults) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            let known = known.join(", ");
            let kind = node.value.kind();
            let fault = format!("is {kind}: {what} is a mapping of the keys {known}");
            faults.push(Fault::at(node.line, key, fault));
            return None;
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let hint = did_you_mean(&entry.key, known.iter().copied(), "see docs/identity.md.");
            let fault = format!("is no key of {what}: {hint} It has the keys {}", known.join(", "));
            faults.push(Fault::at(entry.line, &entry.key, fault));
        }
        Some(Self { line: node.line, entries })
    }

    pub(super) fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// A value that must be there.
    pub(super) fn required(&self, key: &str, faults: &mut Faults) -> Option<&'n Entry> {
        let found = self.entry(key);
        if found.is_none() {
            faults.push(Fault::at(self.line, key, "is missing here".to_owned()));
        }
        found
    }
}

impl Entry {
    fn refuse(&self, allowed: &str, faults: &mut Faults) {
        refuse(&self.value, &self.key, allowed, faults);
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, faults: &mut Faults) -> Option<bool> {
        let flag = match &self.value.value {
            Value::Plain(text) => match text.as_str() {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" => Some(false),
                _ => None,
            },
            _ => None,
        };
        if flag.is_none() {
            self.refuse("write true or false", faults);
        }
        flag
    }

    /// A whole number from `least` on that is below the largest of 32 bits, which stands for none.
    pub(super) fn number(&self, least: u32, faults: &mut Faults) -> Option<u32> {
        let number = match &self.value.value {
            Value::Plain(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| (least..u32::MAX).contains(number));
        if number.is_none() {
            self.refuse(&format!("write a whole number, at least {least}"), faults);
        }
        number
    }

    pub(super) fn text(&self, faults: &mut Faults) -> Option<&str> {
        text(&self.value, &self.key, faults)
    }

    /// One of some words.
    pub(super) fn one_of<T: Copy>(&self, words: &[(&str, T)], faults: &mut Faults) -> Option<T> {
        let given = match &self.value.value {
            Value::Plain(text) | Value::Quoted(text) => Some(text.as_str()),
            Value::List(_) | Value::Map(_) => None,
        };
        let found = given.and_then(|given| words.iter().find(|(word, _)| *word == given)).map(|(_, meant)| *meant);
        if found.is_none() {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.refuse(&format!("write {}", any_of(&words)), faults);
        }
        found
    }

    /// The elements of a list.
    pub(super) fn items(&self, of: &str, faults: &mut Faults) -> &[Node] {
        match &self.value.value {
            Value::List(items) => items,
            _ => {
                self.refuse(&format!("write a list of {of}"), faults);
                &[]
            }
        }
    }

    /// The elements of a list of texts, each with its line.
    pub(super) fn texts(&self, of: &str, faults: &mut Faults) -> Vec<(usize, String)> {
        let items = self.items(of, faults);
        items.iter().filter_map(|item| Some((item.line, text(item, &self.key, faults)?.to_owned()))).collect()
    }
}

/// A text, with or without quotes.
fn text<'n>(node: &'n Node, key: &str, faults: &mut Faults) -> Option<&'n str> {
    match &node.value {
        Value::Quoted(text) => Some(text),
        Value::Plain(text) if !is_nothing(text) => Some(text),
        Value::Plain(text) if !text.is_empty() => {
            refuse(node, key, &format!("write \"{text}\" in quotes to mean the text"), faults);
            None
        }
        _ => {
            refuse(node, key, "write a text", faults);
            None
        }
    }
}

pub(super) fn refuse(node: &Node, key: &str, allowed: &str, faults: &mut Faults) {
    faults.push(Fault::at(node.line, key, format!("cannot be {}: {allowed}", node.value.kind())));
}

/// "a, b or c".
pub(super) fn any_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// What is said of a name that stands twice in a list.
pub(super) fn twice(line: usize, name: &str, faults: &mut Faults) {
    faults.push(Fault::at(line, "", format!("{} stands twice in the list", shown(name))));
}
