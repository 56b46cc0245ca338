//! Bulk ingest: rows that come over the wire, not from a statement.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::array_value_to_string;
use chrono_tz::Tz;
use datafusion::common::{DataFusionError, Result as DfResult};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use super::once::Once;
use super::run::{Writing, nullable, pour};
use crate::doubles::one_zero;
use crate::error::{Error, Result};
use crate::query::rules::logical::check_assignment;
use crate::query::zone::{self, OnError};
use crate::store::delta::{Naming, storable};
use crate::workspace::{no_table, table_exists};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfExists {
    Fail,
    Append,
    Replace,
}

/// Where rows go.
#[derive(Debug, Clone)]
pub struct TableIngest {
    pub catalog: Option<String>,
    pub schema: Option<String>,
    pub table: String,
    pub if_exists: IfExists,
    /// Otherwise a missing table is an error.
    pub create: bool,
}

impl Writing {
    /// Writes the rows and commits them; returns how many.
    pub(in crate::query) async fn ingest(
        self,
        name: String,
        how: TableIngest,
        columns: SchemaRef,
        rows: BoxStream<'static, Result<RecordBatch>>,
    ) -> Result<u64> {
        let turn = Once::default().turn().await;
        drop(self.workspace.writer().await?);
        let rows = rows.map_err(DataFusionError::from);
        let zone = zone::of_session(self.state.config_options());
        match (self.table(&name), how.if_exists) {
            (Ok(_), IfExists::Fail) => Err(table_exists(&name)),
            (Ok(table), IfExists::Append) => {
                let places = places(&columns, &table.columns)?;
                check_kinds(&columns, &table.columns)?;
                let mut writer = self.writer_for(&table);
                let target = Arc::clone(&table.columns);
                pour(rows.map(move |batch| arrange(&batch?, &places, &target, zone)).boxed(), &mut writer).await?;
                Ok(self.append(name, table.folder, writer.finish().await?, turn).await?.0)
            }
            (Err(_), _) if !how.create => Err(no_table(&name)),
            (found, _) => {
                let columns = nullable(storable(&columns, Naming::Rows)?.as_ref());
                let places: Vec<_> = (0..columns.fields().len()).map(Some).collect();
                let target = Arc::clone(&columns);
                let mut rows = rows.map(move |batch| arrange(&batch?, &places, &target, zone)).boxed();
                Ok(self.create(name, columns, &mut rows, found.is_ok(), turn).await?.0)
            }
        }
    }
}

/// For each column of the table the place of the given column of that name.
fn places(given: &Schema, table: &Schema) -> Result<Vec<Option<usize>>> {
    for (index, field) in given.fields().iter().enumerate() {
        let unknown = table.index_of(field.name()).is_err();
        let twice = given.index_of(field.name()).is_ok_and(|first| first != index);
        if unknown || twice {
            let names: Vec<&str> = table.fields().iter().map(|field| field.name().as_str()).collect();
            let why = if twice { "comes twice" } else { "is not in the table" };
            return Err(Error::invalid(format!(
                "column '{}' {why}: rows are added by name, its columns are {}",
                field.name(),
                names.join(", ")
            )));
        }
    }
    Ok(table.fields().iter().map(|field| given.index_of(field.name()).ok()).collect())
}

/// Refuses values that an INSERT would refuse, too.
fn check_kinds(given: &Schema, table: &Schema) -> Result<()> {
    for field in given.fields() {
        if let Ok(target) = table.field_with_name(field.name()) {
            check_assignment(field.data_type(), target.data_type(), field.name())?;
        }
    }
    Ok(())
}

/// The batch in the order of the table, with NULL for columns that were not sent. Times without a zone are read in `zone`.
fn arrange(batch: &RecordBatch, places: &[Option<usize>], table: &Schema, zone: Tz) -> DfResult<RecordBatch> {
    let columns: Vec<ArrayRef> = places
        .iter()
        .zip(table.fields())
        .map(|(place, field)| match place {
            Some(place) => unrounded(&as_instants(batch.column(*place), field.data_type(), zone)?, field),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        })
        .collect::<DfResult<_>>()?;
    let fields = columns.iter().zip(table.fields());
    let fields: Vec<_> = fields
        .map(|(column, field)| field.as_ref().clone().with_data_type(column.data_type().clone()).with_nullable(true))
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
}

/// A column of days, times without a zone or texts for a column of instants; every other one as it is.
fn as_instants(column: &ArrayRef, target: &DataType, zone: Tz) -> DfResult<ArrayRef> {
    let given = column.data_type();
    if zone::is_instant(target) && (zone::is_wall_time(given) || given.is_string()) {
        return Ok(zone::instants_of(column, target, zone, OnError::Fail)?);
    }
    Ok(Arc::clone(column))
}

/// A column of numbers as numbers of the table's type; every other one as it is, and so one that the writer refuses.
///
/// # Errors
/// `InvalidInput` for a number that would be rounded. A REAL takes the nearest to each: that is what it is.
fn unrounded(column: &ArrayRef, field: &Field) -> DfResult<ArrayRef> {
    let (given, target) = (column.data_type(), field.data_type());
    if given == target || !given.is_numeric() || !target.is_numeric() || *target == DataType::Float32 {
        return Ok(Arc::clone(column));
    }
    let column = one_zero(column)?;
    let Ok(stored) = cast_with_options(&column, target, &CastOptions { safe: false, ..CastOptions::default() }) else {
        return Ok(column);
    };
    let same = not_distinct(&cast(&stored, given)?, &column)?;
    match same.values().iter().position(|same| !same) {
        None => Ok(stored),
        Some(row) => Err(Error::invalid(format!(
            "column '{}' is {target} and cannot hold {} as it is: round it before it is sent",
            field.name(),
            array_value_to_string(&column, row)?
        ))
        .into()),
    }
}
