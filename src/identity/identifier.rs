//! Identifier types, their order and class.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, shown};
use crate::settings::similar_names;

/// Index of a type in its [`IdentifierTypes`]: fixed for a type that comes with the program, and in the order in which
/// the workspace names them for its own. Never stored: objects name types in full.
pub type TypeId = u8;

/// Types of a workspace at most, those that come with the program included.
pub(super) const MAX_TYPES: usize = 64;
/// Longest name of a type in bytes.
const MAX_NAME_BYTES: usize = 63;

/// What an identifier names: a person, a device, a browser; in the order of their priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentifierClass {
    Person,
    Device,
    Cookie,
}

impl IdentifierClass {
    pub const ALL: [IdentifierClass; 3] = [IdentifierClass::Person, IdentifierClass::Device, IdentifierClass::Cookie];

    pub fn as_str(self) -> &'static str {
        match self {
            IdentifierClass::Person => "person",
            IdentifierClass::Device => "device",
            IdentifierClass::Cookie => "cookie",
        }
    }
}

/// Where a workspace's own type stands in the priority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    Before(String),
    After(String),
}

/// A type that a workspace adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddedType {
    pub name: String,
    pub class: IdentifierClass,
    /// `None`: behind the last type of its class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct IdentifierType {
    name: String,
    class: IdentifierClass,
}

/// The types that come with the program, highest priority first (SQL.md 5).
const BUILT_IN: [(&str, IdentifierClass); 8] = [
    ("user_id", IdentifierClass::Person),
    ("member_no", IdentifierClass::Person),
    ("email", IdentifierClass::Person),
    ("phone", IdentifierClass::Person),
    ("wechat_unionid", IdentifierClass::Person),
    ("wechat_openid", IdentifierClass::Person),
    ("device_id", IdentifierClass::Device),
    ("anonymous_id", IdentifierClass::Cookie),
];

/// All identifier types of a workspace and their priority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentifierTypes {
    types: Vec<IdentifierType>,
    /// By type: 0 is the highest priority.
    ranks: Vec<u8>,
}

impl Default for IdentifierTypes {
    fn default() -> Self {
        let types = BUILT_IN.map(|(name, class)| IdentifierType { name: name.to_owned(), class });
        Self { ranks: (0..BUILT_IN.len() as u8).collect(), types: types.into() }
    }
}

impl IdentifierTypes {
    pub const USER_ID: TypeId = 0;
    pub const ANONYMOUS_ID: TypeId = 7;

    /// The types that come with the program, and those of the workspace at their places.
    ///
    /// # Errors
    /// `InvalidInput` for a name that is taken or no name, an unknown place, or too many types.
    pub fn with_added(added: &[AddedType]) -> Result<Self> {
        let mut types = Self::default();
        let mut order: Vec<TypeId> = (0..types.types.len() as TypeId).collect();
        for new in added {
            if let Some(fault) = name_fault(&new.name) {
                return Err(Error::invalid(fault));
            }
            if types.types.iter().any(|known| known.name == new.name) {
                return Err(Error::invalid(format!("identifier type '{}' is there already", new.name)));
            }
            if types.types.len() == MAX_TYPES {
                return Err(Error::invalid(format!("a workspace has {MAX_TYPES} identifier types at most")));
            }
            let at = types.position(&order, new)?;
            order.insert(at, types.types.len() as TypeId);
            types.types.push(IdentifierType { name: new.name.clone(), class: new.class });
        }
        types.set_order(&order);
        Ok(types)
    }

    /// Types in the order of their priority, with all of those that come with the program among them.
    pub(super) fn in_order<'t>(order: impl IntoIterator<Item = (&'t str, IdentifierClass)>) -> Self {
        let mut types = Self::default();
        let mut ids: Vec<TypeId> = Vec::new();
        for (name, class) in order {
            let known = types.types.iter().position(|known| known.name == name);
            let at = known.unwrap_or_else(|| {
                types.types.push(IdentifierType { name: name.to_owned(), class });
                types.types.len() - 1
            });
            types.types[at].class = class;
            // There are at most `MAX_TYPES`.
            ids.push(at as TypeId);
        }
        types.set_order(&ids);
        types
    }

    fn set_order(&mut self, order: &[TypeId]) {
        self.ranks = vec![0; self.types.len()];
        for (rank, id) in order.iter().enumerate() {
            // There are at most `MAX_TYPES`.
            self.ranks[usize::from(*id)] = rank as u8;
        }
    }

    /// Where in the priority a new type goes.
    fn position(&self, order: &[TypeId], new: &AddedType) -> Result<usize> {
        let place_of = |name: &str| -> Result<usize> {
            let id = self.id(name)?;
            Ok(order.iter().position(|held| *held == id).unwrap_or(order.len()))
        };
        match &new.place {
            Some(Place::Before(name)) => place_of(name),
            Some(Place::After(name)) => Ok(place_of(name)? + 1),
            None => {
                let last = order.iter().rposition(|id| self.class(*id) == new.class);
                Ok(last.map_or(order.len(), |last| last + 1))
            }
        }
    }

    pub fn contains(&self, name: &str) -> bool {
        self.types.iter().any(|known| known.name == name)
    }

    /// # Errors
    /// `InvalidInput` for a type that the workspace does not have, with the types that it has.
    pub fn id(&self, name: &str) -> Result<TypeId> {
        match self.types.iter().position(|known| known.name == name) {
            // There are at most `MAX_TYPES`.
            Some(index) => Ok(index as TypeId),
            None => {
                let names: Vec<&str> = self.by_priority().into_iter().map(|id| self.name(id)).collect();
                let hint = match similar_names(name, names.iter().copied()).first() {
                    Some(similar) => format!("did you mean {similar}? "),
                    None => String::new(),
                };
                Err(Error::invalid(format!(
                    "'{name}' is not an identifier type; {hint}the types are {}",
                    names.join(", ")
                )))
            }
        }
    }

    /// # Panics
    /// For an id that is not of these types, as for [`Self::class`] and [`Self::rank`].
    pub fn name(&self, id: TypeId) -> &str {
        &self.types[usize::from(id)].name
    }

    pub fn class(&self, id: TypeId) -> IdentifierClass {
        self.types[usize::from(id)].class
    }

    /// Place in the priority: 0 is the highest.
    pub fn rank(&self, id: TypeId) -> u8 {
        self.ranks[usize::from(id)]
    }

    /// All types, highest priority first.
    pub fn by_priority(&self) -> Vec<TypeId> {
        let mut ids: Vec<TypeId> = (0..self.types.len() as TypeId).collect();
        ids.sort_by_key(|id| self.rank(*id));
        ids
    }
}

/// What is wrong with a name. Names become keys of files and columns: lower-case letters, digits and `_`, a letter first.
pub(super) fn name_fault(name: &str) -> Option<String> {
    let starts = name.starts_with(|first: char| first.is_ascii_lowercase());
    let legal = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if starts && legal && name.len() <= MAX_NAME_BYTES {
        return None;
    }
    Some(format!(
        "{} is not a name of an identifier type: use up to {MAX_NAME_BYTES} lower-case letters, digits and '_', a letter \
         first",
        shown(name)
    ))
}
