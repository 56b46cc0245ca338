//! The rulebook, key by key: what it says by default, what is refused and how, and that no text breaks it.

mod any_text;
mod defaults;
mod keys;
mod refusals;
mod usable;

use super::*;

/// The rules of a text that is right.
fn rules(text: &str) -> Rulebook {
    Rulebook::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The lines of what is said of a text, without the first one, which is the same always.
fn refusal(text: &str) -> Vec<String> {
    let error = Rulebook::parse(text).map(drop).unwrap_err();
    assert_eq!(error.kind(), crate::error::Kind::InvalidInput);
    error.to_string().lines().skip(1).map(str::to_owned).collect()
}

fn id(rulebook: &Rulebook, name: &str) -> TypeId {
    rulebook.types().id(name).unwrap()
}

/// The spelling of a value, or why it is blocked.
fn asked(rulebook: &Rulebook, kind: &str, value: &str) -> std::result::Result<String, BlockReason> {
    match rulebook.usable(id(rulebook, kind), value) {
        Usable::As(spelled) => Ok(spelled.into_owned()),
        Usable::Blocked(reason) => Err(reason),
    }
}
