//! Who calls. Every path of the server takes a [`Caller`]; there is no call without one.
//!
//! What each role may do (SQL.md 9) stands here and nowhere else: every path asks a `check_can_...`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::ids::WorkspaceName;

/// What a caller may do (SQL.md 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything in its workspace.
    Admin,
    /// Reads all tables, owns user tables, makes tags and audiences.
    Analyst,
    /// Fetches sets and looks persons up; no SQL over raw tables.
    Service,
    /// Sends events, nothing else.
    Ingest,
}

impl Role {
    pub const ALL: [Role; 4] = [Role::Admin, Role::Analyst, Role::Service, Role::Ingest];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Analyst => "analyst",
            Role::Service => "service",
            Role::Ingest => "ingest",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| Error::invalid(format!("'{text}' is not a role: use admin, analyst, service or ingest")))
    }
}

/// Which tables a caller sees. What is planned for one is not planned for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// All of them.
    Administrator,
    /// All but those that tell how the workspace is run.
    Analyst,
}

/// One sort of work, what a refusal calls it, and the roles that may do it.
struct Right {
    work: &'static str,
    roles: &'static [Role],
}

const QUERY: Right = Right { work: "run SQL or see the tables", roles: &[Role::Admin, Role::Analyst] };
const WRITE_TABLES: Right = Right { work: "make or change tables", roles: &[Role::Admin, Role::Analyst] };
const IDENTITY_RULES: Right = Right { work: "see or change the identity rules", roles: &[Role::Admin] };
const SEND_EVENTS: Right = Right { work: "send events", roles: &[Role::Admin, Role::Ingest] };

/// One authenticated caller: a workspace, a principal in it, and a role.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    pub workspace: WorkspaceName,
    pub principal: Arc<str>,
    pub role: Role,
    /// The `source` that all events of this caller get; `None` leaves theirs.
    pub source: Option<Arc<str>>,
}

impl Caller {
    pub fn new(workspace: WorkspaceName, principal: impl Into<Arc<str>>, role: Role) -> Self {
        Self { workspace, principal: principal.into(), role, source: None }
    }

    /// The same caller, bound to one source of events.
    pub fn with_source(self, source: Option<impl Into<Arc<str>>>) -> Self {
        Self { source: source.map(Into::into), ..self }
    }

    /// The person at the keyboard of a command that opened the root itself.
    pub fn local_admin(workspace: WorkspaceName) -> Self {
        Self::new(workspace, "local", Role::Admin)
    }

    /// Refuses a caller who may not read tables by SQL, nor the metadata of tables.
    pub fn check_can_query(&self) -> Result<()> {
        self.check(&QUERY)
    }

    /// Which tables are there for the caller.
    pub fn visibility(&self) -> Visibility {
        match self.role {
            Role::Admin => Visibility::Administrator,
            Role::Analyst | Role::Service | Role::Ingest => Visibility::Analyst,
        }
    }

    /// Refuses a caller who may not make, fill, change or drop user tables.
    pub fn check_can_write_tables(&self) -> Result<()> {
        self.check(&WRITE_TABLES)
    }

    /// Refuses a caller who may not see or change the rules of identity stitching.
    pub fn check_can_change_identity_rules(&self) -> Result<()> {
        self.check(&IDENTITY_RULES)
    }

    /// Refuses a caller who may not send events.
    pub fn check_can_ingest(&self) -> Result<()> {
        self.check(&SEND_EVENTS)
    }

    fn check(&self, right: &Right) -> Result<()> {
        if right.roles.contains(&self.role) {
            return Ok(());
        }
        let roles: Vec<&str> = right.roles.iter().rev().map(|role| role.as_str()).collect();
        Err(Error::forbidden(format!(
            "role {} may not {}: use a token of role {}",
            self.role.as_str(),
            right.work,
            roles.join(" or ")
        )))
    }
}

#[cfg(test)]
mod tests;
