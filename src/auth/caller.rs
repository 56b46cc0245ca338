//! Who calls. Every path of the server takes a [`Caller`]; there is no call without one.

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

/// One authenticated caller: a workspace, a principal in it, and a role.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    pub workspace: WorkspaceName,
    pub principal: Arc<str>,
    pub role: Role,
}

impl Caller {
    pub fn new(workspace: WorkspaceName, principal: impl Into<Arc<str>>, role: Role) -> Self {
        Self { workspace, principal: principal.into(), role }
    }

    /// The person at the keyboard of a command that opened the root itself.
    pub fn local_admin(workspace: WorkspaceName) -> Self {
        Self::new(workspace, "local", Role::Admin)
    }

    /// Refuses a caller who may not read tables by SQL.
    pub fn check_can_query(&self) -> Result<()> {
        match self.role {
            Role::Admin | Role::Analyst => Ok(()),
            Role::Service | Role::Ingest => Err(Error::forbidden(format!(
                "role {} may not run SQL: use a token of role analyst or admin",
                self.role.as_str()
            ))),
        }
    }

    /// Refuses a caller who may not create, fill or drop user tables.
    pub fn check_can_write_tables(&self) -> Result<()> {
        match self.role {
            Role::Admin | Role::Analyst => Ok(()),
            Role::Service | Role::Ingest => Err(Error::forbidden(format!(
                "role {} may not write tables: use a token of role analyst or admin",
                self.role.as_str()
            ))),
        }
    }

    /// Refuses a caller who may not send events.
    pub fn check_can_ingest(&self) -> Result<()> {
        match self.role {
            Role::Admin | Role::Ingest => Ok(()),
            Role::Analyst | Role::Service => Err(Error::forbidden(format!(
                "role {} may not send events: use a token of role ingest or admin",
                self.role.as_str()
            ))),
        }
    }
}
