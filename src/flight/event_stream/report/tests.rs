use std::io;

use parking_lot::Mutex;
use tracing_subscriber::fmt::SubscriberBuilder;

use super::*;

/// The lines of a log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn answer(position: u64, kept: u64, duplicate: u64, rejected: u64) -> AppendResult {
    AppendResult { position, kept, duplicate, rejected, ..AppendResult::default() }
}

#[tokio::test]
async fn each_event_is_counted_once_whatever_is_sent_again() {
    let (metrics, record) = (Arc::new(Metrics::default()), RequestRecord::default());
    let report = record.clone().scope(async { StreamReport::new(Arc::clone(&metrics)) }).await;
    assert_eq!(record.events(), None);
    report.count(&answer(4, 7, 2, 1));
    report.count(&AppendResult { is_repeated: true, ..answer(4, 7, 2, 1) });
    report.count(&answer(5, 3, 0, 0));
    let counted = EventCounts { batches: 3, kept: 10, duplicate: 11, rejected: 1, position: 5 };
    assert_eq!((record.events(), record.rows()), (Some(counted), 10));
    let text = metrics.render().unwrap();
    for line in ["ingested_total 10", "duplicate_total 11", "rejected_total 1"] {
        assert!(text.contains(&format!("convoke_events_{line}\n")), "{line}: {text}");
    }
}

#[test]
fn what_came_since_is_told_with_the_newest_position() {
    let before = EventCounts { batches: 3, kept: 10, duplicate: 11, rejected: 1, position: 5 };
    let after = EventCounts { batches: 5, kept: 12, duplicate: 11, rejected: 4, position: 9 };
    let since = EventCounts { batches: 2, kept: 2, duplicate: 0, rejected: 3, position: 9 };
    assert_eq!(after.since(before), since);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_stays_open_says_each_minute_what_came() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = SubscriberBuilder::default().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let pass = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
    let report = StreamReport::new(Arc::default());
    report.count(&answer(4, 7, 2, 1));
    pass(61).await;
    // Of minutes without batches nothing is said.
    pass(120).await;
    report.count(&answer(5, 3, 0, 0));
    pass(61).await;
    report.count(&answer(6, 1, 0, 0));
    drop(report);
    pass(600).await;
    let text = String::from_utf8(lines.0.lock().clone()).unwrap();
    let [first, second] = text.lines().collect::<Vec<_>>()[..] else { panic!("two minutes had batches: {text}") };
    assert!(first.contains("batches=1 kept=7 duplicate=2 rejected=1 position=4"), "{first}");
    assert!(second.contains("batches=1 kept=3 duplicate=0 rejected=0 position=5"), "{second}");
}
