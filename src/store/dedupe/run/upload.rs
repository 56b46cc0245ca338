//! An object that is written while it grows, in parts once it is large.
//!
//! Small ones are created: a taken path is a conflict. Object stores do not offer that for parts, so a large one looks
//! before it starts, and its path must be one that nobody else chooses, such as one with a fresh UUID.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutMultipartOptions, UploadPart};

use crate::error::{Error, Result};
use crate::store::objects;

/// Parts under way at once.
const PARTS_IN_FLIGHT: usize = 2;

pub(super) struct Upload {
    store: Arc<dyn ObjectStore>,
    path: Path,
    part_bytes: usize,
    buffer: Vec<u8>,
    sent_bytes: u64,
    parts: Option<Parts>,
}

struct Parts {
    upload: Box<dyn MultipartUpload>,
    in_flight: FuturesUnordered<UploadPart>,
}

impl Upload {
    pub(super) fn new(store: Arc<dyn ObjectStore>, path: Path, part_bytes: usize) -> Self {
        Self { store, path, part_bytes, buffer: Vec::new(), sent_bytes: 0, parts: None }
    }

    /// Bytes written so far.
    pub(super) fn offset(&self) -> u64 {
        self.sent_bytes + self.buffer.len() as u64
    }

    /// Where the next bytes go; [`Upload::send_full_parts`] is to be called now and then.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    pub(super) async fn send_full_parts(&mut self) -> Result<()> {
        while self.buffer.len() >= self.part_bytes {
            let rest = self.buffer.split_off(self.part_bytes);
            let part = std::mem::replace(&mut self.buffer, rest);
            self.send(part).await?;
        }
        Ok(())
    }

    async fn send(&mut self, part: Vec<u8>) -> Result<()> {
        if self.parts.is_none() {
            refuse_taken_path(self.store.as_ref(), &self.path).await?;
        }
        let parts = match &mut self.parts {
            Some(parts) => parts,
            None => {
                let upload = self.store.put_multipart_opts(&self.path, PutMultipartOptions::default()).await?;
                self.parts.insert(Parts { upload, in_flight: FuturesUnordered::new() })
            }
        };
        self.sent_bytes += part.len() as u64;
        // Parts are numbered in the order of these calls, whenever each arrives.
        parts.in_flight.push(parts.upload.put_part(part.into()));
        while parts.in_flight.len() >= PARTS_IN_FLIGHT {
            if let Some(outcome) = parts.in_flight.next().await {
                outcome?;
            }
        }
        Ok(())
    }

    /// Ends the object. Only then does it exist.
    pub(super) async fn finish(mut self) -> Result<()> {
        let last = std::mem::take(&mut self.buffer);
        if self.parts.is_none() {
            return objects::create(self.store.as_ref(), &self.path, last).await;
        }
        let mut outcome = if last.is_empty() { Ok(()) } else { self.send(last).await };
        let Some(mut parts) = self.parts.take() else { return outcome };
        while let Some(part) = parts.in_flight.next().await {
            outcome = outcome.and(part.map_err(Error::from));
        }
        if outcome.is_ok() {
            outcome = parts.upload.complete().await.map(|_| ()).map_err(Error::from);
        }
        let Err(failure) = outcome else { return Ok(()) };
        // The last request may have been applied without its answer reaching us, and the name is ours alone.
        if self.store.head(&self.path).await.is_ok_and(|found| found.size == self.sent_bytes) {
            return Ok(());
        }
        // Parts left behind cost space, no more; the failure is what the caller must know.
        parts.upload.abort().await.ok();
        Err(failure)
    }
}

async fn refuse_taken_path(store: &dyn ObjectStore, path: &Path) -> Result<()> {
    match store.head(path).await {
        Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => Err(Error::conflict(format!("object '{path}' is there already: choose a fresh name"))),
    }
}
