//! The rows of some files in the order of compaction, within a given memory: what does not fit is spilled to disk.
//! Must not know which table they are of.

use std::sync::Arc;

use arrow::compute::SortOptions;
use chrono::DateTime;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::DefaultParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::prelude::{SessionConfig, SessionContext};
use object_store::{ObjectMeta, ObjectStore};

use crate::error::Result;
use crate::store::delta::{DataFile, FileLayout};

/// All rows of `files`, ordered by the layout's sort columns; without such, file by file as they stand in them.
pub(super) fn rows_of(
    store: Arc<dyn ObjectStore>,
    layout: &FileLayout,
    files: &[Arc<DataFile>],
    memory: usize,
) -> Result<SendableRecordBatchStream> {
    let plan = plan(store, layout, files)?;
    Ok(plan.execute(0, context(memory)?)?)
}

/// With less memory than this a batch of the usual size is too much at once.
const AMPLE: usize = 64 << 20;

/// Memory and disk of one sort.
fn context(memory: usize) -> Result<Arc<TaskContext>> {
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(memory)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::OsTmpDirectory))
        .build_arc()?;
    // What is set aside for the merge of the spilled runs must leave room for rows.
    let config = SessionConfig::new()
        .with_sort_spill_reservation_bytes((memory / 16).min(10 << 20))
        .with_batch_size(if memory < AMPLE { 1_024 } else { 8_192 });
    Ok(SessionContext::new_with_config_rt(config, runtime).task_ctx())
}

fn plan(store: Arc<dyn ObjectStore>, layout: &FileLayout, files: &[Arc<DataFile>]) -> Result<Arc<dyn ExecutionPlan>> {
    let order = order(layout)?;
    let groups = match order {
        Some(_) => groups(layout, files),
        None => vec![FileGroup::new(files.iter().map(|file| partitioned_file(layout, file)).collect())],
    };
    let source = ParquetSource::new(TableSchema::builder(Arc::clone(&layout.columns)).build())
        .with_parquet_file_reader_factory(Arc::new(DefaultParquetFileReaderFactory::new(store)));
    let scan = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
        .with_file_groups(groups)
        .with_preserve_order(order.is_none())
        .build();
    let scan = DataSourceExec::from_data_source(scan);
    let Some(order) = order else { return Ok(scan) };
    let sort = SortExec::new(order.clone(), scan).with_preserve_partitioning(true);
    Ok(Arc::new(SortPreservingMergeExec::new(order, Arc::new(sort))))
}

/// `None` where the rows stay in the order in which they came.
fn order(layout: &FileLayout) -> Result<Option<LexOrdering>> {
    let ascending = SortOptions { descending: false, nulls_first: false };
    let columns = layout.sort_columns.iter().map(|name| {
        let column = Column::new_with_schema(name, &layout.columns)?;
        Ok(PhysicalSortExpr::new(Arc::new(column), ascending))
    });
    Ok(LexOrdering::new(columns.collect::<Result<Vec<_>>>()?))
}

/// Files over the cores, by bytes.
fn groups(layout: &FileLayout, files: &[Arc<DataFile>]) -> Vec<FileGroup> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(files.len().max(1));
    let mut groups: Vec<(u64, Vec<PartitionedFile>)> = (0..cores).map(|_| (0, Vec::new())).collect();
    for file in files {
        // There is at least one group.
        if let Some((bytes, group)) = groups.iter_mut().min_by_key(|(bytes, _)| *bytes) {
            *bytes += file.bytes;
            group.push(partitioned_file(layout, file));
        }
    }
    groups.into_iter().map(|(_, group)| FileGroup::new(group)).collect()
}

fn partitioned_file(layout: &FileLayout, file: &DataFile) -> PartitionedFile {
    PartitionedFile::new_from_meta(ObjectMeta {
        location: layout.location(&file.path),
        last_modified: DateTime::from_timestamp_millis(file.modified).unwrap_or_default(),
        size: file.bytes,
        e_tag: None,
        version: None,
    })
}
