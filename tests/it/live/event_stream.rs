//! A client of the event stream: DoPut on the path `events`, one answer to each batch.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::utils::batches_to_flight_data;
use arrow_flight::{FlightData, FlightDescriptor, PutResult};
use futures::{Stream, StreamExt, stream};
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

use crate::harness::at;

/// Rows are of so many users, each with one cookie.
const USERS: u32 = 97;

const MONTH: i64 = 31 * 86_400 * 1_000_000;

/// A batch by what names it: its rows follow from that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Without a dot.
    pub name: String,
    pub rows: usize,
    /// Its batch key.
    pub key: Option<String>,
}

/// What a batch is answered with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Answer {
    pub position: u64,
    pub kept: u64,
    pub duplicate: u64,
    pub rejected: u64,
    #[serde(default)]
    pub reasons: Vec<String>,
}

/// Hears of each batch before it is given away, and of each answer.
pub trait Journal: Send + Sync + 'static {
    fn sent(&self, batch: &Batch);
    fn answered(&self, batch: &Batch, answer: Answer);
}

/// The answers alone.
impl Journal for Mutex<Vec<Answer>> {
    fn sent(&self, _: &Batch) {}

    fn answered(&self, _: &Batch, answer: Answer) {
        self.lock().push(answer);
    }
}

impl Batch {
    pub fn new(name: impl Into<String>, rows: usize) -> Self {
        Self { name: name.into(), rows, key: None }
    }

    /// Message ids of its rows.
    pub fn ids(&self) -> impl Iterator<Item = String> {
        (0..self.rows).map(|row| format!("{}.{row}", self.name))
    }

    fn record_batch(&self) -> RecordBatch {
        let ids: Vec<String> = self.ids().collect();
        let users = ids.iter().map(|id| user_of(id));
        let cookies = ids.iter().map(|id| cookie_of(&user_of(id)));
        let start = at("2024-05-01T00:00:00Z").unwrap();
        // Of two months: a flush makes several files of one batch.
        let times: Vec<i64> = (0..).map(|row| start + (row % 2) * MONTH).take(ids.len()).collect();
        let columns: [(&str, ArrayRef); 5] = [
            ("ts", Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))),
            ("user_id", Arc::new(StringArray::from_iter_values(users))),
            ("anonymous_id", Arc::new(StringArray::from_iter_values(cookies))),
            ("event", Arc::new(StringArray::from_iter_values(ids.iter().map(|_| "seen")))),
            ("message_id", Arc::new(StringArray::from_iter_values(&ids))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn message(&self) -> FlightData {
        let [_, rows] = messages(&self.record_batch());
        rows.with_app_metadata(self.key.clone().unwrap_or_default())
    }
}

/// The user of the row with a message id.
pub fn user_of(id: &str) -> String {
    format!("u{}", crc32c::crc32c(id.as_bytes()) % USERS)
}

pub fn cookie_of(user: &str) -> String {
    format!("cookie-{user}")
}

/// The message of the schema, and that of the rows.
fn messages(rows: &RecordBatch) -> [FlightData; 2] {
    batches_to_flight_data(rows.schema_ref(), vec![rows.clone()]).unwrap().try_into().unwrap()
}

/// The first message of a stream.
fn opening() -> FlightData {
    let [schema, _] = messages(&Batch::new("", 0).record_batch());
    schema.with_descriptor(FlightDescriptor::new_path(vec!["events".to_owned()]))
}

async fn put(
    channel: Channel,
    token: &str,
    messages: impl Stream<Item = FlightData> + Send + 'static,
) -> Result<Streaming<PutResult>, Status> {
    let mut request = Request::new(messages);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    Ok(FlightServiceClient::new(channel).do_put(request).await?.into_inner())
}

/// Sends batches until there are no more, at most `window` of them without an answer. Gives the error that the stream
/// ended with; none when each batch was answered.
pub async fn send<J: Journal>(
    channel: Channel,
    token: &str,
    batches: impl Stream<Item = Batch> + Send + 'static,
    window: usize,
    journal: Arc<J>,
) -> Option<Status> {
    let permits = Arc::new(Semaphore::new(window));
    let waiting = Arc::new(Mutex::new(VecDeque::new()));
    let sender = (Arc::clone(&permits), Arc::clone(&waiting), Arc::clone(&journal));
    let messages = batches.then(move |batch| {
        let (permits, waiting, journal) = sender.clone();
        async move {
            permits.acquire().await.unwrap().forget();
            journal.sent(&batch);
            let message = batch.message();
            waiting.lock().push_back(batch);
            message
        }
    });
    let messages = stream::iter([opening()]).chain(messages);
    let mut answers = match put(channel, token, messages).await {
        Ok(answers) => answers,
        Err(status) => return Some(status),
    };
    loop {
        match answers.message().await {
            Ok(Some(result)) => {
                let answer = serde_json::from_slice(&result.app_metadata).unwrap();
                let batch = waiting.lock().pop_front().expect("an answer without a batch");
                journal.answered(&batch, answer);
                permits.add_permits(1);
            }
            Ok(None) if waiting.lock().is_empty() => return None,
            Ok(None) => return Some(Status::internal("the stream ended before each batch was answered")),
            Err(status) => return Some(status),
        }
    }
}

/// Sends batches all at once: the answers, and the error that the stream ended with.
pub async fn send_all(channel: Channel, token: &str, batches: &[Batch]) -> (Vec<Answer>, Option<Status>) {
    let answers = Arc::new(Mutex::new(Vec::new()));
    let (window, batches) = (batches.len(), stream::iter(batches.to_vec()));
    let ended = send(channel, token, batches, window, Arc::clone(&answers)).await;
    let answers = answers.lock().clone();
    (answers, ended)
}
