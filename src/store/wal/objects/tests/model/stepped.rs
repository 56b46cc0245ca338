//! A store in memory each request of which waits until it is told to go on, and how.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::Mutex;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    Fine,
    /// Not applied, and told as a broken connection.
    LostRequest,
    /// Applied, and told as a broken connection.
    LostAnswer,
    /// Told as a broken connection; on its way, to be applied at any later moment.
    Late,
}

/// As [`World::current`]: requests go on at once.
pub(super) const NOBODY: usize = usize::MAX;

/// What all processes share.
#[derive(Debug)]
pub(super) struct World {
    objects: Mutex<BTreeMap<Path, Bytes>>,
    /// Puts on their way that nobody waits for.
    pub(super) late: Mutex<Vec<(Path, Bytes)>>,
    /// The actor that runs.
    pub(super) current: AtomicUsize,
    /// One for each actor.
    pub(super) turns: Vec<Turn>,
}

impl World {
    /// With as many `actors`, in which nobody steps yet.
    pub(super) fn new(actors: usize) -> Arc<Self> {
        Arc::new(Self {
            objects: Mutex::default(),
            late: Mutex::default(),
            current: AtomicUsize::new(NOBODY),
            turns: (0..actors).map(|_| Turn::default()).collect(),
        })
    }

    /// What lies there now, for a world of its own.
    pub(super) fn copy(&self) -> Arc<Self> {
        let copy = Self::new(0);
        copy.objects.lock().clone_from(&self.objects.lock());
        copy
    }

    pub(super) fn peek(&self, path: &Path) -> Option<Bytes> {
        self.objects.lock().get(path).cloned()
    }

    fn create(&self, path: &Path, bytes: Bytes) -> Result<()> {
        let mut objects = self.objects.lock();
        if objects.contains_key(path) {
            return Err(Error::AlreadyExists { path: path.to_string(), source: "412".into() });
        }
        objects.insert(path.clone(), bytes);
        Ok(())
    }

    /// A late put arrives; that it is refused reaches nobody.
    pub(super) fn deliver(&self, number: usize) {
        let (path, bytes) = self.late.lock().remove(number);
        self.create(&path, bytes).ok();
    }

    pub(super) fn hash(&self, hasher: &mut DefaultHasher) {
        self.objects.lock().hash(hasher);
        self.late.lock().hash(hasher);
    }

    fn get(&self, path: &Path, range: Option<&GetRange>) -> Result<(Bytes, Range<u64>, ObjectMeta)> {
        let objects = self.objects.lock();
        let Some(bytes) = objects.get(path) else {
            return Err(Error::NotFound { path: path.to_string(), source: "404".into() });
        };
        let range = match range {
            Some(GetRange::Bounded(range)) => range.start..range.end.min(bytes.len() as u64),
            _ => 0..bytes.len() as u64,
        };
        Ok((bytes.slice(range.start as usize..range.end as usize), range, meta(path, bytes)))
    }
}

fn meta(path: &Path, bytes: &Bytes) -> ObjectMeta {
    let size = bytes.len() as u64;
    ObjectMeta { location: path.clone(), last_modified: Default::default(), size, e_tag: None, version: None }
}

fn broken() -> Error {
    Error::Generic { store: "Stepped", source: "connection reset".into() }
}

/// Where one actor's next request waits.
#[derive(Debug, Default)]
pub(super) struct Turn {
    state: Mutex<TurnState>,
}

#[derive(Debug, Default)]
struct TurnState {
    /// The request that waits, and whether it creates an object of the log.
    waiting: Option<(String, bool)>,
    granted: Option<Outcome>,
    waker: Option<Waker>,
    /// Hash of all that was asked and told before.
    memory: u64,
}

impl Turn {
    /// The request that waits, and whether it is one that faults are tried on.
    pub(super) fn waiting(&self) -> Option<(String, bool)> {
        self.state.lock().waiting.clone()
    }

    pub(super) fn hash(&self, hasher: &mut DefaultHasher) {
        let state = self.state.lock();
        (state.memory, &state.waiting).hash(hasher);
    }

    pub(super) fn grant(&self, outcome: Outcome) {
        let mut state = self.state.lock();
        state.granted = Some(outcome);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    async fn wait(&self, request: &str, creates: bool) -> Outcome {
        futures::future::poll_fn(|context| {
            let mut state = self.state.lock();
            if let Some(outcome) = state.granted.take() {
                state.waiting = None;
                return Poll::Ready(outcome);
            }
            state.waiting = Some((request.to_owned(), creates));
            state.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// The actors' way to the world. Each remembers what it has asked and was told: with what its process shares, that
/// decides what it does next.
#[derive(Debug, Clone)]
pub(super) struct Stepped {
    pub(super) world: Arc<World>,
}

impl Stepped {
    pub(super) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world) }
    }

    fn turn(&self) -> Option<&Turn> {
        self.world.turns.get(self.world.current.load(Ordering::Relaxed))
    }

    async fn wait(&self, request: &str, creates: bool) -> Outcome {
        match self.turn() {
            Some(turn) => turn.wait(request, creates).await,
            None => Outcome::Fine,
        }
    }

    /// Remembers the answer to a request.
    fn remember<T>(&self, request: &str, outcome: &Result<T>, told: impl Hash) {
        let Some(turn) = self.turn() else { return };
        let mut state = turn.state.lock();
        let mut hasher = DefaultHasher::new();
        (state.memory, request, told, outcome.is_ok()).hash(&mut hasher);
        state.memory = hasher.finish();
    }
}

impl fmt::Display for Stepped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stepped")
    }
}

fn unused() -> Error {
    Error::NotImplemented { operation: "this".to_owned(), implementer: "Stepped".to_owned() }
}

#[async_trait]
impl ObjectStore for Stepped {
    /// Creates, whatever the mode.
    async fn put_opts(&self, path: &Path, payload: PutPayload, _options: PutOptions) -> Result<PutResult> {
        let bytes = Bytes::from(payload);
        let mut content = DefaultHasher::new();
        bytes.hash(&mut content);
        let request = format!("PUT {path} {:x}", content.finish());
        let outcome = match self.wait(&request, path.as_ref().contains("/wal")).await {
            Outcome::Fine => self.world.create(path, bytes),
            Outcome::LostRequest => Err(broken()),
            Outcome::LostAnswer => self.world.create(path, bytes).and(Err(broken())),
            Outcome::Late => {
                self.world.late.lock().push((path.clone(), bytes));
                Err(broken())
            }
        };
        self.remember(&request, &outcome, ());
        outcome.map(|()| PutResult { e_tag: None, version: None })
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let request = format!("GET {path}");
        self.wait(&request, false).await;
        let found = self.world.get(path, options.range.as_ref());
        self.remember(&request, &found, found.as_ref().ok().map(|(bytes, ..)| bytes));
        let (bytes, range, meta) = found?;
        let payload = GetResultPayload::Stream(futures::stream::iter([Ok(bytes)]).boxed());
        Ok(GetResult { payload, meta, range, attributes: Default::default() })
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let deletes = paths.then(move |path| {
            let store = store.clone();
            async move {
                let path = path?;
                let request = format!("DELETE {path}");
                store.wait(&request, false).await;
                store.world.objects.lock().remove(&path);
                store.remember(&request, &Ok(()), ());
                Ok(path)
            }
        });
        deletes.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (store, prefix) = (self.clone(), prefix.cloned().unwrap_or_default());
        let listed = async move {
            let request = format!("LIST {prefix}");
            store.wait(&request, false).await;
            let objects = store.world.objects.lock();
            let listed: Vec<_> = objects
                .iter()
                .filter(|(path, _)| path.prefix_matches(&prefix))
                .map(|(path, bytes)| meta(path, bytes))
                .collect();
            store.remember(&request, &Ok(()), listed.iter().map(|meta| &meta.location).collect::<Vec<_>>());
            futures::stream::iter(listed).map(Ok)
        };
        futures::stream::once(listed).flatten().boxed()
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(unused())
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(unused())
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(unused())
    }
}
