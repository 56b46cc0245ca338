//! How the Parquet scans read the files of events and of user tables: page indexes stay in memory with the footers, a
//! footer has no bounds of DOUBLE and REAL (`floating_bounds` has why), and an object that cannot be read is named.
//!
//! DataFusion asks for the footer alone and decodes the page index again in each query; a point look-up would spend
//! most of its time there.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetMetaData;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::{ParquetFileMetrics, ParquetFileReaderFactory};
use datafusion::execution::cache::cache_manager::{CachedFileMetadataEntry, FileMetadataCache};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};

use crate::error::{Error, RUN_CHECK};
use crate::store::floating_bounds;

/// Readers of one workspace's store, with one cache of footers.
pub(super) struct DataFileReaders {
    store: Arc<dyn ObjectStore>,
    cache: Arc<FileMetadataCache>,
}

impl DataFileReaders {
    pub(super) fn new(store: Arc<dyn ObjectStore>, cache: Arc<FileMetadataCache>) -> Self {
        Self { store, cache }
    }
}

impl fmt::Debug for DataFileReaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataFileReaders")
    }
}

impl ParquetFileReaderFactory for DataFileReaders {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        footer_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> DfResult<Box<dyn AsyncFileReader + Send>> {
        let metrics = ParquetFileMetrics::new(partition, file.object_meta.location.as_ref(), metrics);
        Ok(Box::new(DataFileReader {
            store: Arc::clone(&self.store),
            cache: Arc::clone(&self.cache),
            object: file.object_meta,
            footer_hint,
            metrics,
        }))
    }
}

struct DataFileReader {
    store: Arc<dyn ObjectStore>,
    cache: Arc<FileMetadataCache>,
    object: ObjectMeta,
    footer_hint: Option<usize>,
    metrics: ParquetFileMetrics,
}

impl DataFileReader {
    fn named(&self, why: impl fmt::Display) -> ParquetError {
        let path = &self.object.location;
        ParquetError::External(Box::new(Error::corrupt(format!("object '{path}' {why}")).with_help(RUN_CHECK)))
    }

    fn store_error(&self, error: object_store::Error) -> ParquetError {
        match error {
            object_store::Error::NotFound { .. } => self.named("is missing"),
            error => ParquetError::External(Box::new(error)),
        }
    }

    /// What is kept in memory has none either.
    fn without_floating_bounds(&self, footer: Arc<ParquetMetaData>) -> Result<Arc<ParquetMetaData>, ParquetError> {
        let Some(shown) = floating_bounds::hide(&footer)? else { return Ok(footer) };
        let shown = Arc::new(shown);
        let kept = Arc::new(CachedParquetMetaData::new(Arc::clone(&shown)));
        self.cache.put(&self.object.location, CachedFileMetadataEntry::new(self.object.clone(), kept));
        Ok(shown)
    }

    /// Bytes of the object, none of them beyond its end.
    fn check(&self, ranges: &[Range<u64>], found: &[Bytes]) -> Result<(), ParquetError> {
        let whole = ranges.iter().zip(found).all(|(range, bytes)| bytes.len() as u64 == range.end - range.start);
        if whole && ranges.len() == found.len() { Ok(()) } else { Err(self.named("is shorter than the log says")) }
    }
}

impl AsyncFileReader for DataFileReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move {
            let mut found = self.get_byte_ranges(vec![range]).await?;
            found.pop().ok_or_else(|| self.named("cannot be read"))
        }
        .boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        self.metrics.bytes_scanned.add(usize::try_from(total).unwrap_or(usize::MAX));
        async move {
            match self.store.get_ranges(&self.object.location, &ranges).await {
                Ok(found) => self.check(&ranges, &found).map(|()| found),
                // A range beyond the end is told by each store in its own words.
                Err(error) => match self.store.head(&self.object.location).await {
                    Ok(head) if head.size != self.object.size => Err(self.named("has another size than the log says")),
                    _ => Err(self.store_error(error)),
                },
            }
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async move {
            let read = DFParquetMetadata::new(self.store.as_ref(), &self.object)
                .with_file_metadata_cache(Some(Arc::clone(&self.cache)))
                .with_metadata_size_hint(self.footer_hint)
                .with_page_index_policy(Some(PageIndexPolicy::Optional))
                .fetch_metadata()
                .await;
            match read {
                Ok(footer) => self.without_floating_bounds(footer),
                Err(DataFusionError::ObjectStore(error)) => match self.store.head(&self.object.location).await {
                    Ok(head) if head.size != self.object.size => Err(self.named("has another size than the log says")),
                    _ => Err(self.store_error(*error)),
                },
                Err(error) => Err(self.named(format_args!("has a damaged footer ({})", error.strip_backtrace()))),
            }
        }
        .boxed()
    }
}
