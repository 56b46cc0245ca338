//! What clients have set for their sessions, kept in memory for a bounded number of sessions.
//!
//! Which session a call belongs to, first rule that fits:
//! 1. the id that Handshake put behind the token it gave back (`Bearer <token>.<id>`): ADBC and JDBC with user and
//!    password, pyarrow's `authenticate_basic_token`; no cookies needed;
//! 2. the cookie `convoke_session` that SetSessionOptions set: JDBC with a token, whose cookies are always on;
//! 3. the connection (peer address): ADBC with a fixed authorization header, whose cookies are off. Behind a proxy
//!    that shares connections, clients of one token then share a session.
//!
//! The principal is part of every key, so an id of somebody else opens nothing. Only setting makes a session: a pool
//! that asks whether its connection lives must not fill the table.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use rand::RngExt;
use tokio::time::Instant;

use crate::auth::Caller;
use crate::ids::WorkspaceName;
use crate::query::SessionOptions;

/// Longest id taken from a client; ours have 22 characters.
const MAX_ID_BYTES: usize = 64;
/// A session nobody used for this long is forgotten.
const IDLE: Duration = Duration::from_secs(12 * 60 * 60);
/// Most sessions held; the longest unused one gives way.
const MAX_SESSIONS: usize = 10_000;

/// A fresh session id: random, so that it cannot be met by chance.
pub(super) fn new_session_id() -> String {
    let random: [u8; 16] = rand::rng().random();
    URL_SAFE_NO_PAD.encode(random)
}

/// What a call says about its session.
#[derive(Debug, Clone, Default)]
pub(super) struct SessionClues {
    pub(super) token_suffix: Option<String>,
    pub(super) cookie: Option<String>,
    pub(super) peer: Option<SocketAddr>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    Named(String),
    Connection(Option<SocketAddr>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    workspace: WorkspaceName,
    principal: Arc<str>,
    place: Place,
}

struct Session {
    options: SessionOptions,
    used: Instant,
}

#[derive(Default)]
pub(super) struct Sessions {
    sessions: Arc<Mutex<HashMap<Key, Session>>>,
}

/// Tells how many sessions a service holds.
pub struct SessionCount(Arc<Mutex<HashMap<Key, Session>>>);

impl SessionCount {
    pub fn get(&self) -> i64 {
        i64::try_from(self.0.lock().len()).unwrap_or(i64::MAX)
    }
}

impl Sessions {
    /// The options of the caller's session; the defaults when it has none.
    pub(super) fn options(&self, caller: &Caller, clues: &SessionClues) -> SessionOptions {
        let mut sessions = self.sessions.lock();
        match sessions.get_mut(&key(caller, clues)) {
            Some(session) if session.used.elapsed() < IDLE => {
                session.used = Instant::now();
                session.options.clone()
            }
            _ => SessionOptions::default(),
        }
    }

    /// Keeps options for the caller's session. Gives the id to send as a cookie when the call named no session.
    pub(super) fn set(&self, caller: &Caller, clues: &SessionClues, options: SessionOptions) -> Option<String> {
        let key = key(caller, clues);
        let mut sessions = self.sessions.lock();
        let cookie = matches!(key.place, Place::Connection(_)).then(new_session_id);
        if let Some(id) = &cookie {
            insert(&mut sessions, Key { place: Place::Named(id.clone()), ..key.clone() }, options.clone());
        }
        insert(&mut sessions, key, options);
        cookie
    }

    /// Forgets the caller's session, if there is one.
    pub(super) fn close(&self, caller: &Caller, clues: &SessionClues) {
        self.sessions.lock().remove(&key(caller, clues));
    }

    pub(super) fn count(&self) -> SessionCount {
        SessionCount(Arc::clone(&self.sessions))
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.sessions.lock().len()
    }
}

fn insert(sessions: &mut HashMap<Key, Session>, key: Key, options: SessionOptions) {
    if sessions.len() >= MAX_SESSIONS && !sessions.contains_key(&key) {
        sessions.retain(|_, session| session.used.elapsed() < IDLE);
        if sessions.len() >= MAX_SESSIONS
            && let Some(oldest) = sessions.iter().min_by_key(|(_, session)| session.used).map(|(key, _)| key.clone())
        {
            sessions.remove(&oldest);
        }
    }
    sessions.insert(key, Session { options, used: Instant::now() });
}

fn key(caller: &Caller, clues: &SessionClues) -> Key {
    let named = [&clues.token_suffix, &clues.cookie]
        .into_iter()
        .flatten()
        .find(|id| !id.is_empty() && id.len() <= MAX_ID_BYTES)
        .map(|id| Place::Named(id.clone()));
    Key {
        workspace: caller.workspace.clone(),
        principal: Arc::clone(&caller.principal),
        place: named.unwrap_or(Place::Connection(clues.peer)),
    }
}

#[cfg(test)]
mod tests;
