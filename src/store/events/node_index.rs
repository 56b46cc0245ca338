//! Where in the data files a node may be: the bounds of `node` of every page, held in memory.
//!
//! Files never change, so what was read of one holds for good. After compaction pages tile the nodes of a month, and
//! one person's rows lie in a page or two of a file. Must not know persons or SQL.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;
use parking_lot::RwLock;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, RowGroupMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;

use super::file_bytes::FileBytes;
use crate::error::{Error, RUN_CHECK, Result};
use crate::ids::Node;
use crate::store::delta::DataFile;
use crate::store::paths;

/// Bytes read from a file's end at once: mostly the whole footer.
const FOOTER_HINT: usize = 256 * 1024;
/// Footers read at once.
const PARALLEL: usize = 8;

/// Rows of one row group with the bounds of their nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Page {
    first_row: u32,
    end_row: u32,
    low: i64,
    high: i64,
}

/// Pages of each row group of a file; pages without any node are left out.
#[derive(Debug, Default)]
struct FilePages {
    row_groups: Vec<(u32, Vec<Page>)>,
}

/// What of one row group may hold the nodes: its rows in all, and the ranges to read.
pub type RowRanges = (usize, Vec<Range<usize>>);

/// A file with what of it may hold the nodes, one entry a row group.
#[derive(Debug)]
pub struct SelectedFile {
    pub file: Arc<DataFile>,
    pub row_groups: Vec<RowRanges>,
}

/// The pages of one workspace's files.
pub struct NodeIndex {
    /// The workspace's folder as `/`.
    store: Arc<dyn ObjectStore>,
    files: RwLock<HashMap<String, Arc<FilePages>>>,
}

impl NodeIndex {
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, files: RwLock::default() }
    }

    /// The files that may hold one of `nodes` (ascending), and where. Reads the footers that it has not seen yet.
    pub async fn select(&self, files: Vec<Arc<DataFile>>, nodes: &[Node]) -> Result<Vec<SelectedFile>> {
        let mut known = self.known(&files);
        let unknown = files.iter().filter(|file| !known.contains_key(&file.path));
        let unknown: Vec<(String, u64)> = unknown.map(|file| (file.path.clone(), file.bytes)).collect();
        // Not looked up again afterwards: a commit may make this forget files that the older snapshot at hand has.
        known.extend(self.learn(unknown).await?);
        let selected = files.into_iter().filter_map(|file| {
            let row_groups = known.get(&file.path)?.ranges(nodes);
            let any = row_groups.iter().any(|(_, ranges)| !ranges.is_empty());
            any.then_some(SelectedFile { file, row_groups })
        });
        Ok(selected.collect())
    }

    fn known(&self, files: &[Arc<DataFile>]) -> HashMap<String, Arc<FilePages>> {
        let held = self.files.read();
        let known = files.iter().filter_map(|file| Some((file.path.clone(), Arc::clone(held.get(&file.path)?))));
        known.collect()
    }

    /// Forgets all files but these.
    pub fn keep(&self, files: &[Arc<DataFile>]) {
        let live: std::collections::HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        self.files.write().retain(|path, _| live.contains(path.as_str()));
    }

    /// Reads the pages of files: (path, size).
    async fn learn(&self, unknown: Vec<(String, u64)>) -> Result<Vec<(String, Arc<FilePages>)>> {
        if unknown.is_empty() {
            return Ok(Vec::new());
        }
        let reads = unknown.into_iter().map(|(path, bytes)| {
            let store = Arc::clone(&self.store);
            async move {
                let read = tokio::spawn(async move {
                    let pages = read_pages(store, &path, bytes).await?;
                    Ok::<_, Error>((path, Arc::new(pages)))
                });
                read.await.map_err(|error| Error::internal(format!("reading a footer: {error}")))?
            }
        });
        let learnt: Vec<_> = stream::iter(reads).buffer_unordered(PARALLEL).try_collect().await?;
        self.files.write().extend(learnt.iter().cloned());
        Ok(learnt)
    }
}

async fn read_pages(store: Arc<dyn ObjectStore>, path: &str, size: u64) -> Result<FilePages> {
    let location = paths::events_file_in_workspace(path);
    let mut file = FileBytes { store, location: location.clone(), size, footer_hint: FOOTER_HINT };
    let metadata = file
        .footer(PageIndexPolicy::Optional, PageIndexPolicy::Optional)
        .await
        .map_err(|error| Error::corrupt(format!("object '{location}' {error}")).with_help(RUN_CHECK))?;
    FilePages::of(&metadata)
        .ok_or_else(|| Error::corrupt(format!("object '{location}' has no column node")).with_help(RUN_CHECK))
}

impl FilePages {
    fn of(metadata: &ParquetMetaData) -> Option<Self> {
        let schema = metadata.file_metadata().schema_descr();
        let column = schema.columns().iter().position(|column| column.path().string() == "node")?;
        let row_groups = metadata.row_groups().iter().enumerate().map(|(at, group)| {
            let rows = u32::try_from(group.num_rows()).unwrap_or(u32::MAX);
            (rows, pages_by_index(metadata, at, column, rows).unwrap_or_else(|| whole(group, column, rows)))
        });
        Some(Self { row_groups: row_groups.collect() })
    }

    fn ranges(&self, nodes: &[Node]) -> Vec<RowRanges> {
        self.row_groups.iter().map(|(rows, pages)| (*rows as usize, ranges_in(pages, nodes))).collect()
    }
}

/// Pages as the page index of the file has them.
fn pages_by_index(metadata: &ParquetMetaData, group: usize, column: usize, rows: u32) -> Option<Vec<Page>> {
    let ColumnIndexMetaData::INT64(bounds) = metadata.column_index()?.get(group)?.get(column)? else {
        return None;
    };
    let locations = metadata.offset_index()?.get(group)?.get(column)?.page_locations();
    let first_row = |page: usize| locations.get(page).and_then(|place| u32::try_from(place.first_row_index).ok());
    let pages = (0..locations.len()).filter_map(|page| {
        let (low, high) = (bounds.min_value(page)?, bounds.max_value(page)?);
        let end_row = first_row(page + 1).unwrap_or(rows);
        Some(Page { first_row: first_row(page)?, end_row, low: *low, high: *high })
    });
    Some(pages.collect())
}

/// The whole row group as one page.
fn whole(group: &RowGroupMetaData, column: usize, rows: u32) -> Vec<Page> {
    let bounds = match group.column(column).statistics() {
        Some(Statistics::Int64(held)) => held.min_opt().zip(held.max_opt()).map(|(low, high)| (*low, *high)),
        _ => None,
    };
    let (low, high) = bounds.unwrap_or((i64::MIN, i64::MAX));
    vec![Page { first_row: 0, end_row: rows, low, high }]
}

/// Rows of the pages whose bounds have room for one of `nodes`; neighbours are joined.
fn ranges_in(pages: &[Page], nodes: &[Node]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for page in pages {
        let first = nodes.partition_point(|node| i64::from(*node) < page.low);
        if nodes.get(first).is_none_or(|node| i64::from(*node) > page.high) {
            continue;
        }
        let (start, end) = (page.first_row as usize, page.end_row as usize);
        match found.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => found.push(start..end),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_with_room_for_a_node_are_read() {
        let page = |first_row, end_row, low, high| Page { first_row, end_row, low, high };
        let pages = [page(0, 10, 0, 4), page(10, 20, 4, 9), page(20, 30, 12, 20), page(40, 50, 20, 20)];
        assert_eq!(ranges_in(&pages, &[4]), std::iter::once(0..20).collect::<Vec<_>>());
        assert!(ranges_in(&pages, &[10, 11]).is_empty());
        assert_eq!(ranges_in(&pages, &[0, 20]), [0..10, 20..30, 40..50]);
        assert!(ranges_in(&pages, &[]).is_empty());
    }
}
