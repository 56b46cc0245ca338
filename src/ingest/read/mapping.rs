//! `--map target=column,...`: which columns feed which fields. Must not know any file: see `layout` for that.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use super::coerce::trim_blanks;
use super::field::{EventField, Treatment};
use crate::error::{Error, Result};
use crate::settings::similar_names;

/// What a column can be mapped to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    Field(EventField),
    /// `id.email`: an identifier of this type.
    Identifier(String),
    /// `properties.color`: this key of the properties; the way to keep a column away from the field of its name.
    Property(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Field(field) => f.write_str(field.name()),
            Target::Identifier(kind) => write!(f, "id.{kind}"),
            Target::Property(key) => write!(f, "properties.{key}"),
        }
    }
}

/// Target to columns. Only a category (its levels) and an identifier type (several of one type) have more than one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    entries: BTreeMap<Target, Vec<String>>,
}

/// By target name, sorted, so that the order on the command line does not change a content hash.
impl Serialize for Mapping {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.entries.iter().map(|(target, columns)| (target.to_string(), columns)))
    }
}

impl Mapping {
    /// Reads `ts=date,id.email=mail,category=a/b/c`. A backslash takes `,`, `/` or `\` in a column's name literally.
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_all(&[text])
    }

    /// As [`Mapping::parse`] for a flag that was given several times.
    pub fn parse_all<S: AsRef<str>>(texts: &[S]) -> Result<Self> {
        let mut mapping = Self::default();
        for text in texts {
            for pair in split_unescaped(text.as_ref(), ',') {
                if !pair.trim().is_empty() {
                    mapping.add(&pair)?;
                }
            }
        }
        Ok(mapping)
    }

    fn add(&mut self, pair: &str) -> Result<()> {
        let (target, column) = pair
            .split_once('=')
            .map(|(target, column)| (trim_blanks(target), trim_blanks(column)))
            .filter(|(target, column)| !target.is_empty() && !column.is_empty())
            .ok_or_else(|| Error::invalid(format!("'{}' is not a mapping: write target=column", pair.trim())))?;
        let target = parse_target(target)?;
        let is_path = matches!(&target, Target::Field(field) if field.treatment() == Treatment::Path);
        let columns = match is_path {
            true => split_unescaped(column, '/').iter().map(|level| unescape(level.trim())).collect(),
            false => vec![unescape(column)],
        };
        if columns.iter().any(String::is_empty) {
            return Err(Error::invalid(format!("'{}' names an empty column", pair.trim())));
        }
        let known = self.entries.entry(target.clone()).or_default();
        if !known.is_empty() && !matches!(target, Target::Identifier(_)) {
            return Err(Error::invalid(format!("'{target}' is mapped twice: to '{}' and '{column}'", known.join("/"))));
        }
        known.extend(columns);
        Ok(())
    }

    pub fn entries(&self) -> impl Iterator<Item = (&Target, &[String])> {
        self.entries.iter().map(|(target, columns)| (target, columns.as_slice()))
    }

    /// The types of identifiers that columns are mapped to.
    pub fn identifier_types(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().filter_map(|target| match target {
            Target::Identifier(kind) => Some(kind.as_str()),
            Target::Field(_) | Target::Property(_) => None,
        })
    }

    pub fn maps(&self, field: EventField) -> bool {
        self.entries.contains_key(&Target::Field(field))
    }
}

fn parse_target(name: &str) -> Result<Target> {
    if let Some(kind) = strip_prefix_in_any_case(name, "id.") {
        return match kind.to_ascii_lowercase() {
            // These two have columns of their own.
            kind if kind == "user_id" => Ok(Target::Field(EventField::UserId)),
            kind if kind == "anonymous_id" => Ok(Target::Field(EventField::AnonymousId)),
            kind if is_identifier_type(&kind) => Ok(Target::Identifier(kind)),
            _ => Err(Error::invalid(format!(
                "'{kind}' is not an identifier type: use lower-case letters, digits and '_', a letter first"
            ))),
        };
    }
    if let Some(key) = strip_prefix_in_any_case(name, "properties.").filter(|key| !key.is_empty()) {
        return Ok(Target::Property(unescape(key)));
    }
    EventField::from_name(name).map(Target::Field).ok_or_else(|| unknown_target(name))
}

fn strip_prefix_in_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

pub fn is_identifier_type(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn unknown_target(name: &str) -> Error {
    let names: Vec<&str> = EventField::all().map(EventField::name).collect();
    let similar = similar_names(name, names.iter().copied());
    let hint = match similar.is_empty() {
        true => format!("use one of {}, id.<type> or properties.<key>", names.join(", ")),
        false => format!("did you mean {}? (id.<type> maps an identifier)", similar.join(" or ")),
    };
    Error::invalid(format!("'{name}' is not a field of an event: {hint}"))
}

/// Pieces of `text` between separators that no backslash precedes. The backslashes stay.
pub fn split_unescaped(text: &str, separator: char) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut escaped = false;
    for character in text.chars() {
        if character == separator && !escaped {
            pieces.push(String::new());
            continue;
        }
        escaped = character == '\\' && !escaped;
        if let Some(piece) = pieces.last_mut() {
            piece.push(character);
        }
    }
    pieces
}

/// Takes a backslash away where it stands before `,`, `/` or another backslash; others are text.
pub fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match characters.peek() {
            Some(next @ (',' | '/' | '\\')) if character == '\\' => {
                plain.push(*next);
                characters.next();
            }
            _ => plain.push(character),
        }
    }
    plain
}
