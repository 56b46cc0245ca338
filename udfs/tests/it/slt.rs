//! SQL text files: each `udfs/tests/slt/*.slt` runs in fresh sessions with 1, 2 and 7 partitions, in small batches, so
//! that partial aggregation and merging of states take part.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

struct Session {
    context: SessionContext,
}

impl Session {
    fn new(partitions: usize) -> Self {
        let config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(64);
        let mut context = SessionContext::new_with_config(config);
        convoke_udfs::register_all(&mut context).unwrap();
        for (name, function) in convoke_udfs::table_functions() {
            context.register_udtf(name, function);
        }
        Self { context }
    }
}

#[async_trait::async_trait]
impl AsyncDB for Session {
    type Error = DataFusionError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, DataFusionError> {
        let batches = self.context.sql(sql).await?.collect().await?;
        let options = FormatOptions::default().with_null("NULL");
        let mut rows = Vec::new();
        let mut width = 0;
        for batch in &batches {
            let columns: Vec<ArrayFormatter> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options))
                .collect::<Result<_, _>>()?;
            width = columns.len();
            for row in 0..batch.num_rows() {
                rows.push(columns.iter().map(|column| shortened(column.value(row).to_string())).collect());
            }
        }
        if sql.trim_start().to_uppercase().starts_with("CREATE") {
            return Ok(DBOutput::StatementComplete(0));
        }
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Any; width], rows })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &str {
        "convoke-udfs"
    }

    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Doubles with at most 12 digits after the point and without `.0`; an empty text is `(empty)`.
fn shortened(text: String) -> String {
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let plain = text.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-');
    match text.parse::<f64>() {
        Ok(number) if plain && text.contains('.') => {
            let fixed = format!("{number:.12}");
            fixed.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => text,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sql_files_give_what_they_say() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        for partitions in [1, 2, 7] {
            let mut runner = Runner::new(|| async move { Ok(Session::new(partitions)) });
            let outcome = runner.run_file_async(&path).await;
            outcome.unwrap_or_else(|error| panic!("{} with {partitions} partitions: {error}", path.display()));
        }
    }
}
