//! What a state shows, read past all that is tested: files and objects as they lie in the store, and rows of the log.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use object_store::ObjectStore;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::ids::{Node, Person, WorkspaceName};
use crate::store::{objects, paths};
use crate::workspace::Snapshot;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct View {
    /// Records of the log so far.
    pub(super) position: u64,
    /// Message id and main node of each row, in the order of the ids.
    pub(super) rows: Vec<(String, Option<i64>)>,
    /// Reasons of the rejected rows, in order.
    pub(super) rejected: Vec<String>,
    /// Name of the type, and value, of each node.
    pub(super) identifiers: Vec<(String, String)>,
    /// Of each node.
    pub(super) persons: Vec<Option<Person>>,
    /// Of each person number.
    pub(super) person_ids: Vec<Uuid>,
}

/// Reads states.
pub(super) struct Viewer {
    /// The workspace's folder as `/`, without faults.
    store: Arc<dyn ObjectStore>,
    /// Objects never change.
    read: Mutex<HashMap<Path, Arc<Vec<RecordBatch>>>>,
}

impl View {
    /// All that is there, each as often as it is there.
    pub(super) fn ids(&self) -> impl Iterator<Item = &String> {
        self.rows.iter().map(|(id, _)| id).chain(&self.rejected)
    }
}

impl Viewer {
    pub(super) fn new(store: Arc<dyn ObjectStore>, workspace: &WorkspaceName) -> Self {
        let store = Arc::new(PrefixStore::new(store, Path::from(workspace.as_str())));
        Self { store, read: Mutex::default() }
    }

    pub(super) async fn look(&self, state: &Snapshot) -> View {
        let identity = &state.identity;
        let mut identifiers = Vec::new();
        let name = |_: Node, kind: &str, value: &str| identifiers.push((kind.to_owned(), value.to_owned()));
        identity.show_identifiers(0..identity.nodes(), name);
        let persons = (0..identity.nodes()).map(|node| identity.person_of(node as Node)).collect();
        let person_ids = (0..identity.births()).map(|person| identity.person_id(person as Person).unwrap()).collect();
        let (rows, rejected) = (self.rows(state).await, self.rejected(state).await);
        View { position: state.position, rows, rejected, identifiers, persons, person_ids }
    }

    async fn rows(&self, state: &Snapshot) -> Vec<(String, Option<i64>)> {
        let mut rows = Vec::new();
        for file in state.events.files.iter() {
            let batches = self.read(&paths::events_file_in_workspace(&file.path)).await;
            batches.iter().for_each(|batch| rows.extend(rows_of(batch)));
        }
        state.hot.parts().iter().for_each(|part| rows.extend(rows_of(&part.rows)));
        rows.sort();
        rows
    }

    async fn rejected(&self, state: &Snapshot) -> Vec<String> {
        let mut rejected = Vec::new();
        for path in state.commits.iter().filter_map(|commit| commit.dead_letters.as_deref()) {
            let batches = self.read(&Path::from(path)).await;
            batches.iter().for_each(|batch| rejected.extend(texts(batch, "reason")));
        }
        for batch in state.hot.parts().iter().flat_map(|part| &part.dead_letters) {
            rejected.extend(texts(batch, "reason"));
        }
        rejected.sort();
        rejected
    }

    async fn read(&self, path: &Path) -> Arc<Vec<RecordBatch>> {
        if let Some(held) = self.read.lock().get(path) {
            return Arc::clone(held);
        }
        let bytes = objects::read(&self.store, path).await.unwrap().unwrap_or_else(|| panic!("'{path}' is missing"));
        let batches = Arc::new(objects::decode_parquet(bytes).unwrap());
        self.read.lock().insert(path.clone(), Arc::clone(&batches));
        batches
    }
}

fn rows_of(batch: &RecordBatch) -> Vec<(String, Option<i64>)> {
    let nodes = batch.column_by_name("node").unwrap().as_primitive::<Int64Type>();
    texts(batch, "message_id").into_iter().zip(nodes.iter()).collect()
}

fn texts(batch: &RecordBatch, column: &str) -> Vec<String> {
    let texts = batch.column_by_name(column).unwrap().as_string::<i32>();
    texts.iter().map(|text| text.unwrap().to_owned()).collect()
}
