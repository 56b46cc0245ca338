//! One zero and one NaN where SQL text files do not reach: bound parameters, bulk ingest, plans.
//! `tests/slt/one_zero.slt` has the rest.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Float64Array, ListArray};
use arrow::datatypes::{DataType, Float64Type};
use convoke::query::{IfExists, SessionOptions};
use datafusion::common::ScalarValue;

use crate::harness::{World, texts, world};

fn double(value: f64) -> ScalarValue {
    ScalarValue::Float64(Some(value))
}

async fn ask(world: &World, sql: &str, values: Vec<ScalarValue>) -> Vec<String> {
    let batches = world.query_with(sql, &SessionOptions::default(), values).await;
    texts(&batches.unwrap_or_else(|error| panic!("{sql}: {error}")))
}

#[tokio::test]
async fn a_bound_value_has_one_zero() {
    let world = world().await;
    assert_eq!(ask(&world, "SELECT $1", vec![double(-0.0)]).await, ["0.0"]);
    assert_eq!(ask(&world, "SELECT $1", vec![ScalarValue::Float32(Some(-0.0))]).await, ["0.0"]);
    let list = ScalarValue::List(ScalarValue::new_list(&[double(-0.0), double(1.0)], &DataType::Float64, true));
    assert_eq!(ask(&world, "SELECT $1", vec![list]).await, ["[0.0, 1.0]"]);
    world.query("CREATE TABLE t AS SELECT 0e0 AS x, 0 AS n").await.unwrap();
    for (sql, values) in [
        ("SELECT count(*) FROM t WHERE x IN ($1, 5, 6, 7)", vec![double(-0.0)]),
        ("SELECT count(*) FROM t WHERE n = $1", vec![double(-0.0)]),
        ("SELECT count(*) FROM t WHERE x = $1 AND x = $2", vec![double(0.0), double(-0.0)]),
    ] {
        assert_eq!(ask(&world, sql, values).await, ["1"], "{sql}");
    }
    ask(&world, "INSERT INTO t VALUES ($1, 1)", vec![double(-0.0)]).await;
    assert_eq!(world.row("SELECT count(DISTINCT x), count(DISTINCT n) FROM t").await, "1 2");
}

#[tokio::test]
async fn bulk_ingest_keeps_one_zero_and_one_nan() {
    let world = world().await;
    let values = [-0.0, 0.0, f64::NAN, -f64::NAN];
    let reals: Float32Array = values.iter().map(|value| Some(*value as f32)).collect();
    let lists = ListArray::from_iter_primitive::<Float64Type, _, _>(values.map(|value| Some([Some(value)])));
    let columns: [(&str, ArrayRef); 3] =
        [("x", Arc::new(Float64Array::from(values.to_vec()))), ("r", Arc::new(reals)), ("l", Arc::new(lists))];
    world.ingest("t", IfExists::Fail, true, &columns).await;
    world.ingest("t", IfExists::Append, false, &columns).await;
    let groups = "SELECT (SELECT count(*) FROM (SELECT DISTINCT x FROM t)) AS x, \
                  (SELECT count(*) FROM (SELECT DISTINCT r FROM t)) AS r, \
                  (SELECT count(*) FROM (SELECT DISTINCT l FROM t)) AS l";
    assert_eq!(world.row(groups).await, "2 2 2");
    assert_eq!(world.row("SELECT count(*) FROM t WHERE x IN (0, 5, 6, 7)").await, "4");
    // The one value on the other side goes down into the scan.
    assert_eq!(world.row("SELECT count(*) FROM t JOIN (VALUES (0e0)) AS b(y) ON t.x = b.y").await, "4");
}

/// What is stored needs nothing: its orders and conditions go down to the scan.
#[tokio::test]
async fn a_column_of_a_table_stays_a_column() {
    let world = world().await;
    world.query("CREATE TABLE t AS SELECT 0e0 AS x, 0 AS n").await.unwrap();
    for sql in [
        "SELECT x FROM t ORDER BY x",
        "SELECT rank() OVER (PARTITION BY x ORDER BY x DESC) FROM t",
        "SELECT DISTINCT ON (x) n FROM t ORDER BY x, n",
        "SELECT sum(x), max(x), avg(n) FROM t WHERE x > 1e0 AND x * 2 < CAST('7' AS DOUBLE) GROUP BY n",
        "SELECT coalesce(x, 0) / 2, nullif(x, 1), CAST(n AS DOUBLE) FROM t",
    ] {
        let plan = world.rows(&format!("EXPLAIN {sql}")).await.join("\n");
        assert!(!plan.contains("one_zero"), "{sql}: {plan}");
    }
    let plan = world.rows("EXPLAIN SELECT round(x) FROM t").await.join("\n");
    assert!(plan.contains("one_zero(round(") && !plan.contains("one_zero(one_zero("), "{plan}");
}
