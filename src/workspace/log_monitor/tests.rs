use super::*;

/// A server that another one has taken over from tries to flush all its life.
#[test]
fn that_another_process_writes_is_news_once() {
    let monitor = LogMonitor::default();
    let is_news = |kinds: [Kind; 3]| kinds.map(|kind| monitor.note_failure(kind));
    assert_eq!(is_news([Kind::Conflict; 3]), [true, false, false]);
    // A full disk is said each time.
    assert_eq!(is_news([Kind::Busy, Kind::Conflict, Kind::Busy]), [true, false, true]);
    monitor.note_flush(DateTime::default());
    assert_eq!(is_news([Kind::Conflict; 3]), [true, false, false]);
}
