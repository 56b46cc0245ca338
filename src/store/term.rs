//! One writer per workspace on an object store: numbered terms, each claimed by the one process that creates its object.
//!
//! A writer shows that it lives by writing its heartbeat object again and again. Whoever finds the newest term without
//! a fresh heartbeat claims the next one. The older process, if it only slept, sees the newer term before it commits and
//! refuses; should it look too early, the log still takes each version once. Ages are told by the store's own clock.
//! A server says in its heartbeats where it is reached.

mod board;
mod heart;
mod holder;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::{RwLock, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use self::board::Board;
use self::heart::Heart;
pub use self::holder::Holder;
use super::objects;
use super::own_claim::OwnClaim;
use super::paths::{TermObject, WorkspacePaths};
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};

/// Heartbeats in the time after which a writer counts as gone.
const BEATS: u32 = 4;

/// Between two heartbeats at least.
const SHORTEST: Duration = Duration::from_millis(100);

/// How long the end of a process may take to tell the store of it.
const GOODBYE: Duration = Duration::from_secs(5);

/// Terms of this process that have not been ended. However a command ends, its terms are ended at one place.
static OPEN: Mutex<Vec<Arc<Term>>> = Mutex::new(Vec::new());

/// Read by each claim that is on its way to be one of these.
static CLAIMING: RwLock<()> = RwLock::const_new(());

/// A term as long as it is held: one that is dropped is ended in the background.
#[derive(Debug)]
pub(super) struct Claim(Arc<Term>);

impl Deref for Claim {
    type Target = Term;

    fn deref(&self) -> &Term {
        &self.0
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let is_open = OPEN.lock().iter().any(|term| Arc::ptr_eq(term, &self.0));
        // Without a runtime it is ended with the process.
        if let (true, Ok(runtime)) = (is_open, Handle::try_current()) {
            runtime.spawn(give_up(Arc::clone(&self.0)));
        }
    }
}

impl Claim {
    /// Gives it up before the process is over, also when nobody waits for that any more.
    pub(super) async fn give_up(self) {
        if let Err(error) = tokio::spawn(give_up(Arc::clone(&self.0))).await {
            tracing::warn!(%error, "a term was not ended");
        }
    }
}

/// What cannot be told to others they find out by waiting.
async fn give_up(term: Arc<Term>) {
    match term.end().await {
        Err(error) if error.kind() != Kind::Conflict => {
            tracing::warn!(%error, "the next writer must wait until this one's heartbeat is stale");
        }
        // Ended, or was before.
        _ => OPEN.lock().retain(|held| !Arc::ptr_eq(held, &term)),
    }
}

/// A claim to write, held by this process.
pub(super) struct Term {
    store: Arc<dyn ObjectStore>,
    paths: WorkspacePaths,
    number: u64,
    heart: Arc<Heart>,
    beating: JoinHandle<()>,
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Term({})", self.number)
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        self.beating.abort();
    }
}

impl Term {
    /// Claims the next term and keeps its heartbeat going. Where nobody waits for it any more it is ended again: half a
    /// claim would keep others out, this process too.
    ///
    /// # Errors
    /// `Conflict` while another writer is alive, or when another is quicker.
    pub(super) async fn claim(
        store: Arc<dyn ObjectStore>,
        paths: WorkspacePaths,
        stale_after: Duration,
        clock: Clock,
    ) -> Result<Claim> {
        let (answer, answered) = oneshot::channel();
        tokio::spawn(async move { drop(answer.send(Self::claim_to_the_end(store, paths, stale_after, clock).await)) });
        answered.await.unwrap_or_else(|_| Err(Error::internal("a claim to write broke off")))
    }

    async fn claim_to_the_end(
        store: Arc<dyn ObjectStore>,
        paths: WorkspacePaths,
        stale_after: Duration,
        clock: Clock,
    ) -> Result<Claim> {
        let _claiming = CLAIMING.read().await;
        let number = next_number(&store, &paths, stale_after, &clock).await?;
        let writer = create_claim(&store, &paths, number, &clock).await?;
        let begun =
            Self::begin(Arc::clone(&store), paths.clone(), OwnClaim::new(number, writer), stale_after, clock).await;
        if begun.is_err()
            && let Err(error) = end(&store, &paths, number).await
        {
            tracing::debug!(%error, "the next writer must wait until this claim is stale");
        }
        begun
    }

    async fn begin(
        store: Arc<dyn ObjectStore>,
        paths: WorkspacePaths,
        own: OwnClaim,
        stale_after: Duration,
        clock: Clock,
    ) -> Result<Claim> {
        let board = Board::read(&store, &paths).await?;
        let number = own.term();
        if board.newest() != number {
            // This process was so slow that its number had come and gone.
            return Err(Error::conflict("it has just begun"));
        }
        let (path, claim) = (paths.writer_heartbeat(number), paths.writer_claim(number));
        let heart = Heart { store: Arc::clone(&store), path, claim, own, clock, address: Mutex::default() };
        let heart = Arc::new(heart);
        heart.beat().await?;
        let beating = tokio::spawn(Arc::clone(&heart).go_on((stale_after / BEATS).max(SHORTEST)));
        let term = Arc::new(Self { store, paths, number, heart, beating });
        term.forget_older(board).await;
        OPEN.lock().push(Arc::clone(&term));
        Ok(Claim(term))
    }

    /// # Errors
    /// `Conflict` when there is a newer term, or when this one's claim is gone.
    pub(super) async fn check(&self) -> Result<()> {
        let is_newest = Board::read(&self.store, &self.paths).await?.newest() == self.number;
        if is_newest && self.heart.is_claimed().await? {
            return Ok(());
        }
        self.beating.abort();
        Err(Error::conflict(
            "another process has taken over the writing of this workspace, and may have ended since: send again in a \
             moment",
        ))
    }

    /// Asks again behind a commit, before anybody is told of it: what a newer writer has read by then counts, and what went
    /// to a workspace that was dropped does not.
    ///
    /// # Errors
    /// `Conflict` when this one's claim is gone.
    pub(super) async fn confirm(&self) -> Result<()> {
        match self.heart.is_claimed().await? {
            true => Ok(()),
            false => Err(OwnClaim::refusal()),
        }
    }

    pub(super) fn own_claim(&self) -> &OwnClaim {
        &self.heart.own
    }

    /// Tells others where the server of this process is reached.
    pub(super) async fn announce(&self, address: &str) -> Result<()> {
        *self.heart.address.lock() = Some(address.to_owned());
        self.heart.beat_if_claimed().await.map(drop)
    }

    /// Whether the newest term was not ended. That of a writer that died counts until another takes over.
    pub(super) async fn is_held(store: &Arc<dyn ObjectStore>, paths: &WorkspacePaths) -> bool {
        Board::read(store, paths).await.is_ok_and(|board| board.holder().is_some())
    }

    /// Tells the next writer that it need not wait.
    pub(super) async fn end(&self) -> Result<()> {
        self.beating.abort();
        // Whoever does not know ends it all the same: one too many does no harm.
        match self.heart.is_claimed().await {
            Ok(false) => Ok(()),
            _ => end(&self.store, &self.paths, self.number).await,
        }
    }

    /// Signs of life of older terms are of no use once a newer one stands; one that stays is harmless. Their claims stay
    /// for good: a writer that slept looks for the number after its own, and must find it.
    async fn forget_older(&self, board: Board) {
        let is_claim = |path: &Path| TermObject::of(path).is_some_and(|(_, what)| what == TermObject::Claim);
        let older = board.reigns.range(..self.number).flat_map(|(_, reign)| &reign.objects);
        for path in older.filter(|path| !is_claim(path)) {
            if let Err(error) = self.store.delete(path).await {
                tracing::debug!(%path, error = %Error::from(error), "an old writer's object stays");
            }
        }
    }
}

/// Ends all terms that this process holds, as well as it can: to be called when a command is over.
pub async fn end_terms() {
    let ending = async {
        // A claim that is under way must not stay behind.
        let _none_is_under_way = CLAIMING.write().await;
        let open = std::mem::take(&mut *OPEN.lock());
        futures::future::join_all(open.into_iter().map(give_up)).await;
    };
    if tokio::time::timeout(GOODBYE, ending).await.is_err() {
        tracing::warn!("the next writer must wait until this one's heartbeat is stale");
    }
}

/// The number to claim: the one after the newest, if that one's writer is gone.
async fn next_number(
    store: &Arc<dyn ObjectStore>,
    paths: &WorkspacePaths,
    stale_after: Duration,
    clock: &Clock,
) -> Result<u64> {
    let board = Board::read(store, paths).await?;
    let Some((number, _)) = board.holder() else { return Ok(board.newest() + 1) };
    // Clocks of machines differ: the store tells both times.
    store.put(&paths.writer_clock(), clock.new_id().to_string().into()).await?;
    let board = Board::read(store, paths).await?;
    let Some((newest, reign)) = board.holder() else { return Ok(board.newest() + 1) };
    let now = board.clock.unwrap_or_else(|| clock.now());
    let silent = now.signed_duration_since(reign.seen).to_std().unwrap_or_default();
    if newest == number && silent >= stale_after {
        tracing::info!(term = newest, silent_seconds = silent.as_secs(), "taking over from a writer that is gone");
        return Ok(newest + 1);
    }
    let rest = stale_after.saturating_sub(silent).as_secs() + 1;
    Err(Error::conflict(format!("if it has died, it counts as gone in {rest} s")))
}

/// Creates the object of term `number`, and makes sure that it could not be created twice; gives the writer that it names.
async fn create_claim(
    store: &Arc<dyn ObjectStore>,
    paths: &WorkspacePaths,
    number: u64,
    clock: &Clock,
) -> Result<Uuid> {
    let path = paths.writer_claim(number);
    let claim = |writer: Uuid| {
        json!({ "writer": writer, "program": env!("CARGO_PKG_VERSION"), "started_at": clock.now() }).to_string()
    };
    let writer = clock.new_id();
    objects::create(store.as_ref(), &path, claim(writer)).await.map_err(|error| match error.kind() {
        Kind::Conflict => Error::conflict("it has just begun"),
        _ => error,
    })?;
    match objects::create(store.as_ref(), &path, claim(clock.new_id())).await {
        Err(error) if error.kind() == Kind::Conflict => Ok(writer),
        Err(error) => Err(error),
        Ok(()) => Err(Error::invalid(
            "this object store overwrites objects that are to be created once (it ignores 'If-None-Match: *'): two \
             writers could destroy each other's data; use a store with conditional writes",
        )),
    }
}

async fn end(store: &Arc<dyn ObjectStore>, paths: &WorkspacePaths, number: u64) -> Result<()> {
    objects::create(store.as_ref(), &paths.writer_ended(number), "{}").await
}
