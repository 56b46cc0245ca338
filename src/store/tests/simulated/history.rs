//! What a list has shown at each time.

use std::collections::BTreeMap;

use object_store::ObjectMeta;
use object_store::path::Path;

/// Every change of a store, oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    changes: Vec<(Path, Option<ObjectMeta>)>,
}

impl History {
    pub(super) fn put(&mut self, meta: ObjectMeta) {
        self.changes.push((meta.location.clone(), Some(meta)));
    }

    pub(super) fn delete(&mut self, path: Path) {
        self.changes.push((path, None));
    }

    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// The objects below `prefix` before the last `unseen` changes.
    pub(super) fn list(&self, prefix: Option<&Path>, unseen: usize) -> Vec<ObjectMeta> {
        let seen = &self.changes[..self.changes.len().saturating_sub(unseen)];
        let mut objects = BTreeMap::new();
        for (path, meta) in seen {
            objects.insert(path, meta);
        }
        let below = |path: &Path| prefix.is_none_or(|prefix| path != prefix && path.prefix_matches(prefix));
        objects.into_iter().filter(|(path, _)| below(path)).filter_map(|(_, meta)| meta.clone()).collect()
    }
}
