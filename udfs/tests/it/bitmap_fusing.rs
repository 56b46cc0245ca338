//! Which bitmap calls become one, as plans show it.

use std::sync::Arc;

use arrow::array::{AsArray, BinaryArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use convoke_udfs::kernel::{BitmapRef, MAX_DEPTH, from_ids};
use datafusion::common::Result;
use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, col,
};
use datafusion::prelude::{SessionConfig, SessionContext};

/// A table `t` with one row: a = {1, 2, 3}, b = {2, 3, 4}, c = {3, 5}.
fn session() -> SessionContext {
    let mut context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    convoke_udfs::register_all(&mut context).unwrap();
    let column = |ids: &[u32]| Arc::new(BinaryArray::from_vec(vec![&from_ids(ids.to_vec())])) as _;
    let columns = [("a", column(&[1, 2, 3])), ("b", column(&[2, 3, 4])), ("c", column(&[3, 5]))];
    context.register_batch("t", RecordBatch::try_from_iter(columns).unwrap()).unwrap();
    context
}

async fn plan(context: &SessionContext, sql: &str) -> String {
    let frame = context.sql(sql).await.unwrap();
    context.state().optimize(frame.logical_plan()).unwrap().to_string()
}

/// The first value of the only column, a number.
async fn number(context: &SessionContext, sql: &str) -> i64 {
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

#[tokio::test]
async fn nested_calls_are_one_call_and_columns_keep_their_names() {
    let context = session();
    let sql = "SELECT bitmap_count(bitmap_and(a, bitmap_or(b, c))) FROM t";
    let plan = plan(&context, sql).await;
    let call = "bitmap_fused(Utf8(\"bitmap_count(bitmap_and($1, bitmap_or($2, $3)))\"), t.a, t.b, t.c) AS \
                bitmap_count(bitmap_and(t.a,bitmap_or(t.b,t.c)))";
    assert!(plan.contains(call), "{plan}");
    assert_eq!(plan.matches("bitmap_fused").count(), 1, "{plan}");
    assert_eq!(number(&context, sql).await, 2);
}

#[tokio::test]
async fn a_result_keeps_its_type_and_extension_name() {
    let context = session();
    let frame = context
        .sql("SELECT bitmap_and(a, bitmap_or(b, c)) AS x, bitmap_count(bitmap_or(a, bitmap_and(b, c))) AS n FROM t");
    let frame = frame.await.unwrap();
    let planned = frame.schema().as_arrow().clone();
    let batches = frame.collect().await.unwrap();
    let given = batches[0].schema();
    assert_eq!(given.field(0).data_type(), &DataType::Binary);
    assert_eq!(given.field(0).metadata()["ARROW:extension:name"], convoke_udfs::EXTENSION_NAME);
    assert_eq!(given.fields(), planned.fields());
}

#[tokio::test]
async fn an_operand_that_a_subquery_computes_is_fused_in() {
    let context = session();
    let sql = "SELECT bitmap_count(x) FROM (SELECT bitmap_and(a, b) AS x FROM t)";
    let text = plan(&context, sql).await;
    assert!(text.contains("bitmap_count(bitmap_and($1, $2))"), "{text}");
    assert_eq!(number(&context, sql).await, 2);
    let filter = "SELECT bitmap_count(a) FROM (SELECT a, bitmap_andnot(a, b) AS x FROM t) WHERE bitmap_contains(x, 1)";
    let text = plan(&context, filter).await;
    assert!(text.contains("bitmap_contains(bitmap_andnot($1, $2), $3)"), "{text}");
    assert_eq!(number(&context, filter).await, 3);
    let view = "SELECT bitmap_count(bitmap_or(x, c)) FROM (SELECT c, bitmap_and(a, y) AS x FROM (SELECT a, c, bitmap_xor(b, c) AS y FROM t))";
    let text = plan(&context, view).await;
    assert!(text.contains("bitmap_count(bitmap_or(bitmap_and($1, bitmap_xor($2, $3)), $3))"), "{text}");
    // a & (b ^ c) = {2}; with c: {2, 3, 5}.
    assert_eq!(number(&context, view).await, 3);
}

#[tokio::test]
async fn equal_operands_share_a_place() {
    let context = session();
    let sql = "SELECT bitmap_count(bitmap_or(bitmap_and(a, b), bitmap_andnot(c, a))) FROM t";
    let text = plan(&context, sql).await;
    assert!(
        text.contains("bitmap_count(bitmap_or(bitmap_and($1, $2), bitmap_andnot($3, $1)))\"), t.a, t.b, t.c)"),
        "{text}"
    );
    // {2, 3} and {5}.
    assert_eq!(number(&context, sql).await, 3);
}

/// What is used twice is computed once: were it written out at each use, a chain of such subqueries would double the
/// formula at each step.
#[tokio::test]
async fn an_operand_that_is_used_twice_is_computed_once() {
    let context = session();
    let mut from = "SELECT bitmap_xor(a, b) AS x, b, c FROM t".to_owned();
    for _ in 0..12 {
        from = format!("SELECT bitmap_or(bitmap_and(x, b), bitmap_xor(x, c)) AS x, b, c FROM ({from})");
    }
    let text = plan(&context, &format!("SELECT bitmap_count(x) FROM ({from})")).await;
    assert!(text.len() < 20_000, "{} characters", text.len());
    // x = {1, 4}; then {4} | {1, 3, 4, 5} = {1, 3, 4, 5}; then {3, 4} | {1, 4} = {1, 3, 4}; then {3, 4} | {1, 4, 5} =
    // {1, 3, 4, 5}; and so on, three members after an even number of steps.
    assert_eq!(number(&context, &format!("SELECT bitmap_count(x) FROM ({from})")).await, 3);
}

/// A set of one number, another at each call.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Drawn {
    signature: Signature,
}

impl ScalarUDFImpl for Drawn {
    fn name(&self) -> &str {
        "drawn"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let sets = (0..args.number_rows).map(|_| from_ids(vec![NEXT.fetch_add(1, Ordering::Relaxed)]));
        Ok(ColumnarValue::Array(Arc::new(sets.map(Some).collect::<BinaryArray>())))
    }
}

#[tokio::test]
async fn operands_that_are_drawn_anew_are_not_shared() {
    let context = session();
    context.register_udf(ScalarUDF::from(Drawn { signature: Signature::nullary(Volatility::Volatile) }));
    let sql = "SELECT bitmap_count(bitmap_xor(bitmap_or(drawn(), drawn()), bitmap_andnot(drawn(), c))) FROM t";
    let text = plan(&context, sql).await;
    assert!(text.contains("bitmap_count(bitmap_xor(bitmap_or($1, $2), bitmap_andnot($3, $4)))"), "{text}");
    assert_eq!(
        text.matches("drawn()").count(),
        3 + sql.matches("drawn()").count(),
        "with the name of the column: {text}"
    );
    // Three numbers of their own, none of them in c = {3, 5}, or one that is: 2 or 3.
    assert!((2..=3).contains(&number(&context, sql).await));
    let twice = "SELECT bitmap_count(bitmap_or(x, bitmap_and(x, c))) FROM (SELECT drawn() AS x, c FROM t)";
    assert_eq!(number(&context, twice).await, 1);
}

#[tokio::test]
async fn functions_of_others_under_our_names_are_left_alone() {
    let context = session();
    let other = Drawn { signature: Signature::nullary(Volatility::Immutable) };
    context.register_udf(ScalarUDF::from(other).with_aliases(["bitmap_and"]));
    let text = plan(&context, "SELECT bitmap_count(bitmap_and()) FROM t").await;
    assert!(!text.contains("bitmap_fused"), "{text}");
}

#[tokio::test]
async fn deep_nesting_is_cut_into_calls_that_the_kernel_takes() {
    let context = session();
    let (or, count) = (context.udf("bitmap_or").unwrap(), context.udf("bitmap_count").unwrap());
    let mut expression: Expr = col("a");
    for level in 0..MAX_DEPTH + 40 {
        expression = or.call(vec![expression, col(if level % 2 == 0 { "b" } else { "c" })]);
    }
    let frame = context.table("t").await.unwrap();
    let frame = frame.select(vec![count.call(vec![expression.clone()]).alias("n"), expression.alias("x")]).unwrap();
    let batches = frame.collect().await.unwrap();
    // {1, 2, 3, 4, 5}
    assert_eq!(batches[0].column(0).as_primitive::<Int64Type>().value(0), 5);
    let members = BitmapRef::new(batches[0].column(1).as_binary::<i32>().value(0)).unwrap().count();
    assert_eq!(members, 5);
}
