//! The rows of events that are in the log and not yet in files, as a scan beside that of the files.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use datafusion::common::{Result as DfResult, internal_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::physical_plan::ExecutionPlan;

use crate::ids::Node;
use crate::store::events::schema;
use crate::workspace::hot::Hot;

/// A scan of the rows; of those of a few nodes, ascending, where `nodes` names them. `None` where there is no row.
pub(super) fn scan(
    hot: &Hot,
    nodes: Option<&[Node]>,
    projection: Option<&Vec<usize>>,
    partitions: usize,
) -> DfResult<Option<Arc<dyn ExecutionPlan>>> {
    let mut spread: Vec<Vec<RecordBatch>> = vec![Vec::new(); partitions.max(1)];
    let mut at = 0;
    for part in hot.parts() {
        let rows = match nodes {
            Some(nodes) => of_nodes(&part.rows, nodes)?,
            None => part.rows.clone(),
        };
        if rows.num_rows() > 0 {
            spread[at % partitions.max(1)].push(rows);
            at += 1;
        }
    }
    spread.retain(|batches| !batches.is_empty());
    if spread.is_empty() {
        return Ok(None);
    }
    Ok(Some(MemorySourceConfig::try_new_exec(&spread, schema::with_month(), projection.cloned())?))
}

/// The rows with one of the nodes.
pub(super) fn of_nodes(rows: &RecordBatch, nodes: &[Node]) -> DfResult<RecordBatch> {
    let Some(column) = rows.column_by_name("node").and_then(|column| column.as_primitive_opt::<Int64Type>()) else {
        return internal_err!("rows of events without a column of nodes");
    };
    let is_wanted = |node: i64| Node::try_from(node).is_ok_and(|node| nodes.binary_search(&node).is_ok());
    let keep = BooleanArray::from_iter(column.iter().map(|node| Some(node.is_some_and(is_wanted))));
    Ok(filter_record_batch(rows, &keep)?)
}
