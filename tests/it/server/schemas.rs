use std::time::Duration;

use arrow::datatypes::{DataType, Schema};
use arrow_flight::sql::{CommandStatementQuery, ProstMessageExt};
use arrow_flight::{FlightDescriptor, IpcMessage};
use convoke::settings::Settings;
use futures::TryStreamExt;
use prost::Message;

use super::{Client, Served, boot, load, ticket, within};
use crate::harness::{texts, world_with};

const SHAPES: [&str; 43] = [
    "SELECT count(*) FROM events",
    "SELECT count(*) FROM events WHERE ts > '2030-01-01T00:00:00Z'",
    "SELECT min(ts), max(ts), min(revenue), max(message_id) FROM events",
    "SELECT sum(revenue), avg(revenue), approx_distinct(user_id), array_agg(user_id) FROM events",
    "SELECT sum(x) FROM (VALUES (1), (2)) AS v(x) WHERE x > 5",
    "SELECT user_id, count(*) AS n FROM events GROUP BY user_id HAVING count(*) > 1",
    "SELECT 1, 'a', NULL, 1.5, true, DATE '2024-01-01', INTERVAL '1' DAY",
    "SELECT 1 AS a WHERE 1 = 0",
    "VALUES (1, 'a'), (2, NULL)",
    "SELECT 1 AS a UNION ALL SELECT NULL",
    "SELECT NULL AS a UNION ALL SELECT 1",
    "SELECT message_id FROM events UNION SELECT 'x'",
    "SELECT person FROM events INTERSECT SELECT person FROM persons",
    "SELECT person FROM events EXCEPT SELECT person FROM persons",
    "SELECT DISTINCT event FROM events",
    "SELECT * FROM events",
    "SELECT * FROM events WHERE false",
    "SELECT * FROM events WHERE message_id = 'nobody'",
    "SELECT * FROM orders",
    "SELECT * FROM order_items",
    "SELECT * FROM persons",
    "SELECT * FROM identities",
    "SELECT * FROM event_catalog",
    "SELECT * FROM dates LIMIT 3",
    "SELECT * FROM fx_rates",
    "SELECT * FROM system.dead_letters",
    "SELECT * FROM system.log",
    "SELECT * FROM system.queries LIMIT 1",
    "SELECT * FROM system.settings",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM person_timeline('user_id', 'u1')",
    "SELECT a.message_id, p.known, o.net FROM events a LEFT JOIN persons p ON p.person = a.person
       FULL JOIN orders o ON o.person = a.person",
    "SELECT row_number() OVER (ORDER BY ts) AS n, lag(ts) OVER (ORDER BY ts) AS before FROM events",
    "SELECT coalesce(revenue, 0), CASE WHEN person IS NULL THEN 'no' ELSE 'yes' END, nullif(type, 'page') FROM events",
    "SELECT date_trunc('month', ts), CAST(ts AS DATE), extract(hour FROM ts), ts + INTERVAL '1' HOUR FROM events",
    "SELECT [1, 2] AS a, [NULL] AS b, make_array('x', NULL) AS c, named_struct('k', 1, 'v', 'x') AS d, category FROM events",
    "SELECT arrow_cast(1, 'UInt8') AS a, arrow_cast(1, 'UInt16') AS b, arrow_cast(1, 'UInt32') AS c,
       arrow_cast('18446744073709551615', 'UInt64') AS d, arrow_cast(1, 'Float16') AS e",
    "SELECT arrow_cast(event, 'Dictionary(Int32, Utf8)') AS a, [arrow_cast(event, 'Dictionary(Int32, Utf8)')] AS b FROM events",
    "SELECT arrow_cast('x', 'Utf8View') AS a, arrow_cast('x', 'LargeUtf8') AS b, arrow_cast('x', 'BinaryView') AS c,
       arrow_cast('x', 'LargeBinary') AS d",
    "SELECT properties -> 'coupon' AS a, properties ->> 'coupon' AS b, json_get_int(properties, 'size') AS c FROM events",
    "EXPLAIN SELECT * FROM orders",
    "SHOW TABLES",
    "DESCRIBE events",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_calls_tell_the_same_schema() {
    within(async {
        let mut faults = Vec::new();
        for zone in ["UTC", "Asia/Shanghai"] {
            let world = world_with(Settings::defaults().unwrap(), zone).await;
            load(&world).await;
            let served = boot(world, Duration::from_secs(5)).await;
            let mut client = served.client().await;
            for sql in SHAPES {
                if let Err(fault) = check(&served, &mut client, sql).await {
                    faults.push(format!("{zone}: {sql}\n    {fault}"));
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    })
    .await;
}

/// Of rows, elements and groups. As PostgreSQL and DuckDB have them; a decimal would be another type in every client.
const NUMBERS: [(&str, &[&str]); 4] = [
    (
        "SELECT row_number() OVER (ORDER BY x) AS a, rank() OVER (ORDER BY x) AS b, dense_rank() OVER (ORDER BY x) AS c,
           ntile(2) OVER (ORDER BY x) AS d, array_length([1, 2, 3]) AS e, cardinality([1, 2]) AS f,
           array_position([7, 8], 8) AS g
         FROM (VALUES (1), (1), (2)) AS v(x) ORDER BY a",
        &["1 1 1 1 3 2 2", "2 1 1 1 3 2 2", "3 3 2 2 3 2 2"],
    ),
    (
        "SELECT g, regr_count(y, x), approx_distinct(x), array_ndims([[g]])
         FROM (VALUES (1, 1, 2.0), (1, 2, NULL), (2, 2, 5.0), (2, NULL, 1.0), (2, 3, 4.0)) AS v(g, x, y) GROUP BY g ORDER BY g",
        &["1 1 2 2", "2 2 2 2"],
    ),
    (
        "SELECT regr_count(y, x), approx_distinct(x), approx_distinct(x > 1)
         FROM (VALUES (1, 2.0), (2, NULL), (2, 5.0), (NULL, 1.0)) AS v(x, y)",
        &["2 2 2"],
    ),
    (
        "SELECT (SELECT approx_distinct(w.y) FROM (VALUES (1, 5), (1, 6)) AS w(x, y) WHERE w.x = v.x) AS a,
           (SELECT regr_count(w.y, w.x) FROM (VALUES (1, 5), (1, 6)) AS w(x, y) WHERE w.x = v.x) AS b
         FROM (VALUES (1), (2)) AS v(x) ORDER BY x",
        &["2 2", "0 0"],
    ),
];

/// DuckDB gives these rows; it calls `approx_distinct` `approx_count_distinct`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_of_rows_elements_and_groups_are_bigint() {
    within(async {
        let world = world_with(Settings::defaults().unwrap(), "UTC").await;
        let served = boot(world, Duration::from_secs(5)).await;
        let mut client = served.client().await;
        for (sql, expected) in NUMBERS {
            let info = client.execute(sql.into(), None).await.unwrap();
            let mut stream = client.do_get(ticket(&info)).await.unwrap();
            let mut rows = Vec::new();
            while let Some(batch) = stream.try_next().await.unwrap() {
                for field in batch.schema().fields() {
                    assert_eq!(field.data_type(), &DataType::Int64, "{} of {sql}", field.name());
                }
                rows.extend(texts(&[batch]));
            }
            assert_eq!(rows, expected, "{sql}");
        }
    })
    .await;
}

async fn check(served: &Served, client: &mut Client, sql: &str) -> Result<(), String> {
    let told = |error: arrow_flight::error::FlightError| error.to_string();
    let prepared = client.prepare(sql.into(), None).await.map_err(told)?;
    let prepared = prepared.dataset_schema().map_err(told)?.clone();
    let info = client.execute(sql.into(), None).await.map_err(told)?;
    let planned = info.clone().try_decode_schema().map_err(|error| error.to_string())?;
    let command = CommandStatementQuery { query: sql.into(), transaction_id: None };
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let request = served.authorized(descriptor);
    let asked = served.raw().await.get_schema(request).await.map_err(|status| status.to_string())?.into_inner();
    let asked = Schema::try_from(IpcMessage(asked.schema)).map_err(|error| error.to_string())?;

    let mut stream = client.do_get(ticket(&info)).await.map_err(told)?;
    while let Some(batch) = stream.try_next().await.map_err(told)? {
        if batch.schema().as_ref() != &planned {
            return Err(format!("a batch has {:?}, planned was {planned:?}", batch.schema()));
        }
    }
    let sent = stream.schema().ok_or("DoGet sent no schema")?;
    for (call, schema) in [("Prepare", &prepared), ("GetSchema", &asked), ("DoGet", sent.as_ref())] {
        if *schema != planned {
            return Err(format!("{call} says {schema:?}, GetFlightInfo says {planned:?}"));
        }
    }
    match planned.fields().iter().find(|field| !is_plain(field.data_type())) {
        Some(field) => {
            Err(format!("column '{}' of type {} cannot be read by every client", field.name(), field.data_type()))
        }
        None => Ok(()),
    }
}

/// A type that JDBC 18 and old ADBC versions read.
fn is_plain(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(child) => is_plain(child.data_type()),
        DataType::Struct(fields) => fields.iter().all(|field| is_plain(field.data_type())),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 | DataType::Float16 => false,
        DataType::Utf8View | DataType::BinaryView | DataType::LargeUtf8 | DataType::LargeBinary | DataType::Null => {
            false
        }
        DataType::Dictionary(..) | DataType::Union(..) | DataType::RunEndEncoded(..) => false,
        _ => true,
    }
}
