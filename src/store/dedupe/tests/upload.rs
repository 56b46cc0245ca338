//! Runs in parts over a store whose last answer is lost, or whose last request fails.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

use super::super::index::{DedupeIndex, DedupeSettings};
use super::super::run::Run;
use super::{SMALL, at_hour, keys};

/// Fails to complete uploads, before or after it has done so.
#[derive(Debug)]
struct FailingStore {
    inner: InMemory,
    applies: bool,
}

#[derive(Debug)]
struct FailingUpload {
    inner: Box<dyn MultipartUpload>,
    applies: bool,
}

fn lost() -> Error {
    Error::Generic { store: "FailingStore", source: "connection reset".into() }
}

impl fmt::Display for FailingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FailingStore")
    }
}

#[async_trait]
impl MultipartUpload for FailingUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.inner.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        if self.applies {
            self.inner.complete().await?;
        }
        Err(lost())
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

#[async_trait]
impl ObjectStore for FailingStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let inner = self.inner.put_multipart_opts(location, options).await?;
        Ok(Box::new(FailingUpload { inner, applies: self.applies }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
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

#[tokio::test]
async fn an_upload_counts_when_its_object_is_there() {
    for applies in [true, false] {
        let store: Arc<dyn ObjectStore> = Arc::new(FailingStore { inner: InMemory::new(), applies });
        let settings = DedupeSettings { window_hours: 48, exact_bytes: 0, cache_bytes: 0 };
        let mut index = DedupeIndex::new(settings).with_layout(SMALL);
        index.add(keys(0..100), at_hour(1000));
        let outcome = index.seal(1).unwrap().write(&store, &Path::from("run")).await;
        assert_eq!(outcome.is_ok(), applies);
        assert_eq!(store.head(&Path::from("run")).await.is_ok(), applies);
        if applies {
            Arc::new(Run::open(store, Path::from("run")).await.unwrap()).verify().await.unwrap();
        }
    }
}
