//! Requests to an object store that may fail before they are applied, or be applied and fail to say so.
//!
//! Knows nothing of logs: what bytes mean is told by the `decode` of each call.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, PutMode, PutOptions};

use crate::error::{Error, Kind, Result};

/// How hard a request is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// At least 1.
    pub attempts: u32,
    /// Before the second attempt; each further one waits twice as long as the one before.
    pub first_pause: Duration,
    /// Of one request: longer than the store's own client waits, so that this is for a client that hangs.
    pub timeout: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { attempts: 5, first_pause: Duration::from_millis(100), timeout: Duration::from_secs(60) }
    }
}

/// Who has made the object that a create-only put was to make.
#[derive(Debug)]
pub(super) enum Landed<T> {
    /// This very put.
    Ours,
    /// Somebody else, with these contents. Ours has not landed and cannot any more.
    Others(T),
}

/// The store behind one log.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    store: Arc<dyn ObjectStore>,
    retries: Retries,
}

impl Requests {
    pub(super) fn new(store: Arc<dyn ObjectStore>, retries: Retries) -> Self {
        Self { store, retries }
    }

    /// The whole object, or its bytes in `range`, as `decode` makes it from them and the size of the whole;
    /// `None` when there is no object. Bytes that `decode` finds damaged are read again: they may have been hurt on the
    /// way.
    ///
    /// # Errors
    /// That of the last attempt.
    pub(super) async fn read<T>(
        &self,
        path: &Path,
        range: Option<Range<u64>>,
        decode: impl Fn(Bytes, u64) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut attempt = 1;
        loop {
            let failure = match self.read_once(path, range.clone()).await {
                Ok(None) => return Ok(None),
                Ok(Some((bytes, size))) => match decode(bytes, size) {
                    Ok(decoded) => return Ok(Some(decoded)),
                    Err(damage) if damage.kind() == Kind::Corrupt => damage,
                    Err(other) => return Err(other),
                },
                Err(failure) => failure,
            };
            if !self.pause(&mut attempt).await {
                return Err(failure);
            }
        }
    }

    /// Creates the object. A put that fails may have been applied, or may still be: the object is read back, and the
    /// same bytes are sent again while nothing is there. Two puts to one path must never differ, unless the path is
    /// known to be taken.
    ///
    /// # Errors
    /// That of the last attempt. Nobody knows then whether the object is there, or will be.
    pub(super) async fn create<T>(
        &self,
        path: &Path,
        bytes: &Bytes,
        decode: impl Fn(Bytes) -> Result<T>,
    ) -> Result<Landed<T>> {
        let mut attempt = 1;
        loop {
            let Err(mut failure) = self.put_once(path, bytes).await else { return Ok(Landed::Ours) };
            match self.read_once(path, None).await {
                Ok(None) => {}
                Ok(Some((found, _))) if found == *bytes => return Ok(Landed::Ours),
                Ok(Some((found, _))) => match decode(found) {
                    Ok(others) => return Ok(Landed::Others(others)),
                    Err(damage) => failure = damage,
                },
                Err(unread) => failure = unread,
            }
            if !self.pause(&mut attempt).await {
                return Err(failure);
            }
        }
    }

    /// The objects below `folder` that the store lists behind `offset`. It may list what is gone and miss what is new.
    pub(super) async fn list(&self, folder: &Path, offset: Option<&Path>) -> Result<Vec<Path>> {
        let mut attempt = 1;
        loop {
            let listed = match offset {
                Some(offset) => self.store.list_with_offset(Some(folder), offset),
                None => self.store.list(Some(folder)),
            };
            let listed = listed.map_ok(|object| object.location).try_collect();
            let failure = match self.in_time(listed).await {
                Ok(paths) => return Ok(paths),
                Err(failure) => failure,
            };
            if !self.pause(&mut attempt).await {
                return Err(failure);
            }
        }
    }

    /// Deletes objects, as far as they are there.
    ///
    /// # Errors
    /// The first of the last attempt; all others are gone.
    pub(super) async fn delete(&self, paths: &[Path]) -> Result<()> {
        let mut attempt = 1;
        loop {
            let Err(failure) = self.delete_once(paths).await else { return Ok(()) };
            if !self.pause(&mut attempt).await {
                return Err(failure);
            }
        }
    }

    async fn delete_once(&self, paths: &[Path]) -> Result<()> {
        let paths = futures::stream::iter(paths.to_vec()).map(Ok).boxed();
        let outcomes = self.store.delete_stream(paths).collect::<Vec<_>>();
        let outcomes = self.in_time(async { Ok(outcomes.await) }).await?;
        for outcome in outcomes {
            match outcome {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(())
    }

    async fn read_once(&self, path: &Path, range: Option<Range<u64>>) -> Result<Option<(Bytes, u64)>> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let got = async {
            match self.store.get_opts(path, options).await {
                Ok(found) => {
                    let size = found.meta.size;
                    Ok(Some((found.bytes().await?, size)))
                }
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(failure) => Err(failure),
            }
        };
        self.in_time(got).await.map_err(|error| error.context(format!("reading object '{path}'")))
    }

    async fn put_once(&self, path: &Path, bytes: &Bytes) -> Result<()> {
        let put = self.store.put_opts(path, bytes.clone().into(), PutOptions::from(PutMode::Create));
        let put = self.in_time(put).await;
        put.map(drop).map_err(|error| error.context(format!("creating object '{path}'")))
    }

    async fn in_time<T>(&self, request: impl Future<Output = object_store::Result<T>>) -> Result<T> {
        match tokio::time::timeout(self.retries.timeout, request).await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(Error::busy(format!(
                "the object store has not answered for {} s: try again",
                self.retries.timeout.as_secs()
            ))),
        }
    }

    /// Waits for the next attempt; `false` when there is none.
    async fn pause(&self, attempt: &mut u32) -> bool {
        if *attempt >= self.retries.attempts {
            return false;
        }
        let pause = self.retries.first_pause.saturating_mul(1 << (*attempt - 1).min(10));
        // A sleep of no length still takes a turn of the clock.
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        *attempt += 1;
        true
    }
}
