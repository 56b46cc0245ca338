use std::time::Duration;

use tokio::time::timeout;

use super::*;

#[tokio::test]
async fn dropped_on_a_thread_of_another_runtime_it_ends_what_still_runs() {
    let threads = QueryThreads::new(2).unwrap();
    let (held, ended) = oneshot::channel::<()>();
    threads.handle.spawn(async move {
        std::future::pending::<()>().await;
        drop(held);
    });
    assert_eq!(threads.run(async { Ok(7) }).await.unwrap(), 7);
    drop(threads);
    assert!(timeout(Duration::from_secs(60), ended).await.expect("the task was dropped").is_err());
}
