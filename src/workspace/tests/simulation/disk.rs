//! The disk below a local log, as one process has it: once the process is killed, it asks for nothing more.

use std::io;

use async_trait::async_trait;
use bytes::Bytes;

use crate::store::tests::simulated::SimulatedStore;
use crate::store::wal::local::disk::{Disk, DiskEntry, DiskFile};
use crate::store::wal::local::simulated_disk::SimulatedDisk;

#[derive(Debug)]
pub(super) struct ProcessDisk {
    disk: SimulatedDisk,
    /// Of the same process; it stands still for good when that is killed.
    client: SimulatedStore,
}

impl ProcessDisk {
    pub(super) fn new(disk: SimulatedDisk, client: SimulatedStore) -> Self {
        Self { disk, client }
    }
}

/// Files that were open before the machine started are gone by themselves.
#[async_trait]
impl Disk for ProcessDisk {
    async fn create_folder(&self) -> io::Result<()> {
        self.client.wait_while_paused().await;
        self.disk.create_folder().await
    }

    async fn list(&self) -> io::Result<Vec<DiskEntry>> {
        self.client.wait_while_paused().await;
        self.disk.list().await
    }

    async fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.client.wait_while_paused().await;
        self.disk.create(name).await
    }

    async fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.client.wait_while_paused().await;
        self.disk.open(name).await
    }

    async fn read(&self, name: &str, offset: u64, len: u64) -> io::Result<Bytes> {
        self.client.wait_while_paused().await;
        self.disk.read(name, offset, len).await
    }

    async fn truncate(&self, name: &str, len: u64) -> io::Result<()> {
        self.client.wait_while_paused().await;
        self.disk.truncate(name, len).await
    }

    async fn remove(&self, name: &str) -> io::Result<()> {
        self.client.wait_while_paused().await;
        self.disk.remove(name).await
    }

    async fn sync_folder(&self) -> io::Result<()> {
        self.client.wait_while_paused().await;
        self.disk.sync_folder().await
    }

    fn path(&self, name: &str) -> String {
        self.disk.path(name)
    }
}
