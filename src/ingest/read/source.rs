//! The bytes of one file on their way to a parser: counted for the progress bar, bounded per record.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
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

/// For a parser that goes back: bytes that are read again are not counted twice.
impl Seek for CountedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = self.file.seek(to)?;
        self.progress.fetch_sub(self.read.saturating_sub(at), Ordering::Relaxed);
        self.read = at;
        Ok(at)
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

/// Records of a file as they are written, for a parser that gives their values alone. Cheap for records in their order.
pub struct RecordText {
    file: BufReader<File>,
    position: u64,
    bytes: Vec<u8>,
}

impl RecordText {
    /// Of a file that stands at its start.
    pub fn new(file: File) -> Self {
        Self { file: BufReader::with_capacity(BUFFER_BYTES, file), position: 0, bytes: Vec::new() }
    }

    /// The bytes `start..end` of the file.
    pub fn read(&mut self, start: u64, end: u64) -> io::Result<&[u8]> {
        // Files are shorter than 2^63 bytes.
        self.file.seek_relative(start as i64 - self.position as i64)?;
        self.bytes.clear();
        (&mut self.file).take(end.saturating_sub(start)).read_to_end(&mut self.bytes)?;
        self.position = start + self.bytes.len() as u64;
        Ok(&self.bytes)
    }
}

/// Bytes as text for a person to read: cut at [`MAX_RAW_BYTES`], damaged characters replaced.
pub fn capped(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(MAX_RAW_BYTES)];
    String::from_utf8_lossy(bytes).trim_matches(['\r', '\n', '\u{feff}']).to_owned()
}
