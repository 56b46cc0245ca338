use std::time::Duration;

use arrow::datatypes::Schema;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::TryStreamExt;
use tokio::time::timeout;

use super::*;

#[tokio::test]
async fn dropped_on_a_thread_of_another_runtime_it_ends_what_still_runs() {
    let threads = QueryThreads::new(2, Panics::default()).unwrap();
    let (held, ended) = oneshot::channel::<()>();
    threads.handle.spawn(async move {
        std::future::pending::<()>().await;
        drop(held);
    });
    assert_eq!(threads.run(async { Ok(7) }).await.unwrap(), 7);
    drop(threads);
    assert!(timeout(Duration::from_secs(60), ended).await.expect("the task was dropped").is_err());
}

fn break_off<T>() -> T {
    panic!("secret")
}

/// What a client may see of a panic.
fn check_message(error: &Error) {
    assert_eq!(error.kind(), crate::error::Kind::Internal);
    assert!(!error.message().contains("secret") && !error.message().contains("tests.rs"), "{error}");
    assert!(error.message().contains("the log names it"), "{error}");
}

#[tokio::test]
async fn a_panic_is_an_error_of_its_statement_and_is_counted() {
    let panics = Panics::default();
    let threads = QueryThreads::new(2, panics.clone()).unwrap();
    for count in 1..=20 {
        let error = threads.run(async { break_off::<Result<()>>() }).await.unwrap_err();
        check_message(&error);
        assert_eq!(panics.count(), count);
    }
    let planned = panics.contain(async { break_off::<Result<()>>() }).await;
    check_message(&planned.unwrap_err());
    assert_eq!(panics.count(), 21);
    assert_eq!(threads.run(async { Ok(7) }).await.unwrap(), 7, "other statements go on");
}

#[tokio::test]
async fn a_panic_in_a_stream_is_its_last_item() {
    let panics = Panics::default();
    let threads = Arc::new(QueryThreads::new(2, panics.clone()).unwrap());
    let schema = Arc::new(Schema::empty());
    let rows = futures::stream::once(async { break_off::<DfResult<RecordBatch>>() });
    let rows = Box::pin(RecordBatchStreamAdapter::new(schema, rows));
    let error = QueryThreads::stream(&threads, rows, Stop::default()).try_collect::<Vec<_>>().await.unwrap_err();
    check_message(&Error::from(error));
    assert_eq!(panics.count(), 1);
}
