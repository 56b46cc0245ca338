//! The rules by which links join identifiers to persons, in numbers: what the resolution needs of a rulebook.
//!
//! Must not know how rules are written.

use super::identifier::{IdentifierTypes, TypeId};

/// No limit of identifiers or links.
pub const NO_LIMIT: u32 = u32::MAX;

/// The rules of all types of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRules {
    /// By [`TypeId`].
    pub types: Vec<TypeRule>,
    pub keep: Keep,
    /// Identifiers of one person at most; [`NO_LIMIT`] for any number.
    pub max_identifiers: u32,
    /// Links within one component at most; [`NO_LIMIT`] for any number.
    pub max_links: u32,
}

/// What holds for the identifiers of one type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TypeRule {
    /// No person has two values of it.
    pub unique: bool,
    /// How many values of it a person may have.
    pub limit: Option<Limit>,
    /// A value with links to more values than this is shared: it joins nobody.
    pub max_fanout: Option<u32>,
}

/// At most `count` values within any `per`, by the time of their links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub count: u32,
    pub per: Period,
}

/// A stretch of time, of days of 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Ever,
    /// 365 days.
    Year,
    /// 30 days.
    Month,
    Week,
    Day,
}

impl Period {
    pub const ALL: [Self; 5] = [Self::Ever, Self::Year, Self::Month, Self::Week, Self::Day];

    /// As rules name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ever => "ever",
            Self::Year => "365d",
            Self::Month => "30d",
            Self::Week => "7d",
            Self::Day => "1d",
        }
    }

    /// Its length, `None` for all time.
    pub fn days(self) -> Option<u32> {
        match self {
            Self::Ever => None,
            Self::Year => Some(365),
            Self::Month => Some(30),
            Self::Week => Some(7),
            Self::Day => Some(1),
        }
    }
}

/// Which of two links that break a rule together stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keep {
    #[default]
    Oldest,
    Latest,
}

impl Keep {
    pub const ALL: [Self; 2] = [Self::Oldest, Self::Latest];

    /// As rules name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Oldest => "oldest",
            Self::Latest => "latest",
        }
    }
}

impl LinkRules {
    /// Every link joins: the rules of a workspace that has set none.
    pub fn none(types: &IdentifierTypes) -> Self {
        let rules = vec![TypeRule::default(); types.by_priority().len()];
        Self { types: rules, keep: Keep::default(), max_identifiers: NO_LIMIT, max_links: NO_LIMIT }
    }

    /// # Panics
    /// For an id that is not of these types.
    pub fn of(&self, id: TypeId) -> &TypeRule {
        &self.types[usize::from(id)]
    }
}
