//! Our side: DataFusion with the functions of `convoke-udfs`, set up as the engine does, in a process of its own.

use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use arrow::array::RecordBatch;
use arrow::util::display::array_value_to_string;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext, col};
use tokio::runtime::Runtime;

use super::ordered::Ordered;

/// Answers requests until the input ends; the folder is that of the history.
#[allow(clippy::print_stdout)]
pub fn serve(folder: &Path) -> anyhow::Result<()> {
    let runtime = Runtime::new()?;
    let session = runtime.block_on(session(folder))?;
    println!("Convoke's functions");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (request, sql) = line.split_once(' ').context("a request has two words")?;
        let start = Instant::now();
        let batches = runtime.block_on(async { session.sql(sql).await?.collect().await }).context(sql.to_owned())?;
        match request {
            "time" => println!("{}", start.elapsed().as_secs_f64() * 1e3),
            _ => println!("{}", text(&batches)?),
        }
        std::io::stdout().flush()?;
    }
    Ok(())
}

async fn session(folder: &Path) -> anyhow::Result<SessionContext> {
    let cores = std::thread::available_parallelism()?.get();
    let mut config = SessionConfig::new().with_target_partitions(cores);
    let options = config.options_mut();
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    let state = SessionStateBuilder::new().with_config(config).with_default_features().build();
    let mut session = SessionContext::new_with_state(state);
    convoke_udfs::register_all(&mut session)?;
    let folder_of = |name: &str| folder.join(name).to_string_lossy().into_owned();
    session.register_parquet("by_time", folder_of("by_time"), ParquetReadOptions::default()).await?;
    let order = vec![vec![col("person").sort(true, false), col("ts").sort(true, false)]];
    let options = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_sort_order(order);
    let files = ListingTableConfig::new(ListingTableUrl::parse(folder_of("by_person") + "/")?)
        .with_listing_options(options)
        .infer_schema(&session.state())
        .await?;
    session.register_table("by_person", Arc::new(Ordered(Arc::new(ListingTable::try_new(files)?))))?;
    Ok(session)
}

/// Cells parted by commas, rows by semicolons; one line.
fn text(batches: &[RecordBatch]) -> anyhow::Result<String> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells: Result<Vec<String>, _> =
                batch.columns().iter().map(|column| array_value_to_string(column, row)).collect();
            rows.push(cells?.join(","));
        }
    }
    Ok(rows.join(";").replace('\n', "\\n"))
}
