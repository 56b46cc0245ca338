//! A real server on port 0 and a real Flight SQL client.

/// Handshake, tokens, roles, tickets.
mod access;
/// Health, metrics, stop.
mod http;
/// DoPut of events.
mod ingest;
/// What a server knows after kill -9.
mod killed;
/// What a second writer is told.
mod one_writer;
/// All workspaces at the start.
mod opening;
/// Statements, parameters, errors, sessions, cancelling.
mod queries;
/// Prepare, GetFlightInfo, GetSchema and DoGet say the same.
mod schemas;
/// The command line with the wrong scheme.
mod schemes;
/// Roles on every call; two workspaces, one server.
mod spaces;
/// What a stop leaves whole.
mod stop;
/// Bodies that are no messages.
mod undecodable;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::{FlightInfo, Ticket};
use convoke::auth::{Role, Tokens};
use convoke::error::Result;
use convoke::ids::WorkspaceName;
use convoke::ingest::input::InputRow;
use convoke::metrics::Metrics;
use convoke::server::{ServerParts, serve};
use convoke::store::Root;
use futures::TryStreamExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use crate::harness::{World, at, texts, world};

pub type Client = FlightSqlServiceClient<Channel>;

const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Every test runs in this: none may hang.
pub async fn within<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIME_LIMIT, Box::pin(test)).await.expect("the test took too long")
}

/// Waits until the condition holds.
pub async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    for _ in 0..1_000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within 10 seconds: {what}");
}

pub struct Served {
    pub world: World,
    pub address: SocketAddr,
    pub tokens: Tokens,
    pub metrics: Arc<Metrics>,
    /// Of role admin.
    pub token: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<()>>,
}

/// A server over a new world with the events of [`load`].
pub async fn served() -> Served {
    let world = world().await;
    load(&world).await;
    boot(world, Duration::from_secs(5)).await
}

pub async fn boot(world: World, grace: Duration) -> Served {
    boot_with(world, grace, async { Ok(()) }).await
}

/// A server that is ready once `opening` is done.
pub async fn boot_with(
    world: World,
    grace: Duration,
    opening: impl Future<Output = Result<()>> + Send + 'static,
) -> Served {
    let tokens = Tokens::new(&Root::open("memory://").unwrap());
    let token = tokens.create(WorkspaceName::default(), Role::Admin, "tests", None).await.unwrap();
    let metrics = Arc::new(Metrics::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let parts = ServerParts {
        engine: world.engine.clone(),
        loader: world.loader.clone(),
        tokens: tokens.clone(),
        metrics: Arc::clone(&metrics),
    };
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(serve(listener, parts, grace, opening, async move { drop(stopped.await) }));
    Served { world, address, tokens, metrics, token, stop, task }
}

/// Three sales and a visit: u1 bought twice, u2 once, somebody looked.
async fn load(world: &World) {
    let sale = |user, ts, revenue| InputRow {
        ts: at(ts),
        kind: Some("track"),
        event: Some("Order Completed"),
        user_id: Some(user),
        revenue: Some(revenue),
        currency: Some("USD"),
        category: Some(&["Women", "Tops"]),
        properties: Some(r#"{"coupon":"NEW","size":3}"#),
        ..Default::default()
    };
    let visit =
        InputRow { ts: at("2024-03-01T00:00:00Z"), kind: Some("page"), anonymous_id: Some("c9"), ..Default::default() };
    let rows = [
        sale("u1", "2024-01-05T16:30:00Z", 100_000),
        sale("u1", "2024-02-05T16:30:00Z", 250_000),
        sale("u2", "2024-02-06T10:00:00Z", 75_000),
        visit,
    ];
    world.load("server", &rows).await;
}

impl Served {
    /// A token of another role.
    pub async fn token_of(&self, role: Role) -> String {
        self.tokens.create(WorkspaceName::default(), role, "tests", None).await.unwrap()
    }

    pub async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        endpoint.connect_timeout(Duration::from_secs(5)).connect().await.unwrap()
    }

    /// A connection with a token as it is, without Handshake.
    pub async fn client(&self) -> Client {
        self.client_of(&self.token).await
    }

    pub async fn client_of(&self, token: &str) -> Client {
        let mut client = FlightSqlServiceClient::new(self.channel().await);
        client.set_token(token.to_owned());
        client
    }

    /// A connection that logged in: it has a session of its own.
    pub async fn session(&self) -> Client {
        let mut client = FlightSqlServiceClient::new(self.channel().await);
        client.handshake("anybody", &self.token).await.unwrap();
        client
    }

    /// Calls that the Flight SQL client does not have.
    pub async fn raw(&self) -> FlightServiceClient<Channel> {
        FlightServiceClient::new(self.channel().await)
    }

    /// A message, or a stream of them, with the token of role admin.
    pub fn authorized<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        request
    }

    /// Says stop and gives what the server ended with.
    pub async fn stop(self) -> (World, Result<()>) {
        self.stop.send(()).unwrap();
        (self.world, self.task.await.unwrap())
    }

    /// Waits until it ends by itself.
    pub async fn end(self) -> Result<()> {
        let Served { task, stop: _stop, .. } = self;
        task.await.unwrap()
    }

    pub fn say_stop(self) -> (World, JoinHandle<Result<()>>) {
        self.stop.send(()).unwrap();
        (self.world, self.task)
    }
}

pub fn ticket(info: &FlightInfo) -> Ticket {
    assert_eq!(info.endpoint.len(), 1);
    info.endpoint[0].ticket.clone().unwrap()
}

pub async fn open(client: &mut Client, sql: &str) -> Result<FlightRecordBatchStream, FlightError> {
    let info = client.execute(sql.to_owned(), None).await?;
    client.do_get(ticket(&info)).await
}

pub async fn query(client: &mut Client, sql: &str) -> Result<Vec<String>, FlightError> {
    let batches: Vec<RecordBatch> = open(client, sql).await?.try_collect().await?;
    Ok(texts(&batches))
}

pub async fn rows(client: &mut Client, sql: &str) -> Vec<String> {
    query(client, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

pub fn status(error: FlightError) -> Status {
    match error {
        FlightError::Tonic(status) => *status,
        other => panic!("not a status: {other:?}"),
    }
}

pub async fn refusal(client: &mut Client, sql: &str, code: Code) -> String {
    let status = status(query(client, sql).await.expect_err(sql));
    assert_eq!(status.code(), code, "{sql}: {status:?}");
    status.message().to_owned()
}
