//! Writes portable 32-bit Roaring bytes. Equal sets give equal bytes however they were made: every container takes the
//! smallest shape, an array when as small as its runs. Must not know: expressions.

use super::container::{Container, MAX_ARRAY, Value, WORDS, Word, WorkWords, run_bounds, value, word};
use super::error::{Error, Result};
use super::scratch::Scratch;
use super::simd::set_values;
use super::view::{BitmapRef, COOKIE_PLAIN, COOKIE_RUNS, OFFSETS_FROM};

/// Which containers are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encoding {
    /// Run containers where they are smaller, as after CRoaring's `runOptimize`.
    #[default]
    Optimized,
    /// Arrays and bitsets only.
    WithoutRuns,
}

/// Takes containers in ascending order of keys.
pub(crate) struct Writer {
    encoding: Encoding,
    budget: u64,
    descriptors: Vec<[u8; 4]>,
    is_run: Vec<bool>,
    ends: Vec<usize>,
    payload: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(encoding: Encoding, budget: u64) -> Self {
        let (descriptors, is_run, ends, payload) = Default::default();
        Writer { encoding, budget, descriptors, is_run, ends, payload }
    }

    /// Adds the container of `key`; without members it is left out.
    pub(crate) fn push(&mut self, key: u32, container: Container<'_>) -> Result<()> {
        let card = container.count();
        if card == 0 {
            return Ok(());
        }
        let plain = if card as usize <= MAX_ARRAY { 2 * card as usize } else { 8 * WORDS };
        let runs = match self.encoding {
            Encoding::Optimized => Some(container.run_count()).filter(|runs| 2 + 4 * runs < plain),
            Encoding::WithoutRuns => None,
        };
        self.check_budget(runs.map_or(plain, |runs| 2 + 4 * runs))?;
        match (runs, container) {
            (Some(runs), _) => {
                self.payload.extend_from_slice(&(runs as u16).to_le_bytes());
                write_runs(container, &mut self.payload);
            }
            (None, Container::Array(values)) => self.payload.extend_from_slice(values.as_flattened()),
            (None, Container::Bitset(words)) if card as usize > MAX_ARRAY => {
                self.payload.extend_from_slice(words.as_flattened());
            }
            (None, _) if card as usize <= MAX_ARRAY => {
                container.for_each(|member| self.payload.extend_from_slice(&member.to_le_bytes()));
            }
            (None, _) => {
                let mut scratch = Scratch::new();
                scratch.set(container);
                self.payload.extend_from_slice(scratch.make_bitset().as_flattened());
            }
        }
        self.describe(key, card, runs.is_some());
        Ok(())
    }

    /// Adds a container as it is stored.
    pub(crate) fn copy(&mut self, view: &BitmapRef<'_>, index: usize) -> Result<()> {
        let container = view.container(index);
        let bytes = match container {
            Container::Array(values) => values.as_flattened(),
            Container::Bitset(words) => words.as_flattened(),
            Container::Runs(runs) => runs.as_flattened(),
        };
        self.check_budget(bytes.len() + 2)?;
        if let Container::Runs(runs) = container {
            self.payload.extend_from_slice(&(runs.len() as u16).to_le_bytes());
        }
        self.payload.extend_from_slice(bytes);
        self.describe(view.key(index), view.card(index), matches!(container, Container::Runs(_)));
        Ok(())
    }

    fn check_budget(&self, more: usize) -> Result<()> {
        let needed = (self.payload.len() + more + 8 * (self.descriptors.len() + 1)) as u64;
        if needed > self.budget { Err(Error::OverBudget { needed, budget: self.budget }) } else { Ok(()) }
    }

    fn describe(&mut self, key: u32, card: u32, is_run: bool) {
        let (key, more) = ((key as u16).to_le_bytes(), ((card - 1) as u16).to_le_bytes());
        self.descriptors.push([key[0], key[1], more[0], more[1]]);
        self.is_run.push(is_run);
        self.ends.push(self.payload.len());
    }

    /// Adds what another writer took, all of it with higher keys.
    pub(crate) fn append(&mut self, other: Writer) -> Result<()> {
        self.check_budget(other.payload.len() + 8 * other.descriptors.len())?;
        self.ends.extend(other.ends.iter().map(|end| end + self.payload.len()));
        self.descriptors.extend(other.descriptors);
        self.is_run.extend(other.is_run);
        self.payload.extend(other.payload);
        Ok(())
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let count = self.descriptors.len();
        let has_runs = self.is_run.contains(&true);
        let has_offsets = !has_runs || count >= OFFSETS_FROM;
        let header = 4 + if has_runs { count.div_ceil(8) } else { 4 } + count * if has_offsets { 8 } else { 4 };
        let mut bytes = Vec::with_capacity(header + self.payload.len());
        if has_runs {
            bytes.extend_from_slice(&(COOKIE_RUNS | (count as u32 - 1) << 16).to_le_bytes());
            for flags in self.is_run.chunks(8) {
                bytes.push(flags.iter().enumerate().fold(0, |byte, (at, flag)| byte | u8::from(*flag) << at));
            }
        } else {
            bytes.extend_from_slice(&COOKIE_PLAIN.to_le_bytes());
            bytes.extend_from_slice(&(count as u32).to_le_bytes());
        }
        bytes.extend_from_slice(self.descriptors.as_flattened());
        if has_offsets && count > 0 {
            let starts = std::iter::once(&0).chain(&self.ends[..count - 1]);
            starts.for_each(|start| bytes.extend_from_slice(&((header + start) as u32).to_le_bytes()));
        }
        bytes.extend_from_slice(&self.payload);
        bytes
    }
}

/// Maximal runs of the container, as the format has them.
fn write_runs(container: Container<'_>, out: &mut Vec<u8>) {
    let mut open: Option<(u32, u32)> = None;
    let mut write = |from: u32, to: u32| match open {
        Some((start, end)) if end == from => open = Some((start, to)),
        _ => {
            if let Some((start, end)) = open.replace((from, to)) {
                out.extend_from_slice(&super::container::run(start, end));
            }
        }
    };
    match container {
        Container::Runs(runs) => run_bounds(runs).for_each(|(from, to)| write(from, to)),
        Container::Array(values) => {
            values.iter().for_each(|v| write(u32::from(value(*v)), u32::from(value(*v)) + 1));
        }
        Container::Bitset(words) => bitset_runs(words, &mut write),
    }
    if let Some((start, end)) = open {
        out.extend_from_slice(&super::container::run(start, end));
    }
}

fn bitset_runs(words: &[Word; WORDS], write: &mut impl FnMut(u32, u32)) {
    for (at, bytes) in words.iter().enumerate() {
        let (mut bits, base) = (word(*bytes), at as u32 * 64);
        while bits != 0 {
            let from = bits.trailing_zeros();
            let length = (!(bits >> from)).trailing_zeros().min(64 - from);
            write(base + from, base + from + length);
            bits &= if from + length == 64 { 0 } else { u64::MAX << (from + length) };
        }
    }
}

/// The bytes of ascending ids; an id equal to the one before it is left out. `Err` when one is below.
pub fn from_sorted(ids: impl IntoIterator<Item = u32>) -> Result<Vec<u8>> {
    let mut writer = Writer::new(Encoding::Optimized, u64::MAX);
    let (mut key, mut last) = (0, None);
    let mut values: Vec<Value> = Vec::new();
    for id in ids {
        if last.is_some_and(|last| id <= last) {
            if last == Some(id) {
                continue;
            }
            return Err(Error::Argument("the ids do not ascend"));
        }
        if id >> 16 != key {
            write_values(&mut writer, key, &values)?;
            values.clear();
            key = id >> 16;
        }
        values.push((id as u16).to_le_bytes());
        last = Some(id);
    }
    write_values(&mut writer, key, &values)?;
    Ok(writer.finish())
}

/// Values of one key, which may be more than an array container holds.
pub(crate) fn write_values(writer: &mut Writer, key: u32, values: &[Value]) -> Result<()> {
    if values.len() <= MAX_ARRAY {
        return writer.push(key, Container::Array(values));
    }
    let mut words = WorkWords::zeros();
    set_values(&mut words, values);
    writer.push(key, Container::Bitset(&words))
}

/// The bytes of ids in any order, repeated or not.
pub fn from_ids(mut ids: Vec<u32>) -> Vec<u8> {
    if !ids.is_sorted() {
        ids.sort_unstable();
    }
    // Sorted ids are what `from_sorted` asks for, and there is no budget to pass.
    from_sorted(ids).unwrap_or_else(|_| super::view::EMPTY.to_vec())
}

/// Appends the bytes of ascending ids without repeats, without lists in between; false, and nothing, where they are many
/// or one of their containers is smaller as runs.
pub(crate) fn write_few(ids: &[u32], out: &mut Vec<u8>) -> bool {
    let containers = || ids.chunk_by(|a, b| a >> 16 == b >> 16);
    let better_as_runs = |members: &[u32]| {
        let breaks = members.windows(2).filter(|pair| pair[0] + 1 != pair[1]).count();
        2 + 4 * (breaks + 1) < 2 * members.len()
    };
    if ids.len() > MAX_ARRAY || containers().any(better_as_runs) {
        return false;
    }
    let count = containers().count();
    let mut start = 8 + 8 * count;
    out.reserve(start + 2 * ids.len());
    out.extend_from_slice(&COOKIE_PLAIN.to_le_bytes());
    out.extend_from_slice(&(count as u32).to_le_bytes());
    for members in containers() {
        let (key, more) = (((members[0] >> 16) as u16).to_le_bytes(), ((members.len() - 1) as u16).to_le_bytes());
        out.extend_from_slice(&[key[0], key[1], more[0], more[1]]);
    }
    for members in containers() {
        out.extend_from_slice(&(start as u32).to_le_bytes());
        start += 2 * members.len();
    }
    ids.iter().for_each(|id| out.extend_from_slice(&(*id as u16).to_le_bytes()));
    true
}

impl BitmapRef<'_> {
    /// The same set with the smallest containers (or without run containers).
    pub fn rewrite(&self, encoding: Encoding) -> Result<Vec<u8>> {
        let mut writer = Writer::new(encoding, u64::MAX);
        for index in 0..self.containers() {
            writer.push(self.key(index), self.container(index))?;
        }
        Ok(writer.finish())
    }

    /// Runs of consecutive members, for statistics.
    pub fn run_count(&self) -> u64 {
        (0..self.containers()).map(|index| self.container(index).run_count() as u64).sum()
    }
}

/// Joins sets whose members lie in separate, ascending ranges of keys (shards): one header is made anew and the
/// containers are copied as they are. `Err` names the argument when a shard begins at or below the end of the one before.
pub fn join_shards(shards: &[BitmapRef<'_>]) -> Result<Vec<u8>> {
    let mut writer = Writer::new(Encoding::Optimized, u64::MAX);
    let mut least = 0;
    for shard in shards {
        for index in 0..shard.containers() {
            if shard.key(index) < least {
                return Err(Error::Argument("shards overlap or are out of order"));
            }
            least = shard.key(index) + 1;
            writer.copy(shard, index)?;
        }
    }
    Ok(writer.finish())
}
