//! A disk in memory with the faults of a real one, for tests: it loses what was not synced when the power goes, fails a
//! sync, is full, flips bits. A seed repeats all of it.
//!
//! Memory of the kernel and platter are apart: reads see the memory, a power cut leaves the platter. Must not know what
//! the files hold.

mod file;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::file::{SECTOR, SimulatedFile};
use super::disk::{Disk, DiskEntry, DiskFile, WriteFault};

/// Too many open files, as Linux and macOS number it.
const EMFILE: i32 = 24;

/// A folder on a disk that fails as it is told.
#[derive(Debug, Clone)]
pub struct SimulatedDisk {
    platter: Arc<Mutex<Platter>>,
}

#[derive(Debug)]
struct Platter {
    rng: ChaCha8Rng,
    files: Vec<SimulatedFile>,
    /// As the kernel shows them.
    names: BTreeMap<String, usize>,
    /// As they survive a power cut.
    durable_names: BTreeMap<String, usize>,
    /// Bytes of all files together.
    capacity: u64,
    /// Operations until the machine stops in the middle of one.
    operations_left: Option<u64>,
    /// Syncs until one fails.
    syncs_left: Option<u64>,
    /// Writes until one finds the disk full, whatever was reserved.
    writes_left: Option<u64>,
    /// The process has as many files open as it may.
    opens_none: bool,
    /// Counts starts of the machine: files that were open before are gone.
    boot: u64,
    stopped: bool,
    sync_time: Duration,
}

impl SimulatedDisk {
    /// An empty disk of `capacity` bytes.
    pub fn new(seed: u64, capacity: u64) -> Self {
        let platter = Platter {
            rng: ChaCha8Rng::seed_from_u64(seed),
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            capacity,
            operations_left: None,
            syncs_left: None,
            writes_left: None,
            opens_none: false,
            boot: 0,
            stopped: false,
            sync_time: Duration::ZERO,
        };
        Self { platter: Arc::new(Mutex::new(platter)) }
    }

    /// Stops the machine in the middle of the operation that comes after `operations` others.
    pub fn stop_after(&self, operations: u64) {
        self.platter.lock().operations_left = Some(operations);
    }

    /// Fails the sync that comes after `syncs` others, once.
    pub fn fail_sync_after(&self, syncs: u64) {
        self.platter.lock().syncs_left = Some(syncs);
    }

    /// Lets one write find the disk full after `writes` others, though its space was reserved.
    pub fn fill_at_write(&self, writes: u64) {
        self.platter.lock().writes_left = Some(writes);
    }

    /// Whether the process has as many files open as it may.
    pub fn open_none(&self, opens_none: bool) {
        self.platter.lock().opens_none = opens_none;
    }

    /// How long each sync of a write takes; needs a runtime with a clock.
    pub fn set_sync_time(&self, sync_time: Duration) {
        self.platter.lock().sync_time = sync_time;
    }

    pub fn set_capacity(&self, bytes: u64) {
        self.platter.lock().capacity = bytes;
    }

    pub fn used_bytes(&self) -> u64 {
        self.platter.lock().used_bytes()
    }

    pub fn is_stopped(&self) -> bool {
        self.platter.lock().stopped
    }

    /// Starts a process anew on the same machine: nothing that was written is lost.
    pub fn restart_process(&self) {
        let mut platter = self.platter.lock();
        platter.boot += 1;
        platter.clear_faults();
    }

    /// Cuts the power and starts the machine again: of each sector that was not synced some state since its last sync
    /// is left, of each name that was not synced the old or the new one.
    pub fn cut_power(&self) {
        let mut platter = self.platter.lock();
        platter.boot += 1;
        platter.clear_faults();
        platter.lose_unsynced();
    }

    pub fn file_names(&self) -> Vec<String> {
        self.platter.lock().names.keys().cloned().collect()
    }

    /// What a file holds; empty if there is none.
    pub fn contents(&self, name: &str) -> Vec<u8> {
        let platter = self.platter.lock();
        platter.names.get(name).map(|file| platter.files[*file].memory.clone()).unwrap_or_default()
    }

    /// Puts a file there, durably.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut platter = self.platter.lock();
        let number = platter.files.len();
        platter.files.push(SimulatedFile::with_contents(bytes));
        platter.names.insert(name.to_owned(), number);
        platter.durable_names.insert(name.to_owned(), number);
    }

    /// Flips the bits of `mask` in one byte, in memory and on the platter.
    pub fn flip(&self, name: &str, offset: usize, mask: u8) {
        let mut platter = self.platter.lock();
        let Some(number) = platter.names.get(name).copied() else { return };
        let file = &mut platter.files[number];
        for bytes in [&mut file.memory, &mut file.durable] {
            if let Some(byte) = bytes.get_mut(offset) {
                *byte ^= mask;
            }
        }
    }
}

impl Platter {
    fn used_bytes(&self) -> u64 {
        self.names.values().map(|file| self.files[*file].memory.len() as u64).sum()
    }

    fn clear_faults(&mut self) {
        self.stopped = false;
        self.operations_left = None;
        self.syncs_left = None;
        self.writes_left = None;
        self.opens_none = false;
    }

    /// Counts an operation; `false` where the machine stops in the middle of it.
    fn begin(&mut self) -> io::Result<bool> {
        if self.stopped {
            return Err(stopped());
        }
        if counts_down(&mut self.operations_left) {
            self.stopped = true;
            return Ok(false);
        }
        Ok(true)
    }

    fn number(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    /// Writes as much as there is space for, or any part of it if the machine stops.
    fn write(&mut self, number: usize, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let goes_on = self.begin()?;
        let growth = (offset + bytes.len()).saturating_sub(self.files[number].memory.len()) as u64;
        let missing = (self.used_bytes() + growth).saturating_sub(self.capacity);
        let mut len = bytes.len() - (missing as usize).min(bytes.len());
        let is_full = missing > 0 || counts_down(&mut self.writes_left);
        if !goes_on || is_full {
            // Also the kernel stops at the end of a page.
            len = (self.rng.random_range(0..=len) + offset) / SECTOR * SECTOR;
            len = len.saturating_sub(offset);
        }
        self.files[number].write(offset, &bytes[..len]);
        match (goes_on, is_full) {
            (false, _) => Err(stopped()),
            (true, true) => Err(io::ErrorKind::StorageFull.into()),
            (true, false) => Ok(()),
        }
    }

    fn sync(&mut self, number: usize) -> io::Result<()> {
        if !self.begin()? {
            return Err(stopped());
        }
        if counts_down(&mut self.syncs_left) {
            self.files[number].fail_sync(&mut self.rng);
            return Err(io::Error::other("input/output error"));
        }
        self.files[number].sync();
        Ok(())
    }

    fn truncate(&mut self, number: usize, len: usize) -> io::Result<()> {
        let goes_on = self.begin()?;
        if goes_on || self.rng.random_bool(0.5) {
            self.files[number].truncate(len);
        }
        if goes_on { Ok(()) } else { Err(stopped()) }
    }

    fn lose_unsynced(&mut self) {
        let mut names: Vec<_> = self.names.keys().chain(self.durable_names.keys()).cloned().collect();
        names.sort();
        names.dedup();
        for name in names {
            let (new, old) = (self.names.get(&name).copied(), self.durable_names.get(&name).copied());
            let left = if self.rng.random_bool(0.5) { new } else { old };
            match left {
                Some(file) => self.durable_names.insert(name, file),
                None => self.durable_names.remove(&name),
            };
        }
        self.names = self.durable_names.clone();
        for file in &mut self.files {
            file.lose_unsynced(&mut self.rng);
        }
    }
}

/// Whether a fault is due now.
fn counts_down(left: &mut Option<u64>) -> bool {
    match left {
        Some(0) => {
            *left = None;
            true
        }
        Some(left) => {
            *left -= 1;
            false
        }
        None => false,
    }
}

fn stopped() -> io::Error {
    io::Error::other("the machine has stopped")
}

#[async_trait]
impl Disk for SimulatedDisk {
    async fn create_folder(&self) -> io::Result<()> {
        Ok(())
    }

    async fn list(&self) -> io::Result<Vec<DiskEntry>> {
        let mut platter = self.platter.lock();
        if !platter.begin()? {
            return Err(stopped());
        }
        let entry = |(name, file): (&String, &usize)| DiskEntry {
            name: name.clone(),
            len: platter.files[*file].memory.len() as u64,
        };
        Ok(platter.names.iter().map(entry).collect())
    }

    async fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut platter = self.platter.lock();
        if platter.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if platter.opens_none {
            return Err(io::Error::from_raw_os_error(EMFILE));
        }
        let goes_on = platter.begin()?;
        let number = platter.files.len();
        platter.files.push(SimulatedFile::default());
        platter.names.insert(name.to_owned(), number);
        if !goes_on {
            return Err(stopped());
        }
        let boot = platter.boot;
        Ok(Box::new(OpenFile { disk: self.clone(), number, boot }))
    }

    async fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut platter = self.platter.lock();
        if platter.opens_none {
            return Err(io::Error::from_raw_os_error(EMFILE));
        }
        if !platter.begin()? {
            return Err(stopped());
        }
        let (number, boot) = (platter.number(name)?, platter.boot);
        Ok(Box::new(OpenFile { disk: self.clone(), number, boot }))
    }

    async fn read(&self, name: &str, offset: u64, len: u64) -> io::Result<Bytes> {
        let mut platter = self.platter.lock();
        if !platter.begin()? {
            return Err(stopped());
        }
        let bytes = &platter.files[platter.number(name)?].memory;
        let start = (offset as usize).min(bytes.len());
        let end = start.saturating_add(len as usize).min(bytes.len());
        Ok(Bytes::copy_from_slice(&bytes[start..end]))
    }

    async fn truncate(&self, name: &str, len: u64) -> io::Result<()> {
        let mut platter = self.platter.lock();
        let number = platter.number(name)?;
        platter.truncate(number, len as usize)
    }

    async fn remove(&self, name: &str) -> io::Result<()> {
        let mut platter = self.platter.lock();
        let goes_on = platter.begin()?;
        platter.number(name)?;
        platter.names.remove(name);
        if goes_on { Ok(()) } else { Err(stopped()) }
    }

    async fn sync_folder(&self) -> io::Result<()> {
        let mut platter = self.platter.lock();
        if !platter.begin()? {
            return Err(stopped());
        }
        if counts_down(&mut platter.syncs_left) {
            return Err(io::Error::other("input/output error"));
        }
        platter.durable_names = platter.names.clone();
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        format!("simulated/{name}")
    }
}

#[derive(Debug)]
struct OpenFile {
    disk: SimulatedDisk,
    number: usize,
    boot: u64,
}

impl OpenFile {
    /// The disk, if the process that opened the file still runs.
    fn lock(&self) -> io::Result<parking_lot::MutexGuard<'_, Platter>> {
        let platter = self.disk.platter.lock();
        if platter.boot == self.boot { Ok(platter) } else { Err(stopped()) }
    }
}

#[async_trait]
impl DiskFile for OpenFile {
    async fn write_zeros(&self, from: u64, to: u64) -> io::Result<()> {
        self.lock()?.write(self.number, from as usize, &vec![0; to.saturating_sub(from) as usize])
    }

    async fn write(&self, offset: u64, bytes: Bytes) -> Result<(), WriteFault> {
        // Not while the bytes are on their way: others may run in between.
        self.lock()
            .and_then(|mut platter| platter.write(self.number, offset as usize, &bytes))
            .map_err(WriteFault::Write)?;
        let sync_time = self.disk.platter.lock().sync_time;
        if sync_time.is_zero() {
            tokio::task::yield_now().await
        } else {
            tokio::time::sleep(sync_time).await
        }
        self.lock().and_then(|mut platter| platter.sync(self.number)).map_err(WriteFault::Sync)
    }

    async fn truncate(&self, len: u64) -> io::Result<()> {
        let mut platter = self.lock()?;
        platter.truncate(self.number, len as usize)?;
        platter.sync(self.number)
    }
}
