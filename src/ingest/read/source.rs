//! The bytes of one file on their way to a parser: counted for the progress bar, bounded per record.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// Longest record in bytes. A longer one is a quote that is never closed, or not a file of records at all.
pub const MAX_RECORD_BYTES: u64 = 16 << 20;

/// Most bytes of a rejected row that are kept as its raw text.
pub const MAX_RAW_BYTES: usize = 64 << 10;

/// Read-ahead of the parsers.
pub const BUFFER_BYTES: usize = 256 << 10;

/// A file that is read once from start to end.
pub struct CountedFile {
    file: File,
    read: u64,
    progress: Arc<AtomicU64>,
    /// Where the record under way starts; the parser moves it.
    record_start: Arc<AtomicU64>,
}

impl CountedFile {
    pub fn open(path: &Path, progress: Arc<AtomicU64>) -> Result<Self> {
        Ok(Self { file: open(path)?, read: 0, progress, record_start: Arc::default() })
    }

    pub fn record_start(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.record_start)
    }
}

impl Read for CountedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let pending = self.read.saturating_sub(self.record_start.load(Ordering::Relaxed));
        if pending > MAX_RECORD_BYTES + BUFFER_BYTES as u64 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "record too long"));
        }
        let count = self.file.read(buffer)?;
        self.read += count as u64;
        self.progress.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Opens a file; the error names it.
pub fn open(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(|error| Error::from(error).context(path.display()))?;
    match file.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(Error::invalid(format!("{}: is a folder", path.display()))),
        _ => Ok(file),
    }
}

/// The raw text of bytes `start..end` of a file, cut at [`MAX_RAW_BYTES`], without line ends around it.
pub fn raw_text(file: &mut File, start: u64, end: u64) -> io::Result<String> {
    let length = end.saturating_sub(start).min(MAX_RAW_BYTES as u64);
    let mut bytes = Vec::with_capacity(length as usize);
    file.seek(SeekFrom::Start(start))?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(capped(&bytes))
}

/// Bytes as text for a person to read: cut at [`MAX_RAW_BYTES`], damaged characters replaced.
pub fn capped(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(MAX_RAW_BYTES)];
    String::from_utf8_lossy(bytes).trim_matches(['\r', '\n', '\u{feff}']).to_owned()
}
