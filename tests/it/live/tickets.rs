//! Tickets while streams bring rows, flushes move them into files and compactions rewrite those: each answers with the rows of
//! the state that it was planned on, whenever it is read.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow_flight::Ticket;
use convoke::error::Kind;
use convoke::query::SessionOptions;
use convoke::settings::Settings;
use futures::TryStreamExt;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::{Instant, sleep};

use super::load_one;
use super::readers::{Progress, compact_often, flush_often, send_some};
use crate::harness::{texts, world, world_with};
use crate::server::{Client, boot, ticket, within};

const DURATION: Duration = Duration::from_secs(10);

/// Between two tickets.
const PAUSE: Duration = Duration::from_millis(50);

/// Each answers one row, the number of events twice: each event has an id and a person of its own.
const STATEMENTS: [&str; 2] = [
    "SELECT count(*), count(DISTINCT message_id) FROM events",
    "SELECT sum(event_count) AS n, sum(event_count) AS again FROM persons",
];

/// A ticket, and between which numbers of rows its state has.
struct Planned {
    ticket: Ticket,
    least: u64,
    most: u64,
    /// What it was answered with first.
    rows: Option<u64>,
}

impl Planned {
    async fn new(client: &mut Client, sql: &str, progress: &Progress) -> Self {
        let least = progress.acknowledged();
        let info = client.execute(sql.to_owned(), None).await.unwrap();
        Self { ticket: ticket(&info), least, most: progress.sent(), rows: None }
    }

    async fn read(&mut self, client: &mut Client) -> u64 {
        let stream = client.do_get(self.ticket.clone()).await.unwrap();
        let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
        let answer = texts(&batches).join(", ");
        let numbers: Vec<u64> = answer.split(' ').map(|number| number.parse().unwrap()).collect();
        let [rows, again] = numbers[..] else { panic!("{answer}") };
        assert_eq!(rows, again, "one state");
        let Self { least, most, .. } = *self;
        assert!((least..=most).contains(&rows), "{rows} rows, between {least} and {most} were there");
        let first = *self.rows.get_or_insert(rows);
        assert_eq!(rows, first, "rows of a ticket that was read before");
        rows
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_read_their_rows_while_rows_move_from_the_log_into_files() {
    within(async {
        let seed = rand::random();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let served = Arc::new(boot(world().await, Duration::from_secs(5)).await);
        let workspace = served.world.workspaces.get(&served.world.caller.workspace).await.unwrap();
        let progress = Arc::new(Progress::default());
        let send = |client, end| send_some(Arc::clone(&served), Arc::clone(&progress), client, end);
        // Of rows in files, and some in the log.
        send(0, Instant::now() + Duration::from_millis(300)).await;
        served.world.flush().await;
        send(1, Instant::now() + Duration::from_millis(300)).await;
        let mut client = served.client().await;
        let mut planned = Vec::new();
        for sql in STATEMENTS {
            planned.push(Planned::new(&mut client, sql, &progress).await);
        }
        assert!(planned.iter().all(|planned| planned.least == planned.most && planned.least > 0), "nobody writes");

        let end = Instant::now() + DURATION;
        let clients: Vec<_> = (2..5).map(|client| tokio::spawn(send(client, end))).collect();
        let flushing = tokio::spawn(flush_often(Arc::clone(&workspace), end));
        let compacting = tokio::spawn(compact_often(Arc::clone(&served), Arc::clone(&workspace), end));
        while Instant::now() < end {
            let sql = STATEMENTS[random.random_range(0..STATEMENTS.len())];
            planned.push(Planned::new(&mut client, sql, &progress).await);
            let place = random.random_range(STATEMENTS.len()..planned.len());
            planned[place].read(&mut client).await;
            sleep(PAUSE).await;
        }
        for client in clients {
            client.await.unwrap();
        }
        let (flushes, months) = (flushing.await.unwrap(), compacting.await.unwrap());
        planned.push(Planned::new(&mut client, STATEMENTS[0], &progress).await);
        let mut rows = Vec::new();
        for planned in &mut planned {
            rows.push(planned.read(&mut client).await);
        }
        eprintln!("seed {seed}: {} tickets beside {flushes} flushes and {months} compacted months", rows.len());
        assert!(rows.is_sorted(), "a later state has all rows of an earlier one: {rows:?}");
        assert_eq!(rows.last(), Some(&progress.sent()), "each batch was answered");
        assert!(flushes >= 5 && months >= 5 && rows.len() >= 20, "{flushes} {months} {}", rows.len());
    })
    .await;
}

/// Each statement of a client has a ticket, which it reads at once: what those leave behind must not cost others theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_that_nobody_has_read_outlives_those_of_pollers() {
    let mut settings = Settings::defaults().unwrap();
    // A twentieth of it for kept states is less than the 150 below cost, each with lists of its own of persons and files.
    settings.query.pool_memory.0 = 2 << 20;
    let world = world_with(settings, "UTC").await;
    let session = SessionOptions::default();
    let sql = "SELECT count(*) FROM events";
    let lease = async || {
        let planned = world.engine.prepare(&world.caller, &session, sql, None).await.unwrap();
        world.engine.lease(&planned, Duration::from_secs(900))
    };
    let read = async |leased| world.engine.prepare(&world.caller, &session, sql, Some(leased)).await;
    load_one(&world, 0).await;
    let promise = lease().await;
    let mut polls = Vec::new();
    for number in 1..=150 {
        load_one(&world, number).await;
        let poll = lease().await;
        assert!(read(poll).await.is_ok());
        polls.push(poll);
    }
    let gone = read(polls[0]).await.err().map(|error| error.kind());
    assert_eq!(gone, Some(Kind::Conflict), "the budget is used up");
    assert!(read(polls[148]).await.is_ok(), "what is held can be read again");
    for _ in 0..2 {
        let planned = read(promise).await.unwrap();
        let rows = world.engine.execute(&world.caller, &session, &planned, Vec::new()).await.unwrap();
        assert_eq!(texts(&rows.stream.try_collect::<Vec<_>>().await.unwrap()), ["1"]);
    }
}
