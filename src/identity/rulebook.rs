//! The rulebook of identity stitching: a text of YAML in, checked rules out. It says which identifiers of an event identify
//! somebody and in which spelling, in which order they count, and by which limits links may join them.
//!
//! Must not know files, SQL or protocols. docs/identity.md describes the text for users.

mod faults;
mod fields;
mod pattern;
mod read;
mod rules;
mod support;
#[cfg(test)]
mod tests;
mod usable;
mod write;
mod yaml;

use std::sync::Arc;

use self::rules::{Normalizer, Rules};
use self::usable::{BlockCheck, TypeCheck};
use super::blocked::BlockedValues;
use super::identifier::{IdentifierTypes, TypeId};
use super::link_rules::{LinkRules, TypeRule};
use crate::error::{Error, Result};

pub use self::usable::{BlockReason, Usable};

/// The rules of a workspace, ready to be asked. Rules are equal when their text is.
#[derive(Debug, Clone)]
pub struct Rulebook {
    rules: Rules,
    types: Arc<IdentifierTypes>,
    blocked: BlockedValues,
    block: BlockCheck,
    /// By type.
    checks: Vec<TypeCheck>,
}

impl PartialEq for Rulebook {
    fn eq(&self, other: &Self) -> bool {
        self.rules == other.rules
    }
}

/// The rules of a workspace that has set none.
impl Default for Rulebook {
    fn default() -> Self {
        Self::of_types(&Arc::default(), &[])
    }
}

impl Rulebook {
    /// Reads the rules of a text.
    ///
    /// # Errors
    /// `InvalidInput` with all that is wrong, each with its line and key and with what is allowed.
    pub fn parse(text: &str) -> Result<Self> {
        let rules = read::read(text)?;
        if write::write(&rules).len() > yaml::MAX_BYTES {
            return Err(Error::invalid("the identity rules with all types named are too long: shorten their lists"));
        }
        let types = IdentifierTypes::in_order(rules.types.iter().map(|of_type| (of_type.name.as_str(), of_type.class)));
        let types = Arc::new(types);
        let by_name = |id: TypeId| rules.types.iter().find(|of_type| of_type.name == types.name(id));
        let checks = ids_of(&types).filter_map(by_name).map(TypeCheck::new).collect::<Result<_>>()?;
        Ok(Self {
            blocked: BlockedValues::new(&rules.block.exact),
            block: BlockCheck::new(&rules.block)?,
            checks,
            types,
            rules,
        })
    }

    /// Rules with these types and blocked values, and nothing else.
    pub fn of_types(types: &Arc<IdentifierTypes>, blocked: &[String]) -> Self {
        let mut rules = Rules::of_types(types);
        rules.block.exact = blocked.to_vec();
        Self {
            blocked: BlockedValues::new(blocked),
            block: BlockCheck::default(),
            checks: ids_of(types).map(|_| TypeCheck::default()).collect(),
            types: Arc::clone(types),
            rules,
        }
    }

    /// The same rules where further values are blocked, which its text does not name.
    pub fn with_blocked(&self, further: &[String]) -> Self {
        let blocked = BlockedValues::new(self.rules.block.exact.iter().chain(further));
        Self { blocked, ..self.clone() }
    }

    /// The rules in force, all types named: [`Self::parse`] gives the same rules of it.
    pub fn to_text(&self) -> String {
        write::write(&self.rules)
    }

    /// The types and their priority.
    pub fn types(&self) -> &Arc<IdentifierTypes> {
        &self.types
    }

    /// The values that stand for nothing, also where an order number or a currency should be.
    pub fn blocked(&self) -> &BlockedValues {
        &self.blocked
    }

    /// The values that the rules block, beside those that are blocked always.
    pub fn blocked_values(&self) -> &[String] {
        &self.rules.block.exact
    }

    /// Whether an identifier identifies somebody, and the spelling that it has then.
    ///
    /// # Panics
    /// For an id that is not of these types.
    pub fn usable<'v>(&self, id: TypeId, value: &'v str) -> Usable<'v> {
        // Asked of what was written, too: a number that a spreadsheet has cut may read as a phone number.
        if self.blocked.contains(value.trim()) {
            return Usable::Blocked(BlockReason::Value);
        }
        let check = &self.checks[usize::from(id)];
        let Some(spelled) = check.normalize(value) else { return Usable::Blocked(BlockReason::Form) };
        if *spelled != *value.trim() && self.blocked.contains(&spelled) {
            return Usable::Blocked(BlockReason::Value);
        }
        if let Some(reason) = self.block.blocks(&spelled) {
            return Usable::Blocked(reason);
        }
        match check.passes(&spelled) {
            true => Usable::As(spelled),
            false => Usable::Blocked(BlockReason::Filter),
        }
    }

    /// The rules by which links join identifiers.
    pub fn link_rules(&self) -> LinkRules {
        let of = |id| self.rules.types.iter().find(|of_type| of_type.name == self.types.name(id));
        LinkRules {
            types: ids_of(&self.types)
                .map(|id| of(id).map_or_else(TypeRule::default, |of_type| of_type.links))
                .collect(),
            keep: self.rules.keep,
            max_identifiers: self.rules.max_identifiers,
            max_links: self.rules.max_links,
        }
    }

    /// The type whose values `max_fanout` of a type counts; `None` for those of all types.
    pub fn fanout_of(&self, id: TypeId) -> Option<TypeId> {
        let name = self.types.name(id);
        let of_type = self.rules.types.iter().find(|of_type| of_type.name == name)?;
        self.types.id(of_type.fanout_of.as_deref()?).ok()
    }

    /// The types of which identifiers have another spelling under these rules than under `before`.
    pub fn respelled<'r>(&'r self, before: &'r Self) -> impl Iterator<Item = &'r str> {
        self.rules.types.iter().filter_map(move |of_type| {
            let held = before.rules.types.iter().find(|held| held.name == of_type.name);
            let is_same = match held {
                Some(held) => held.normalize == of_type.normalize,
                None => of_type.normalize == Normalizer::None,
            };
            (!is_same).then_some(of_type.name.as_str())
        })
    }
}

fn ids_of(types: &IdentifierTypes) -> impl Iterator<Item = TypeId> {
    // There are fewer types than a byte counts.
    0..types.by_priority().len() as TypeId
}
