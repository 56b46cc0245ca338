use arrow::util::pretty::pretty_format_batches;
use chrono::DateTime;
use chrono_tz::Tz;
use futures::TryStreamExt;

use super::*;
use crate::auth::Role;
use crate::clock::Clock;
use crate::ids::WorkspaceName;
use crate::settings::Settings;
use crate::store::Root;
use crate::workspace::{Manifest, Workspaces};

struct Served {
    engine: Engine,
    caller: Caller,
}

async fn served() -> Served {
    served_from(Root::open("memory://").unwrap()).await
}

async fn served_from(root: Root) -> Served {
    let workspaces = Workspaces::new(root);
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

/// 1,000,000,000 seconds after 1970 it was 2001-09-09T01:46:40Z (`date -ud @1000000000`).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn now_is_the_time_of_the_clock_of_the_root() {
    let clock = Clock::seeded(7, DateTime::from_timestamp(1_000_000_000, 0).unwrap());
    let served = served_from(Root::open("memory://").unwrap().with_clock(clock)).await;
    let asked = [
        "SELECT CAST(now() AS DATE) AS day",
        "SELECT current_date AS day",
        "SELECT DISTINCT CAST(started_at AS DATE) AS day FROM system.queries",
    ];
    for sql in asked {
        let answer = served.run(&served.prepare(sql).await).await;
        assert!(answer.contains("2001-09-09"), "{sql}: {answer}");
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

/// What the planner would put in the place of a call is of the moment when the statement runs, not when it was planned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_in_table_functions_are_of_the_run() {
    let served = served().await;
    let kept = served.prepare("SELECT count(*) FROM generate_series(1, 3)").await;
    assert!(!kept.plan_again);
    for sql in [
        "SELECT max(value) AS v FROM generate_series(0, CAST(extract(epoch FROM now()) * 1000000 AS BIGINT), 1000000)",
        "EXPLAIN SELECT * FROM generate_series(DATE '2026-01-01', current_date, INTERVAL '1 day')",
        "SELECT * FROM range(1, coalesce(NULL, 2))",
    ] {
        assert!(served.prepare(sql).await.plan_again, "{sql}");
    }
    let sql = "SELECT max(value) AS v FROM generate_series(0, CAST(extract(epoch FROM now()) AS BIGINT) - 1700000000)";
    let prepared = served.prepare(sql).await;
    let before = served.run(&prepared).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_ne!(served.run(&served.prepare(sql).await).await, before);
}

/// A change never reads a table that took the name of another one meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_table_of_the_same_name_is_no_longer_read() {
    let served = served().await;
    served.run(&served.prepare("CREATE TABLE t AS SELECT 1 AS v").await).await;
    let old = served.prepare("SELECT v FROM t").await;
    served.run(&served.prepare("CREATE OR REPLACE TABLE t AS SELECT 2 AS v").await).await;
    let new = served.prepare("SELECT v FROM t").await;
    let mixed = Prepared { statement: Arc::clone(&old.statement), binding: new.binding.clone() };
    let error =
        served.engine.execute(&served.caller, &SessionOptions::default(), &mixed, Vec::new()).await.err().unwrap();
    assert_eq!(error.kind(), crate::error::Kind::Conflict);
    assert!(error.message().contains("made anew"), "{error}");
}
