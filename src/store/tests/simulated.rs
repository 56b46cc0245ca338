//! An object store in memory that behaves as badly as told, the same way for the same seed.
//!
//! It needs a runtime of one thread with a paused clock: delays pass at once then, and tasks take turns in one order.
//! Every client of one store has a switch that stops it between two steps, as SIGSTOP does to a process.
//!
//! Requests from another thread, as Delta's kernel makes them, fail like others and are never held up: the clock stands
//! still while that thread is waited for.

mod faults;
mod history;

use std::fmt;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

pub(crate) use self::faults::{Counts, Rates};
use self::faults::{Fate, Faults};
use self::history::History;

/// One client of a simulated store.
#[derive(Debug, Clone)]
pub(crate) struct SimulatedStore {
    world: Arc<World>,
    running: Arc<watch::Sender<bool>>,
    /// Its requests are not held up, and none fails.
    is_spared: bool,
    /// The store is a disk of its own machine: when it stops, nothing of it is on its way.
    is_local: bool,
}

#[derive(Debug)]
struct World {
    inner: Arc<InMemory>,
    faults: Mutex<Faults>,
    history: Mutex<History>,
    reach: Reach,
    time: WorldTime,
}

/// The objects that meet faults which only some readers claim to withstand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// Bits of it may be wrong when it is read.
    pub(crate) flips: fn(&Path) -> bool,
    /// A list of what lies below may be stale.
    pub(crate) stale: fn(&Path) -> bool,
}

/// The time of the store's own clock, which is that of the thread that made it.
#[derive(Debug)]
struct WorldTime {
    thread: ThreadId,
    began: Instant,
    /// When that thread last asked.
    elapsed: Mutex<Duration>,
}

impl SimulatedStore {
    /// Every object meets every fault.
    pub(crate) fn new(seed: u64, rates: Rates) -> Self {
        Self::with_reach(seed, rates, Reach { flips: |_| true, stale: |_| true })
    }

    pub(crate) fn with_reach(seed: u64, rates: Rates, reach: Reach) -> Self {
        let world = World {
            inner: Arc::default(),
            faults: Mutex::new(Faults::new(seed, rates)),
            history: Mutex::default(),
            reach,
            time: WorldTime::start(),
        };
        Self { world: Arc::new(world), running: Arc::new(watch::Sender::new(true)), is_spared: false, is_local: false }
    }

    /// Another process that sees the same objects.
    pub(crate) fn another_client(&self) -> Self {
        let running = Arc::new(watch::Sender::new(true));
        Self { world: Arc::clone(&self.world), running, is_spared: false, is_local: false }
    }

    /// One with a better way to the store: what it reads and lists may be wrong, but no request of it fails.
    pub(crate) fn spared_client(&self) -> Self {
        Self { is_spared: true, ..self.another_client() }
    }

    /// One to which the store is a disk of its own machine.
    pub(crate) fn local_client(&self) -> Self {
        Self { is_local: true, ..self.another_client() }
    }

    /// From now on this client sends nothing and hears nothing; what it has sent may still be applied.
    pub(crate) fn pause(&self) {
        self.running.send_replace(false);
    }

    pub(crate) fn resume(&self) {
        self.running.send_replace(true);
    }

    pub(crate) fn set_rates(&self, rates: Rates) {
        self.world.faults.lock().rates = rates;
    }

    /// What happened so far, over all clients.
    pub(crate) fn counts(&self) -> Counts {
        self.world.faults.lock().counts
    }

    /// The objects as they are, without a fault.
    pub(crate) fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.world.inner) as Arc<dyn ObjectStore>
    }

    /// Removes every object: what holds a client for good holds no memory then.
    pub(crate) async fn clear(&self) {
        let all = self.world.inner.list(None).map_ok(|object| object.location).boxed();
        self.world.inner.delete_stream(all).for_each(|_| async {}).await;
        *self.world.history.lock() = History::default();
    }

    pub(crate) async fn wait_while_paused(&self) {
        if !self.world.time.is_of_this_thread() {
            return;
        }
        let mut running = self.running.subscribe();
        // The sender lives as long as this client.
        running.wait_for(|running| *running).await.ok();
    }

    fn fate(&self, put: bool) -> (Fate, Option<Duration>, Option<Duration>) {
        match self.is_spared {
            true => (Fate::Fine, None, None),
            false => self.world.faults.lock().fate(put),
        }
    }

    async fn hold_up(&self, before: Option<Duration>) {
        self.world.time.sleep(before).await;
        if self.is_local {
            self.wait_while_paused().await;
        }
    }

    /// Does `apply`, or not, and tells, or not.
    async fn request<T>(&self, apply: impl Future<Output = Result<T>>) -> Result<T> {
        self.wait_while_paused().await;
        let (fate, before, after) = self.fate(false);
        self.hold_up(before).await;
        let outcome = match fate {
            Fate::Throttled => Err(throttled(self.world.faults.lock().toss())),
            Fate::LostRequest => Err(lost()),
            Fate::LostAnswer => apply.await.and_then(|_| Err(lost())),
            Fate::Late(_) | Fate::FalseConflict | Fate::Fine => apply.await,
        };
        self.world.time.sleep(after).await;
        self.wait_while_paused().await;
        outcome
    }

    /// As [`SimulatedStore::request`], with what only puts meet.
    async fn put(&self, location: Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.wait_while_paused().await;
        let creates = options.mode == PutMode::Create;
        let (fate, before, after) = self.fate(true);
        self.hold_up(before).await;
        let world = Arc::clone(&self.world);
        let path = location.clone();
        let apply = async move { world.put(&path, payload, options).await };
        let outcome = match fate {
            Fate::Throttled => Err(throttled(self.world.faults.lock().toss())),
            Fate::LostRequest => Err(lost()),
            Fate::FalseConflict if creates => Err(exists(&location, "409 Conflict")),
            // The client's own second try says that the object is there.
            Fate::FalseConflict => apply.await,
            Fate::LostAnswer => match apply.await {
                Ok(_) if creates && self.world.faults.lock().toss() => {
                    Err(exists(&location, "412 Precondition Failed"))
                }
                _ => Err(lost()),
            },
            Fate::Late(delay) => {
                let world = Arc::clone(&self.world);
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    world.faults.lock().counts.landed_late += u64::from(apply.await.is_ok());
                });
                Err(lost())
            }
            Fate::Fine => apply.await,
        };
        self.world.time.sleep(after).await;
        self.wait_while_paused().await;
        outcome
    }
}

impl World {
    async fn put(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let result = self.inner.put_opts(location, payload, options).await?;
        self.note(location).await?;
        Ok(result)
    }

    /// Makes an object visible in lists.
    async fn note(&self, location: &Path) -> Result<()> {
        let meta = self.inner.head(location).await?;
        self.history.lock().put(ObjectMeta { last_modified: self.time.now(), ..meta });
        Ok(())
    }

    async fn delete(&self, location: Path) -> Result<Path> {
        self.inner.delete(&location).await?;
        self.history.lock().delete(location.clone());
        Ok(location)
    }

    async fn get(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let found = self.inner.get_opts(location, options).await?;
        let (meta, range, attributes) = (found.meta.clone(), found.range.clone(), found.attributes.clone());
        let bytes = found.bytes().await?;
        let bytes = match (self.reach.flips)(location) {
            true => self.faults.lock().hurt(bytes),
            false => bytes,
        };
        let payload = GetResultPayload::Stream(futures::stream::iter([Ok::<Bytes, Error>(bytes)]).boxed());
        Ok(GetResult { payload, meta, range, attributes })
    }

    fn list(&self, prefix: Option<&Path>) -> Vec<ObjectMeta> {
        let history = self.history.lock();
        let may_be_stale = prefix.is_none_or(self.reach.stale);
        let unseen = if may_be_stale { self.faults.lock().unseen(history.len()) } else { 0 };
        history.list(prefix, unseen)
    }
}

impl WorldTime {
    fn start() -> Self {
        Self { thread: thread::current().id(), began: Instant::now(), elapsed: Mutex::default() }
    }

    fn is_of_this_thread(&self) -> bool {
        thread::current().id() == self.thread
    }

    fn now(&self) -> DateTime<Utc> {
        let mut elapsed = self.elapsed.lock();
        if self.is_of_this_thread() {
            *elapsed = self.began.elapsed();
        }
        DateTime::UNIX_EPOCH + *elapsed
    }

    async fn sleep(&self, delay: Option<Duration>) {
        if let Some(delay) = delay.filter(|_| self.is_of_this_thread()) {
            tokio::time::sleep(delay).await;
        }
    }
}

fn lost() -> Error {
    Error::Generic { store: "SimulatedStore", source: "connection reset".into() }
}

fn throttled(is_busy: bool) -> Error {
    let status = match is_busy {
        true => "503 Service Unavailable: <Code>SlowDown</Code>",
        false => "429 Too Many Requests: <Code>TooManyRequests</Code>",
    };
    let source = format!("Server returned non-2xx status code: {status}").into();
    Error::Generic { store: "SimulatedStore", source }
}

fn exists(location: &Path, status: &'static str) -> Error {
    Error::AlreadyExists { path: location.to_string(), source: status.into() }
}

impl fmt::Display for SimulatedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedStore")
    }
}

#[async_trait]
impl ObjectStore for SimulatedStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.put(location.clone(), payload, options).await
    }

    /// Parts meet no faults.
    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.request(self.world.inner.put_multipart_opts(location, options)).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.request(self.world.get(location, options)).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let deletes = locations.then(move |location| {
            let store = store.clone();
            async move {
                let location = location?;
                store.request(store.world.delete(location)).await
            }
        });
        deletes.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (store, prefix) = (self.clone(), prefix.cloned());
        let listed = async move {
            let listed = store.request(async { Ok(store.world.list(prefix.as_ref())) }).await?;
            Ok::<_, Error>(futures::stream::iter(listed).map(Ok))
        };
        futures::stream::once(listed).try_flatten().boxed()
    }

    /// Never stale.
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.request(self.world.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.request(async {
            self.world.inner.copy_opts(from, to, options).await?;
            self.world.note(to).await
        })
        .await
    }
}
