//! What SQL files cannot show of the functions over sets: parameters, batches, plans, memory.

use std::sync::Arc;

use arrow::util::pretty::pretty_format_batches;
use convoke_udfs::UnnestBitmap;
use convoke_udfs::kernel::from_ids;
use datafusion::catalog::Session;
use datafusion::common::{Result, ScalarValue};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};

/// Values of a statement's parameters, as a program may keep them.
struct Bound(Vec<ScalarValue>);

fn bound_value(session: &dyn Session, placeholder: &str) -> Result<Option<ScalarValue>> {
    let number: usize = placeholder.trim_start_matches('$').parse().unwrap();
    Ok(session.config().get_extension::<Bound>().map(|bound| bound.0[number - 1].clone()))
}

fn context(config: SessionConfig) -> SessionContext {
    let mut context = SessionContext::new_with_config(config);
    convoke_udfs::register_all(&mut context).unwrap();
    context.register_udtf("unnest_bitmap", Arc::new(UnnestBitmap::with_bound_value(bound_value)));
    context
}

async fn rows(context: &SessionContext, sql: &str) -> Result<String> {
    context.sql(sql).await?.to_string().await
}

#[tokio::test]
async fn a_parameter_of_the_session_is_unnested() {
    let bytes = from_ids(vec![7, 5]);
    let config = SessionConfig::new().with_extension(Arc::new(Bound(vec![ScalarValue::Binary(Some(bytes))])));
    let table = rows(&context(config), "SELECT person FROM unnest_bitmap($1)").await.unwrap();
    let numbers: Vec<&str> = table.lines().skip(3).take(2).collect();
    assert_eq!(numbers, ["| 5      |", "| 7      |"], "{table}");
}

#[tokio::test]
async fn a_parameter_without_a_value_is_planned_but_not_run() {
    let context = context(SessionConfig::new());
    let frame = context.sql("SELECT person FROM unnest_bitmap($1)").await.unwrap();
    assert_eq!(frame.schema().field(0).name(), "person");
    let error = frame.collect().await.unwrap_err().to_string();
    assert!(error.contains("unnest_bitmap(b): a parameter has no value"), "{error}");
}

#[tokio::test]
async fn members_come_in_batches_and_in_order() {
    let context = context(SessionConfig::new().with_batch_size(1000).with_target_partitions(1));
    let sql = "SELECT person FROM unnest_bitmap((SELECT bitmap_agg(i * 3) FROM generate_series(1, 100500) AS t(i)))";
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    let sizes: Vec<usize> = batches.iter().map(|batch| batch.num_rows()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 100_500);
    assert!(sizes[..100].iter().all(|size| *size == 1000), "{sizes:?}");

    let sql = "SELECT person FROM unnest_bitmap(bitmap_from_string('3,1,2')) ORDER BY person";
    let plan = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
    let text = displayable(plan.as_ref()).indent(false).to_string();
    assert!(text.contains("StreamingTableExec") && !text.contains("SortExec"), "{text}");
}

/// As a server does it: a pool that is first come, first served lets one thread keep the others from the little that
/// they need to spill.
fn context_with_memory(bytes: usize) -> SessionContext {
    let pool = Arc::new(FairSpillPool::new(bytes));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc().unwrap();
    let config = SessionConfig::new().with_target_partitions(2);
    let mut context = SessionContext::new_with_config_rt(config, runtime);
    convoke_udfs::register_all(&mut context).unwrap();
    context
}

/// 3 M numbers, a hundred apart: about 6 MB as arrays of two bytes.
#[tokio::test]
async fn a_set_counts_against_the_memory_of_a_query() {
    let sql = "SELECT bitmap_agg(i * 100) AS b FROM generate_series(1, 3000000) AS t(i)";
    let error = rows(&context_with_memory(2 << 20), sql).await.unwrap_err().to_string();
    assert!(error.contains("Resources exhausted"), "{error}");
    assert!(rows(&context_with_memory(256 << 20), sql).await.is_ok());
}

/// The sets of 100,000 groups take about 15 MB, of which all but a part has to be written to disk and merged.
#[tokio::test]
async fn groups_beyond_the_memory_are_spilled_and_merged() {
    let context = context_with_memory(8 << 20);
    let sql = "SELECT count(*), sum(n) FROM (
        SELECT i % 100000 AS g, bitmap_union_count(to_bitmap(i)) AS n FROM generate_series(1, 500000) AS t(i) GROUP BY g)";
    let plan = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
    let batches = collect(Arc::clone(&plan), context.task_ctx()).await.unwrap();
    let table = pretty_format_batches(&batches).unwrap().to_string();
    assert!(table.contains("| 100000   | 500000 "), "{table}");
    assert!(spills(plan.as_ref()) > 0, "the sets fit into the memory: nothing was tested");
}

/// Spill files of a plan that has run.
fn spills(plan: &dyn ExecutionPlan) -> usize {
    let here = plan.metrics().and_then(|metrics| metrics.spill_count()).unwrap_or(0);
    here + plan.children().into_iter().map(|child| spills(child.as_ref())).sum::<usize>()
}
