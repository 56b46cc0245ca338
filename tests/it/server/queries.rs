use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_flight::error::FlightError;
use arrow_flight::sql::client::PreparedStatement;
use arrow_flight::{CancelFlightInfoRequest, CancelStatus, FlightClient};
use convoke::query::{QueryState, SessionOptions};
use convoke::settings::Settings;
use futures::{StreamExt, TryStreamExt};
use tonic::Code;
use tonic::transport::Channel;

use super::{Client, Served, boot, load, open, query, refusal, rows, served, status, ticket, until, within};
use crate::harness::{texts, world, world_with};

const ENDLESS: &str = "SELECT value FROM generate_series(1, 1000000000000)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_give_their_rows() {
    within(async {
        let served = served().await;
        let mut client = served.client().await;
        let sql = "SELECT user_id, sum(revenue) FROM events WHERE user_id IS NOT NULL GROUP BY user_id ORDER BY 1";
        assert_eq!(rows(&mut client, sql).await, ["u1 35.0000", "u2 7.5000"]);
        assert_eq!(
            rows(&mut client, "SELECT properties -> 'coupon', properties -> 'size' FROM events LIMIT 1").await.len(),
            1
        );
        // JSON values are JSON text on the wire.
        let json = "SELECT properties -> 'coupon', properties -> 'size' FROM events WHERE user_id = 'u2'";
        assert_eq!(rows(&mut client, json).await, ["\"NEW\" 3"]);
        let many = "SELECT count(*), sum(value) FROM generate_series(1, 300000)";
        assert_eq!(rows(&mut client, many).await, ["300000 45000150000"]);
        assert_eq!(rows(&mut client, "SELECT value FROM generate_series(1, 300000)").await.len(), 300_000);
    })
    .await;
}

fn parameters(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

fn text(value: &str) -> ArrayRef {
    Arc::new(StringArray::from(vec![value]))
}

async fn run(
    client: &mut Client,
    prepared: &mut PreparedStatement<Channel>,
    values: Option<RecordBatch>,
) -> Result<Vec<String>, FlightError> {
    values.map(|values| prepared.set_parameters(values)).transpose()?;
    let info = prepared.execute().await?;
    let batches: Vec<RecordBatch> = client.do_get(ticket(&info)).await?.try_collect().await?;
    Ok(texts(&batches))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prepared_statements_take_parameters_again_and_again() {
    within(async {
        let served = served().await;
        let mut client = served.client().await;
        let sql = "SELECT user_id, revenue FROM events WHERE revenue > ? AND event = ? ORDER BY revenue";
        let mut prepared = client.prepare(sql.into(), None).await.unwrap();
        let types: Vec<String> =
            prepared.parameter_schema().unwrap().fields().iter().map(|field| field.data_type().to_string()).collect();
        assert_eq!(types.len(), 2);
        assert!(types[0].starts_with("Decimal128") && types[1] == "Utf8", "{types:?}");
        // A client sends the numbers that it has.
        let values = |above: i64, event: &str| {
            Some(parameters(vec![("a", Arc::new(Int64Array::from(vec![above]))), ("b", text(event))]))
        };
        let answer = run(&mut client, &mut prepared, values(8, "Order Completed")).await.unwrap();
        assert_eq!(answer, ["u1 10.0000", "u1 25.0000"]);
        assert_eq!(run(&mut client, &mut prepared, values(20, "Order Completed")).await.unwrap(), ["u1 25.0000"]);
        assert!(run(&mut client, &mut prepared, values(0, "Nothing")).await.unwrap().is_empty());

        let mut timeline =
            client.prepare("SELECT event FROM person_timeline($2, $1) ORDER BY ts".into(), None).await.unwrap();
        let values = parameters(vec![("a", text("u2")), ("b", text("user_id"))]);
        assert_eq!(run(&mut client, &mut timeline, Some(values)).await.unwrap(), ["Order Completed"]);
        timeline.close().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_that_do_not_fit_are_refused() {
    within(async {
        let served = served().await;
        let mut client = served.client().await;
        let mut prepared = client.prepare("SELECT count(*) FROM events WHERE revenue > ?".into(), None).await.unwrap();
        let two_columns = parameters(vec![("a", text("1")), ("b", text("2"))]);
        let no_number = parameters(vec![("a", text("much"))]);
        for (values, words) in [(None, "1 parameter"), (Some(two_columns), "2 "), (Some(no_number), "much")] {
            let refused = status(run(&mut client, &mut prepared, values).await.expect_err(words));
            assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
            assert!(refused.message().contains(words), "{refused:?}");
        }
        assert_eq!(run(&mut client, &mut prepared, Some(parameters(vec![("a", text("8"))]))).await.unwrap(), ["2"]);
    })
    .await;
}

/// Flight SQL lets a client bind several rows: the results come after one another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_runs_once_for_each_row_of_parameters() {
    within(async {
        let served = served().await;
        let mut client = served.client().await;
        let sql = "SELECT $1 AS asked, count(*) FROM events WHERE revenue >= $2 GROUP BY asked";
        let mut prepared = client.prepare(sql.into(), None).await.unwrap();
        let rows = parameters(vec![
            ("a", Arc::new(Int64Array::from(vec![3, 1, 2]))),
            ("b", Arc::new(StringArray::from(vec!["8", "25", "1000"]))),
        ]);
        assert_eq!(run(&mut client, &mut prepared, Some(rows.clone())).await.unwrap(), ["3 2", "1 1"]);
        let found = states(&served, sql);
        assert_eq!(found, vec![QueryState::Finished; 3], "each row is a statement of its own");
        // In table functions each row is a table of its own.
        let mut series = client.prepare("SELECT value FROM generate_series(1, ?)".into(), None).await.unwrap();
        let values = parameters(vec![("a", Arc::new(Int64Array::from(vec![2, 0, 1])))]);
        assert_eq!(run(&mut client, &mut series, Some(values)).await.unwrap(), ["1", "2", "1"]);
        // What the second row breaks is said in the stream, after the rows of the first.
        let mut quotient = client.prepare("SELECT 12 / CAST(? AS BIGINT)".into(), None).await.unwrap();
        let values = parameters(vec![("a", Arc::new(StringArray::from(vec!["4", "four"])))]);
        let refused = status(run(&mut client, &mut quotient, Some(values)).await.expect_err("four is no number"));
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_have_their_code_and_name_what_was_meant() {
    within(async {
        let served = served().await;
        let mut client = served.client().await;
        let message = refusal(&mut client, "SELECT * FROM evnts", Code::InvalidArgument).await;
        assert!(message.starts_with("there is no table 'evnts'; similar: events"), "{message}");
        let message = refusal(&mut client, "SELECT persn FROM events", Code::InvalidArgument).await;
        assert!(message.contains("person"), "{message}");
        for sql in ["SELEC 1", "DROP TABLE events", "SELECT 1; SELECT 2", "SELECT 1 / (rows - rows) FROM event_catalog"]
        {
            refusal(&mut client, sql, Code::InvalidArgument).await;
        }
        let prepared = client.prepare("SELECT * FROM evnts".into(), None).await.map(drop);
        assert_eq!(status(prepared.unwrap_err()).code(), Code::InvalidArgument);
        assert_eq!(rows(&mut client, "SELECT 1").await, ["1"], "the connection still works");
    })
    .await;
}

/// The states of the statements with this text, oldest first.
fn states(served: &Served, statement: &str) -> Vec<QueryState> {
    let queries = served.world.engine.queries(&served.world.caller);
    queries.into_iter().filter(|query| query.statement == statement).map(|query| query.state).collect()
}

/// A server that runs one statement at a time.
async fn served_one_by_one() -> Served {
    let flags = [("query.concurrency", "1".to_owned())];
    let world = world_with(Settings::load(None, std::iter::empty(), &flags).unwrap(), "UTC").await;
    load(&world).await;
    boot(world, Duration::from_secs(5)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_stream_frees_its_place() {
    within(async {
        let served = served_one_by_one().await;
        let mut client = served.client().await;
        let mut stream = open(&mut client, ENDLESS).await.unwrap();
        stream.next().await.unwrap().unwrap();
        assert_eq!(states(&served, ENDLESS), [QueryState::Running]);
        let mut other = served.client().await;
        let waits = tokio::time::timeout(Duration::from_millis(300), query(&mut other, "SELECT 1")).await;
        assert!(waits.is_err(), "there is one place: {waits:?}");
        drop(stream);
        assert_eq!(rows(&mut other, "SELECT 1").await, ["1"]);
        until("the statement is cancelled", async || states(&served, ENDLESS) == [QueryState::Cancelled]).await;
        let sql = "SELECT state, error FROM system.queries WHERE statement LIKE '%1000000000000)'";
        assert_eq!(rows(&mut other, sql).await, ["cancelled NULL"]);
        until("no query runs", async || served.metrics.queries_running.get() == 0).await;
    })
    .await;
}

/// `convoke sql` lets the engine go before it reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_outlive_the_engine() {
    within(async {
        let (world, session) = (world().await, SessionOptions::default());
        // More than waits in a channel.
        let sql = "SELECT value FROM generate_series(1, 300000)";
        let prepared = world.engine.prepare(&world.caller, &session, sql, None).await.unwrap();
        let execution = world.engine.execute(&world.caller, &session, &prepared, Vec::new()).await.unwrap();
        drop((world, prepared));
        let batches: Vec<RecordBatch> = execution.stream.try_collect().await.unwrap();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 300_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_cancelled_by_its_flight_info() {
    within(async {
        let served = served_one_by_one().await;
        let mut client = served.client().await;
        let info = client.execute(ENDLESS.into(), None).await.unwrap();
        let mut stream = client.do_get(ticket(&info)).await.unwrap();
        stream.next().await.unwrap().unwrap();
        let mut other = FlightClient::new(served.channel().await);
        other.add_header("authorization", &format!("Bearer {}", served.token)).unwrap();
        let answer = other.cancel_flight_info(CancelFlightInfoRequest::new(info)).await.unwrap();
        assert_eq!(answer.status, i32::from(CancelStatus::Cancelled));
        let error = loop {
            match stream.next().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => break status(error),
                None => panic!("a cancelled result looks whole"),
            }
        };
        assert_eq!(error.code(), Code::Cancelled);
        assert_eq!(rows(&mut client, "SELECT 1").await, ["1"]);
        until("the statement is cancelled", async || states(&served, ENDLESS) == [QueryState::Cancelled]).await;
    })
    .await;
}

const HOURS: &str =
    "SELECT CAST(date_trunc('day', ts) AS TEXT), extract(hour FROM ts) FROM events WHERE user_id = 'u2'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_zone_holds_for_its_session_alone() {
    within(async {
        let served = served().await;
        let (mut client, mut other) = (served.session().await, served.session().await);
        // 10:00 in UTC.
        assert_eq!(rows(&mut client, HOURS).await, ["2024-02-06T00:00:00Z 10"]);
        let mut prepared = client.prepare(HOURS.into(), None).await.unwrap();
        client.execute_update("SET TIME ZONE 'Asia/Shanghai'".into(), None).await.unwrap();
        assert_eq!(rows(&mut client, HOURS).await, ["2024-02-06T00:00:00+08:00 18"]);
        assert_eq!(run(&mut client, &mut prepared, None).await.unwrap(), ["2024-02-06T00:00:00+08:00 18"]);
        assert_eq!(rows(&mut other, HOURS).await, ["2024-02-06T00:00:00Z 10"]);
        let ts = "SELECT ts FROM events WHERE user_id = 'u2'";
        assert_eq!(rows(&mut client, ts).await, ["2024-02-06T18:00:00+08:00"], "the same instant, shown elsewhere");
        let refused = client.execute_update("SET TIME ZONE 'Asia/Shangai'".into(), None).await.unwrap_err();
        assert!(status(refused).message().contains("Asia/Shanghai"));
        assert_eq!(rows(&mut client, HOURS).await, ["2024-02-06T00:00:00+08:00 18"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_zone_may_be_set_as_a_query_and_on_a_bare_connection() {
    within(async {
        let served = served().await;
        let mut client = served.client().await;
        // Drivers that cannot tell an update from a query.
        assert!(rows(&mut client, "SET TIME ZONE 'Asia/Shanghai'").await.is_empty());
        assert_eq!(rows(&mut client, HOURS).await, ["2024-02-06T00:00:00+08:00 18"]);
        assert_eq!(rows(&mut served.client().await, HOURS).await, ["2024-02-06T00:00:00Z 10"]);
    })
    .await;
}
