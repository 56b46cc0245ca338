//! One file of the simulated disk: what the kernel shows of it, what the platter has, and what lies between.

use std::collections::BTreeMap;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// What a disk writes whole or not at all.
pub(super) const SECTOR: usize = 512;

#[derive(Debug, Default)]
pub(super) struct SimulatedFile {
    pub(super) memory: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// What each sector held since the last sync, oldest first.
    unsynced: BTreeMap<usize, Vec<Vec<u8>>>,
    /// The lengths since the last sync.
    unsynced_lens: Vec<usize>,
}

impl SimulatedFile {
    pub(super) fn with_contents(bytes: &[u8]) -> Self {
        Self { memory: bytes.to_vec(), durable: bytes.to_vec(), ..Self::default() }
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if bytes.is_empty() {
            return;
        }
        if end > self.memory.len() {
            self.memory.resize(end, 0);
            self.unsynced_lens.push(end);
        }
        self.memory[offset..end].copy_from_slice(bytes);
        self.note_sectors(offset, end);
    }

    pub(super) fn truncate(&mut self, len: usize) {
        let before = self.memory.len();
        self.memory.resize(len, 0);
        self.unsynced_lens.push(len);
        self.note_sectors(len, before);
    }

    /// Remembers what the sectors of a range hold now; beyond the end they are zero.
    fn note_sectors(&mut self, from: usize, to: usize) {
        for sector in from / SECTOR..to.div_ceil(SECTOR) {
            let start = sector * SECTOR;
            let mut now = vec![0; SECTOR];
            let held = self.memory.get(start..self.memory.len().min(start + SECTOR)).unwrap_or_default();
            now[..held.len()].copy_from_slice(held);
            self.unsynced.entry(sector).or_default().push(now);
        }
    }

    pub(super) fn sync(&mut self) {
        // Sectors that a failed sync forgot are in memory only: they stay as they are on the platter.
        let sectors: Vec<_> = std::mem::take(&mut self.unsynced).into_iter().collect();
        self.durable.resize(self.memory.len(), 0);
        for (sector, states) in sectors {
            if let Some(last) = states.last() {
                self.put_sector(sector, last);
            }
        }
        self.unsynced_lens.clear();
    }

    /// Some sectors reach the platter, some do not; the kernel takes all for written, and shows some as they were.
    pub(super) fn fail_sync(&mut self, rng: &mut ChaCha8Rng) {
        let len = self.memory.len();
        if rng.random_bool(0.5) {
            self.durable.resize(len, 0);
        }
        for (sector, states) in std::mem::take(&mut self.unsynced) {
            let Some(last) = states.last() else { continue };
            if rng.random_bool(0.5) {
                self.put_sector(sector, last);
            } else if rng.random_bool(0.3) {
                let start = sector * SECTOR;
                for offset in start..(start + SECTOR).min(self.memory.len()) {
                    self.memory[offset] = self.durable.get(offset).copied().unwrap_or(0);
                }
            }
        }
        self.unsynced_lens.clear();
    }

    /// Writes a sector to the platter, as far as the file reaches there.
    fn put_sector(&mut self, sector: usize, bytes: &[u8]) {
        let start = sector * SECTOR;
        let end = (start + SECTOR).min(self.durable.len());
        if start < end {
            self.durable[start..end].copy_from_slice(&bytes[..end - start]);
        }
    }

    pub(super) fn lose_unsynced(&mut self, rng: &mut ChaCha8Rng) {
        let lens = std::mem::take(&mut self.unsynced_lens);
        let chosen = rng.random_range(0..=lens.len());
        if let Some(len) = chosen.checked_sub(1) {
            self.durable.resize(lens[len], 0);
        }
        for (sector, states) in std::mem::take(&mut self.unsynced) {
            let chosen = rng.random_range(0..=states.len());
            if let Some(state) = chosen.checked_sub(1) {
                self.put_sector(sector, &states[state]);
            }
        }
        self.memory = self.durable.clone();
    }
}
