//! DELETE: the rows are found by the statement's own WHERE as a SELECT over hidden columns (file, row number), and
//! only the files that hold one are written again.
//!
//! Never by `TableProvider::delete_from`, to which DataFusion passes only the conditions that it recognises: none of
//! them would mean all rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanBufferBuilder, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use datafusion::catalog::TableProvider;
use datafusion::common::Column;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, LogicalPlanBuilder};
use futures::{Stream, TryStreamExt};
use object_store::ObjectStore;

use crate::error::{Error, Result};
use crate::query::tables::user_table::{FILE, ROW};
use crate::store::delta::DataFile;
use crate::store::tables::{TableState, TableWriter, check_row_count, rows_of};

/// The SELECT that finds the rows; `None` when the statement has no WHERE.
///
/// # Errors
/// `InvalidInput` for LIMIT and other forms whose rows would be arbitrary.
pub(super) fn rows_to_delete(input: &LogicalPlan, located: Arc<dyn TableProvider>) -> Result<Option<LogicalPlan>> {
    let filter: &Filter = match input {
        LogicalPlan::TableScan(_) => return Ok(None),
        LogicalPlan::Filter(filter) => filter,
        LogicalPlan::Limit(_) => {
            return Err(Error::invalid(
                "DELETE with LIMIT is not supported: which rows go would be left to chance; name them in WHERE",
            ));
        }
        _ => return Err(Error::invalid("DELETE takes one table and a WHERE")),
    };
    let LogicalPlan::TableScan(scan) = filter.input.as_ref() else {
        return Err(Error::invalid("DELETE takes one table and a WHERE"));
    };
    let hidden = |name| Expr::Column(Column::new(Some(scan.table_name.clone()), name));
    let plan = LogicalPlanBuilder::scan(scan.table_name.clone(), provider_as_source(located), None)?
        .filter(filter.predicate.clone())?
        .project([hidden(FILE), hidden(ROW)])?
        .build()?;
    Ok(Some(plan))
}

/// Rows of one file that go.
struct Marks {
    rows: BooleanBufferBuilder,
    count: u64,
}

/// The rows that go, by file.
pub(super) struct Doomed {
    by_file: BTreeMap<String, Marks>,
}

impl Doomed {
    /// Reads all (file, row number) pairs.
    pub(super) async fn gather(
        state: &TableState,
        mut found: impl Stream<Item = datafusion::error::Result<RecordBatch>> + Unpin,
    ) -> Result<Self> {
        let sizes: BTreeMap<&str, u64> = state.live.files.iter().map(|file| (file.path.as_str(), file.rows)).collect();
        let mut by_file: BTreeMap<String, Marks> = BTreeMap::new();
        let odd = || Error::internal("the rows of a DELETE were not found as (file, row) pairs");
        while let Some(batch) = found.try_next().await? {
            let files = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8)?;
            let files = files.as_string::<i32>();
            let rows = batch.column(1).as_primitive_opt::<Int64Type>().ok_or_else(odd)?;
            for index in 0..batch.num_rows() {
                let (file, row) = (files.value(index), usize::try_from(rows.value(index)).map_err(|_| odd())?);
                if !by_file.contains_key(file) {
                    let size = usize::try_from(*sizes.get(file).ok_or_else(odd)?).map_err(|_| odd())?;
                    let mut rows = BooleanBufferBuilder::new(size);
                    rows.append_n(size, false);
                    by_file.insert(file.to_owned(), Marks { rows, count: 0 });
                }
                let Some(marks) = by_file.get_mut(file).filter(|marks| row < marks.rows.len()) else {
                    return Err(odd());
                };
                if !marks.rows.get_bit(row) {
                    marks.rows.set_bit(row, true);
                    marks.count += 1;
                }
            }
        }
        Ok(Self { by_file })
    }

    pub(super) fn count(&self) -> u64 {
        self.by_file.values().map(|marks| marks.count).sum()
    }

    /// The files that hold a row to delete.
    pub(super) fn files(&self, state: &TableState) -> Vec<Arc<DataFile>> {
        state.live.files.iter().filter(|file| self.by_file.contains_key(&file.path)).cloned().collect()
    }

    /// Writes the rows that stay of all touched files.
    pub(super) async fn rewrite(
        &self,
        state: &TableState,
        store: &Arc<dyn ObjectStore>,
        writer: &mut TableWriter,
    ) -> Result<()> {
        for file in self.files(state) {
            let Some(marks) = self.by_file.get(&file.path) else { continue };
            if marks.count < file.rows {
                rewrite_file(state, &file, marks, store, writer).await?;
            }
        }
        Ok(())
    }
}

async fn rewrite_file(
    state: &TableState,
    file: &DataFile,
    marks: &Marks,
    store: &Arc<dyn ObjectStore>,
    writer: &mut TableWriter,
) -> Result<()> {
    let mut row = 0;
    for batch in rows_of(store, state.folder, file).await? {
        let batch = batch?;
        let stays = (row..row + batch.num_rows()).map(|row| Some(row >= marks.rows.len() || !marks.rows.get_bit(row)));
        let stays: arrow::array::BooleanArray = stays.collect();
        row += batch.num_rows();
        writer.write(&filter_record_batch(&batch, &stays)?).await?;
    }
    check_row_count(file, row as u64)
}
