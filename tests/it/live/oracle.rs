//! What must be stored: what was sent and what was answered, in memory, against the rows that are read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use parking_lot::Mutex;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::event_stream::{Answer, Batch, Journal, user_of};

/// One row a message id: how often it is there, and who it is of.
pub const ROWS: &str = "SELECT message_id, count(*) AS n, min(user_id) AS user_id, min(person) AS person
                        FROM events GROUP BY message_id";

/// What is known of a batch that was sent.
struct Sent {
    batch: Batch,
    /// The first one.
    answer: Option<Answer>,
    /// It was acknowledged, or somebody has read it.
    is_stored: bool,
}

/// Of all batches, by their names.
#[derive(Default)]
pub struct Oracle {
    sent: BTreeMap<String, Sent>,
    /// The highest position that was acknowledged, and what it was when the running server started.
    position: u64,
    position_at_start: u64,
    /// The person of each user that was read: the number stays.
    persons: HashMap<String, String>,
    /// How many batches without an answer were found.
    found: usize,
}

impl Journal for Mutex<Oracle> {
    fn sent(&self, batch: &Batch) {
        self.lock().note(batch);
    }

    fn answered(&self, batch: &Batch, answer: Answer) {
        self.lock().answered(batch, answer);
    }
}

impl Oracle {
    pub fn server_started(&mut self) {
        self.position_at_start = self.position;
    }

    /// A command has stored a batch, and said so.
    pub fn loaded(&mut self, batch: &Batch) {
        self.note(batch).is_stored = true;
    }

    fn note(&mut self, batch: &Batch) -> &mut Sent {
        let new = || Sent { batch: batch.clone(), answer: None, is_stored: false };
        self.sent.entry(batch.name.clone()).or_insert_with(new)
    }

    fn answered(&mut self, batch: &Batch, answer: Answer) {
        let at_start = self.position_at_start;
        let sent = self.note(batch);
        let rows = batch.rows as u64;
        let (is_keyed, counts) = (batch.key.is_some(), (answer.kept, answer.duplicate, answer.rejected));
        match &sent.answer {
            Some(first) if is_keyed => assert_eq!(answer, *first, "{batch:?} was sent again"),
            Some(first) => {
                assert_eq!(counts, (0, rows, 0), "{batch:?} was acknowledged");
                assert!(answer.position >= first.position, "{batch:?}: {answer:?} after {first:?}");
            }
            // The answer to it was written with its rows.
            None if sent.is_stored && is_keyed => assert_eq!(counts, (rows, 0, 0), "{batch:?} was read"),
            None if sent.is_stored => assert_eq!(counts, (0, rows, 0), "{batch:?} was read"),
            None => {
                assert_eq!(counts, (rows, 0, 0), "{batch:?} is new");
                assert!(answer.position > at_start, "{batch:?}: {answer:?} behind position {at_start} of before");
            }
        }
        sent.is_stored = true;
        let position = answer.position;
        sent.answer.get_or_insert(answer);
        self.position = self.position.max(position);
    }

    /// All that nobody has an answer to.
    pub fn unanswered(&self) -> Vec<Batch> {
        self.sent.values().filter(|sent| sent.answer.is_none()).map(|sent| sent.batch.clone()).collect()
    }

    /// Some that were acknowledged, with their keys or without.
    pub fn acknowledged(&self, most: usize, random: &mut ChaCha8Rng) -> Vec<Batch> {
        let all: Vec<&Sent> = self.sent.values().filter(|sent| sent.answer.is_some()).collect();
        let some = (0..most.min(all.len())).map(|_| {
            let Batch { name, rows, key } = all[random.random_range(0..all.len())].batch.clone();
            Batch { name, rows, key: key.filter(|_| random.random_bool(0.7)) }
        });
        some.collect()
    }

    /// Compares with what [`ROWS`] gave when no stream was running. What was read once is stored for good.
    pub fn check(&mut self, rows: &[String], when: &str) {
        let mut found: HashMap<&str, usize> = HashMap::new();
        for row in rows {
            let parts: Vec<&str> = row.split(' ').collect();
            let [id, count, user, person] = parts[..] else { panic!("{when}: {row}") };
            assert_eq!((count, user), ("1", user_of(id).as_str()), "{when}: {row}");
            match self.persons.get(user) {
                Some(known) => assert_eq!(known, person, "{when}: the number of a person stays: {row}"),
                None => drop(self.persons.insert(user.to_owned(), person.to_owned())),
            }
            let (name, number) = id.rsplit_once('.').unwrap();
            let sent = self.sent.get(name).unwrap_or_else(|| panic!("{when}: {id} was never sent"));
            assert!(number.parse::<usize>().unwrap() < sent.batch.rows, "{when}: {id} was never sent");
            *found.entry(name).or_default() += 1;
        }
        for (name, sent) in &mut self.sent {
            // Each id is one row: as many as were sent are all of them.
            let there = found.get(name.as_str()).copied().unwrap_or_default();
            let is_whole = there == sent.batch.rows;
            assert!(is_whole || there == 0, "{when}: {there} rows of {:?}", sent.batch);
            assert!(is_whole || !sent.is_stored, "{when}: {:?} is gone, answered {:?}", sent.batch, sent.answer);
            self.found += usize::from(is_whole && !sent.is_stored);
            sent.is_stored = is_whole;
        }
        let persons: BTreeSet<&String> = self.persons.values().collect();
        assert_eq!(persons.len(), self.persons.len(), "{when}: each user is a person: {:?}", self.persons);
    }

    pub fn describe(&self) -> String {
        format!(
            "{} batches were sent, {} answered up to position {}; {} were found before they were",
            self.sent.len(),
            self.sent.values().filter(|sent| sent.answer.is_some()).count(),
            self.position,
            self.found
        )
    }
}
