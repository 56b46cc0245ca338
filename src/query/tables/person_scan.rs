//! Reading the few rows of one person: from each file the pages that may hold them, in one go.
//!
//! DataFusion's scan opens a file for millions of rows: it plans the predicate, prunes row groups and pages, and reads
//! filter columns before the others. Here pages are chosen already, and all of that costs more than their few rows.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, new_null_array};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{Int64Type, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result as DfResult, exec_err};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::{StreamExt, TryStreamExt, stream};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelection};
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};

use super::file_reader::DataFileReaders;
use crate::ids::Node;
use crate::store::events::RowRanges;

/// Files read at once by one partition: they wait for the store, mostly.
const FILES_AHEAD: usize = 8;

/// A file and the rows of it that may be the person's.
#[derive(Debug, Clone)]
pub(super) struct FileRows {
    pub(super) file: PartitionedFile,
    pub(super) month: String,
    pub(super) row_groups: Vec<RowRanges>,
}

impl FileRows {
    /// Rows to read.
    pub(super) fn rows(&self) -> usize {
        self.row_groups.iter().flat_map(|(_, ranges)| ranges).map(Range::len).sum()
    }
}

/// The rows whose node is one of a few, out of the parts of files that may hold them.
pub(super) struct PersonScan {
    readers: Arc<DataFileReaders>,
    /// By partition.
    files: Vec<Vec<FileRows>>,
    /// Ascending.
    nodes: Arc<[i64]>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PersonScan {
    /// `schema`: the columns wanted, all of them stored or the month.
    pub(super) fn new(
        readers: DataFileReaders,
        files: Vec<FileRows>,
        nodes: &[Node],
        schema: SchemaRef,
        partitions: usize,
    ) -> Self {
        let partitions = partitions.clamp(1, files.len().max(1));
        let mut spread: Vec<Vec<FileRows>> = vec![Vec::new(); partitions];
        for (at, file) in files.into_iter().enumerate() {
            spread[at % partitions].push(file);
        }
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            readers: Arc::new(readers),
            files: spread,
            nodes: nodes.iter().copied().map(i64::from).collect(),
            schema,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl fmt::Debug for PersonScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonScan").field("files", &self.files).finish_non_exhaustive()
    }
}

impl DisplayAs for PersonScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: usize = self.files.iter().map(Vec::len).sum();
        let rows: usize = self.files.iter().flatten().map(FileRows::rows).sum();
        write!(f, "PersonScan: {} nodes in {files} files, {rows} rows of pages that may hold them", self.nodes.len())
    }
}

impl ExecutionPlan for PersonScan {
    fn name(&self) -> &str {
        "PersonScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let Some(files) = self.files.get(partition).cloned() else {
            return exec_err!("a scan of {} partitions has no partition {partition}", self.files.len());
        };
        let (readers, metrics) = (Arc::clone(&self.readers), self.metrics.clone());
        let (nodes, schema) = (Arc::clone(&self.nodes), Arc::clone(&self.schema));
        let batches = stream::iter(files)
            .map(move |file| {
                let (readers, metrics) = (Arc::clone(&readers), metrics.clone());
                read(readers, metrics, partition, file, Arc::clone(&nodes), Arc::clone(&schema))
            })
            .buffered(FILES_AHEAD)
            .map_ok(|batches| stream::iter(batches).map(Ok))
            .try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches)))
    }
}

/// The matching rows of one file.
async fn read(
    readers: Arc<DataFileReaders>,
    metrics: ExecutionPlanMetricsSet,
    partition: usize,
    rows: FileRows,
    nodes: Arc<[i64]>,
    schema: SchemaRef,
) -> DfResult<Vec<RecordBatch>> {
    let count = rows.rows();
    let mut reader: Box<dyn AsyncFileReader> = readers.create_reader(partition, rows.file, None, &metrics)?;
    let metadata = ArrowReaderMetadata::try_new(reader.get_metadata(None).await?, ArrowReaderOptions::new())?;
    let wanted = |name: &str| name == "node" || schema.field_with_name(name).is_ok();
    let roots = metadata.schema().fields().iter().enumerate().filter(|(_, field)| wanted(field.name()));
    let mask = ProjectionMask::roots(metadata.parquet_schema(), roots.map(|(at, _)| at).collect::<Vec<_>>());
    let (groups, selection) = selection(&rows.row_groups);
    let pages = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata)
        .with_projection(mask)
        .with_row_groups(groups)
        .with_row_selection(selection)
        .with_batch_size(count.max(1))
        .build()?;
    let kept = pages.map_err(Into::into).try_filter_map(|batch| {
        std::future::ready(of_nodes(&batch, &nodes).and_then(|kept| match kept.num_rows() {
            0 => Ok(None),
            _ => columns(&kept, &rows.month, &schema).map(Some),
        }))
    });
    kept.try_collect().await
}

/// The row groups to read, and the rows to read of them.
fn selection(row_groups: &[RowRanges]) -> (Vec<usize>, RowSelection) {
    let chosen = row_groups.iter().enumerate().filter(|(_, (_, ranges))| !ranges.is_empty());
    let (mut groups, mut ranges, mut first, mut total) = (Vec::new(), Vec::new(), 0, 0);
    for (group, (rows, held)) in chosen {
        groups.push(group);
        ranges.extend(held.iter().map(|range| first + range.start..first + range.end));
        total += rows;
        first += rows;
    }
    (groups, RowSelection::from_consecutive_ranges(ranges.into_iter(), total))
}

/// The rows with one of the nodes.
fn of_nodes(batch: &RecordBatch, nodes: &[i64]) -> DfResult<RecordBatch> {
    let Some(column) = batch.column_by_name("node").and_then(|column| column.as_primitive_opt::<Int64Type>()) else {
        return exec_err!("the column node is not one of whole numbers: run `convoke check`");
    };
    let keep = BooleanArray::from_iter(column.iter().map(|node| Some(nodes.binary_search(&node?).is_ok())));
    Ok(filter_record_batch(batch, &keep)?)
}

/// The wanted columns, in order; NULL where the file is older than the column.
fn columns(batch: &RecordBatch, month: &str, schema: &SchemaRef) -> DfResult<RecordBatch> {
    let rows = batch.num_rows();
    let columns = schema.fields().iter().map(|field| -> DfResult<ArrayRef> {
        Ok(match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Arc::clone(column),
            Some(column) => cast(column, field.data_type())?,
            None if field.name() == crate::store::events::schema::MONTH => {
                Arc::new(StringArray::from_iter_values(std::iter::repeat_n(month, rows)))
            }
            None => new_null_array(field.data_type(), rows),
        })
    });
    let columns = columns.collect::<DfResult<Vec<_>>>()?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of skipped groups do not count: the reader sees the chosen groups as one run of rows.
    #[test]
    fn a_selection_counts_rows_of_the_chosen_groups_alone() {
        let (groups, selected) =
            selection(&[(100, Vec::new()), (100, vec![10..20, 40..50]), (50, Vec::new()), (80, vec![0..5, 9..10])]);
        assert_eq!(groups, [1, 3]);
        let expected = RowSelection::from_consecutive_ranges([10..20, 40..50, 100..105, 109..110].into_iter(), 180);
        assert_eq!(selected, expected);
    }

    #[test]
    fn rows_of_other_nodes_and_of_none_are_dropped() {
        let nodes: ArrayRef = Arc::new(arrow::array::Int64Array::from(vec![Some(1), None, Some(5), Some(7)]));
        let batch = RecordBatch::try_from_iter_with_nullable([("node", nodes, true)]).unwrap();
        let kept = of_nodes(&batch, &[5, 6, 7]).unwrap();
        assert_eq!(kept.column(0).as_primitive::<Int64Type>().values(), &[5, 7]);
    }
}
