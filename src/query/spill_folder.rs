//! Where statements spill: temporary files with one limit for all statements together.
//!
//! DataFusion can limit its files itself, but then says so in nothing but the words of an I/O error, and they name an
//! option that users do not have. So its files are without a limit here, and who writes to them asks first. Must not know
//! statements.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::{Result as DfResult, human_readable_size};
use datafusion::execution::disk_manager::{DiskManager, DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::spill_file::{SpillFile, SpillWriter, TempFileFactory};
use futures::stream::BoxStream;

use crate::error::{Detail, Error, Result};

/// The files of all statements. Cheap to clone.
#[derive(Clone)]
pub(super) struct SpillFolder {
    files: Arc<DiskManager>,
    /// Bytes that the files may hold. What several write at the same instant may be over it by their buffers.
    limit: usize,
}

impl SpillFolder {
    pub(super) fn new(limit: usize) -> Result<Self> {
        let files = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::OsTmpDirectory)
            .with_max_temp_directory_size(u64::MAX)
            .build()?;
        Ok(Self { files: Arc::new(files), limit })
    }

    /// Bytes that the files hold.
    pub(super) fn used(&self) -> u64 {
        self.files.used_disk_space()
    }

    /// # Errors
    /// `Busy` when so many bytes more are over the limit.
    fn check_takes(&self, bytes: usize) -> Result<()> {
        if self.used().saturating_add(bytes as u64) <= self.limit as u64 {
            return Ok(());
        }
        Err(Error::busy(format!(
            "the disk for spilled data of {} is used up (setting query.spill, for all statements together): select fewer \
             rows or columns, group before sorting or joining, or try again when others have ended",
            human_readable_size(self.limit)
        )))
    }
}

impl TempFileFactory for SpillFolder {
    fn create_temp_file(&self, description: &str) -> DfResult<Arc<dyn SpillFile>> {
        let file = self.files.create_tmp_file(description)?;
        Ok(Arc::new(LimitedFile { file, folder: self.clone() }))
    }
}

/// A file that takes no more than the folder does.
struct LimitedFile {
    file: Arc<dyn SpillFile>,
    folder: SpillFolder,
}

impl SpillFile for LimitedFile {
    fn path(&self) -> Option<&Path> {
        self.file.path()
    }

    fn size(&self) -> Option<u64> {
        self.file.size()
    }

    fn read_stream(&self) -> DfResult<BoxStream<'static, DfResult<Bytes>>> {
        self.file.read_stream()
    }

    fn open_writer(&self) -> DfResult<Box<dyn SpillWriter>> {
        Ok(Box::new(LimitedWriter { writer: self.file.open_writer()?, folder: self.folder.clone() }))
    }
}

struct LimitedWriter {
    writer: Box<dyn SpillWriter>,
    folder: SpillFolder,
}

impl Write for LimitedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.folder.check_takes(bytes.len()).map_err(io::Error::other)?;
        self.writer.write(bytes).map_err(explain_full_disk)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush().map_err(explain_full_disk)
    }
}

impl SpillWriter for LimitedWriter {
    fn finish(&mut self) -> DfResult<()> {
        self.writer.finish()
    }
}

/// It is another disk than that of the data, and other things help.
fn explain_full_disk(error: io::Error) -> io::Error {
    if Error::of_full_disk(&error).is_none() {
        return error;
    }
    let folder = std::env::temp_dir();
    let what = format!("the disk for spilled data ('{}') is full", folder.display());
    let full = Error::busy(what).with_help("free space on it, or start with TMPDIR naming a folder on another disk");
    io::Error::other(full.with_detail(Detail::FullDisk))
}

#[cfg(test)]
mod tests;
