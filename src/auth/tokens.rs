//! Tokens: the one credential. A token is 256 random bits; the store holds only its hash, so a reader of the store
//! cannot log in.
//!
//! One token is one object, `_tokens/<hash>.json`, that is written when the token is made and once more when it is
//! revoked: the command line does both without a server, and a running server sees it within a second. Must not know any
//! protocol.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Caller, Role};
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use crate::ids::WorkspaceName;
use crate::store::paths::TOKENS;
use crate::store::{Root, objects};

/// Starts every token, so that scanners of source code and logs can find a leaked one.
const PREFIX: &str = "cvk_";

/// How long an answer of the store is believed. With the time of a read it bounds how late a new or revoked token is
/// seen: within a second.
const CACHE_TIME: Duration = Duration::from_millis(500);

/// Most answers remembered at once: a flood of wrong passwords must not fill the memory.
const CACHE_ENTRIES: usize = 10_000;

/// Longest name of a token, and longest source.
const MAX_NAME_BYTES: usize = 200;

/// Said for an unknown, an expired and a revoked token alike: a guesser learns nothing.
const REFUSED: &str = "the token is unknown, expired or revoked: make one with `convoke token create` and give it as the \
                       password (any user name) or as the bearer token";

/// What is stored of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    name: String,
    workspace: WorkspaceName,
    role: Role,
    /// Seconds since 1970.
    created_at: u64,
    /// Seconds since 1970; `None` never expires.
    expires_at: Option<u64>,
    /// Seconds since 1970; `None` holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_at: Option<u64>,
    /// The `source` that all events sent with this token get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

/// Whether a token opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    Active,
    Expired,
    Revoked,
}

impl TokenState {
    pub fn as_str(self) -> &'static str {
        match self {
            TokenState::Active => "active",
            TokenState::Expired => "expired",
            TokenState::Revoked => "revoked",
        }
    }
}

/// One token as [`Tokens::list`] tells of it. `id` is the hash of the secret: it opens nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEntry {
    pub id: String,
    pub name: String,
    pub workspace: WorkspaceName,
    pub role: Role,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970; `None` never expires.
    pub expires_at: Option<u64>,
    pub source: Option<String>,
    pub state: TokenState,
}

struct Cached {
    at: Instant,
    /// `None`: the store has no such token.
    stored: Option<Arc<Stored>>,
}

struct Inner {
    /// The root's folder as `/`.
    store: Arc<dyn ObjectStore>,
    clock: Clock,
    cache: Mutex<HashMap<blake3::Hash, Cached>>,
}

/// The tokens of a root. Cheap to clone.
#[derive(Clone)]
pub struct Tokens {
    inner: Arc<Inner>,
}

impl Tokens {
    pub fn new(root: &Root) -> Self {
        let (store, clock) = (root.store_at_root(), root.clock().clone());
        Self { inner: Arc::new(Inner { store, clock, cache: Mutex::default() }) }
    }

    /// Makes a token and returns its text, which is not stored and cannot be shown again.
    pub async fn create(
        &self,
        workspace: WorkspaceName,
        role: Role,
        name: &str,
        expires_in: Option<Duration>,
    ) -> Result<String> {
        self.store_new(Stored::new(workspace, role, name, expires_in, self.now())?).await
    }

    /// Makes a token that sends events of one source, whatever they say of theirs.
    pub async fn create_for_source(
        &self,
        workspace: WorkspaceName,
        name: &str,
        expires_in: Option<Duration>,
        source: &str,
    ) -> Result<String> {
        // Events that name the same source themselves come without blanks around it, too.
        let source = source.trim();
        if source.is_empty() {
            return Err(Error::invalid("the source of a token is empty"));
        }
        check_name("source", source)?;
        let stored = Stored::new(workspace, Role::Ingest, name, expires_in, self.now())?;
        self.store_new(Stored { source: Some(source.to_owned()), ..stored }).await
    }

    async fn store_new(&self, stored: Stored) -> Result<String> {
        let random: [u8; 32] = rand::rng().random();
        let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
        let hash = blake3::hash(secret.as_bytes());
        let body = serde_json::to_vec_pretty(&stored)?;
        objects::create(self.inner.store.as_ref(), &path(hash.to_hex().as_str()), body)
            .await
            .map_err(|error| error.context("cannot store the token"))?;
        // A wrong answer from before the token existed must not outlive its making.
        self.inner.cache.lock().remove(&hash);
        Ok(secret)
    }

    /// Ends a token for good; its entry stays in the list.
    ///
    /// # Errors
    /// `NotFound` when there is none of this id.
    pub async fn revoke(&self, id: &str) -> Result<()> {
        let stored = self.read(id).await?.ok_or_else(|| Error::not_found(format!("there is no token {id}")))?;
        if stored.revoked_at.is_some() {
            return Ok(());
        }
        let revoked = Stored { revoked_at: Some(self.now()), ..stored };
        self.overwrite(id, &revoked).await?;
        self.inner.cache.lock().clear();
        Ok(())
    }

    /// Removes all tokens of a workspace, and says how many there were.
    pub async fn remove_all_of(&self, workspace: &WorkspaceName) -> Result<usize> {
        let mut removed = 0;
        for entry in self.list().await?.into_iter().filter(|entry| entry.workspace == *workspace) {
            self.delete(&entry.id).await?;
            removed += 1;
        }
        self.inner.cache.lock().clear();
        Ok(removed)
    }

    /// Removes one token by its text: it ends, and nothing of it stays in the list.
    pub async fn remove(&self, secret: &str) -> Result<()> {
        self.delete(blake3::hash(secret.as_bytes()).to_hex().as_str()).await?;
        self.inner.cache.lock().clear();
        Ok(())
    }

    async fn delete(&self, id: &str) -> Result<()> {
        match self.inner.store.delete(&path(id)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::from(error).context("cannot remove a token")),
        }
    }

    /// The caller that `secret` stands for.
    ///
    /// # Errors
    /// `Unauthenticated`, in the same words, for an unknown, an expired and a revoked token.
    pub async fn authenticate(&self, secret: &str) -> Result<Caller> {
        if !secret.starts_with(PREFIX) {
            return Err(Error::unauthenticated(REFUSED));
        }
        let hash = blake3::hash(secret.as_bytes());
        let stored = match self.cached(&hash) {
            Some(answer) => answer,
            None => self.read_and_remember(hash).await?,
        };
        let stored = stored
            .filter(|stored| stored.state(self.now()) == TokenState::Active)
            .ok_or_else(|| Error::unauthenticated(REFUSED))?;
        let caller = Caller::new(stored.workspace.clone(), principal(&stored.name, &hash), stored.role);
        Ok(caller.with_source(stored.source.as_deref()))
    }

    /// All tokens, the newest first.
    pub async fn list(&self) -> Result<Vec<TokenEntry>> {
        let objects: Vec<_> = self.inner.store.list(Some(&Path::from(TOKENS))).try_collect().await?;
        let mut entries = Vec::with_capacity(objects.len());
        for object in objects {
            let Some(id) = object.location.filename().and_then(|name| name.strip_suffix(".json")) else { continue };
            if let Some(stored) = self.read(id).await? {
                let state = stored.state(self.now());
                let Stored { name, workspace, role, created_at, expires_at, source, .. } = stored;
                let id = id.to_owned();
                entries.push(TokenEntry { id, name, workspace, role, created_at, expires_at, source, state });
            }
        }
        entries.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        Ok(entries)
    }

    async fn overwrite(&self, id: &str, stored: &Stored) -> Result<()> {
        let payload = serde_json::to_vec_pretty(stored)?.into();
        let put = self.inner.store.put(&path(id), payload).await;
        put.map_err(|error| Error::from(error).context("cannot store the token"))?;
        Ok(())
    }

    /// Seconds since 1970.
    fn now(&self) -> u64 {
        self.inner.clock.now_seconds()
    }

    fn cached(&self, hash: &blake3::Hash) -> Option<Option<Arc<Stored>>> {
        let cache = self.inner.cache.lock();
        cache.get(hash).filter(|entry| entry.at.elapsed() < CACHE_TIME).map(|entry| entry.stored.clone())
    }

    async fn read_and_remember(&self, hash: blake3::Hash) -> Result<Option<Arc<Stored>>> {
        // The age of the answer counts from before the read: the read itself may take long.
        let at = Instant::now();
        let stored = self.read(hash.to_hex().as_str()).await?.map(Arc::new);
        let mut cache = self.inner.cache.lock();
        if cache.len() >= CACHE_ENTRIES {
            cache.retain(|_, entry| entry.at.elapsed() < CACHE_TIME);
        }
        if cache.len() < CACHE_ENTRIES {
            cache.insert(hash, Cached { at, stored: stored.clone() });
        }
        Ok(stored)
    }

    async fn read(&self, id: &str) -> Result<Option<Stored>> {
        let bytes = match self.inner.store.get(&path(id)).await {
            Ok(found) => found.bytes().await?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(Error::from(error).context("cannot read the token")),
        };
        let stored = serde_json::from_slice(&bytes)
            .map_err(|error| Error::new(Kind::Corrupt, format!("token {id} cannot be read: {error}")))?;
        Ok(Some(stored))
    }
}

impl Stored {
    fn new(
        workspace: WorkspaceName,
        role: Role,
        name: &str,
        expires_in: Option<Duration>,
        created_at: u64,
    ) -> Result<Self> {
        check_name("name", name)?;
        let expires_at = expires_in.map(|time| created_at.saturating_add(time.as_secs()));
        let name = name.to_owned();
        Ok(Self { name, workspace, role, created_at, expires_at, revoked_at: None, source: None })
    }

    /// At `now`, in seconds since 1970.
    fn state(&self, now: u64) -> TokenState {
        if self.revoked_at.is_some() {
            TokenState::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            TokenState::Expired
        } else {
            TokenState::Active
        }
    }
}

fn check_name(what: &str, name: &str) -> Result<()> {
    if name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
        return Err(Error::invalid(format!("the {what} of a token is one line of up to {MAX_NAME_BYTES} bytes")));
    }
    Ok(())
}

/// Two tokens may bear one name, so part of the hash makes them two principals.
fn principal(name: &str, hash: &blake3::Hash) -> String {
    format!("{name}#{}", &hash.to_hex().as_str()[..12])
}

fn path(id: &str) -> Path {
    Path::from(format!("{TOKENS}/{id}.json"))
}

#[cfg(test)]
mod tests;
