//! kill -9 of a server that takes streams, over and over on the same folder: what was acknowledged is there once, what was
//! not is there whole or not at all, whoever reads it next.
//!
//! `CONVOKE_KILL_ROUNDS` rounds; `CONVOKE_KILL_SEED` draws the same batches and delays again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{Stream, stream};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::event_stream::{Batch, cookie_of, send, user_of};
use super::watched_root::{PATIENCE, WatchedRoot};
use crate::program::{Process, said};

const ROUNDS: usize = 6;

/// Batches that were acknowledged and are sent again in a round.
const AGAIN: usize = 20;

/// Milliseconds between SIGTERM and the flush, while clients have time for their last words.
const LAST_WORDS: u64 = 1_000;

struct Rounds {
    root: WatchedRoot,
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
    let mut test = Rounds { root: WatchedRoot::new(), random: ChaCha8Rng::seed_from_u64(seed) };
    for round in 0..rounds {
        test.stream_until_killed(round).await;
        match round % 3 {
            0 => test.root.check_folder(&format!("round {round}, without a server")),
            1 => test.ingest(round),
            _ => test.check_server(&format!("round {round}, by the next server")).await,
        }
    }
    test.finish().await;
    let told = test.root.oracle.lock().describe();
    eprintln!("{rounds} rounds: {told}");
}

impl Rounds {
    /// Several clients send until the server is gone.
    async fn stream_until_killed(&mut self, round: usize) {
        let server = Process::start(self.root.path());
        self.root.oracle.lock().server_started();
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
            let oracle = self.root.oracle.lock();
            let most = self.random.random_range(0..=AGAIN);
            [oracle.unanswered(), oracle.acknowledged(most, &mut self.random)].concat()
        };
        let mut started = Vec::new();
        for client in 0..clients {
            let own = again.iter().skip(client).step_by(clients).cloned().collect();
            let random = ChaCha8Rng::seed_from_u64(self.random.random());
            let pause = self.random.random_range(0..=10);
            let batches = batches(random, format!("m{round}-{client}"), own, pause);
            let (channel, token) = (server.channel().await, self.root.token.clone());
            let (oracle, stops) = (Arc::clone(&self.root.oracle), Arc::clone(stops));
            let window = self.random.random_range(1..=8);
            started.push(tokio::spawn(async move {
                let ended = send(channel, &token, batches, window, oracle).await;
                assert!(stops.load(Ordering::SeqCst), "the stream ended before its server: {ended:?}");
            }));
        }
        started
    }

    async fn check_server(&self, when: &str) {
        let server = Process::start(self.root.path());
        self.root.check_running(&server, when).await;
    }

    /// A command becomes the writer right behind the kill. Its file has new rows, and some that are stored.
    fn ingest(&mut self, round: usize) {
        let batch = Batch::new(format!("f{round}"), self.random.random_range(1..=30));
        let again = self.root.oracle.lock().acknowledged(3, &mut self.random);
        let ids = batch.ids().chain(again.iter().flat_map(Batch::ids));
        let files = tempfile::tempdir().unwrap();
        let file = files.path().join(format!("file-{round}.csv"));
        write_csv(&file, ids);
        said(self.root.path(), &["ingest", file.to_str().unwrap()]);
        self.root.oracle.lock().loaded(&batch);
        self.root.check_folder(&format!("round {round}, behind an ingest"));
        if self.random.random_bool(0.5) {
            said(self.root.path(), &["compact"]);
            self.root.check_folder(&format!("round {round}, compacted"));
        }
    }

    /// All that has no answer yet gets one, and all of it is there.
    async fn finish(&mut self) {
        let server = Process::start(self.root.path());
        self.root.oracle.lock().server_started();
        self.root.check_running(&server, "behind the last round").await;
        let unanswered = self.root.oracle.lock().unanswered();
        self.root.send_well(&server, unanswered).await;
        assert!(self.root.oracle.lock().unanswered().is_empty());
        let again = self.root.oracle.lock().acknowledged(AGAIN, &mut self.random);
        self.root.send_well(&server, again).await;
        self.root.check_running(&server, "all answered").await;
        drop(server);
        self.root.check_folder("all answered, without a server");
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
