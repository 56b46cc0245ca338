//! The parts of a Convoke over one folder, put together as `convoke serve` does.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use convoke::auth::{Caller, Role, Tokens};
use convoke::ids::WorkspaceName;
use convoke::ingest::Loader;
use convoke::metrics::Metrics;
use convoke::query::{Engine, SessionOptions, TableEntry};
use convoke::server::{self, ServerParts};
use convoke::settings::Settings;
use convoke::store::Root;
use convoke::workspace::{Manifest, Workspace, Workspaces};
use tokio::net::TcpListener;

pub struct Instance {
    folder: PathBuf,
    pub workspaces: Workspaces,
    engine: Engine,
    pub tokens: Tokens,
    pub loader: Loader,
    pub caller: Caller,
}

impl Instance {
    pub async fn open(folder: &Path) -> anyhow::Result<Self> {
        let location = folder.to_str().ok_or_else(|| anyhow::anyhow!("the folder's name is not UTF-8"))?;
        let settings = Arc::new(Settings::load(None, std::iter::empty(), &[("orders.base_currency", "CNY".into())])?);
        let root = Root::open(location)?;
        let tokens = Tokens::new(&root);
        let workspaces = Workspaces::new(root);
        let name = WorkspaceName::default();
        workspaces.get_or_create(&name, &Manifest::new(chrono_tz::Tz::UTC)).await?;
        Ok(Self {
            folder: folder.to_owned(),
            engine: Engine::new(workspaces.clone(), Arc::clone(&settings))?,
            loader: Loader::new(workspaces.clone(), settings),
            workspaces,
            tokens,
            caller: Caller::local_admin(name),
        })
    }

    pub async fn workspace(&self) -> anyhow::Result<Arc<Workspace>> {
        Ok(self.workspaces.get(&self.caller.workspace).await?)
    }

    /// Plans a statement as Prepare does.
    pub async fn prepare(&self, statement: &str) -> anyhow::Result<()> {
        self.engine.prepare(&self.caller, &SessionOptions::default(), statement, None).await?;
        Ok(())
    }

    pub async fn tables(&self) -> anyhow::Result<Vec<TableEntry>> {
        Ok(self.engine.tables(&self.caller).await?)
    }

    pub async fn token(&self) -> anyhow::Result<String> {
        Ok(self.tokens.create(self.caller.workspace.clone(), Role::Analyst, "bench", None).await?)
    }

    /// Serves on a free port until the process ends; returns the address.
    pub async fn serve(&self) -> anyhow::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let parts = ServerParts {
            engine: self.engine.clone(),
            loader: self.loader.clone(),
            tokens: self.tokens.clone(),
            metrics: Arc::new(Metrics::default()),
        };
        tokio::spawn(server::serve(listener, parts, Duration::ZERO, async { Ok(()) }, std::future::pending()));
        Ok(address)
    }

    /// Pattern of the data files of the events table, as another engine reads them.
    pub fn event_files(&self) -> String {
        format!("{}/{}/events/**/*.parquet", self.folder.display(), self.caller.workspace)
    }
}
