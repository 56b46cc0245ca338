//! Lines of a file within bounded memory. Must not know what they hold.

use std::io::{self, BufRead, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::source::{BUFFER_BYTES, CountedFile, MAX_RAW_BYTES, MAX_RECORD_BYTES};

/// What comes next in the file.
pub enum Line<'a> {
    Whole(&'a [u8]),
    /// The start of a line that is too long to be read.
    Cut(&'a [u8]),
    End,
}

/// Reads lines; the line end is not part of a line, nor is a byte order mark.
pub struct LineReader {
    input: BufReader<CountedFile>,
    record_start: Arc<AtomicU64>,
    consumed: u64,
    line: Vec<u8>,
    number: i64,
}

impl LineReader {
    pub fn new(file: CountedFile) -> Self {
        let record_start = file.record_start();
        let input = BufReader::with_capacity(BUFFER_BYTES, file);
        Self { input, record_start, consumed: 0, line: Vec::new(), number: 0 }
    }

    /// The first bytes of the file, as far as they are read ahead, without taking them.
    pub fn start(&mut self) -> io::Result<&[u8]> {
        let start = self.input.fill_buf()?;
        Ok(start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start))
    }

    /// Lines read so far.
    pub fn number(&self) -> i64 {
        self.number
    }

    pub fn next(&mut self) -> io::Result<Line<'_>> {
        self.line.clear();
        let mut length = 0;
        loop {
            let available = self.input.fill_buf()?;
            if available.is_empty() {
                break;
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(available.len(), |end| end + 1);
            length += taken as u64;
            // Of a line that is too long only the end is looked for.
            if length <= MAX_RECORD_BYTES {
                self.line.extend_from_slice(&available[..taken]);
            } else {
                self.line.truncate(MAX_RAW_BYTES);
            }
            self.input.consume(taken);
            self.consumed += taken as u64;
            self.record_start.store(self.consumed, Ordering::Relaxed);
            if end.is_some() {
                break;
            }
        }
        if length == 0 {
            return Ok(Line::End);
        }
        self.number += 1;
        let mut line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.number == 1 {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        Ok(if length > MAX_RECORD_BYTES { Line::Cut(line) } else { Line::Whole(line) })
    }
}
