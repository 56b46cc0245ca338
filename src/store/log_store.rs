//! Delta's registry of log stores, taught the schemes of cloud stores: without their own crates Delta knows `file` and
//! `memory` only.

use std::sync::Arc;

use deltalake_core::DeltaResult;
use deltalake_core::logstore::{LogStore, LogStoreFactory, StorageConfig, default_logstore, logstore_factories};
use object_store::ObjectStore;
use url::Url;

use crate::error::{Error, Result};

/// Makes Delta's default log store, which commits by a create-only put.
#[derive(Debug)]
struct CreateOnlyLogStores;

impl LogStoreFactory for CreateOnlyLogStores {
    fn with_options(
        &self,
        prefixed_store: Arc<dyn ObjectStore>,
        root_store: Arc<dyn ObjectStore>,
        location: &Url,
        options: &StorageConfig,
    ) -> DeltaResult<Arc<dyn LogStore>> {
        Ok(default_logstore(prefixed_store, root_store, location, options))
    }
}

/// Lets Delta tables lie under `scheme`. May be called again.
pub(super) fn register(scheme: &str) -> Result<()> {
    let key = Url::parse(&format!("{scheme}://")).map_err(|error| Error::internal(format!("{scheme}: {error}")))?;
    logstore_factories().entry(key).or_insert_with(|| Arc::new(CreateOnlyLogStores));
    Ok(())
}
