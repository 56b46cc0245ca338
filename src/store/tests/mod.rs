//! What the tests of this layer, and of those above it, share.

pub(crate) mod dice;
pub(crate) mod faulty;
pub(crate) mod simulated;

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};

/// As another process does that drops a workspace whose writer it takes for gone.
pub(crate) async fn delete_all(store: &Arc<dyn ObjectStore>) {
    let all: Vec<_> = store.list(None).map_ok(|object| object.location).try_collect().await.unwrap();
    for path in &all {
        store.delete(path).await.unwrap();
    }
}
