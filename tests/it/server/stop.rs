//! A stop during a result: whatever the client reads when, it gets all rows.

use std::time::Duration;

use futures::StreamExt;

use super::{boot, load, open, within};
use crate::harness::world;

const ROWS: usize = 2_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_under_way_is_sent_whole() {
    within(async {
        // Often: a connection that is closed over unread window updates is reset only now and then.
        for attempt in 0_u64..12 {
            let world = world().await;
            load(&world).await;
            let served = boot(world, Duration::from_secs(30)).await;
            let mut client = served.client().await;
            let sql = format!("SELECT value FROM generate_series(1, {ROWS})");
            let mut stream = open(&mut client, &sql).await.unwrap();
            let mut rows = stream.next().await.unwrap().unwrap().num_rows();
            let (_world, task) = served.say_stop();
            while let Some(batch) = stream.next().await {
                rows += batch.unwrap_or_else(|error| panic!("attempt {attempt}: {error}")).num_rows();
                tokio::time::sleep(Duration::from_millis(attempt)).await;
            }
            assert_eq!(rows, ROWS, "attempt {attempt}");
            drop((stream, client));
            task.await.unwrap().unwrap();
        }
    })
    .await;
}
