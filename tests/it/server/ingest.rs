use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::{FlightClient, FlightData, FlightDescriptor};
use convoke::auth::Role;
use convoke::ingest::input::{self, InputBuilder, InputRow};
use convoke::ingest::{LOAD_COMPLETE, LOAD_CONDITIONS, LoadConditions, LoadRequest, LoadSummary};
use futures::{Stream, StreamExt, TryStreamExt};
use tonic::Code;

use super::{Served, rows, served, status, within};
use crate::harness::at;

type Batches = Vec<Result<RecordBatch, FlightError>>;

pub(super) fn visit(message_id: &str) -> Result<RecordBatch, FlightError> {
    let mut builder = InputBuilder::default();
    builder.push(&InputRow {
        message_id: Some(message_id),
        ts: at("2024-05-01T00:00:00Z"),
        kind: Some("page"),
        anonymous_id: Some("c77"),
        ..Default::default()
    });
    Ok(builder.finish().unwrap())
}

/// The messages of one upload: `hash` names its content.
pub(super) fn upload(
    path: &str,
    hash: &str,
    schema: SchemaRef,
    batches: Batches,
) -> impl Stream<Item = Result<FlightData, FlightError>> + Send + 'static {
    let request = LoadRequest {
        source: "a test".into(),
        content_hash: hash.into(),
        file_hash: None,
        again: false,
        checked: false,
    };
    FlightDataEncoderBuilder::new()
        .with_schema(schema)
        .with_flight_descriptor(Some(FlightDescriptor::new_path(vec![path.to_owned()])))
        .with_metadata(serde_json::to_vec(&request).unwrap().into())
        .build(futures::stream::iter(batches))
        .chain(futures::stream::iter([Ok(FlightData { app_metadata: LOAD_COMPLETE.into(), ..Default::default() })]))
}

async fn put(
    served: &Served,
    token: &str,
    data: impl Stream<Item = Result<FlightData, FlightError>> + Send + 'static,
) -> Result<LoadSummary, FlightError> {
    let mut client = FlightClient::new(served.channel().await);
    client.add_header("authorization", &format!("Bearer {token}")).unwrap();
    let answers: Vec<_> = client.do_put(data).await?.try_collect().await?;
    assert_eq!(answers.len(), 1);
    Ok(serde_json::from_slice(&answers[0].app_metadata).unwrap())
}

async fn put_events(served: &Served, hash: &str, batches: Batches) -> Result<LoadSummary, FlightError> {
    put(served, &served.token, upload("ingest", hash, input::schema(), batches)).await
}

const COUNT: &str = "SELECT count(*) FROM events";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploaded_events_can_be_read_at_once() {
    within(async {
        let served = served().await;
        let mut client = served.client().await;
        // A plan and a handle of before the upload.
        assert_eq!(rows(&mut client, COUNT).await, ["4"]);
        let mut prepared = client.prepare(COUNT.into(), None).await.unwrap();
        let summary = put_events(&served, "a", vec![visit("x1"), visit("x2")]).await.unwrap();
        assert_eq!((summary.read, summary.kept, summary.rejected, summary.skipped), (2, 2, 0, false));
        assert_eq!(rows(&mut client, COUNT).await, ["6"]);
        let timeline = "SELECT message_id FROM person_timeline('anonymous_id', 'c77') ORDER BY message_id";
        assert_eq!(rows(&mut client, timeline).await, ["x1", "x2"]);
        let info = prepared.execute().await.unwrap();
        let batches: Vec<_> = client.do_get(super::ticket(&info)).await.unwrap().try_collect().await.unwrap();
        assert_eq!(crate::harness::texts(&batches), ["6"]);

        let again = put_events(&served, "a", vec![visit("x1"), visit("x2")]).await.unwrap();
        assert!(again.skipped);
        assert_eq!(rows(&mut client, COUNT).await, ["6"]);
        assert!(served.metrics.render().unwrap().contains("convoke_events_ingested_total 2\n"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_learns_how_to_read_files() {
    within(async {
        let served = served().await;
        let mut client = FlightClient::new(served.channel().await);
        client.add_header("authorization", &format!("Bearer {}", served.token)).unwrap();
        let action = arrow_flight::Action { r#type: LOAD_CONDITIONS.to_owned(), ..Default::default() };
        let answers: Vec<_> = client.do_action(action).await.unwrap().try_collect().await.unwrap();
        assert_eq!(answers.len(), 1);
        let conditions: LoadConditions = serde_json::from_slice(&answers[0]).unwrap();
        assert_eq!(conditions.time_zone, "UTC");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_ticket_reads_what_it_was_planned_for() {
    within(async {
        let served = served().await;
        let mut client = served.client().await;
        let info = client.execute(COUNT.into(), None).await.unwrap();
        put_events(&served, "a", vec![visit("x1")]).await.unwrap();
        let batches: Vec<_> = client.do_get(super::ticket(&info)).await.unwrap().try_collect().await.unwrap();
        assert_eq!(crate::harness::texts(&batches), ["4"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_row_is_kept_aside_and_the_others_loaded() {
    within(async {
        let served = served().await;
        let mut builder = InputBuilder::default();
        builder.push(&InputRow {
            row: Some(7),
            reject_reason: Some("broken"),
            raw: Some("{oops"),
            ..Default::default()
        });
        let summary = put_events(&served, "a", vec![Ok(builder.finish().unwrap()), visit("x1")]).await.unwrap();
        assert_eq!((summary.kept, summary.rejected), (1, 1));
        let letters =
            rows(&mut served.client().await, "SELECT source, row, reason, raw FROM system.dead_letters").await;
        assert_eq!(letters, ["a test 7 broken {oops"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_upload_is_refused_and_leaves_nothing() {
    within(async {
        let served = served().await;
        let column: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
        let other = RecordBatch::try_from_iter([("event", column)]).unwrap();
        let token = served.token.clone();
        let analyst = served.token_of(Role::Analyst).await;
        let good = || upload("ingest", "a", input::schema(), vec![visit("x1")]);
        let nameless = FlightDataEncoderBuilder::new()
            .with_schema(input::schema())
            .with_flight_descriptor(Some(FlightDescriptor::new_path(vec!["ingest".to_owned()])))
            .build(futures::stream::iter([visit("x1")]));
        let without_descriptor =
            FlightDataEncoderBuilder::new().with_schema(input::schema()).build(futures::stream::iter([visit("x1")]));
        let cases = [
            (
                "columns",
                &token,
                upload("ingest", "a", other.schema(), vec![Ok(other.clone())]).boxed(),
                Code::InvalidArgument,
            ),
            ("load request", &token, nameless.boxed(), Code::InvalidArgument),
            ("descriptor", &token, without_descriptor.boxed(), Code::InvalidArgument),
            ("may not send events", &analyst, good().boxed(), Code::PermissionDenied),
        ];
        for (words, token, data, code) in cases {
            let status = status(put(&served, token, data).await.expect_err(words));
            assert_eq!(status.code(), code, "{status:?}");
            assert!(status.message().contains(words), "{words}: {status:?}");
        }
        assert_eq!(rows(&mut served.client().await, COUNT).await, ["4"]);
        // Nothing of the refused ones is remembered as loaded.
        assert!(!put(&served, &served.token_of(Role::Ingest).await, good()).await.unwrap().skipped);
        assert_eq!(rows(&mut served.client().await, COUNT).await, ["5"]);
    })
    .await;
}

/// Not as something that is not found, which pyarrow shows as a missing key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_where_nothing_can_be_put_is_answered_with_those_that_there_are() {
    within(async {
        let served = served().await;
        let wrong: [(&[&str], &str); 6] = [
            (&[], "neither a path nor a command"),
            (&[""], "the path ''"),
            (&["event"], "the path 'event'"),
            (&["events", "web"], "the path 'events/web'"),
            (&["table/mine"], "the path 'table/mine'"),
            (&["table"], "the path 'table'"),
        ];
        for (path, named) in wrong {
            let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
            let data = FlightDataEncoderBuilder::new()
                .with_schema(input::schema())
                .with_flight_descriptor(Some(FlightDescriptor::new_path(path)))
                .build(futures::stream::iter([visit("x1")]));
            let status = status(put(&served, &served.token, data).await.expect_err(named));
            assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
            for part in [named, "'events'", "'table' and the table's name", "'ingest'"] {
                assert!(status.message().contains(part), "{part}: {status:?}");
            }
        }
        assert_eq!(rows(&mut served.client().await, COUNT).await, ["4"]);
    })
    .await;
}

const LOADED: &str = "SELECT message_id FROM person_timeline('anonymous_id', 'c77') ORDER BY 1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_of_a_client_that_vanishes_leaves_nothing() {
    within(async {
        let served = served().await;
        let (mut client, mut raw) = (served.client().await, served.raw().await);
        let messages = upload("ingest", "a", input::schema(), vec![visit("x1")]);
        // What is left out is the end, with the word that says so.
        let endless = messages.map(|message| message.unwrap()).chain(futures::stream::pending());
        let endless = endless.filter(|message| std::future::ready(message.app_metadata != LOAD_COMPLETE));
        let request = served.authorized(endless);
        let upload = tokio::spawn(async move { raw.do_put(request).await.map(drop) });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!upload.is_finished(), "the server waits for the end");
        upload.abort();
        assert!(upload.await.unwrap_err().is_cancelled());
        assert!(!put_events(&served, "a", vec![visit("x2"), visit("x3")]).await.unwrap().skipped);
        assert_eq!(rows(&mut client, LOADED).await, ["x2", "x3"]);
    })
    .await;
}

/// The client of arrow-flight ends its stream as if all was sent when its own reader fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_breaks_off_leaves_nothing() {
    within(async {
        let served = served().await;
        let broken = || Err(FlightError::protocol("the client's disk broke"));
        put_events(&served, "a", vec![visit("x1"), broken()]).await.expect_err("broken off");
        assert!(!put_events(&served, "a", vec![visit("x2"), visit("x3")]).await.unwrap().skipped);
        assert_eq!(rows(&mut served.client().await, LOADED).await, ["x2", "x3"]);
    })
    .await;
}

/// `convoke ingest` of one file by one token after the other: what it says, and whether it did it.
async fn ingest_by(served: &Served, file: &std::path::Path, token: &str, more: &[&str]) -> (bool, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_convoke"));
    command.arg("ingest").arg(file).args(["--connect", &format!("http://{}", served.address), "--token", token]);
    command.args(more);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_by_the_token_of_another_source_is_refused() {
    within(async {
        let served = served().await;
        let workspace = convoke::ids::WorkspaceName::default();
        let web = served.tokens.create_for_source(workspace, "web", None, "web").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jan.csv");
        let text = "ts,event,user_id,order_id,revenue\n2024-01-05 00:15:00,Order Completed,w1,j1,50\n";
        std::fs::write(&file, text).unwrap();
        let sum = "SELECT sum(net) FROM orders WHERE order_id = 'j1'";
        let mut client = served.client().await;
        let (done, said) = ingest_by(&served, &file, &web, &[]).await;
        assert!(done, "{said}");
        for options in [&[][..], &["--time-zone", "Asia/Tokyo"]] {
            let (done, said) = ingest_by(&served, &file, &served.token, options).await;
            assert!(!done && said.contains("refused, the same file was loaded before for another source"), "{said}");
            assert!(said.contains("--again loads it for this source, too"), "{said}");
            assert_eq!(rows(&mut client, sum).await, ["50.0000"]);
        }
        let (done, said) = ingest_by(&served, &file, &served.token, &["--again"]).await;
        assert!(done, "{said}");
        assert_eq!(rows(&mut client, sum).await, ["100.0000"], "what is told does");
    })
    .await;
}
