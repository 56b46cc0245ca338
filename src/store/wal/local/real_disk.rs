//! A folder of the local file system as a [`Disk`]. All work on files runs on tokio's blocking threads.
//!
//! Must not know what the files hold.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::disk::{Disk, DiskEntry, DiskFile, WriteFault};

/// Zeros are written in pieces of this many bytes.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// A folder, which need not exist yet.
#[derive(Debug)]
pub struct RealDisk {
    folder: PathBuf,
}

impl RealDisk {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }
}

#[async_trait]
impl Disk for RealDisk {
    async fn create_folder(&self) -> io::Result<()> {
        let folder = self.folder.clone();
        run_blocking(move || create_folder(&folder)).await
    }

    async fn list(&self) -> io::Result<Vec<DiskEntry>> {
        let folder = self.folder.clone();
        run_blocking(move || list(&folder)).await
    }

    async fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let path = self.folder.join(name);
        let file = run_blocking(move || OpenOptions::new().create_new(true).write(true).open(path)).await?;
        Ok(Box::new(RealFile { file: Arc::new(file) }))
    }

    async fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let path = self.folder.join(name);
        let file = run_blocking(move || OpenOptions::new().write(true).open(path)).await?;
        Ok(Box::new(RealFile { file: Arc::new(file) }))
    }

    async fn read(&self, name: &str, offset: u64, len: u64) -> io::Result<Bytes> {
        let path = self.folder.join(name);
        let read = move || {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(offset))?;
            let len = len.min(file.metadata()?.len().saturating_sub(offset));
            let mut bytes = Vec::with_capacity(usize::try_from(len).map_err(io::Error::other)?);
            file.take(len).read_to_end(&mut bytes)?;
            Ok(Bytes::from(bytes))
        };
        run_blocking(read).await
    }

    async fn truncate(&self, name: &str, len: u64) -> io::Result<()> {
        let path = self.folder.join(name);
        run_blocking(move || OpenOptions::new().write(true).open(path)?.set_len(len)).await
    }

    async fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.folder.join(name);
        run_blocking(move || fs::remove_file(path)).await
    }

    async fn sync_folder(&self) -> io::Result<()> {
        let folder = self.folder.clone();
        run_blocking(move || sync_folder(&folder)).await
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

#[derive(Debug)]
struct RealFile {
    file: Arc<File>,
}

#[async_trait]
impl DiskFile for RealFile {
    // Zeros and not a reservation alone: a sync over blocks that were written before touches no metadata.
    async fn write_zeros(&self, from: u64, to: u64) -> io::Result<()> {
        let file = self.file.clone();
        let write = move || {
            let mut file = &*file;
            file.seek(SeekFrom::Start(from))?;
            let mut left = to.saturating_sub(from);
            while left > 0 {
                let piece = left.min(ZEROS.len() as u64);
                file.write_all(&ZEROS[..piece as usize])?;
                left -= piece;
            }
            Ok(())
        };
        run_blocking(write).await
    }

    async fn write(&self, offset: u64, bytes: Bytes) -> Result<(), WriteFault> {
        let file = self.file.clone();
        // One hop to another thread for both halves.
        let write = move || Ok(write_at(&file, offset, &bytes).map(|()| file.sync_data()));
        match run_blocking(write).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(WriteFault::Sync(error)),
            Ok(Err(error)) => Err(WriteFault::Write(error)),
            // The thread is gone: nobody knows how far it came.
            Err(error) => Err(WriteFault::Sync(error)),
        }
    }

    async fn truncate(&self, len: u64) -> io::Result<()> {
        let file = self.file.clone();
        run_blocking(move || file.set_len(len).and_then(|()| file.sync_data())).await
    }
}

fn write_at(mut file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

fn list(folder: &Path) -> io::Result<Vec<DiskEntry>> {
    let names = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        names => names?,
    };
    let mut entries = Vec::new();
    for entry in names {
        let entry = entry?;
        // A name that is no text is none of ours.
        let Ok(name) = entry.file_name().into_string() else { continue };
        match entry.metadata() {
            Ok(about) if about.is_file() => entries.push(DiskEntry { name, len: about.len() }),
            Ok(_) => {}
            // A running server removed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(entries)
}

/// Creates `folder` and its missing parents; each parent that got a new entry is synced.
fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    // The parent of a relative folder of one part is the empty path.
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_folder(parent)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(parent),
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
