//! Patterns of values: bounded, and of the whole value.

use regex::{RegexBuilder, RegexSet, RegexSetBuilder};

use super::faults::{Fault, Faults};
use super::rules::{Matches, Rules};
use crate::error::{Error, Result};

/// Bytes of a pattern at most.
const MAX_BYTES: usize = 512;
/// Patterns of all rules together.
const MAX_PATTERNS: usize = 200;
/// Bytes of memory of one compiled pattern; a `\w` takes 60 KB of them.
const MAX_COMPILED: usize = 2 << 20;
/// Bytes of memory of all of them, in each set of patterns.
const MAX_ALL_COMPILED: usize = 16 << 20;

/// What is wrong with a pattern.
pub(super) fn check(pattern: &str) -> std::result::Result<(), String> {
    if pattern.len() > MAX_BYTES {
        return Err(format!("is longer than {MAX_BYTES} bytes"));
    }
    // A pattern may close a parenthesis that it has not opened: alone it is judged as it is written.
    let compiled = RegexBuilder::new(pattern).size_limit(MAX_COMPILED).build();
    let compiled = compiled.and_then(|_| RegexBuilder::new(&whole(pattern)).size_limit(MAX_COMPILED).build());
    match compiled {
        Ok(_) => Ok(()),
        Err(regex::Error::CompiledTooBig(_)) => {
            Err("is a pattern that takes too much memory: shorten its repetitions".to_owned())
        }
        // The last line says what is wrong, those before show where.
        Err(error) => {
            let text = error.to_string();
            let what = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(format!("cannot be {}: {what}", crate::error::shown(pattern)))
        }
    }
}

/// All patterns of the rules are held in memory, for each workspace.
pub(super) fn check_count(rules: &Rules, faults: &mut Faults) {
    let filters = rules.types.iter().flat_map(|of_type| &of_type.filters);
    let of_filters = filters.filter(|filter| matches!(filter.matches, Matches::Pattern(_))).count();
    let count = rules.block.patterns.len() + of_filters;
    if count > MAX_PATTERNS {
        faults.push(Fault::of_text(format!("there are {count} patterns, more than {MAX_PATTERNS}: join them by |")));
    }
}

/// Patterns that were checked.
pub(super) fn compile<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<RegexSet> {
    let patterns: Vec<String> = patterns.into_iter().map(whole).collect();
    RegexSetBuilder::new(patterns).size_limit(MAX_ALL_COMPILED).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            Error::invalid("the patterns of the identity rules take too much memory together: use fewer of them")
        }
        error => Error::invalid(format!("the patterns of the identity rules cannot be used: {error}")),
    })
}

fn whole(pattern: &str) -> String {
    format!("^(?:{pattern})$")
}
