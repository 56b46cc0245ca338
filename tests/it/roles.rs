//! Which tables a role sees (SQL.md 9), whatever was planned for another one before.

use std::sync::Arc;

use convoke::auth::{Caller, Role};
use convoke::error::Kind;
use convoke::ids::WorkspaceName;

use crate::harness::{World, world};

/// The same parts, asked by an analyst.
fn analyst(world: &World) -> World {
    World {
        folder: Arc::clone(&world.folder),
        workspaces: world.workspaces.clone(),
        engine: world.engine.clone(),
        loader: world.loader.clone(),
        caller: Caller::new(WorkspaceName::default(), "ana", Role::Analyst),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_and_the_log_are_for_administrators() {
    let administrator = world().await;
    let analyst = analyst(&administrator);
    for sql in ["SELECT count(*) > 0 FROM system.log", "SELECT count(*) > 0 FROM system.settings"] {
        // In turns: what is kept of a plan is of one role.
        for _ in 0..2 {
            assert_eq!(administrator.row(sql).await, "true");
            let error = analyst.query(sql).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Forbidden, "{error}");
            assert!(error.message().contains("use a token of role admin"), "{error}");
        }
    }
    let listed = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'system' ORDER BY 1";
    assert_eq!(administrator.rows(listed).await, ["dead_letters", "log", "queries", "settings"]);
    assert_eq!(analyst.rows(listed).await, ["dead_letters", "queries"]);
    assert_eq!(analyst.row("SELECT count(*) FROM system.dead_letters").await, "0");
}
