//! The local file system as an object store that keeps what it acknowledges.
//!
//! `LocalFileSystem` of object_store 0.13 never calls fsync. Here a put writes a staged file, syncs it, gives it its
//! name, and syncs the folders whose entries changed, before it answers. Reads, lists and deletes are delegated.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

use crate::error::WriteFailure;

/// An [`ObjectStore`] over the local disk with durable, atomic puts.
#[derive(Debug)]
pub(super) struct DurableLocalStore {
    inner: Arc<LocalFileSystem>,
}

impl DurableLocalStore {
    pub(super) fn new() -> Self {
        Self { inner: Arc::new(LocalFileSystem::new()) }
    }
}

impl fmt::Display for DurableLocalStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DurableLocalStore")
    }
}

fn write_failure(target: &FilePath, source: io::Error) -> Error {
    Error::Generic { store: "local disk", source: Box::new(WriteFailure { path: target.to_owned(), source }) }
}

fn sync_folder(folder: &FilePath) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Creates `folder` and its missing parents; each parent that got a new entry is synced.
fn create_folder(folder: &FilePath) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_folder(parent)?;
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => sync_folder(parent)?,
        }
    }
    Ok(())
}

/// A name beside `target` that `LocalFileSystem` leaves out of lists: `#` and digits at its end.
fn staged_name(target: &FilePath) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut name = target.as_os_str().to_owned();
    name.push(format!("#{}{number}", std::process::id()));
    PathBuf::from(name)
}

/// Whether this is a name that [`staged_name`] gives.
fn is_staged(name: &OsStr) -> bool {
    let digits = name.to_str().and_then(|name| name.rsplit_once('#')).map(|(_, digits)| digits);
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Removes what a killed process left staged below `folder`: no list shows it, so nothing else would. To be called while
/// nobody writes there.
pub(super) fn remove_staged(folder: &FilePath) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_staged(&entry.path())?;
        } else if is_staged(&entry.file_name()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn write_staged(staged: &FilePath, payload: &PutPayload) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(staged)?;
    payload.iter().try_for_each(|part| file.write_all(part))?;
    file.sync_all()
}

/// Gives the staged bytes their name: `create` fails when the name is taken.
fn publish(staged: &FilePath, target: &FilePath, create: bool) -> io::Result<()> {
    if create {
        fs::hard_link(staged, target)?;
        // The link is what counts; a staged name left behind is invisible to lists.
        fs::remove_file(staged).ok();
    } else {
        fs::rename(staged, target)?;
    }
    match target.parent() {
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

fn put_durably(target: &FilePath, payload: &PutPayload, create: bool) -> Result<()> {
    if let Some(folder) = target.parent() {
        create_folder(folder).map_err(|error| write_failure(target, error))?;
    }
    let staged = staged_name(target);
    let outcome = write_staged(&staged, payload).and_then(|()| publish(&staged, target, create));
    outcome.map_err(|error| {
        fs::remove_file(&staged).ok();
        match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Error::AlreadyExists { path: target.display().to_string(), source: Box::new(error) }
            }
            _ => write_failure(target, error),
        }
    })
}

#[async_trait]
impl ObjectStore for DurableLocalStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let create = match options.mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            PutMode::Update(_) => {
                return Err(Error::NotImplemented {
                    operation: "put with PutMode::Update".into(),
                    implementer: self.to_string(),
                });
            }
        };
        let target = self.inner.path_to_filesystem(location)?;
        tokio::task::spawn_blocking(move || put_durably(&target, &payload, create))
            .await
            .map_err(|error| Error::JoinError { source: error })??;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let target = self.inner.path_to_filesystem(location)?;
        Ok(Box::new(DurableUpload { target, parts: Vec::new() }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[std::ops::Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let bytes = self.inner.get_opts(from, GetOptions::default()).await?.bytes().await?;
        let mode = match options.mode {
            object_store::CopyMode::Create => PutMode::Create,
            object_store::CopyMode::Overwrite => PutMode::Overwrite,
        };
        self.put_opts(to, bytes.into(), PutOptions::from(mode)).await.map(|_| ())
    }
}

/// A multipart upload that holds its parts until `complete`: only Delta checkpoints come this way.
#[derive(Debug)]
struct DurableUpload {
    target: PathBuf,
    parts: Vec<Bytes>,
}

#[async_trait]
impl MultipartUpload for DurableUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.parts.extend(data);
        Box::pin(std::future::ready(Ok(())))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let payload: PutPayload = std::mem::take(&mut self.parts).into_iter().collect();
        let target = self.target.clone();
        tokio::task::spawn_blocking(move || put_durably(&target, &payload, false))
            .await
            .map_err(|error| Error::JoinError { source: error })??;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn abort(&mut self) -> Result<()> {
        self.parts.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
