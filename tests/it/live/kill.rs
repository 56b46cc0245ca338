//! kill -9 of a server that takes streams, over and over on the same folder: what was acknowledged is there once, what was
//! not is there whole or not at all, whoever reads it next.
//!
//! `CONVOKE_KILL_ROUNDS` rounds; `CONVOKE_KILL_SEED` draws the same batches and delays again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{Stream, stream};
use parking_lot::Mutex;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::event_stream::{Batch, cookie_of, send, user_of};
use super::oracle::{Oracle, ROWS};
use crate::program::{Process, rows_in_folder, said, token};
use crate::server::rows;

const ROUNDS: usize = 6;

/// What waits for a server waits no longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Batches that were acknowledged and are sent again in a round.
const AGAIN: usize = 20;

/// Milliseconds between SIGTERM and the flush, while clients have time for their last words.
const LAST_WORDS: u64 = 1_000;

struct Rounds {
    folder: TempDir,
    token: String,
    oracle: Arc<Mutex<Oracle>>,
    random: ChaCha8Rng,
}

/// A number that may be given by an environment variable.
fn given(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().filter(|text| !text.is_empty()).map(|text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_once_after_each_kill() {
    let rounds = given("CONVOKE_KILL_ROUNDS").map_or(ROUNDS, |rounds| rounds as usize);
    let seed = given("CONVOKE_KILL_SEED").unwrap_or_else(rand::random);
    eprintln!("CONVOKE_KILL_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let token = token(folder.path(), None);
    let mut test = Rounds { folder, token, oracle: Arc::default(), random: ChaCha8Rng::seed_from_u64(seed) };
    for round in 0..rounds {
        test.stream_until_killed(round).await;
        match round % 3 {
            0 => test.check_folder(&format!("round {round}, without a server")),
            1 => test.ingest(round),
            _ => test.check_server(&format!("round {round}, by the next server")).await,
        }
    }
    test.finish().await;
    let told = test.oracle.lock().describe();
    eprintln!("{rounds} rounds: {told}");
}

impl Rounds {
    /// Several clients send until the server is gone.
    async fn stream_until_killed(&mut self, round: usize) {
        let server = Process::start(self.folder.path());
        self.oracle.lock().server_started();
        let stops = Arc::new(AtomicBool::new(false));
        let clients = self.start_clients(round, &server, &stops).await;
        sleep(Duration::from_millis(self.random.random_range(20..=300))).await;
        stops.store(true, Ordering::SeqCst);
        if self.random.random_bool(0.25) {
            // Killed while it flushes, or somewhat before or behind that.
            server.terminate();
            sleep(Duration::from_millis(self.random.random_range(LAST_WORDS..=LAST_WORDS + 200))).await;
        }
        drop(server);
        for client in clients {
            timeout(PATIENCE, client).await.expect("a client learns that the server is gone").unwrap();
        }
    }

    async fn start_clients(&mut self, round: usize, server: &Process, stops: &Arc<AtomicBool>) -> Vec<JoinHandle<()>> {
        let clients: usize = self.random.random_range(2..=4);
        let again = {
            let oracle = self.oracle.lock();
            let most = self.random.random_range(0..=AGAIN);
            [oracle.unanswered(), oracle.acknowledged(most, &mut self.random)].concat()
        };
        let mut started = Vec::new();
        for client in 0..clients {
            let own = again.iter().skip(client).step_by(clients).cloned().collect();
            let random = ChaCha8Rng::seed_from_u64(self.random.random());
            let pause = self.random.random_range(0..=10);
            let batches = batches(random, format!("m{round}-{client}"), own, pause);
            let (channel, token) = (server.channel().await, self.token.clone());
            let (oracle, stops) = (Arc::clone(&self.oracle), Arc::clone(stops));
            let window = self.random.random_range(1..=8);
            started.push(tokio::spawn(async move {
                let ended = send(channel, &token, batches, window, oracle).await;
                assert!(stops.load(Ordering::SeqCst), "the stream ended before its server: {ended:?}");
            }));
        }
        started
    }

    /// As `sql --data` reads it.
    fn check_folder(&self, when: &str) {
        let rows = rows_in_folder(self.folder.path(), ROWS);
        self.oracle.lock().check(&rows, when);
    }

    async fn check_server(&self, when: &str) {
        let server = Process::start(self.folder.path());
        self.check_running(&server, when).await;
    }

    async fn check_running(&self, server: &Process, when: &str) {
        let mut client = server.client(&self.token).await;
        let rows = timeout(PATIENCE, rows(&mut client, ROWS)).await.expect(when);
        self.oracle.lock().check(&rows, when);
    }

    /// A command becomes the writer right behind the kill. Its file has new rows, and some that are stored.
    fn ingest(&mut self, round: usize) {
        let batch = Batch::new(format!("f{round}"), self.random.random_range(1..=30));
        let again = self.oracle.lock().acknowledged(3, &mut self.random);
        let ids = batch.ids().chain(again.iter().flat_map(Batch::ids));
        let files = tempfile::tempdir().unwrap();
        let file = files.path().join(format!("file-{round}.csv"));
        write_csv(&file, ids);
        said(self.folder.path(), &["ingest", file.to_str().unwrap()]);
        self.oracle.lock().loaded(&batch);
        self.check_folder(&format!("round {round}, behind an ingest"));
        if self.random.random_bool(0.5) {
            said(self.folder.path(), &["compact"]);
            self.check_folder(&format!("round {round}, compacted"));
        }
    }

    /// All that has no answer yet gets one, and all of it is there.
    async fn finish(&mut self) {
        let server = Process::start(self.folder.path());
        self.oracle.lock().server_started();
        self.check_running(&server, "behind the last round").await;
        let unanswered = self.oracle.lock().unanswered();
        self.send_well(&server, unanswered).await;
        assert!(self.oracle.lock().unanswered().is_empty());
        let again = self.oracle.lock().acknowledged(AGAIN, &mut self.random);
        self.send_well(&server, again).await;
        self.check_running(&server, "all answered").await;
        drop(server);
        self.check_folder("all answered, without a server");
    }

    async fn send_well(&self, server: &Process, batches: Vec<Batch>) {
        let channel = server.channel().await;
        let sending = send(channel, &self.token, stream::iter(batches), 8, Arc::clone(&self.oracle));
        let ended = timeout(PATIENCE, sending).await.expect("each batch is answered");
        assert!(ended.is_none(), "{ended:?}");
    }
}

/// New batches without an end and those that are sent once more, up to `pause` milliseconds between two of them.
fn batches(
    random: ChaCha8Rng,
    name: String,
    again: Vec<Batch>,
    pause: u64,
) -> impl Stream<Item = Batch> + Send + 'static {
    stream::unfold((random, again, 0), move |(mut random, mut again, number)| {
        let name = format!("{name}-{number}");
        async move {
            sleep(Duration::from_millis(random.random_range(0..=pause))).await;
            if random.random_bool(0.5)
                && let Some(batch) = again.pop()
            {
                return Some((batch, (random, again, number)));
            }
            // Small ones are more usual.
            let most: usize = random.random_range(1..=50);
            let rows = random.random_range(1..=most);
            let key = random.random_bool(0.3).then(|| format!("key of {name}"));
            Some((Batch { name, rows, key }, (random, again, number + 1)))
        }
    })
}

fn write_csv(file: &Path, ids: impl Iterator<Item = String>) {
    let mut text = String::from("message_id,ts,event,user_id,anonymous_id\n");
    for id in ids {
        let user = user_of(&id);
        text += &format!("{id},2024-05-01 00:00:00,seen,{user},{}\n", cookie_of(&user));
    }
    std::fs::write(file, text).unwrap();
}
