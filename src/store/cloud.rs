//! Stores in a cloud: S3, Google Cloud Storage, Azure, and what speaks like them.
//!
//! Credentials come from the environment alone, and nothing here shows them. A create-only put whose answer was lost is
//! resolved by reading the object back: the client below retries by itself, and then its own landed object looks like
//! somebody else's.

mod connect;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

pub(super) use connect::{Patience, connect, is_cloud, location, probe};

/// How often a create-only put is sent when it fails without leaving an object.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(100);

/// An object store in a cloud. Its `Debug` shows no configuration, since that holds the credentials.
pub(super) struct CloudStore {
    inner: Arc<dyn ObjectStore>,
    /// Scheme and bucket.
    label: String,
}

impl CloudStore {
    pub(super) fn new(inner: Arc<dyn ObjectStore>, label: String) -> Self {
        Self { inner, label }
    }

    /// Creates the object, or finds that this very write has landed before.
    async fn create(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let mut attempt = 1;
        loop {
            let failure = match self.inner.put_opts(location, payload.clone(), options.clone()).await {
                Ok(result) => return Ok(result),
                Err(failure) if is_refusal(&failure) => return Err(failure),
                Err(failure) => failure,
            };
            match self.inner.get(location).await {
                Ok(found) => {
                    let (e_tag, version) = (found.meta.e_tag.clone(), found.meta.version.clone());
                    let ours =
                        found.meta.size == payload.content_length() as u64 && same(&found.bytes().await?, &payload);
                    return if ours { Ok(PutResult { e_tag, version }) } else { Err(taken(location, failure)) };
                }
                // Nothing is there: neither ours nor another's has landed, so that sending it again is safe.
                Err(Error::NotFound { .. }) if attempt < ATTEMPTS => {
                    tokio::time::sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                Err(_) => return Err(failure),
            }
        }
    }
}

/// The store has understood the request and will not do it, now or later.
fn is_refusal(error: &Error) -> bool {
    matches!(
        error,
        Error::PermissionDenied { .. }
            | Error::Unauthenticated { .. }
            | Error::NotImplemented { .. }
            | Error::NotSupported { .. }
            | Error::NotFound { .. }
    )
}

fn same(landed: &Bytes, payload: &PutPayload) -> bool {
    let mut rest = &landed[..];
    payload.iter().all(|part| match rest.strip_prefix(&part[..]) {
        Some(after) => {
            rest = after;
            true
        }
        None => false,
    }) && rest.is_empty()
}

fn taken(location: &Path, failure: Error) -> Error {
    match failure {
        Error::AlreadyExists { .. } => failure,
        other => Error::AlreadyExists { path: location.to_string(), source: Box::new(other) },
    }
}

impl fmt::Debug for CloudStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloudStore({})", self.label)
    }
}

impl fmt::Display for CloudStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloudStore({})", self.label)
    }
}

#[async_trait]
impl ObjectStore for CloudStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        match options.mode {
            PutMode::Create => self.create(location, payload, options).await,
            _ => self.inner.put_opts(location, payload, options).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
