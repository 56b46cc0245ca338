use arrow::util::pretty::pretty_format_batches;
use chrono_tz::Tz;
use futures::TryStreamExt;

use super::*;
use crate::auth::Role;
use crate::ids::WorkspaceName;
use crate::settings::Settings;
use crate::store::Root;
use crate::workspace::{Manifest, Workspaces};

struct Served {
    engine: Engine,
    caller: Caller,
}

async fn served() -> Served {
    let workspaces = Workspaces::new(Root::open("memory://").unwrap());
    let name = WorkspaceName::default();
    workspaces.create(&name, &Manifest::new(Tz::UTC)).await.unwrap();
    let engine = Engine::new(workspaces, Arc::new(Settings::defaults().unwrap())).unwrap();
    Served { engine, caller: Caller::new(name, "tests", Role::Admin) }
}

impl Served {
    async fn prepare(&self, sql: &str) -> Prepared {
        self.engine.prepare(&self.caller, &SessionOptions::default(), sql, None).await.unwrap()
    }

    async fn run(&self, prepared: &Prepared) -> String {
        let run = self.engine.execute(&self.caller, &SessionOptions::default(), prepared, Vec::new()).await.unwrap();
        let rows: Vec<_> = run.stream.try_collect().await.unwrap();
        pretty_format_batches(&rows).unwrap().to_string()
    }
}

/// Rows that come plan nothing again; a table that comes or goes plans everything again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_is_planned_once_for_all_states_of_a_shape() {
    let served = served().await;
    served.run(&served.prepare("CREATE TABLE t AS SELECT 1 AS v").await).await;
    let sql = "SELECT sum(v) AS total FROM t";
    let before = served.prepare(sql).await;
    served.run(&served.prepare("INSERT INTO t VALUES (20)").await).await;
    let after = served.prepare(sql).await;
    assert!(Arc::ptr_eq(&before.statement, &after.statement));
    assert!(served.run(&before).await.contains("| 1     |"), "the state that it was bound to");
    assert!(served.run(&after).await.contains("| 21    |"));
    served.run(&served.prepare("CREATE OR REPLACE TABLE t AS SELECT 'x' AS v").await).await;
    let text = served.prepare("SELECT v AS total FROM t").await;
    assert!(served.run(&text).await.contains("| x     |"));
    assert!(!Arc::ptr_eq(&text.binding.template, &after.binding.template));
    assert!(served.run(&after).await.contains("| 21    |"), "files of the table that was replaced are read on");
}
