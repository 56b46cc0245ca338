//! What the tests share: a root in a temporary folder, the parts over it, and ways to ask and to load.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use convoke::auth::Caller;
use convoke::error::Result;
use convoke::ids::WorkspaceName;
use convoke::ingest::input::{InputBuilder, InputRow};
use convoke::ingest::{LoadRequest, LoadSummary, Loader};
use convoke::query::{Engine, IfExists, SessionOptions, TableIngest};
use convoke::settings::Settings;
use convoke::store::Root;
use convoke::workspace::{Manifest, Workspaces};
use datafusion::common::ScalarValue;
use futures::{StreamExt, TryStreamExt};
use tempfile::TempDir;

use crate::observed_store::ObservedStore;

/// A root with one workspace, and everything over it.
pub struct World {
    pub folder: Arc<TempDir>,
    pub workspaces: Workspaces,
    pub engine: Engine,
    pub loader: Loader,
    pub caller: Caller,
}

pub async fn world() -> World {
    world_with(Settings::defaults().unwrap(), "UTC").await
}

pub async fn world_with(settings: Settings, time_zone: &str) -> World {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    open(folder, settings, time_zone).await
}

/// Opens the folder as a new process would.
pub async fn open(folder: Arc<TempDir>, settings: Settings, time_zone: &str) -> World {
    let root = Root::open(folder.path().to_str().unwrap()).unwrap();
    open_root(root, folder, settings, time_zone).await
}

/// The same for a root that is more than its folder: of another store, or another clock.
pub async fn open_root(root: Root, folder: Arc<TempDir>, settings: Settings, time_zone: &str) -> World {
    let settings = Arc::new(settings);
    let workspaces = Workspaces::new(root).with_log(settings.log.clone());
    let name = WorkspaceName::default();
    workspaces.get_or_create(&name, &Manifest::new(time_zone.parse().unwrap())).await.unwrap();
    World {
        folder,
        engine: Engine::new(workspaces.clone(), Arc::clone(&settings)).unwrap(),
        loader: Loader::new(workspaces.clone(), settings),
        caller: Caller::local_admin(name),
        workspaces,
    }
}

/// The parts over a store, as a new process would make them; nothing lies in the folder.
pub async fn over(store: &Arc<ObservedStore>) -> World {
    let root = Root::in_store(Arc::clone(store) as _).unwrap();
    open_root(root, Arc::new(tempfile::tempdir().unwrap()), Settings::defaults().unwrap(), "UTC").await
}

/// What a process finds that starts after this one was killed now.
pub fn copy_of(folder: &Path) -> Arc<TempDir> {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let target = to.join(path.file_name().unwrap());
            if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, &target).map(drop).unwrap() }
        }
    }
    let target = tempfile::tempdir().unwrap();
    copy(folder, target.path());
    Arc::new(target)
}

impl World {
    /// The same parts, seen by an admin of another workspace, which is made unless it is there.
    pub async fn beside(&self, workspace: &str) -> World {
        let name = WorkspaceName::new(workspace).unwrap();
        self.workspaces.get_or_create(&name, &Manifest::new(chrono_tz::Tz::UTC)).await.unwrap();
        World {
            folder: Arc::clone(&self.folder),
            engine: self.engine.clone(),
            loader: self.loader.clone(),
            workspaces: self.workspaces.clone(),
            caller: Caller::local_admin(name),
        }
    }

    /// Loads rows, and brings them from the log into files.
    pub async fn load_batches(&self, hash: &str, batches: Vec<Result<RecordBatch>>) -> Result<LoadSummary> {
        let summary = self.load_in_log(hash, batches).await?;
        self.flush().await;
        Ok(summary)
    }

    pub async fn flush(&self) {
        self.workspaces.get(&self.caller.workspace).await.unwrap().flush(64 << 20).await.unwrap();
    }

    /// Loads rows, and leaves them in the log if they are few.
    pub async fn load_in_log(&self, hash: &str, batches: Vec<Result<RecordBatch>>) -> Result<LoadSummary> {
        let request = LoadRequest {
            source: hash.into(),
            content_hash: hash.into(),
            file_hash: None,
            again: false,
            checked: false,
        };
        self.loader.load(&self.caller, request, futures::stream::iter(batches).boxed()).await
    }

    pub async fn load(&self, hash: &str, rows: &[InputRow<'_>]) -> LoadSummary {
        let mut builder = InputBuilder::default();
        rows.iter().for_each(|row| builder.push(row));
        self.load_batches(hash, vec![builder.finish()]).await.unwrap()
    }

    /// Rows into a user table, as they come over the wire.
    pub async fn ingest(&self, table: &str, if_exists: IfExists, create: bool, columns: &[(&str, ArrayRef)]) {
        let named = columns.iter().map(|(name, array)| (*name, Arc::clone(array), true));
        let batch = RecordBatch::try_from_iter_with_nullable(named).unwrap();
        let how = TableIngest { catalog: None, schema: None, table: table.into(), if_exists, create };
        let rows = futures::stream::iter([Ok(batch.clone())]).boxed();
        let session = SessionOptions::default();
        self.engine.ingest(&self.caller, &session, how, batch.schema(), rows).await.unwrap();
    }

    pub async fn query(&self, sql: &str) -> Result<Vec<RecordBatch>> {
        self.query_with(sql, &SessionOptions::default(), Vec::new()).await
    }

    pub async fn query_with(
        &self,
        sql: &str,
        session: &SessionOptions,
        values: Vec<ScalarValue>,
    ) -> Result<Vec<RecordBatch>> {
        let prepared = self.engine.prepare(&self.caller, session, sql, None).await?;
        let execution = self.engine.execute(&self.caller, session, &prepared, values).await?;
        Ok(execution.stream.try_collect().await?)
    }

    /// Rows as text: columns joined by a blank, NULL as `NULL`.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        texts(&self.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}")))
    }

    pub async fn row(&self, sql: &str) -> String {
        let rows = self.rows(sql).await;
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        rows[0].clone()
    }

    pub async fn refusal(&self, sql: &str) -> String {
        match self.query(sql).await {
            Ok(rows) => panic!("{sql} was not refused: {:?}", texts(&rows)),
            Err(error) => error.to_string(),
        }
    }
}

pub fn texts(batches: &[RecordBatch]) -> Vec<String> {
    use arrow::util::display::{ArrayFormatter, FormatOptions};
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        rows.extend(
            (0..batch.num_rows())
                .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(" ")),
        );
    }
    rows
}

/// Microseconds since 1970 of an RFC 3339 text.
pub fn at(text: &str) -> Option<i64> {
    Some(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros())
}
