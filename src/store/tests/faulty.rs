//! A store in memory whose puts go wrong as told.

use std::collections::VecDeque;
use std::fmt;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::Mutex;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Fault {
    /// Applied and answered.
    Nothing,
    /// Applied, and the answer is lost.
    LostAnswer,
    /// Applied, and the client's own second try says that the object is there.
    AlreadyExistsAfterLanding,
    /// Not applied, and told as a conflict: S3 does so when two requests meet.
    ConflictWithoutLanding,
    /// Not applied.
    Lost,
}

/// The next puts meet these faults, one each.
#[derive(Debug, Default)]
pub(crate) struct FaultyStore {
    pub(in crate::store) inner: InMemory,
    pub(in crate::store) faults: Mutex<VecDeque<Fault>>,
    /// Create-only puts overwrite, as with some S3 servers.
    pub(in crate::store) overwrites: bool,
    pub(in crate::store) puts: Mutex<u32>,
    /// What was read, or looked for.
    pub(crate) gets: Mutex<Vec<Path>>,
}

impl FaultyStore {
    pub(in crate::store) fn with(faults: &[Fault]) -> Self {
        Self { faults: Mutex::new(faults.iter().copied().collect()), ..Self::default() }
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyStore")
    }
}

fn lost() -> Error {
    Error::Generic { store: "FaultyStore", source: "connection reset".into() }
}

fn exists(location: &Path) -> Error {
    Error::AlreadyExists { path: location.to_string(), source: "412".into() }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, mut options: PutOptions) -> Result<PutResult> {
        *self.puts.lock() += 1;
        if self.overwrites {
            options.mode = PutMode::Overwrite;
        }
        let fault = self.faults.lock().pop_front();
        match fault {
            None | Some(Fault::Nothing) => self.inner.put_opts(location, payload, options).await,
            Some(Fault::LostAnswer) => {
                self.inner.put_opts(location, payload, options).await?;
                Err(lost())
            }
            Some(Fault::AlreadyExistsAfterLanding) => {
                self.inner.put_opts(location, payload, options).await?;
                Err(exists(location))
            }
            Some(Fault::ConflictWithoutLanding) => Err(exists(location)),
            Some(Fault::Lost) => Err(lost()),
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
        self.gets.lock().push(location.clone());
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
