//! `id_types`: the types in their order, with what holds for each.

use crate::error::shown;
use crate::identity::identifier::{IdentifierClass, IdentifierTypes, MAX_TYPES, name_fault};
use crate::identity::link_rules::{Limit, Period};
use crate::identity::rulebook::faults::{Fault, Faults};
use crate::identity::rulebook::fields::{Fields, any_of, refuse};
use crate::identity::rulebook::pattern;
use crate::identity::rulebook::rules::{Filter, FilterAction, Matches, Normalizer, OnShared, TypeRules};
use crate::identity::rulebook::yaml::{Entry, Node, Value};
use convoke_udfs::normalize::Region;

const KEYS: [&str; 8] = ["name", "class", "unique", "limit", "normalize", "filters", "max_fanout", "on_shared"];

/// All types, highest priority first. Types of the program that the list leaves out follow behind those of their class.
pub(super) fn read(entry: &Entry, faults: &mut Faults) -> Vec<TypeRules> {
    let mut types: Vec<TypeRules> = Vec::new();
    let mut of_shared = Vec::new();
    for node in entry.items("identifier types", faults) {
        let Some(read) = read_type(node, faults) else { continue };
        if types.iter().any(|known| known.name == read.name) {
            faults.push(Fault::at(node.line, "name", format!("{} stands twice in id_types", shown(&read.name))));
            continue;
        }
        if let Some(of) = &read.fanout_of {
            of_shared.push((node.line, of.clone()));
        }
        types.push(read);
    }
    add_left_out(&mut types);
    if types.len() > MAX_TYPES {
        let fault = format!("has {} types with those of the program, more than {MAX_TYPES}", types.len());
        faults.push(Fault::at(entry.line, "id_types", fault));
    }
    for (line, of) in of_shared {
        check_known(&of, line, "of", &types, faults);
    }
    types
}

/// Whether there is a type of this name.
pub(super) fn check_known(name: &str, line: usize, key: &str, types: &[TypeRules], faults: &mut Faults) -> bool {
    let is_known = types.iter().any(|known| known.name == name);
    if !is_known {
        let names: Vec<&str> = types.iter().map(|known| known.name.as_str()).collect();
        let fault = format!("names {}, which is no identifier type: the types are {}", shown(name), names.join(", "));
        faults.push(Fault::at(line, key, fault));
    }
    is_known
}

/// Behind the last type whose class is not of lower priority.
fn add_left_out(types: &mut Vec<TypeRules>) {
    let all = IdentifierTypes::default();
    for id in all.by_priority() {
        let (name, class) = (all.name(id), all.class(id));
        if types.iter().all(|known| known.name != name) {
            let last = types.iter().rposition(|known| known.class <= class);
            types.insert(last.map_or(0, |last| last + 1), TypeRules::new(name, class));
        }
    }
}

fn read_type(node: &Node, faults: &mut Faults) -> Option<TypeRules> {
    let fields = Fields::of(node, "an identifier type", "id_types", &KEYS, faults)?;
    let name = fields.required("name", faults)?;
    let line = name.value.line;
    let name = name.text(faults)?;
    if let Some(fault) = name_fault(name) {
        faults.push(Fault::at(line, "", fault));
        return None;
    }
    let mut read = TypeRules::new(name, class_of(name, fields, faults)?);
    if let Some(entry) = fields.entry("unique") {
        read.links.unique = entry.flag(faults).unwrap_or_default();
    }
    if let Some(entry) = fields.entry("limit") {
        read.links.limit = limit(entry, faults);
        if read.links.unique {
            let fault = "stands beside unique, which is a limit of one for ever: leave one of them out";
            faults.push(Fault::at(entry.line, "limit", fault.to_owned()));
        }
    }
    if let Some(entry) = fields.entry("max_fanout") {
        (read.links.max_fanout, read.fanout_of) = fanout(entry, faults);
    }
    if let Some(entry) = fields.entry("on_shared") {
        let words = OnShared::ALL.map(|shared| (shared.as_str(), shared));
        read.on_shared = entry.one_of(&words, faults).unwrap_or_default();
    }
    if let Some(entry) = fields.entry("normalize") {
        read.normalize = normalizer(entry, faults).unwrap_or_default();
    }
    if let Some(entry) = fields.entry("filters") {
        read.filters = entry.items("filters", faults).iter().filter_map(|node| filter(node, faults)).collect();
    }
    Some(read)
}

/// The class that is written, or that of a type of the program.
fn class_of(name: &str, fields: Fields<'_>, faults: &mut Faults) -> Option<IdentifierClass> {
    let words = IdentifierClass::ALL.map(|class| (class.as_str(), class));
    let Some(entry) = fields.entry("class") else {
        let all = IdentifierTypes::default();
        if let Ok(id) = all.id(name) {
            return Some(all.class(id));
        }
        let fault = format!("is missing here: {} is a type of your own, write person, device or cookie", shown(name));
        faults.push(Fault::at(fields.line, "class", fault));
        return None;
    };
    if matches!(&entry.value.value, Value::Plain(text) | Value::Quoted(text) if text == "household") {
        let fault = "cannot be household, which is not supported yet: write person, device or cookie";
        faults.push(Fault::at(entry.value.line, "class", fault.to_owned()));
        return None;
    }
    entry.one_of(&words, faults)
}

fn limit(entry: &Entry, faults: &mut Faults) -> Option<Limit> {
    let fields = Fields::of(&entry.value, "a limit", "limit", &["count", "per"], faults)?;
    let count = fields.required("count", faults)?.number(1, faults);
    let per = match fields.entry("per") {
        Some(entry) => entry.one_of(&Period::ALL.map(|period| (period.as_str(), period)), faults),
        None => Some(Period::Ever),
    };
    Some(Limit { count: count?, per: per? })
}

/// A number, or a number of values of one type.
fn fanout(entry: &Entry, faults: &mut Faults) -> (Option<u32>, Option<String>) {
    if !matches!(entry.value.value, Value::Map(_)) {
        return (entry.number(1, faults), None);
    }
    let fields = Fields::of(&entry.value, "max_fanout", "max_fanout", &["of", "count"], faults);
    let Some(fields) = fields else { return (None, None) };
    let count = fields.required("count", faults).and_then(|entry| entry.number(1, faults));
    let of = fields.entry("of").and_then(|entry| entry.text(faults)).map(str::to_owned);
    (count, of)
}

fn normalizer(entry: &Entry, faults: &mut Faults) -> Option<Normalizer> {
    if !matches!(entry.value.value, Value::Map(_)) {
        let words = [
            ("email", Normal::Email),
            ("phone", Normal::Phone),
            ("trim", Normal::Trim),
            ("lower", Normal::Lower),
            ("none", Normal::None),
        ];
        return entry.one_of(&words, faults).map(Normal::of);
    }
    let fields = Fields::of(&entry.value, "normalize", "normalize", &["phone"], faults)?;
    let entry = fields.required("phone", faults)?;
    let region = entry.text(faults)?;
    let is_country = region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase()) && region != "ZZ";
    if !is_country || Region::new(region).is_none() {
        refuse(&entry.value, "phone", "write the two letters of a country, such as CN or DE", faults);
        return None;
    }
    Some(Normalizer::Phone(Some(region.to_owned())))
}

/// The normalisers that are written as one word.
#[derive(Clone, Copy)]
enum Normal {
    Email,
    Phone,
    Trim,
    Lower,
    None,
}

impl Normal {
    fn of(self) -> Normalizer {
        match self {
            Self::Email => Normalizer::Email,
            Self::Phone => Normalizer::Phone(None),
            Self::Trim => Normalizer::Trim,
            Self::Lower => Normalizer::Lower,
            Self::None => Normalizer::None,
        }
    }
}

fn filter(node: &Node, faults: &mut Faults) -> Option<Filter> {
    let fields = Fields::of(node, "a filter", "filters", &["type", "value", "regex"], faults)?;
    let words = [("include", FilterAction::Include), ("exclude", FilterAction::Exclude)];
    let action = fields.required("type", faults)?.one_of(&words, faults)?;
    let matches = match (fields.entry("value"), fields.entry("regex")) {
        (Some(value), None) => Matches::Value(value.text(faults)?.to_owned()),
        (None, Some(regex)) => {
            let text = regex.text(faults)?;
            if let Err(fault) = pattern::check(text) {
                faults.push(Fault::at(regex.value.line, "regex", fault));
                return None;
            }
            Matches::Pattern(text.to_owned())
        }
        _ => {
            let fault = format!("needs {}, and one of them only", any_of(&["value", "regex"]));
            faults.push(Fault::at(node.line, "filters", fault));
            return None;
        }
    };
    Some(Filter { action, matches })
}
