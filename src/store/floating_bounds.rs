//! Bounds of DOUBLE and REAL columns in Parquet files: none are written, and of those that an earlier program wrote none
//! are seen.
//!
//! Parquet leaves NaN out of its bounds, while here it is the largest number. By its bounds a file of 1 and NaN holds
//! nothing above 1: who asks for more would skip it, and who asks for less would take all of it unread. Nothing in a
//! file tells whether it has a NaN.
//!
//! Must not know whose files they are.

use arrow::datatypes::Schema;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::Type;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::properties::{EnabledStatistics, WriterPropertiesBuilder};
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescriptor;

/// For files of these columns: without bounds of floating ones, within lists and structs as well.
///
/// # Errors
/// For columns that Parquet cannot hold.
pub fn leave_out(
    mut properties: WriterPropertiesBuilder,
    columns: &Schema,
) -> Result<WriterPropertiesBuilder, ParquetError> {
    for leaf in ArrowSchemaConverter::new().convert(columns)?.columns() {
        if is_floating(leaf) {
            properties = properties.set_column_statistics_enabled(leaf.path().clone(), EnabledStatistics::None);
        }
    }
    Ok(properties)
}

/// The footer without bounds of floating columns, of row groups and of pages, with the counts of their NULLs; `None`
/// where it has none.
///
/// # Errors
/// None that a footer which was read can bring about.
pub fn hide(footer: &ParquetMetaData) -> Result<Option<ParquetMetaData>, ParquetError> {
    let leaves = footer.file_metadata().schema_descr().columns().iter().enumerate();
    let floating: Vec<usize> = leaves.filter(|(_, leaf)| is_floating(leaf)).map(|(index, _)| index).collect();
    let mut chunks = footer.row_groups().iter().flat_map(|group| {
        let columns = group.columns();
        floating.iter().filter_map(move |index| columns.get(*index))
    });
    if !chunks.any(is_bounded) {
        return Ok(None);
    }
    let mut builder = footer.clone().into_builder();
    let mut groups = builder.take_row_groups();
    for group in &mut groups {
        for index in &floating {
            if let Some(chunk) = group.columns_mut().get_mut(*index) {
                *chunk = clear(chunk.clone())?;
            }
        }
    }
    let mut pages = builder.take_column_index();
    for group in pages.iter_mut().flatten() {
        for index in &floating {
            if let Some(bounds) = group.get_mut(*index) {
                *bounds = ColumnIndexMetaData::NONE;
            }
        }
    }
    Ok(Some(builder.set_row_groups(groups).set_column_index(pages).build()))
}

fn is_floating(leaf: &ColumnDescriptor) -> bool {
    matches!(leaf.physical_type(), Type::FLOAT | Type::DOUBLE)
}

/// Bounds of pages are there only where the chunk says where.
fn is_bounded(chunk: &ColumnChunkMetaData) -> bool {
    let of_chunk = |held: &Statistics| held.min_bytes_opt().is_some() || held.max_bytes_opt().is_some();
    chunk.column_index_offset().is_some() || chunk.statistics().is_some_and(of_chunk)
}

fn clear(chunk: ColumnChunkMetaData) -> Result<ColumnChunkMetaData, ParquetError> {
    let nulls = chunk.statistics().and_then(Statistics::null_count_opt);
    let is_real = chunk.column_type() == Type::FLOAT;
    // Whoever reads the bounds of pages later finds none.
    let builder = chunk.into_builder().clear_statistics().set_column_index_offset(None).set_column_index_length(None);
    let builder = match (nulls, is_real) {
        // Without the count: statistics that lack it are taken for "no NULL".
        (None, _) => builder,
        (Some(_), true) => builder.set_statistics(Statistics::float(None, None, None, nulls, false)),
        (Some(_), false) => builder.set_statistics(Statistics::double(None, None, None, nulls, false)),
    };
    builder.build()
}

#[cfg(test)]
mod tests;
