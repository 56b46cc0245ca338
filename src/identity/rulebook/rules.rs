//! The rules as they were written, checked: plain values that can be compared and written out again.

use crate::identity::identifier::{IdentifierClass, IdentifierTypes};
use crate::identity::link_rules::{Keep, NO_LIMIT, TypeRule};

/// All rules of a workspace.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rules {
    /// All types, highest priority first.
    pub(super) types: Vec<TypeRules>,
    pub(super) block: BlockRules,
    pub(super) keep: Keep,
    pub(super) max_identifiers: u32,
    pub(super) max_links: u32,
    pub(super) edges: Vec<EdgeSource>,
}

/// What holds for one type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TypeRules {
    pub(super) name: String,
    pub(super) class: IdentifierClass,
    pub(super) links: TypeRule,
    /// The type whose values `max_fanout` counts; `None` for those of all types.
    pub(super) fanout_of: Option<String>,
    pub(super) on_shared: OnShared,
    pub(super) normalize: Normalizer,
    pub(super) filters: Vec<Filter>,
}

impl TypeRules {
    pub(super) fn new(name: impl Into<String>, class: IdentifierClass) -> Self {
        Self {
            name: name.into(),
            class,
            links: TypeRule::default(),
            fanout_of: None,
            on_shared: OnShared::default(),
            normalize: Normalizer::default(),
            filters: Vec::new(),
        }
    }
}

/// How values of a type are brought to one spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Normalizer {
    /// As they come.
    #[default]
    None,
    /// Without blanks around them.
    Trim,
    /// Likewise, in lower case.
    Lower,
    Email,
    /// To E.164. Numbers without a country code are those of the region; without a region there are none of them.
    Phone(Option<String>),
}

/// Which values of a type identify somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) action: FilterAction,
    pub(super) matches: Matches,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FilterAction {
    /// Only values that match one of these.
    Include,
    /// No value that matches.
    Exclude,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Matches {
    Value(String),
    /// Of the whole value.
    Pattern(String),
}

/// Whose a shared value is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum OnShared {
    #[default]
    Nobody,
    LastAuthenticated,
    First,
}

impl OnShared {
    pub(super) const ALL: [Self; 3] = [Self::Nobody, Self::LastAuthenticated, Self::First];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "none",
            Self::LastAuthenticated => "last_authenticated",
            Self::First => "first",
        }
    }
}

/// What identifies nobody, whatever its type, beside what is blocked always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct BlockRules {
    pub(super) exact: Vec<String>,
    /// Each of the whole value.
    pub(super) patterns: Vec<String>,
    /// In characters.
    pub(super) min_length: u32,
}

/// Where links come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EdgeSource {
    pub(super) from: Source,
    /// Names of types.
    pub(super) ids: Vec<String>,
    /// The column that tells when a link was seen.
    pub(super) time: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Events,
    /// Of one type of the Segment protocol.
    EventsOf(String),
    /// A user table, whose columns are named as the types.
    Table(String),
}

impl Rules {
    /// The types alone.
    pub(super) fn of_types(types: &IdentifierTypes) -> Self {
        let by_priority = types.by_priority().into_iter();
        Self {
            types: by_priority.map(|id| TypeRules::new(types.name(id), types.class(id))).collect(),
            block: BlockRules::default(),
            keep: Keep::default(),
            max_identifiers: NO_LIMIT,
            max_links: NO_LIMIT,
            edges: Vec::new(),
        }
    }
}
