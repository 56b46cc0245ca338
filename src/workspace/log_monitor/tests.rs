use super::*;

/// So long nothing is said again.
const QUIET: Duration = Duration::from_secs(299);

fn another_writes() -> Error {
    Error::conflict("another process writes")
}

/// As two flushes say it: a file has another name each time.
fn unwritten() -> [Error; 2] {
    ["0197a1b2-5e11-7c3f", "0197a1b3-61d0-7a9e"].map(|file| Error::internal(format!("'{file}.parquet' is not written")))
}

/// A server that another one has taken over from tries to flush all its life.
#[tokio::test(start_paused = true)]
async fn that_another_process_writes_is_news_once() {
    let monitor = LogMonitor::default();
    for is_news in [true, false, false] {
        assert_eq!(monitor.note_failed_flush(&another_writes()), is_news);
        assert!(!monitor.note_failed_look(&another_writes()));
        tokio::time::advance(10 * QUIET).await;
    }
    monitor.note_flush(DateTime::default());
    assert!(monitor.note_failed_look(&another_writes()));
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_failing_is_news_now_and_then_and_what_differs_is_at_once() {
    let monitor = LogMonitor::default();
    let [first, second] = unwritten();
    let full = Error::full_disk("/data/part".as_ref());
    assert!(!monitor.note_flush(DateTime::default()), "nothing has failed");
    assert_eq!(
        [&first, &second, &full, &first, &full].map(|error| monitor.note_failed_flush(error)),
        [true, false, true, false, false]
    );
    tokio::time::advance(QUIET).await;
    assert!(!monitor.note_failed_flush(&second));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!([&second, &full, &first].map(|error| monitor.note_failed_flush(error)), [true, true, false]);

    assert_eq!([(); 2].map(|()| monitor.note_flush(DateTime::default())), [true, false], "that it works again, once");
    assert!(monitor.note_failed_flush(&first), "what fails then is news");
}

#[test]
fn the_last_failed_flush_is_known_until_one_goes_well() {
    let monitor = LogMonitor::default();
    monitor.note_failed_look(&another_writes());
    assert!(monitor.flush_failure().is_none());
    monitor.note_failed_flush(&another_writes());
    monitor.note_failed_flush(&Error::full_disk("/data/part".as_ref()));
    assert!(monitor.flush_failure().unwrap().tells_full_disk());
    monitor.note_flush(DateTime::default());
    assert!(monitor.flush_failure().is_none());
}
