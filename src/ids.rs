//! Names and numbers that travel through every layer, each its own type where a mix-up would be silent.
//!
//! Must not know how any of them is stored.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The workspace that a fresh root has.
pub const DEFAULT_WORKSPACE: &str = "convoke";

/// Longest workspace name in bytes: it becomes a folder and a SQL catalog.
const MAX_WORKSPACE_BYTES: usize = 63;

/// A workspace's name: lower-case ASCII letters, digits, `_` and `-`, first a letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkspaceName(String);

impl WorkspaceName {
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let starts_with_letter = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
        let legal = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
        if !starts_with_letter || !legal || name.len() > MAX_WORKSPACE_BYTES {
            return Err(Error::invalid(format!(
                "'{name}' is not a workspace name: use up to {MAX_WORKSPACE_BYTES} lower-case letters, digits, \
                 '_' and '-', a letter first"
            )));
        }
        Ok(Self(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for WorkspaceName {
    fn default() -> Self {
        Self(DEFAULT_WORKSPACE.to_owned())
    }
}

impl fmt::Display for WorkspaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for WorkspaceName {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        Self::new(name)
    }
}

impl From<WorkspaceName> for String {
    fn from(name: WorkspaceName) -> Self {
        name.0
    }
}

impl std::str::FromStr for WorkspaceName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::new(name)
    }
}

/// Immutable dense number of an identifier, given in commit order (DESIGN 1).
pub type Node = u32;

/// Dense number of a person, the bit position in every bitmap (DESIGN 1).
pub type Person = u32;

/// Version of the identity graph: how often its persons have changed.
pub type Epoch = u64;
