use std::time::Duration;

use arrow::array::RecordBatch;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::sql::{
    ActionCreatePreparedStatementRequest, CommandGetCatalogs, CommandGetDbSchemas, CommandGetPrimaryKeys,
    CommandGetSqlInfo, CommandGetTables, CommandStatementQuery, CommandStatementUpdate, ProstMessageExt,
};
use arrow_flight::{Action, FlightClient, FlightData, FlightDescriptor, PutResult, Ticket};
use convoke::auth::Role;
use convoke::ids::WorkspaceName;
use convoke::ingest::input::{self, InputBuilder, InputRow};
use convoke::ingest::{LOAD_COMPLETE, LoadRequest};
use futures::{StreamExt, TryStreamExt};
use prost::Message;
use tonic::{Code, Request, Status};

use super::{Served, query, refusal, rows, served, status, ticket, within};
use crate::harness::at;

/// Runs one call with a token and gives the code it ended with.
struct Caller<'a> {
    served: &'a Served,
    token: String,
}

impl Caller<'_> {
    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        request
    }

    async fn info(&self, command: impl ProstMessageExt) -> Result<(), Status> {
        let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
        self.served.raw().await.get_flight_info(self.request(descriptor)).await.map(drop)
    }

    async fn schema(&self, command: impl ProstMessageExt) -> Result<(), Status> {
        let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
        self.served.raw().await.get_schema(self.request(descriptor)).await.map(drop)
    }

    /// Metadata, whose ticket is the command itself.
    async fn fetch(&self, command: impl ProstMessageExt) -> Result<Vec<FlightData>, Status> {
        let ticket = Ticket::new(command.as_any().encode_to_vec());
        self.served.raw().await.do_get(self.request(ticket)).await?.into_inner().try_collect().await
    }

    async fn update(&self, sql: &str) -> Result<(), Status> {
        let command = CommandStatementUpdate { query: sql.into(), transaction_id: None };
        let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
        let data = FlightData { flight_descriptor: Some(descriptor), ..Default::default() };
        let answers = self.served.raw().await.do_put(self.request(futures::stream::iter([data]))).await?;
        answers.into_inner().try_collect::<Vec<PutResult>>().await.map(drop)
    }

    async fn prepare(&self, sql: &str) -> Result<(), Status> {
        let command = ActionCreatePreparedStatementRequest { query: sql.into(), transaction_id: None };
        let action = Action::new("CreatePreparedStatement", command.as_any().encode_to_vec());
        let results = self.served.raw().await.do_action(self.request(action)).await?;
        results.into_inner().try_collect::<Vec<_>>().await.map(drop)
    }

    async fn send_event(&self, hash: &str, row: &InputRow<'_>) -> Result<(), Status> {
        let mut builder = InputBuilder::default();
        builder.push(row);
        let batch: RecordBatch = builder.finish().unwrap();
        let request = LoadRequest {
            source: "a test".into(),
            content_hash: hash.into(),
            file_hash: None,
            again: false,
            checked: false,
        };
        let last = FlightData { app_metadata: LOAD_COMPLETE.into(), ..Default::default() };
        let data = FlightDataEncoderBuilder::new()
            .with_schema(input::schema())
            .with_flight_descriptor(Some(FlightDescriptor::new_path(vec!["ingest".into()])))
            .with_metadata(serde_json::to_vec(&request).unwrap().into())
            .build(futures::stream::iter([Ok(batch)]))
            .chain(futures::stream::iter([Ok(last)]));
        let mut client = FlightClient::new(self.served.channel().await);
        client.add_header("authorization", &format!("Bearer {}", self.token)).unwrap();
        let answers = client.do_put(data).await.map_err(status)?;
        answers.try_collect::<Vec<_>>().await.map_err(status).map(drop)
    }
}

fn event<'a>() -> InputRow<'a> {
    InputRow { ts: at("2024-05-01T00:00:00Z"), kind: Some("page"), source: Some("claimed"), ..Default::default() }
}

fn select() -> CommandStatementQuery {
    CommandStatementQuery { query: "SELECT 1".into(), transaction_id: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_may_what_it_may_on_every_call() {
    within(async {
        let served = served().await;
        // SQL.md 9: (role, SQL and metadata of tables, events).
        for (role, may_query, may_send) in [
            (Role::Admin, true, true),
            (Role::Analyst, true, false),
            (Role::Service, false, false),
            (Role::Ingest, false, true),
        ] {
            let caller = Caller { served: &served, token: served.token_of(role).await };
            let tables = CommandGetTables::default();
            let keys = CommandGetPrimaryKeys { table: "events".into(), ..Default::default() };
            let outcomes = [
                ("GetFlightInfo", caller.info(select()).await),
                ("GetSchema", caller.schema(select()).await),
                ("CreatePreparedStatement", caller.prepare("SELECT 1").await),
                ("DoPut of an update", caller.update("SET TIME ZONE 'UTC'").await),
                ("GetCatalogs", caller.fetch(CommandGetCatalogs {}).await.map(drop)),
                ("GetDbSchemas", caller.fetch(CommandGetDbSchemas::default()).await.map(drop)),
                ("GetTables", caller.fetch(tables.clone()).await.map(drop)),
                ("GetTables, info", caller.info(tables).await),
                ("GetPrimaryKeys", caller.fetch(keys).await.map(drop)),
            ];
            for (call, outcome) in outcomes {
                let code = outcome.as_ref().err().map(Status::code);
                assert_eq!(code, (!may_query).then_some(Code::PermissionDenied), "{role:?} {call}: {outcome:?}");
            }
            let sent = caller.send_event(role.as_str(), &event()).await;
            let code = sent.as_ref().err().map(Status::code);
            assert_eq!(code, (!may_send).then_some(Code::PermissionDenied), "{role:?}: {sent:?}");
            // What the server can do is no secret.
            caller.fetch(CommandGetSqlInfo::default()).await.unwrap();
        }
        // Two events came, from admin and ingest.
        assert_eq!(rows(&mut served.client().await, "SELECT count(*) FROM events").await, ["6"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_a_bound_token_have_its_source_whatever_they_say() {
    within(async {
        let served = served().await;
        let workspace = WorkspaceName::default();
        let web = served.tokens.create_for_source(workspace.clone(), "web", None, "web").await.unwrap();
        let pos = served.tokens.create_for_source(workspace, "pos", None, "pos").await.unwrap();
        for token in [web, pos] {
            // The same content of two sources is two loads.
            Caller { served: &served, token }.send_event("same", &event()).await.unwrap();
        }
        let free = Caller { served: &served, token: served.token_of(Role::Ingest).await };
        free.send_event("same", &event()).await.unwrap();
        let sources = "SELECT source, count(*) FROM events WHERE source IS NOT NULL GROUP BY source ORDER BY source";
        assert_eq!(rows(&mut served.client().await, sources).await, ["claimed 1", "pos 1", "web 1"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_opens_its_own_workspace_and_no_other() {
    within(async {
        let served = served().await;
        let other = served.world.beside("tenant_b").await;
        other.load("other", &[InputRow { brand: Some("theirs"), ..event() }]).await;
        let token =
            served.tokens.create(WorkspaceName::new("tenant_b").unwrap(), Role::Admin, "b", None).await.unwrap();
        let (mut ours, mut theirs) = (served.client().await, served.client_of(&token).await);
        let count = "SELECT count(*) FROM events";
        // The same text, at about the same time: plans are kept apart.
        assert_eq!(rows(&mut ours, count).await, ["4"]);
        assert_eq!(rows(&mut theirs, count).await, ["1"]);
        assert_eq!(rows(&mut ours, count).await, ["4"]);

        // Tickets and handles of one, redeemed with the token of the other.
        let info = ours.execute(count.into(), None).await.unwrap();
        let refused = status(theirs.do_get(ticket(&info)).await.err().unwrap());
        assert_eq!(refused.code(), Code::Unauthenticated, "{refused:?}");
        assert!(!refused.message().contains("convoke") && !refused.message().contains("tenant_b"), "{refused:?}");
        let mut prepared = ours.prepare(count.into(), None).await.unwrap();
        let info = prepared.execute().await.unwrap();
        assert_eq!(status(theirs.do_get(ticket(&info)).await.err().unwrap()).code(), Code::Unauthenticated);

        // Metadata: only the caller's catalog, whatever is asked for.
        let caller = Caller { served: &served, token };
        for catalog in [None, Some("convoke".to_owned())] {
            let tables = CommandGetTables { catalog, include_schema: true, ..Default::default() };
            let data = caller.fetch(tables).await.unwrap();
            let bytes: Vec<u8> = data.iter().flat_map(|part| part.data_body.to_vec()).collect();
            assert!(!bytes.windows(7).any(|window| window == b"convoke"), "the name of the other catalog");
        }
        let foreign = refusal(&mut theirs, "SELECT * FROM convoke.main.events", Code::NotFound).await;
        let missing = refusal(&mut theirs, "SELECT * FROM nowhere.main.events", Code::NotFound).await;
        assert_eq!(foreign.replace("'convoke'", "'nowhere'"), missing);
        let queries = rows(&mut theirs, "SELECT principal FROM system.queries").await;
        assert!(queries.iter().all(|principal| principal.starts_with("b#")), "{queries:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_no_workspace_is_told_that_there_is_none() {
    within(async {
        let served = served().await;
        let token = served.tokens.create(WorkspaceName::new("gone").unwrap(), Role::Admin, "x", None).await.unwrap();
        let mut client = served.client_of(&token).await;
        let message = refusal(&mut client, "SELECT 1", Code::NotFound).await;
        assert!(message.contains("there is no workspace 'gone' here"), "{message}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_opens_nothing_that_it_had_open() {
    within(async {
        let served = served().await;
        let token = served.token_of(Role::Analyst).await;
        let mut client = served.client_of(&token).await;
        let mut session = super::Client::new(served.channel().await);
        session.handshake("anybody", &token).await.unwrap();
        let mut prepared = session.prepare("SELECT 1".into(), None).await.unwrap();
        let info = client.execute("SELECT 1".into(), None).await.unwrap();
        assert_eq!(query(&mut client, "SELECT 1").await.unwrap(), ["1"]);

        let id = &blake3::hash(token.as_bytes()).to_hex().to_string();
        served.tokens.revoke(id).await.unwrap();
        // Longer than any answer of the store is believed.
        tokio::time::sleep(Duration::from_millis(600)).await;
        let codes = [
            status(client.do_get(ticket(&info)).await.err().unwrap()).code(),
            status(query(&mut session, "SELECT 1").await.unwrap_err()).code(),
            status(client.execute("SELECT 1".into(), None).await.map(drop).unwrap_err()).code(),
        ];
        assert_eq!(codes, [Code::Unauthenticated; 3]);
        assert!(prepared.execute().await.is_err());
    })
    .await;
}
