//! Paths of the objects that tell which process writes to a workspace; each term of a writer has some of its own.

use object_store::path::Path;

use super::WorkspacePaths;

/// Folder of the claims of writers below their workspace.
pub const WRITER: &str = "_writer";

/// Locked by the writer, in the workspace's folder on a local disk; holds the address of a server.
pub const WRITER_LOCK: &str = ".writer.lock";

const CLAIM: &str = "json";
const HEARTBEAT: &str = "heartbeat";
const ENDED: &str = "ended";

/// What an object says of the term that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermObject {
    /// A process has claimed it.
    Claim,
    /// That process lives.
    Heartbeat,
    /// It has ended well.
    Ended,
}

impl TermObject {
    /// The number of the term, and what the object says of it; `None` for an object of no term.
    pub fn of(path: &Path) -> Option<(u64, Self)> {
        let (number, what) = path.filename()?.split_once('.')?;
        let what = match what {
            CLAIM => Self::Claim,
            HEARTBEAT => Self::Heartbeat,
            ENDED => Self::Ended,
            _ => return None,
        };
        Some((number.parse().ok()?, what))
    }
}

impl WorkspacePaths {
    /// Folder of the objects that tell which process writes.
    pub fn writer(&self) -> Path {
        self.base.clone().join(WRITER)
    }

    /// Claims a term for the process that creates it.
    pub fn writer_claim(&self, term: u64) -> Path {
        self.writer_term(term, CLAIM)
    }

    /// Written again and again while that process lives.
    pub fn writer_heartbeat(&self, term: u64) -> Path {
        self.writer_term(term, HEARTBEAT)
    }

    /// Written when it has ended well.
    pub fn writer_ended(&self, term: u64) -> Path {
        self.writer_term(term, ENDED)
    }

    fn writer_term(&self, term: u64, what: &str) -> Path {
        self.writer().join(format!("{term:020}.{what}"))
    }

    /// Written to learn the time of the store's own clock.
    pub fn writer_clock(&self) -> Path {
        self.writer().join("clock")
    }
}

/// Whether an object below the workspace tells which process writes, and nothing of the workspace itself.
pub fn is_of_writers(path: &Path) -> bool {
    path.prefix_matches(&Path::from(WRITER))
}
