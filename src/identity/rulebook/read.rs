//! The tree of a text to checked rules. What is wrong is noted, and reading goes on.

mod edges;
mod types;

use super::faults::{Fault, Faults};
use super::fields::{Fields, twice};
use super::pattern;
use super::rules::{BlockRules, Rules};
use super::yaml;
use crate::error::Result;
use crate::identity::IdentifierTypes;
use crate::identity::link_rules::{Keep, NO_LIMIT};

pub(super) use self::edges::EVENT_TIME;

const KEYS: [&str; 8] = ["version", "entity", "id_types", "block_values", "conflict", "limits", "edges", "overrides"];

/// # Errors
/// `InvalidInput` with all that is wrong, each with its line and key.
pub(super) fn read(text: &str) -> Result<Rules> {
    let mut faults = Faults::default();
    let mut rules = Rules::of_types(&IdentifierTypes::default());
    if let Some(root) = yaml::read(text, &mut faults) {
        // A text of comments alone.
        let says_nothing = matches!(&root.value, yaml::Value::Plain(text) if yaml::is_nothing(text));
        if !says_nothing && let Some(fields) = Fields::of(&root, "a text of rules", "", &KEYS, &mut faults) {
            read_all(fields, &mut rules, &mut faults);
        }
    }
    match faults.is_empty() {
        true => Ok(rules),
        false => Err(faults.into_error()),
    }
}

fn read_all(fields: Fields<'_>, rules: &mut Rules, faults: &mut Faults) {
    if let Some(entry) = fields.entry("version") {
        entry.one_of(&[("1", ())], faults);
    }
    if let Some(entry) = fields.entry("entity") {
        entry.one_of(&[("user", ())], faults);
    }
    if let Some(entry) = fields.entry("overrides") {
        entry.one_of(&[("identity_overrides", ())], faults);
    }
    if let Some(entry) = fields.entry("id_types") {
        rules.types = types::read(entry, faults);
    }
    if let Some(entry) = fields.entry("block_values")
        && let Some(fields) =
            Fields::of(&entry.value, "block_values", "block_values", &["exact", "regex", "min_length"], faults)
    {
        rules.block = read_block(fields, faults);
    }
    if let Some(entry) = fields.entry("conflict")
        && let Some(fields) = Fields::of(&entry.value, "conflict", "conflict", &["keep"], faults)
        && let Some(keep) = fields.required("keep", faults)
        && let Some(keep) = keep.one_of(&Keep::ALL.map(|keep| (keep.as_str(), keep)), faults)
    {
        rules.keep = keep;
    }
    if let Some(entry) = fields.entry("limits")
        && let Some(fields) =
            Fields::of(&entry.value, "limits", "limits", &["max_identifiers", "max_component_edges"], faults)
    {
        let mut limit = |key| fields.entry(key).and_then(|entry| entry.number(2, faults)).unwrap_or(NO_LIMIT);
        (rules.max_identifiers, rules.max_links) = (limit("max_identifiers"), limit("max_component_edges"));
    }
    if let Some(entry) = fields.entry("edges") {
        rules.edges = edges::read(entry, &rules.types, faults);
    }
    pattern::check_count(rules, faults);
}

fn read_block(fields: Fields<'_>, faults: &mut Faults) -> BlockRules {
    let mut block = BlockRules::default();
    if let Some(entry) = fields.entry("exact") {
        for (line, value) in entry.texts("texts", faults) {
            let value = value.trim().to_owned();
            match block.exact.contains(&value) {
                true => twice(line, &value, faults),
                false => block.exact.push(value),
            }
        }
    }
    if let Some(entry) = fields.entry("regex") {
        for (line, text) in entry.texts("patterns", faults) {
            match pattern::check(&text) {
                Err(fault) => faults.push(Fault::at(line, "regex", fault)),
                Ok(()) if block.patterns.contains(&text) => twice(line, &text, faults),
                Ok(()) => block.patterns.push(text),
            }
        }
    }
    if let Some(entry) = fields.entry("min_length") {
        block.min_length = entry.number(0, faults).unwrap_or_default();
    }
    block
}
