//! What all statements of a server share: memory pool, spill folder, object stores of the workspaces.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use object_store::ObjectStore;
use parking_lot::RwLock;
use url::Url;

use super::spill_folder::SpillFolder;
use crate::error::Result;
use crate::settings::QuerySettings;

/// Consumers named in a message about exhausted memory.
const NAMED_CONSUMERS: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN;

/// Footers and page indexes held in memory: without them one person's rows would cost a read of each footer.
const FOOTER_MEMORY: usize = 256 << 20;

/// The runtime of the whole server, which spills to `folder`; each statement gets its own memory limit on top (`limits`).
pub(super) fn shared_runtime(settings: &QuerySettings, folder: SpillFolder) -> Result<Arc<RuntimeEnv>> {
    let pool = TrackConsumersPool::new(GreedyMemoryPool::new(settings.pool_memory.0), NAMED_CONSUMERS);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_temp_file_factory(Arc::new(folder)))
        .with_metadata_cache_limit(FOOTER_MEMORY)
        .with_object_store_registry(Arc::new(WorkspaceStores::default()))
        .build()?;
    Ok(Arc::new(runtime))
}

/// The same runtime with another memory pool.
pub(super) fn with_pool(runtime: &RuntimeEnv, pool: Arc<dyn MemoryPool>) -> Result<Arc<RuntimeEnv>> {
    Ok(Arc::new(RuntimeEnvBuilder::from_runtime_env(runtime).with_memory_pool(pool).build()?))
}

/// The stores that a plan may read: those that the engine put in, under `convoke://<workspace>/`.
///
/// DataFusion's own registry has the whole local disk under `file://`.
#[derive(Default)]
struct WorkspaceStores {
    stores: RwLock<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl fmt::Debug for WorkspaceStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkspaceStores")
    }
}

fn key(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.authority())
}

impl ObjectStoreRegistry for WorkspaceStores {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.stores.write().insert(key(url), store)
    }

    fn get_store(&self, url: &Url) -> datafusion::common::Result<Arc<dyn ObjectStore>> {
        let held = self.stores.read().get(&key(url)).cloned();
        held.ok_or_else(|| DataFusionError::Plan("statements read tables, not files or URLs".to_owned()))
    }
}
