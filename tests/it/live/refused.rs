//! A batch that cannot be written ends its stream: the error says which one it is, what was answered before stays, and
//! the stream that goes on behind it finds nothing of it.

use std::time::Duration;

use tonic::Code;

use super::event_stream::{Answer, Batch, send_all};
use crate::harness::world;
use crate::server::{Served, boot, within};

/// More than a batch may have.
const TOO_MANY: usize = 65_537;

fn counts(answer: &Answer) -> (u64, u64, u64) {
    (answer.kept, answer.duplicate, answer.rejected)
}

/// Rows that are stored of a batch.
async fn stored(served: &Served, batch: &Batch) -> String {
    let sql = format!("SELECT count(*) FROM events WHERE split_part(message_id, '.', 1) = '{}'", batch.name);
    served.world.row(&sql).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_names_the_batch_by_its_number_in_the_stream() {
    within(async {
        let served = boot(world().await, Duration::from_secs(5)).await;
        let long_key = |name: &str| Batch { key: Some("k".repeat(257)), ..Batch::new(name, 5) };
        let cases = [
            ("first", 0, long_key("first-bad"), "batch 1: a batch key of 257 bytes"),
            ("third", 2, long_key("third-bad"), "batch 3: a batch key of 257 bytes"),
            ("second", 1, Batch::new("second-bad", TOO_MANY), "batch 2: a batch of 65537 rows"),
        ];
        for (name, before, bad, said) in cases {
            let good: Vec<Batch> = (0..before).map(|number| Batch::new(format!("{name}-{number}"), 3)).collect();
            let sent = [good.as_slice(), std::slice::from_ref(&bad)].concat();
            let (answers, ended) = send_all(served.channel().await, &served.token, &sent).await;
            let ended = ended.expect("a batch that is refused ends its stream");
            assert_eq!((ended.code(), answers.len()), (Code::InvalidArgument, before), "{ended}");
            assert!(ended.message().starts_with(said), "{ended}");
            assert!(answers.iter().all(|answer| counts(answer) == (3, 0, 0)), "{answers:?}");
            for batch in &good {
                assert_eq!(stored(&served, batch).await, "3");
            }
            assert_eq!(stored(&served, &bad).await, "0");
            // Put right it is as new; those that were answered are not.
            let better = Batch { key: None, rows: 5, ..bad };
            let again = [good.as_slice(), std::slice::from_ref(&better)].concat();
            let (answers, ended) = send_all(served.channel().await, &served.token, &again).await;
            assert!(ended.is_none(), "{ended:?}");
            assert_eq!(counts(&answers[before]), (5, 0, 0));
            assert!(answers[..before].iter().all(|answer| counts(answer) == (0, 3, 0)), "{answers:?}");
        }
    })
    .await;
}
