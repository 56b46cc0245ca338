//! Little-endian numbers, keys and stretches out of stored bytes, never beyond their end.

use bytes::{Buf, Bytes};

use super::key::{KEY_BYTES, RawKey};

#[derive(Debug)]
pub(super) struct ByteReader {
    bytes: Bytes,
}

impl ByteReader {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { bytes }
    }

    /// Bytes not read yet.
    pub(super) fn left(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn take(&mut self, length: usize) -> Option<Bytes> {
        (length <= self.bytes.len()).then(|| self.bytes.split_to(length))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.bytes.try_get_u32_le().ok()
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.bytes.try_get_u64_le().ok()
    }

    pub(super) fn key(&mut self) -> Option<RawKey> {
        let mut key = [0; KEY_BYTES];
        self.bytes.try_copy_to_slice(&mut key).ok().map(|()| key)
    }
}
