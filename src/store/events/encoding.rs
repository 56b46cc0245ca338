//! How each column of an event file is encoded: chosen so that one person's rows, and a scan over a few columns, cost
//! little more than their own bytes.
//!
//! A dictionary is one page that every read of its row group decodes, however few rows are wanted; zstd costs a fixed
//! time a page. So: dictionaries only where they stay small, and without zstd where it gains nothing.

use parquet::basic::{Compression, Encoding};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::schema;
use crate::store::objects;

/// Rows a row group: enough to compress well, few enough to skip by.
const ROW_GROUP_ROWS: usize = 131_072;
/// Rows of a page in a sorted file: one person's rows cost a page of each column that is read.
const SORTED_PAGE_ROWS: usize = 4_096;

/// Times, numbers and money: differences of neighbours, packed to the bits they need.
const PACKED: [&str; 7] = ["ts", "received_at", "node", "revenue", "cost", "stated_amount", "stated_cost"];
/// A handful of values: an index of a few bits a row, which zstd does not make smaller.
const FEW_VALUES: [&str; 14] = [
    "type",
    "event",
    "channel",
    "source",
    "brand",
    "store_id",
    "campaign_id",
    "currency",
    "quantity",
    "stated_pieces",
    "states_whole",
    "lacks_price",
    "load",
    "identifiers.list.element.type",
];
/// Almost every value is new: a dictionary would be built and thrown away.
const ALL_NEW: [&str; 3] = ["message_id", "properties", "context"];
/// A few values a person: in a sorted file neighbours repeat, which zstd sees within the page.
const OF_A_PERSON: [&str; 4] = ["anonymous_id", "user_id", "order_id", "identifiers.list.element.value"];

/// How the rows of a file are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    AsLoaded,
    /// By [`schema::SORT_COLUMNS`].
    Sorted,
}

pub(super) fn properties(order: Order) -> WriterProperties {
    let mut builder = objects::writer_properties()
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Page);
    for column in PACKED {
        builder = without_dictionary(builder, column)
            .set_column_encoding(ColumnPath::from(parts(column)), Encoding::DELTA_BINARY_PACKED)
            .set_column_compression(ColumnPath::from(parts(column)), Compression::UNCOMPRESSED);
    }
    for column in FEW_VALUES {
        builder = builder.set_column_compression(ColumnPath::from(parts(column)), Compression::UNCOMPRESSED);
    }
    for column in ALL_NEW {
        builder = without_dictionary(builder, column);
    }
    if order == Order::Sorted { sorted(builder).build() } else { builder.build() }
}

fn sorted(mut builder: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
    for column in OF_A_PERSON {
        builder = without_dictionary(builder, column);
    }
    let columns = schema::SORT_COLUMNS.iter().filter_map(|name| {
        // No nested column stands before these, so that the place of the field is that of the leaf.
        let column_idx = i32::try_from(schema::stored().index_of(name).ok()?).ok()?;
        Some(SortingColumn { column_idx, descending: false, nulls_first: false })
    });
    builder.set_data_page_row_count_limit(SORTED_PAGE_ROWS).set_sorting_columns(Some(columns.collect()))
}

fn without_dictionary(builder: WriterPropertiesBuilder, column: &str) -> WriterPropertiesBuilder {
    builder.set_column_dictionary_enabled(ColumnPath::from(parts(column)), false)
}

/// A leaf's path: nested columns are named with dots.
fn parts(column: &str) -> Vec<String> {
    column.split('.').map(str::to_owned).collect()
}
