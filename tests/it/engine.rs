//! The engine: what it refuses, its limits, parameters, the time zone, NULL in subqueries.

use convoke::auth::{Caller, Role};
use convoke::error::Kind;
use convoke::ids::WorkspaceName;
use convoke::ingest::input::InputRow;
use convoke::query::{SessionOptions, StatementKind};
use convoke::settings::Settings;
use datafusion::common::ScalarValue;

use crate::harness::{at, texts, world, world_with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_reads_or_writes_a_file() {
    let world = world().await;
    for sql in [
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('x.parquet')",
        "SELECT * FROM parquet_metadata('x.parquet')",
        "COPY events TO '/tmp/stolen.csv'",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "SELECT * FROM information_schema.df_settings",
        "INSERT INTO events SELECT * FROM events",
        "CREATE VIEW v AS SELECT 1",
    ] {
        world.refusal(sql).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_names_are_answered_with_similar_ones() {
    let world = world().await;
    let message = world.refusal("SELECT count(*) FROM evnts").await;
    assert!(message.contains("no table 'evnts'") && message.contains("events"), "{message}");
    let message = world.refusal("SELECT * FROM system.quieries").await;
    assert!(message.contains("system.queries"), "{message}");
    let message = world.refusal("SELECT persn FROM events").await;
    assert!(message.contains("person"), "{message}");
    let message = world.refusal("SELECT cuont(person) FROM events").await;
    assert!(message.contains("cuont") && message.contains("Did you mean"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_over_its_memory_fails_alone() {
    let flags = [("query.memory", "8MiB".to_owned())];
    let world = world_with(Settings::load(None, std::iter::empty(), &flags).unwrap(), "UTC").await;
    let greedy = "SELECT cardinality(array_agg(value)) FROM generate_series(1, 3000000)";
    let error = world.query(greedy).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Busy, "{error}");
    assert!(error.to_string().contains("query.memory"), "{error}");
    assert_eq!(world.row("SELECT 1").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_over_its_time_fails_alone() {
    let flags = [("query.seconds", "1".to_owned())];
    let world = world_with(Settings::load(None, std::iter::empty(), &flags).unwrap(), "UTC").await;
    let slow = "SELECT count(*) FROM generate_series(1, 10000000) a CROSS JOIN generate_series(1, 100000) b
                WHERE (a.value * b.value) % 7 = 8";
    let error = world.query(slow).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Busy, "{error}");
    assert!(error.to_string().contains("query.seconds"), "{error}");
    assert_eq!(world.row("SELECT 1").await, "1");
    let state =
        "SELECT state FROM system.queries WHERE statement LIKE '%CROSS JOIN%' AND statement NOT LIKE '%queries%'";
    assert_eq!(world.row(state).await, "failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_are_typed_and_bound_table_functions_included() {
    let world = world().await;
    let row = InputRow {
        ts: at("2024-01-05T00:00:00Z"),
        event: Some("Sale"),
        user_id: Some("u1"),
        revenue: Some(125_000),
        ..Default::default()
    };
    world.load("a", &[row]).await;
    let session = SessionOptions::default();
    let sql = "SELECT user_id FROM events WHERE revenue > ? AND event = ?";
    let prepared = world.engine.prepare(&world.caller, &session, sql, None).await.unwrap();
    let types: Vec<_> = prepared.parameters.declared().iter().map(|field| field.data_type().to_string()).collect();
    assert_eq!(types[1], "Utf8");
    assert!(types[0].starts_with("Decimal128"), "{types:?}");
    let values = vec![ScalarValue::Int64(Some(12)), ScalarValue::from("Sale")];
    assert_eq!(texts(&world.query_with(sql, &session, values).await.unwrap()), ["u1"]);

    let timeline = "SELECT event FROM person_timeline($1, $2) WHERE event = $3";
    let values = ["user_id", "u1", "Sale"].map(ScalarValue::from).to_vec();
    assert_eq!(texts(&world.query_with(timeline, &session, values).await.unwrap()), ["Sale"]);
    let error = world.query_with(timeline, &session, vec![ScalarValue::from("user_id")]).await.unwrap_err();
    assert!(error.to_string().contains("3 parameters"), "{error}");
    let message = world.refusal("SELECT * FROM events e, person_timeline('user_id', e.user_id)").await;
    assert!(message.contains("person_timeline(id_type TEXT"), "{message}");
}

/// Rounded in silence a price would be another one: a text is refused as a decimal is, with what to write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_that_are_bound_to_a_decimal_are_not_rounded() {
    let world = world().await;
    let session = SessionOptions::default();
    world.query("CREATE TABLE prices (price DECIMAL(10, 2))").await.unwrap();
    let insert = "INSERT INTO prices VALUES ($1)";
    for value in [ScalarValue::from("9.999"), ScalarValue::from("-.001"), ScalarValue::Decimal128(Some(1_005), 4, 3)] {
        let error = world.query_with(insert, &session, vec![value]).await.unwrap_err();
        let told = error.to_string();
        assert!(told.contains("which is no DECIMAL(10,2)") && told.contains("CAST(round($1) AS ...)"), "{told}");
    }
    for text in ["9.990", " 10 "] {
        world.query_with(insert, &session, vec![ScalarValue::from(text)]).await.unwrap();
    }
    assert_eq!(world.rows("SELECT price FROM prices ORDER BY price").await, ["9.99", "10.00"]);
    let compared = "SELECT count(*) FROM prices WHERE price = $1";
    world.query_with(compared, &session, vec![ScalarValue::from("9.994")]).await.unwrap_err();
    assert_eq!(texts(&world.query_with(compared, &session, vec![ScalarValue::from("9.990")]).await.unwrap()), ["1"]);
}

/// The schema is told before a query runs, and rows are sent as it says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_are_promised_with_the_type_that_all_branches_have() {
    let world = world().await;
    let session = SessionOptions::default();
    for (sql, rows) in [
        ("SELECT 1 AS n UNION ALL SELECT 1.5 ORDER BY n", vec!["1.0", "1.5"]),
        ("SELECT NULL AS n UNION ALL SELECT 7 ORDER BY n NULLS FIRST", vec!["NULL", "7"]),
        ("SELECT sum(n) FROM (SELECT 1 AS n UNION ALL SELECT 1.5)", vec!["2.5"]),
        (
            "SELECT CASE WHEN value > 1 THEN 1 ELSE 1.5 END AS n FROM generate_series(1, 2) ORDER BY n",
            vec!["1.0", "1.5"],
        ),
    ] {
        let prepared = world.engine.prepare(&world.caller, &session, sql, None).await.unwrap();
        let batches = world.query(sql).await.unwrap();
        for batch in &batches {
            assert_eq!(batch.column(0).data_type(), prepared.schema.field(0).data_type(), "{sql}");
        }
        assert_eq!(texts(&batches), rows, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pattern_that_is_none_is_the_fault_of_the_statement() {
    let world = world().await;
    for call in ["x ~ p", "regexp_like(x, p)", "regexp_replace(x, p, 'y')", "regexp_count(x, p)", "regexp_match(x, p)"]
    {
        let of_column = format!("SELECT {call} FROM (VALUES ('a', 'a'), ('a', '[')) AS t(x, p)");
        for sql in [of_column, format!("SELECT {} FROM (VALUES ('a')) AS t(x)", call.replace(" p", " '['"))] {
            let error = world.query(&sql).await.unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidInput, "{sql}: {error}");
        }
    }
}

/// As a text 10 comes before 5. PostgreSQL: "operator does not exist: text < integer".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_is_bound_has_no_order_among_texts() {
    let world = world().await;
    let session = SessionOptions::default();
    let sql = |condition: &str| format!("SELECT count(*) FROM (VALUES ('9'), ('10'), ('x')) AS t(x) WHERE {condition}");
    for condition in ["x < $1", "$1 <= x", "x BETWEEN $1 AND 'z'", "lower(x) >= $1", "x = $1 OR x > $1"] {
        for number in
            [ScalarValue::Int64(Some(5)), ScalarValue::Float64(Some(0.5)), ScalarValue::Decimal128(Some(5), 2, 1)]
        {
            let error = world.query_with(&sql(condition), &session, vec![number.clone()]).await.unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidInput, "{condition} {number}: {error}");
            assert!(error.to_string().contains("CAST(x AS DOUBLE)"), "{condition} {number}: {error}");
        }
        let none = world.query_with(&sql(condition), &session, vec![ScalarValue::Int64(None)]).await.unwrap();
        assert_eq!(texts(&none), ["0"], "{condition}");
    }
    for (condition, value, found) in [
        ("x < $1", ScalarValue::from("5"), "1"),
        ("x = $1", ScalarValue::Int64(Some(9)), "1"),
        ("x IN ($1, 'x')", ScalarValue::Int64(Some(10)), "2"),
        ("length(x) < $1", ScalarValue::Int64(Some(2)), "2"),
    ] {
        let rows = world.query_with(&sql(condition), &session, vec![value]).await.unwrap();
        assert_eq!(texts(&rows), [found], "{condition}");
    }
}

/// PostgreSQL: "argument of nth_value must be greater than zero".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nth_value_of_a_number_that_is_bound_counts_from_one() {
    let world = world().await;
    let session = SessionOptions::default();
    let sql =
        "SELECT nth_value(value, $1) OVER (ORDER BY value ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
               FROM generate_series(5, 6)";
    for below in [ScalarValue::Int64(Some(0)), ScalarValue::Int32(Some(-1)), ScalarValue::UInt8(Some(0))] {
        let error = world.query_with(sql, &session, vec![below.clone()]).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput, "{below}: {error}");
        assert!(error.to_string().contains("nth_value counts from 1"), "{below}: {error}");
    }
    let second = world.query_with(sql, &session, vec![ScalarValue::Int64(Some(2))]).await.unwrap();
    assert_eq!(texts(&second), ["6", "6"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_are_bound_lose_nothing() {
    let world = world().await;
    let session = SessionOptions::default();
    let from = "SELECT count(*) FROM generate_series(1, 3) WHERE value";
    for (condition, value, found) in [
        (">= $1", ScalarValue::Float64(Some(1.5)), "2"),
        ("= $1", ScalarValue::Float64(Some(1.5)), "0"),
        ("< $1", ScalarValue::Float64(Some(1e30)), "3"),
        (">= $1", ScalarValue::Decimal128(Some(15), 2, 1), "2"),
        (">= $1", ScalarValue::Float64(Some(2.0)), "2"),
        (">= $1", ScalarValue::from("2"), "2"),
    ] {
        let sql = format!("{from} {condition}");
        let rows = texts(&world.query_with(&sql, &session, vec![value.clone()]).await.unwrap());
        assert_eq!(rows, [found], "{sql} with {value:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subqueries_in_table_functions_take_parameters_and_keep_the_limits() {
    let flags = [("query.seconds", "2".to_owned())];
    let world = world_with(Settings::load(None, std::iter::empty(), &flags).unwrap(), "UTC").await;
    let row = |user, revenue| InputRow {
        ts: at("2024-01-05T00:00:00Z"),
        event: Some("Sale"),
        user_id: Some(user),
        revenue: Some(revenue),
        ..Default::default()
    };
    world.load("a", &[row("u1", 10_000), row("u2", 20_000)]).await;
    let session = SessionOptions::default();
    let sql = "SELECT revenue FROM person_timeline($1, (SELECT max(user_id) FROM events WHERE revenue <= $2)) WHERE event = $3";
    let prepared = world.engine.prepare(&world.caller, &session, sql, None).await.unwrap();
    let types: Vec<_> = prepared.parameters.declared().iter().map(|field| field.data_type().to_string()).collect();
    assert!(types[1].starts_with("Decimal128"), "{types:?}");
    for (most, found) in [(1, vec!["1.0000"]), (5, vec!["2.0000"]), (0, vec![])] {
        let values = vec![ScalarValue::from("user_id"), ScalarValue::Int64(Some(most)), ScalarValue::from("Sale")];
        assert_eq!(texts(&world.query_with(sql, &session, values).await.unwrap()), found, "{most}");
    }
    // One parameter, inside and outside.
    for sql in [
        "SELECT revenue FROM person_timeline('user_id', $1) WHERE $1 = 'u2'",
        "SELECT revenue FROM person_timeline('user_id', (SELECT max(user_id) FROM events WHERE user_id = $1)) WHERE $1 = 'u2'",
    ] {
        let values = vec![ScalarValue::from("u2")];
        assert_eq!(texts(&world.query_with(sql, &session, values).await.unwrap()), ["2.0000"], "{sql}");
    }
    let plan = world.rows("EXPLAIN SELECT * FROM person_timeline('user_id', (SELECT max(user_id) FROM events))").await;
    assert!(plan.join("\n").contains("PersonScan: 1 nodes in 1 files"), "{plan:?}");
    let endless = "SELECT * FROM person_timeline('user_id', (SELECT CAST(count(*) AS TEXT)
                   FROM generate_series(1, 10000000) a CROSS JOIN generate_series(1, 100000) b
                   WHERE (a.value * b.value) % 7 = 8))";
    let error = world.query(endless).await.unwrap_err();
    assert!(error.kind() == Kind::Busy && error.to_string().contains("query.seconds"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_spills_too_much_is_told_the_setting() {
    let flags = [("query.memory", "16MiB".to_owned()), ("query.spill", "1MiB".to_owned())];
    let world = world_with(Settings::load(None, std::iter::empty(), &flags).unwrap(), "UTC").await;
    let sort = "SELECT max(place) AS place FROM (SELECT row_number() OVER (ORDER BY value % 1000003, value) AS place
                FROM generate_series(1, 3000000))";
    for sql in [sort.to_owned(), format!("CREATE TABLE t AS {sort}")] {
        let error = world.query(&sql).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Busy, "{error}");
        let message = error.to_string();
        assert!(message.contains("query.spill") && message.contains("of 1024.0 KB is"), "{message}");
        assert!(!message.contains("datafusion"), "{message}");
    }
    assert_eq!(world.row("SELECT 1").await, "1");
    assert_eq!(world.engine.load().spill_used, 0, "what was spilled is given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_zone_moves_days_but_not_instants() {
    let world = world_with(Settings::defaults().unwrap(), "Asia/Shanghai").await;
    // 2024-03-01 00:30 in Shanghai.
    let row = InputRow {
        ts: at("2024-02-29T16:30:00Z"),
        event: Some("Order Completed"),
        user_id: Some("u1"),
        revenue: Some(10_000),
        ..Default::default()
    };
    world.load("a", &[row]).await;
    assert_eq!(world.row("SELECT day FROM orders").await, "2024-03-01", "the workspace's day");
    let truncated = "SELECT CAST(date_trunc('day', ts) AS TEXT), extract(hour FROM ts) FROM events";
    assert_eq!(world.row(truncated).await, "2024-03-01T00:00:00+08:00 0", "the workspace's zone is the default");
    let session = SessionOptions::default();
    let set = world.engine.prepare(&world.caller, &session, "SET TIME ZONE 'UTC'", None).await.unwrap();
    let StatementKind::SetSession(utc) = set.kind.clone() else { panic!("{set:?}") };
    let rows = world.query_with(truncated, &utc, Vec::new()).await.unwrap();
    assert_eq!(texts(&rows), ["2024-02-29T00:00:00Z 16"]);
    let day = world.query_with("SELECT day FROM orders", &utc, Vec::new()).await.unwrap();
    assert_eq!(texts(&day), ["2024-03-01"], "the day of an order is the workspace's");
    let message = world.refusal("SET TIME ZONE 'Asia/Shangai'").await;
    assert!(message.contains("Asia/Shanghai"), "{message}");
}

/// Expected rows are those of DuckDB 2.0.0.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subqueries_with_null_are_right_wherever_they_stand() {
    let world = world().await;
    let with = "WITH x AS (SELECT * FROM (VALUES (1), (2), (NULL), (77)) AS v(a)),
                     s AS (SELECT * FROM (VALUES (1), (NULL)) AS v(b)) ";
    for (sql, rows) in [
        ("SELECT a FROM x WHERE a NOT IN (SELECT b FROM s) OR a = 77", vec!["77"]),
        ("SELECT a FROM x WHERE (a IN (SELECT b FROM s)) IS NULL", vec!["2", "77", "NULL"]),
        ("SELECT a FROM x WHERE (a NOT IN (SELECT b FROM s)) IS NOT TRUE", vec!["1", "2", "77", "NULL"]),
        ("SELECT a FROM x WHERE CASE WHEN a IN (SELECT b FROM s) THEN false ELSE true END", vec!["2", "77", "NULL"]),
        ("SELECT * FROM (SELECT a FROM x WHERE a IN (SELECT b FROM s) OR a = 2)", vec!["1", "2"]),
        ("SELECT a FROM x WHERE a NOT IN (SELECT b FROM s)", vec![]),
        ("SELECT a FROM x WHERE a IN (SELECT b FROM s)", vec!["1"]),
        ("SELECT a FROM x WHERE a NOT IN (SELECT b FROM s WHERE b IS NOT NULL) AND a > 0", vec!["2", "77"]),
        ("SELECT a FROM x WHERE EXISTS (SELECT 1 FROM s WHERE s.b = x.a) OR a = 77", vec!["1", "77"]),
    ] {
        assert_eq!(world.rows(&format!("{with}{sql} ORDER BY a")).await, rows, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_and_workspaces_are_kept_apart() {
    let world = world().await;
    let session = SessionOptions::default();
    for role in [Role::Service, Role::Ingest] {
        let caller = Caller::new(WorkspaceName::default(), "robot", role);
        let error = world.engine.prepare(&caller, &session, "SELECT 1", None).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Forbidden);
    }
    let stranger = Caller::new(WorkspaceName::new("elsewhere").unwrap(), "x", Role::Admin);
    let error = world.engine.prepare(&stranger, &session, "SELECT 1", None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    let message = world.refusal("SELECT * FROM elsewhere.main.events").await;
    assert_eq!(message, error.to_string(), "the same words for what is not there and what is somebody else's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_predicate_on_person_reaches_the_parquet_reader() {
    let world = world().await;
    let row =
        InputRow { ts: at("2024-01-05T00:00:00Z"), event: Some("Sale"), user_id: Some("u1"), ..Default::default() };
    world.load("a", &[row]).await;
    let plan = world.rows("EXPLAIN SELECT message_id FROM events WHERE abs(person) = 0").await.join("\n");
    assert!(plan.contains("DataSourceExec") && plan.contains("predicate=abs(person_at(node@5)) = 0"), "{plan}");
    let physical = plan.split("physical_plan").nth(1).unwrap();
    assert!(!physical.contains("FilterExec"), "the filter stays above the scan:\n{plan}");
    // The pages of one person are few enough to be read whole.
    let plan = world.rows("EXPLAIN SELECT message_id FROM events WHERE person = 0").await.join("\n");
    assert!(plan.contains("PersonScan: 1 nodes in 1 files"), "{plan}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fences_stay_in_plans_only_where_they_keep_knowledge_down() {
    let world = world().await;
    let sides = ["(VALUES (1, 2), (3, 4)) AS x(k, m)", "(VALUES (1, 2), (3, 4), (5, 6)) AS y(k, m)"];
    for (join, condition, stays) in [
        ("JOIN", "x.k = y.k", false),
        ("JOIN", "x.k = y.k AND y.m = 4", false),
        ("LEFT JOIN", "x.k = y.k", false),
        ("FULL JOIN", "x.k = y.k", false),
        ("LEFT JOIN", "x.k = y.k AND y.m = 4", true),
        ("LEFT JOIN", "x.k > y.k AND y.m = 4", true),
        ("RIGHT JOIN", "x.k = y.k AND x.m = 4", true),
    ] {
        let sql = format!("SELECT x.k, x.m, y.m FROM {} {join} {} ON {condition} ORDER BY 3, 2, 1", sides[0], sides[1]);
        let plan = world.rows(&format!("EXPLAIN {sql}")).await.join("\n");
        assert_eq!(plan.contains("FenceExec"), stays, "{sql}\n{plan}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_both_meanings_of_null_are_hashed() {
    let world = world().await;
    let table = "(SELECT value AS id, nullif(value % 1000, 3) AS k, nullif(value % 7, 3) AS m
                  FROM generate_series(1, 20000))";
    let joined = format!("FROM {table} x JOIN {table} y ON x.k IS NOT DISTINCT FROM y.k");
    for sql in [
        format!("SELECT x.id, y.id {joined}"),
        format!("SELECT x.id, y.id {joined} WHERE x.m = y.m"),
        format!("SELECT x.id, y.id {joined} JOIN {table} z ON y.id = z.id"),
        format!("SELECT x.id, y.id {joined} JOIN {table} z ON y.id IS NOT DISTINCT FROM z.id AND y.k = z.k"),
    ] {
        let plan = world.rows(&format!("EXPLAIN {sql}")).await.join("\n");
        assert!(plan.contains("HashJoinExec"), "{sql}\n{plan}");
        assert!(!plan.contains("NestedLoopJoinExec") && !plan.contains("CrossJoinExec"), "{sql}\n{plan}");
    }
}

/// PostgreSQL takes a NULL whose type the client names for one of any type, as it takes the word NULL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bound_null_is_one_of_any_type() {
    let world = world().await;
    let instant = ScalarValue::TimestampMicrosecond(None, Some("UTC".into()));
    for null in [ScalarValue::Boolean(None), instant, ScalarValue::Null, ScalarValue::Int64(None)] {
        for (sql, expected) in [
            ("SELECT nullif(b, $1) FROM (VALUES (7)) AS t(b)", "7"),
            ("SELECT CASE WHEN b > 0 THEN $1 ELSE b END FROM (VALUES (7)) AS t(b)", "NULL"),
            ("SELECT CASE WHEN b < 0 THEN $1 ELSE b END FROM (VALUES (7)) AS t(b)", "7"),
            ("SELECT greatest(b, $1) FROM (VALUES (7)) AS t(b)", "7"),
            ("SELECT coalesce($1, b) FROM (VALUES (7)) AS t(b)", "7"),
        ] {
            let rows = world.query_with(sql, &SessionOptions::default(), vec![null.clone()]).await;
            let rows = rows.unwrap_or_else(|error| panic!("{sql} with {null:?}: {error}"));
            assert_eq!(texts(&rows), [expected], "{sql} with {null:?}");
        }
    }
    // A value of the other kind is refused as ever.
    let sql = "SELECT nullif(b, $1) FROM (VALUES (7)) AS t(b)";
    let values = vec![ScalarValue::Boolean(Some(true))];
    assert!(world.query_with(sql, &SessionOptions::default(), values).await.is_err());
}

/// PostgreSQL's rule: beside a decimal a real is a double, which shows all digits of the decimal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bound_real_takes_no_digits_of_what_it_meets() {
    let world = world().await;
    for (sql, expected) in [
        ("SELECT CASE WHEN i > 0 THEN d ELSE $1 END FROM (VALUES (1, 99.99)) AS t(i, d)", "99.99"),
        ("SELECT CASE WHEN i > 0 THEN i ELSE $1 END FROM (VALUES (123456789)) AS t(i)", "123456789.0"),
        ("SELECT coalesce(i, $1) FROM (VALUES (123456789)) AS t(i)", "123456789.0"),
    ] {
        let values = vec![ScalarValue::Float32(Some(2.0))];
        let rows = world.query_with(sql, &SessionOptions::default(), values).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(texts(&rows), [expected], "{sql}");
    }
}

/// Seconds or microseconds: the type of a bound number does not say it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bound_number_is_no_time() {
    let world = world().await;
    for value in [
        ScalarValue::Int64(Some(1_704_067_200)),
        ScalarValue::UInt64(Some(1_704_067_200)),
        ScalarValue::Float64(Some(1_704_067_200.0)),
    ] {
        let sql = "SELECT CAST($1 AS TIMESTAMP)";
        let refused = world.query_with(sql, &SessionOptions::default(), vec![value.clone()]).await.unwrap_err();
        assert!(refused.to_string().contains("to_timestamp(x)"), "{value:?}: {refused}");
        let sql = "SELECT to_timestamp($1) = TIMESTAMPTZ '2024-01-01 00:00:00+00'";
        let rows = world.query_with(sql, &SessionOptions::default(), vec![value.clone()]).await.unwrap();
        assert_eq!(texts(&rows), ["true"], "{value:?}");
    }
}

/// A time has more than the day that a column of days holds: what is lost is told as it is written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bound_time_is_no_day_in_silence() {
    let world = world().await;
    let session = SessionOptions::default();
    world.query("CREATE TABLE days (n BIGINT, day DATE)").await.unwrap();
    let five = ScalarValue::TimestampMicrosecond(Some(1_704_085_200_000_000), None);
    let values = vec![ScalarValue::Int64(Some(1)), five.clone()];
    let refused = world.query_with("INSERT INTO days VALUES ($1, $2)", &session, values).await.unwrap_err().to_string();
    assert!(refused.contains("$2 is 2024-01-01T05:00:00, which is no DATE"), "{refused}");
    assert!(refused.contains("CAST($2 AS DATE)"), "{refused}");
    let values = vec![ScalarValue::Int64(Some(1)), five];
    world.query_with("INSERT INTO days VALUES ($1, CAST($2 AS DATE))", &session, values).await.unwrap();
    assert_eq!(world.rows("SELECT n, day FROM days").await, ["1 2024-01-01"]);
}
