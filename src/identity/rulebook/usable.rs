//! Which identifiers of an event identify somebody, and in which spelling. Asked for every identifier of every event: all
//! patterns are compiled before, and what is as it should be is passed on as it is.

use std::borrow::Cow;
use std::collections::HashSet;

use convoke_udfs::normalize::{self, Region};
use regex::RegexSet;

use super::pattern::compile;
use super::rules::{BlockRules, FilterAction, Matches, Normalizer, TypeRules};
use crate::error::Result;

/// What becomes of an identifier of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Usable<'v> {
    /// It is this identifier.
    As(Cow<'v, str>),
    Blocked(BlockReason),
}

/// Why an identifier is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockReason {
    /// It stands in the list of values, or is one by its form.
    Value,
    /// A pattern of `block_values` matches.
    Pattern,
    /// It is shorter than `min_length`.
    Length,
    /// The filters of its type leave it out.
    Filter,
    /// It is no e-mail address or phone number, where its type is to hold one.
    Form,
}

/// `block_values`, but for the list of values.
#[derive(Debug, Clone, Default)]
pub(super) struct BlockCheck {
    patterns: RegexSet,
    min_length: usize,
}

impl BlockCheck {
    pub(super) fn new(rules: &BlockRules) -> Result<Self> {
        let patterns = compile(rules.patterns.iter().map(String::as_str))?;
        Ok(Self { patterns, min_length: rules.min_length as usize })
    }

    pub(super) fn blocks(&self, value: &str) -> Option<BlockReason> {
        // Most values have more bytes than four times the characters that are asked for.
        if value.len() < self.min_length * 4 && value.chars().count() < self.min_length {
            return Some(BlockReason::Length);
        }
        (!self.patterns.is_empty() && self.patterns.is_match(value)).then_some(BlockReason::Pattern)
    }
}

/// What is asked of the identifiers of one type.
#[derive(Debug, Clone, Default)]
pub(super) struct TypeCheck {
    normalize: Normalizer,
    excluded: Values,
    /// `None`: all of them.
    included: Option<Values>,
}

impl TypeCheck {
    pub(super) fn new(rules: &TypeRules) -> Result<Self> {
        let of = |action: FilterAction| rules.filters.iter().filter(move |filter| filter.action == action);
        let values = |action| Values::new(of(action).map(|filter| &filter.matches));
        let is_bound = of(FilterAction::Include).next().is_some();
        let included = if is_bound { Some(values(FilterAction::Include)?) } else { None };
        Ok(Self { normalize: rules.normalize.clone(), excluded: values(FilterAction::Exclude)?, included })
    }

    /// `None` for a value that is none of this type.
    pub(super) fn normalize<'v>(&self, value: &'v str) -> Option<Cow<'v, str>> {
        match &self.normalize {
            Normalizer::None => Some(Cow::Borrowed(value)),
            Normalizer::Trim => Some(Cow::Borrowed(value.trim())),
            Normalizer::Lower => Some(lower(value.trim())),
            Normalizer::Email => normalize::email(value),
            Normalizer::Phone(region) => {
                // It was a region when the rules were read.
                let region = region.as_deref().and_then(Region::new).unwrap_or(Region::INTERNATIONAL);
                normalize::phone(value, region).map(Cow::Owned)
            }
        }
    }

    pub(super) fn passes(&self, value: &str) -> bool {
        !self.excluded.contain(value) && self.included.as_ref().is_none_or(|included| included.contain(value))
    }
}

fn lower(value: &str) -> Cow<'_, str> {
    match value.chars().any(|character| !character.is_ascii_lowercase() && character.is_uppercase()) {
        true => Cow::Owned(value.to_lowercase()),
        false => Cow::Borrowed(value),
    }
}

/// Values of filters: as they are, and by patterns.
#[derive(Debug, Clone, Default)]
struct Values {
    exact: HashSet<String>,
    patterns: RegexSet,
}

impl Values {
    fn new<'r>(matches: impl Iterator<Item = &'r Matches>) -> Result<Self> {
        let (mut exact, mut patterns) = (HashSet::new(), Vec::new());
        for matched in matches {
            match matched {
                Matches::Value(value) => {
                    exact.insert(value.clone());
                }
                Matches::Pattern(pattern) => patterns.push(pattern.as_str()),
            }
        }
        Ok(Self { exact, patterns: compile(patterns)? })
    }

    fn contain(&self, value: &str) -> bool {
        (!self.exact.is_empty() && self.exact.contains(value))
            || (!self.patterns.is_empty() && self.patterns.is_match(value))
    }
}
