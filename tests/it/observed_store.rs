//! An object store that notes what is read from it, and whose writes can be made to fail, to wait or
//! to be doubtful.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::Mutex;
use tokio::sync::oneshot;

#[derive(Debug)]
pub struct ObservedStore {
    inner: InMemory,
    reads: Mutex<Vec<String>>,
    /// Writes that will still succeed.
    writes_left: AtomicUsize,
    hold: Mutex<Option<Hold>>,
    doubt: Mutex<Option<Doubt>>,
}

/// A write that is waited for.
#[derive(Debug)]
struct Hold {
    part: String,
    reached: oneshot::Sender<()>,
    go_on: oneshot::Receiver<()>,
}

/// Requests for paths that end so meet a network that loses all answers.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    path: &'static str,
    /// Writes are applied, which nobody learns.
    applied: bool,
}

impl ObservedStore {
    pub fn new(inner: InMemory) -> Self {
        let writes_left = AtomicUsize::new(usize::MAX);
        Self { inner, reads: Mutex::default(), writes_left, hold: Mutex::default(), doubt: Mutex::default() }
    }

    /// The next write to a path that contains `part` waits. What is returned: when it has come so far, and what lets it
    /// go on.
    pub fn hold(&self, part: &str) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let (reached, is_reached) = oneshot::channel();
        let (going_on, go_on) = oneshot::channel();
        *self.hold.lock() = Some(Hold { part: part.to_owned(), reached, go_on });
        (is_reached, going_on)
    }

    async fn wait_if_held(&self, location: &Path) {
        let held = self.hold.lock().take_if(|hold| location.as_ref().contains(&hold.part));
        if let Some(held) = held {
            held.reached.send(()).ok();
            held.go_on.await.ok();
        }
    }

    /// Paths that were read since [`Self::forget`], once for each read.
    pub fn reads(&self) -> Vec<String> {
        self.reads.lock().clone()
    }

    pub fn forget(&self) {
        self.reads.lock().clear();
    }

    /// The next `writes` succeed, then all fail.
    pub fn fail_after(&self, writes: usize) {
        self.writes_left.store(writes, Ordering::SeqCst);
    }

    pub fn fail_never(&self) {
        self.fail_after(usize::MAX);
    }

    /// From now on nobody learns what becomes of objects whose paths end so: writes are applied, or are not.
    pub fn doubt(&self, path: &'static str, applied: bool) {
        *self.doubt.lock() = Some(Doubt { path, applied });
    }

    /// All requests are answered again.
    pub fn answer(&self) {
        *self.doubt.lock() = None;
    }

    fn doubt_of(&self, location: &Path) -> Option<Doubt> {
        self.doubt.lock().filter(|doubt| location.as_ref().ends_with(doubt.path))
    }

    pub async fn paths(&self) -> Vec<String> {
        self.inner.list(None).map_ok(|object| object.location.to_string()).try_collect().await.unwrap()
    }

    fn allow_write(&self) -> Result<()> {
        let left = self.writes_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| Error::Generic { store: "ObservedStore", source: "the store is full".into() })
    }
}

fn lost() -> Error {
    Error::Generic { store: "ObservedStore", source: "connection reset".into() }
}

impl fmt::Display for ObservedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObservedStore")
    }
}

#[async_trait]
impl ObjectStore for ObservedStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.wait_if_held(location).await;
        self.allow_write()?;
        let Some(doubt) = self.doubt_of(location) else {
            return self.inner.put_opts(location, payload, options).await;
        };
        if doubt.applied {
            self.inner.put_opts(location, payload, options).await?;
        }
        Err(lost())
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.allow_write()?;
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.reads.lock().push(location.to_string());
        if self.doubt_of(location).is_some() {
            return Err(lost());
        }
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
        self.allow_write()?;
        self.inner.copy_opts(from, to, options).await
    }
}
