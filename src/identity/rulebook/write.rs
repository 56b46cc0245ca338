//! Rules as text that reads as the same rules: one line for each type, and what is as it is anyway left out.

use std::fmt::Write;

use super::read::EVENT_TIME;
use super::rules::{EdgeSource, Filter, FilterAction, Matches, Normalizer, OnShared, Rules, Source, TypeRules};
use crate::identity::link_rules::NO_LIMIT;

const HEAD: &str = "# Rules of identity stitching: docs/identity.md says what each key means.
version: 1
id_types:                      # highest priority first
";

pub(super) fn write(rules: &Rules) -> String {
    let mut text = HEAD.to_owned();
    for of_type in &rules.types {
        push(&mut text, &format!("  - {{{}}}", type_fields(of_type).join(", ")));
    }
    let block = block_fields(rules);
    if !block.is_empty() {
        push(&mut text, "block_values:                  # beside what is blocked always");
        block.iter().for_each(|field| push(&mut text, &format!("  {field}")));
    }
    push(&mut text, &format!("conflict: {{keep: {}}}", rules.keep.as_str()));
    let limits = [("max_identifiers", rules.max_identifiers), ("max_component_edges", rules.max_links)];
    let limits = limits.iter().filter(|(_, limit)| *limit != NO_LIMIT);
    let limits: Vec<String> = limits.map(|(key, limit)| format!("{key}: {limit}")).collect();
    if !limits.is_empty() {
        push(&mut text, &format!("limits: {{{}}}", limits.join(", ")));
    }
    if !rules.edges.is_empty() {
        push(&mut text, "edges:");
        rules.edges.iter().for_each(|edges| push(&mut text, &format!("  - {{{}}}", edge_fields(edges).join(", "))));
    }
    text
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn type_fields(of_type: &TypeRules) -> Vec<String> {
    let mut fields = vec![format!("name: {}", of_type.name), format!("class: {}", of_type.class.as_str())];
    if of_type.links.unique {
        fields.push("unique: true".to_owned());
    }
    if let Some(limit) = of_type.links.limit {
        fields.push(format!("limit: {{count: {}, per: {}}}", limit.count, limit.per.as_str()));
    }
    if let Some(count) = of_type.links.max_fanout {
        fields.push(match &of_type.fanout_of {
            Some(of) => format!("max_fanout: {{of: {of}, count: {count}}}"),
            None => format!("max_fanout: {count}"),
        });
    }
    if of_type.on_shared != OnShared::default() {
        fields.push(format!("on_shared: {}", of_type.on_shared.as_str()));
    }
    if let Some(normalize) = normalize_text(&of_type.normalize) {
        fields.push(format!("normalize: {normalize}"));
    }
    if !of_type.filters.is_empty() {
        let filters: Vec<String> = of_type.filters.iter().map(filter_text).collect();
        fields.push(format!("filters: [{}]", filters.join(", ")));
    }
    fields
}

fn normalize_text(normalizer: &Normalizer) -> Option<String> {
    match normalizer {
        Normalizer::None => None,
        Normalizer::Trim => Some("trim".to_owned()),
        Normalizer::Lower => Some("lower".to_owned()),
        Normalizer::Email => Some("email".to_owned()),
        Normalizer::Phone(None) => Some("phone".to_owned()),
        // In quotes: NO would be a truth to other readers of YAML.
        Normalizer::Phone(Some(region)) => Some(format!("{{phone: {}}}", quoted(region))),
    }
}

fn filter_text(filter: &Filter) -> String {
    let action = match filter.action {
        FilterAction::Include => "include",
        FilterAction::Exclude => "exclude",
    };
    match &filter.matches {
        Matches::Value(value) => format!("{{type: {action}, value: {}}}", quoted(value)),
        Matches::Pattern(pattern) => format!("{{type: {action}, regex: {}}}", quoted(pattern)),
    }
}

fn block_fields(rules: &Rules) -> Vec<String> {
    let list = |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
    let mut fields = Vec::new();
    if !rules.block.exact.is_empty() {
        fields.push(format!("exact: [{}]", list(&rules.block.exact)));
    }
    if !rules.block.patterns.is_empty() {
        fields.push(format!("regex: [{}]", list(&rules.block.patterns)));
    }
    if rules.block.min_length > 0 {
        fields.push(format!("min_length: {}", rules.block.min_length));
    }
    fields
}

fn edge_fields(edges: &EdgeSource) -> Vec<String> {
    let from = match &edges.from {
        Source::Events => "events".to_owned(),
        Source::EventsOf(kind) => format!("events.{kind}"),
        Source::Table(name) => quoted(name),
    };
    let mut fields = vec![format!("from: {from}"), format!("ids: [{}]", edges.ids.join(", "))];
    if edges.time != EVENT_TIME {
        fields.push(format!("time: {}", quoted(&edges.time)));
    }
    fields
}

/// In double quotes, with what is not shown as it is escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            '\u{2028}' | '\u{2029}' | '\u{feff}' => escape(character, &mut quoted),
            character if character.is_control() => escape(character, &mut quoted),
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// All of them are of 16 bits.
fn escape(character: char, into: &mut String) {
    // To write into a text cannot fail.
    let _ = write!(into, "\\u{:04x}", character as u32);
}
