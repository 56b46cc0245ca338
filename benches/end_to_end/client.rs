//! A Flight SQL client that times what it reads.

use std::time::{Duration, Instant};

use arrow::array::{Array, RecordBatch};
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::{FlightInfo, Ticket};
use bytes::Bytes;
use futures::TryStreamExt;
use tonic::transport::{Channel, Endpoint};

pub struct Client {
    pub sql: FlightSqlServiceClient<Channel>,
}

/// Bytes that a server may send ahead. tonic's 64 KiB would measure the round trips; the clients of C++ and Go widen
/// theirs by themselves.
const WINDOW_BYTES: u32 = 8 * 1024 * 1024;

/// What reading one result took, from sending the statement.
pub struct Reading {
    pub first_row: Duration,
    pub total: Duration,
    /// Of the total, from the first DoGet on.
    pub fetch: Duration,
    pub rows: usize,
    /// Of the result in memory.
    pub bytes: usize,
}

impl Client {
    pub async fn connect(address: &str, token: &str) -> anyhow::Result<Self> {
        let endpoint = Endpoint::from_shared(address.to_owned())?.tcp_nodelay(true);
        let endpoint = endpoint.initial_stream_window_size(WINDOW_BYTES).initial_connection_window_size(WINDOW_BYTES);
        let channel = endpoint.connect().await?;
        let flight = FlightServiceClient::new(channel).max_decoding_message_size(usize::MAX);
        let mut sql = FlightSqlServiceClient::new_from_inner(flight);
        sql.set_token(token.to_owned());
        Ok(Self { sql })
    }

    /// Runs a statement and hands each batch over as it comes.
    pub async fn read(&mut self, statement: &str, take: impl FnMut(RecordBatch)) -> anyhow::Result<Reading> {
        let started = Instant::now();
        let info = self.sql.execute(statement.to_owned(), None).await?;
        self.read_planned(started, info, take).await
    }

    /// Reads the result of a statement that was sent when the clock started and has been planned since.
    pub async fn read_planned(
        &mut self,
        started: Instant,
        info: FlightInfo,
        take: impl FnMut(RecordBatch),
    ) -> anyhow::Result<Reading> {
        let tickets: Option<Vec<Ticket>> = info.endpoint.into_iter().map(|endpoint| endpoint.ticket).collect();
        let tickets = tickets.ok_or_else(|| anyhow::anyhow!("an endpoint without a ticket"))?;
        self.fetch(started, tickets, take).await
    }

    /// Fetches what a server gives for a ticket that was not asked for before.
    pub async fn read_ticket(&mut self, ticket: Bytes, take: impl FnMut(RecordBatch)) -> anyhow::Result<Reading> {
        self.fetch(Instant::now(), vec![Ticket { ticket }], take).await
    }

    async fn fetch(
        &mut self,
        started: Instant,
        tickets: Vec<Ticket>,
        mut take: impl FnMut(RecordBatch),
    ) -> anyhow::Result<Reading> {
        let asked = Instant::now();
        let (mut first_row, mut rows, mut bytes) = (None, 0, 0);
        for ticket in tickets {
            let mut batches = self.sql.do_get(ticket).await?;
            while let Some(batch) = batches.try_next().await? {
                if batch.num_rows() > 0 {
                    first_row.get_or_insert_with(|| started.elapsed());
                }
                rows += batch.num_rows();
                bytes += size(&batch)?;
                take(batch);
            }
        }
        let (total, fetch) = (started.elapsed(), asked.elapsed());
        Ok(Reading { first_row: first_row.unwrap_or(total), total, fetch, rows, bytes })
    }
}

fn size(batch: &RecordBatch) -> anyhow::Result<usize> {
    let mut bytes = 0;
    for column in batch.columns() {
        bytes += column.to_data().get_slice_memory_size()?;
    }
    Ok(bytes)
}
