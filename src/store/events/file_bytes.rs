//! The bytes of one data file, for the readers of Parquet. Must not know what they hold.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

/// An object of the events table.
pub(super) struct FileBytes {
    /// The workspace's folder as `/`.
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) location: Path,
    /// Of the whole object.
    pub(super) size: u64,
    /// Bytes read from its end at once: mostly the whole footer.
    pub(super) footer_hint: usize,
}

fn refused(error: object_store::Error) -> ParquetError {
    match error {
        object_store::Error::NotFound { .. } => ParquetError::General("is missing".to_owned()),
        error => ParquetError::General(format!("cannot be read ({error})")),
    }
}

impl FileBytes {
    /// The footer, with as much of the page index as is asked for.
    pub(super) async fn footer(
        &mut self,
        columns: PageIndexPolicy,
        offsets: PageIndexPolicy,
    ) -> Result<ParquetMetaData> {
        let size = self.size;
        let reader = ParquetMetaDataReader::new()
            .with_column_index_policy(columns)
            .with_offset_index_policy(offsets)
            .with_prefetch_hint(Some(self.footer_hint));
        reader.load_and_finish(self, size).await
    }
}

impl AsyncFileReader for FileBytes {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        async move { self.store.get_range(&self.location, range).await.map_err(refused) }.boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        async move { self.store.get_ranges(&self.location, &ranges).await.map_err(refused) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        async move { self.footer(PageIndexPolicy::Skip, PageIndexPolicy::Optional).await.map(Arc::new) }.boxed()
    }
}
