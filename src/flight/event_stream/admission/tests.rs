use std::time::Duration;

use futures::stream;

use super::*;

#[tokio::test(start_paused = true)]
async fn messages_end_when_the_server_stops_and_an_error_says_so() {
    let (stop, stopping) = watch::channel(false);
    let silent = stream::iter([Ok(1), Ok(2)]).chain(stream::pending());
    let reading = tokio::spawn(until_stop(silent, stopping.clone()).collect::<Vec<Result<i32>>>());
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(!reading.is_finished());
    stop.send_replace(true);
    let came = reading.await.unwrap();
    assert!(matches!(came.as_slice(), [Ok(1), Ok(2), Err(error)] if error.kind() == Kind::Busy), "{came:?}");
}

#[tokio::test]
async fn messages_that_end_by_themselves_end_without_an_error() {
    let (_stop, stopping) = watch::channel(false);
    let came: Vec<Result<i32>> = until_stop(stream::iter([Ok(1)]), stopping).collect().await;
    assert!(matches!(came.as_slice(), [Ok(1)]), "{came:?}");
}
