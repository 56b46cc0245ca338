//! Tickets and prepared-statement handles: all that is needed to run a statement, signed, so that the server keeps
//! nothing between two calls and a client can change nothing.
//!
//! The key is random per process: after a restart a client prepares again. Must not know sessions or the engine
//! beyond the options and the snapshot that a statement carries.

use bytes::Bytes;
use prost::Message;
use rand::RngExt;

use crate::auth::Caller;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::query::{SessionOptions, SnapshotId};

/// How long a ticket may wait between GetFlightInfo and DoGet.
pub(super) const TICKET_SECONDS: u64 = 15 * 60;

/// How long a prepared statement may live: connection pools hold them for a working day.
const HANDLE_SECONDS: u64 = 24 * 60 * 60;

const VERSION: u32 = 1;
const HASH_BYTES: usize = 32;

/// Names one execution: what a cancel refers to.
pub(super) type QueryId = [u8; 16];

pub(super) fn new_query_id() -> QueryId {
    rand::rng().random()
}

/// What a signed text may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Runs once planned, by DoGet.
    Ticket,
    /// A prepared statement.
    Handle,
}

impl Purpose {
    fn code(self) -> u32 {
        match self {
            Purpose::Ticket => 1,
            Purpose::Handle => 2,
        }
    }

    fn lifetime(self) -> u64 {
        match self {
            Purpose::Ticket => TICKET_SECONDS,
            Purpose::Handle => HANDLE_SECONDS,
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Purpose::Ticket => "ticket",
            Purpose::Handle => "prepared statement",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Purpose::Ticket => "ask for a new one by GetFlightInfo",
            Purpose::Handle => "prepare the statement again",
        }
    }
}

/// A statement on its way through the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) options: SessionOptions,
    /// State that a ticket was planned for; a handle has none, each of its executions reads the newest.
    pub(super) snapshot: Option<SnapshotId>,
    /// One row of parameters as an Arrow IPC stream; empty when none are bound.
    pub(super) parameters: Bytes,
    pub(super) query_id: QueryId,
}

/// The signed bytes and their signature.
#[derive(Clone, PartialEq, prost::Message)]
struct Sealed {
    #[prost(bytes = "bytes", tag = "1")]
    payload: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    signature: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Payload {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(uint32, tag = "2")]
    purpose: u32,
    /// Seconds since 1970.
    #[prost(uint64, tag = "3")]
    expires_at: u64,
    /// Hash of workspace, principal and role of the only caller who may use it.
    #[prost(bytes = "bytes", tag = "4")]
    caller: Bytes,
    #[prost(message, optional, tag = "5")]
    snapshot: Option<Snapshot>,
    #[prost(string, optional, tag = "6")]
    time_zone: Option<String>,
    #[prost(string, optional, tag = "7")]
    schema: Option<String>,
    #[prost(string, tag = "8")]
    sql: String,
    #[prost(bytes = "bytes", tag = "9")]
    parameters: Bytes,
    #[prost(bytes = "bytes", tag = "10")]
    query_id: Bytes,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Snapshot {
    #[prost(uint64, tag = "1")]
    version: u64,
    #[prost(uint64, tag = "2")]
    epoch: u64,
    #[prost(uint64, tag = "3")]
    tables: u64,
    #[prost(uint64, tag = "4")]
    settings_revision: u64,
    #[prost(uint64, tag = "5")]
    position: u64,
}

impl From<SnapshotId> for Snapshot {
    fn from(id: SnapshotId) -> Self {
        Self {
            position: id.position,
            version: id.version,
            epoch: id.epoch,
            tables: id.tables,
            settings_revision: id.settings_revision,
        }
    }
}

impl From<Snapshot> for SnapshotId {
    fn from(id: Snapshot) -> Self {
        Self {
            position: id.position,
            version: id.version,
            epoch: id.epoch,
            tables: id.tables,
            settings_revision: id.settings_revision,
        }
    }
}

/// Seals and opens statements with the key of this process.
pub(super) struct Signer {
    key: [u8; HASH_BYTES],
    clock: Clock,
}

impl Signer {
    pub(super) fn new(clock: Clock) -> Self {
        Self { key: rand::rng().random(), clock }
    }

    /// When what is sealed now expires, in seconds since 1970.
    pub(super) fn expiry(&self, purpose: Purpose) -> u64 {
        self.clock.now_seconds().saturating_add(purpose.lifetime())
    }

    /// The signed bytes of a statement, for this caller alone.
    pub(super) fn seal(&self, purpose: Purpose, caller: &Caller, statement: &Statement) -> Bytes {
        self.seal_until(purpose, caller, statement, self.expiry(purpose))
    }

    fn seal_until(&self, purpose: Purpose, caller: &Caller, statement: &Statement, expires_at: u64) -> Bytes {
        let payload = Payload {
            version: VERSION,
            purpose: purpose.code(),
            expires_at,
            caller: Bytes::copy_from_slice(caller_hash(caller).as_bytes()),
            snapshot: statement.snapshot.map(Snapshot::from),
            time_zone: statement.options.time_zone.clone(),
            schema: statement.options.schema.clone(),
            sql: statement.sql.clone(),
            parameters: statement.parameters.clone(),
            query_id: Bytes::copy_from_slice(&statement.query_id),
        };
        let payload = Bytes::from(payload.encode_to_vec());
        let signature = Bytes::copy_from_slice(blake3::keyed_hash(&self.key, &payload).as_bytes());
        Bytes::from(Sealed { payload, signature }.encode_to_vec())
    }

    /// The statement in `sealed`, if it was sealed here, for this purpose and caller, and has not expired.
    ///
    /// # Errors
    /// `InvalidInput` for an altered, foreign or expired one, `Unauthenticated` for another caller's.
    pub(super) fn open(&self, purpose: Purpose, caller: &Caller, sealed: Bytes) -> Result<Statement> {
        let foreign = || {
            let (noun, remedy) = (purpose.noun(), purpose.remedy());
            Error::invalid(format!("the {noun} was altered or is not of this server process: {remedy}"))
        };
        let Sealed { payload, signature } = Sealed::decode(sealed).map_err(|_| foreign())?;
        let signature: [u8; HASH_BYTES] = signature.as_ref().try_into().map_err(|_| foreign())?;
        // `Hash` compares in constant time.
        if blake3::keyed_hash(&self.key, &payload) != blake3::Hash::from_bytes(signature) {
            return Err(foreign());
        }
        let payload = Payload::decode(payload).map_err(|_| foreign())?;
        if payload.version != VERSION || payload.purpose != purpose.code() {
            return Err(foreign());
        }
        if payload.caller.as_ref() != caller_hash(caller).as_bytes() {
            return Err(Error::unauthenticated(format!(
                "the {} belongs to another token: {}",
                purpose.noun(),
                purpose.remedy()
            )));
        }
        if payload.expires_at <= self.clock.now_seconds() {
            return Err(Error::invalid(format!("the {} has expired: {}", purpose.noun(), purpose.remedy())));
        }
        Ok(Statement {
            sql: payload.sql,
            options: SessionOptions { time_zone: payload.time_zone, schema: payload.schema },
            snapshot: payload.snapshot.map(SnapshotId::from),
            parameters: payload.parameters,
            query_id: payload.query_id.as_ref().try_into().map_err(|_| foreign())?,
        })
    }
}

fn caller_hash(caller: &Caller) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for part in [caller.workspace.as_str(), &caller.principal, caller.role.as_str()] {
        // The length in front keeps ("ab", "c") apart from ("a", "bc").
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests;
