//! Numeric sets: one i64 a member, bit-sliced, so that ranges, sums, top-k and quantiles are set algebra over slices.
//! Must not know: decimals, SQL.
//!
//! Layout, little endian: the magic `CVNS`, version 1, number of slices (0..=64), two zero bytes, the bias as i64; then a
//! 64-bit portable Roaring map (see `map64`). A value is stored as value - bias, unsigned. The map's upper half is the
//! upper 16 bits of the members, so all slices of 65,536 members lie together; within it, container 0 has the members
//! and container i + 1 those whose bit i is set. Any reader of 64-bit Roaring maps can read it.

use super::container::{Container, Value};
use super::error::{Error, Result, malformed};
use super::expression::Plan;
use super::map64::Map64;
use super::scratch::Scratch;
use super::view::BitmapRef;
use super::writer::{Encoding, Writer, write_values};

const MAGIC: &[u8; 4] = b"CVNS";
const VERSION: u8 = 1;
const HEADER: usize = 16;

/// A checked view of a numeric set.
#[derive(Clone, Debug)]
pub struct NumericRef<'a> {
    slices: u32,
    bias: i64,
    map: Map64<'a>,
}

/// Some members of a block: which block, and the low halves.
type Chosen = (u32, Scratch);

impl<'a> NumericRef<'a> {
    /// Checks the structure.
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        let Some(header) = bytes.first_chunk::<HEADER>() else {
            return malformed(bytes.len(), "the header ends early");
        };
        if !header.starts_with(MAGIC) || header[4] != VERSION {
            return malformed(0, "not a numeric set of version 1");
        }
        if header[5] > 64 || header[6] != 0 || header[7] != 0 {
            return malformed(5, "a numeric set has at most 64 slices and two zero bytes after their number");
        }
        let [_, _, _, _, _, _, _, _, bias @ ..] = *header;
        let map = Map64::new(&bytes[HEADER..]).map_err(|error| match error {
            Error::Malformed { offset, fault } => Error::Malformed { offset: offset + HEADER, fault },
            other => other,
        })?;
        if let Some((high, _)) = map.parts().last().filter(|(high, _)| *high > 0xffff) {
            return Err(Error::TooLarge { value: u64::from(*high) << 16 });
        }
        Ok(NumericRef { slices: u32::from(header[5]), bias: i64::from_le_bytes(bias), map })
    }

    /// See [`BitmapRef::check_contents`]; also that no member without a value has slices.
    pub fn check_contents(&self) -> Result<()> {
        self.map.check_contents().map_err(|error| match error {
            Error::Malformed { offset, fault } => Error::Malformed { offset: offset + HEADER, fault },
            other => other,
        })
    }

    /// Members.
    pub fn count(&self) -> u64 {
        self.map.parts().iter().map(|(_, block)| slice(block, 0).map_or(0, |(_, card)| u64::from(card))).sum()
    }

    /// The members, as portable bytes.
    pub fn members(&self) -> Result<Vec<u8>> {
        self.write(|block, scratch| set_or_clear(scratch, slice(block, 0).map(|(members, _)| members)))
    }

    /// The value of one member.
    pub fn get(&self, id: u32) -> Option<i64> {
        let parts = self.map.parts();
        let (_, block) = parts[parts.binary_search_by_key(&(id >> 16), |(high, _)| *high).ok()?];
        let has = |index| slice(&block, index).is_some_and(|(members, _)| members.contains(id as u16));
        has(0).then(|| self.restore((0..self.slices).fold(0, |bits, at| bits | u64::from(has(at + 1)) << at)))
    }

    fn restore(&self, stored: u64) -> i64 {
        self.bias.wrapping_add(stored as i64)
    }

    /// What a bound is as stored: below all, above all, or among the possible values.
    fn stored(&self, value: i64) -> Option<u64> {
        (value >= self.bias).then(|| value.wrapping_sub(self.bias) as u64)
    }

    fn largest(&self) -> u64 {
        if self.slices == 0 { 0 } else { u64::MAX >> (64 - self.slices) }
    }

    /// Makes `out` the members of a block whose stored value is above `bound`. From the lowest bit: above so far, and
    /// the bit decides where the bound has none, or must be there as well where it has one.
    fn above(&self, block: &BitmapRef<'_>, bound: u64, out: &mut Scratch) {
        out.clear();
        for at in 0..self.slices {
            let members = slice(block, at + 1).map(|(members, _)| members);
            match (bound >> at & 1 == 1, members) {
                (true, Some(members)) => out.and(members),
                (true, None) => out.clear(),
                (false, Some(members)) => out.or(members),
                (false, None) => {}
            }
        }
    }

    /// Members with a value in `from ..= to`, as portable bytes.
    pub fn between(&self, from: i64, to: i64) -> Result<Vec<u8>> {
        let high = match self.stored(to) {
            Some(high) if from <= to => high,
            _ => return Ok(super::view::EMPTY.to_vec()),
        };
        let low = self.stored(from).unwrap_or(0);
        self.between_stored(low, high)
    }

    fn between_stored(&self, low: u64, high: u64) -> Result<Vec<u8>> {
        let mut above = Scratch::new();
        self.write(|block, scratch| {
            let Some((members, _)) = slice(block, 0) else { return scratch.clear() };
            if low > self.largest() {
                return scratch.clear();
            }
            match low.checked_sub(1) {
                Some(bound) => {
                    self.above(block, bound, scratch);
                    scratch.and(members);
                }
                None => scratch.set(members),
            }
            if high < self.largest() {
                self.above(block, high, &mut above);
                scratch.andnot(above.as_container());
            }
        })
    }

    fn write(&self, mut fill: impl FnMut(&BitmapRef<'a>, &mut Scratch)) -> Result<Vec<u8>> {
        let mut writer = Writer::new(Encoding::Optimized, u64::MAX);
        let mut scratch = Scratch::new();
        for (key, block) in self.map.parts() {
            fill(block, &mut scratch);
            writer.push(*key, scratch.as_container())?;
        }
        Ok(writer.finish())
    }

    /// Calls with each block and those of its members that are in the audience (all without one).
    fn for_audience(&self, audience: Option<&Plan<'_>>, mut each: impl FnMut(u32, &BitmapRef<'a>, &Scratch)) {
        let mut evaluator = audience.map(super::evaluate::Evaluator::new);
        let mut scratch = Scratch::new();
        for (key, block) in self.map.parts() {
            let Some((members, _)) = slice(block, 0) else { continue };
            scratch.set(members);
            if let Some(evaluator) = &mut evaluator {
                if evaluator.next_key(*key) != *key {
                    continue;
                }
                let part = evaluator.evaluate(*key);
                match part.container() {
                    Some(container) => scratch.and(container),
                    None => scratch.clear(),
                }
                evaluator.release(part);
            }
            each(*key, block, &scratch);
        }
    }

    /// (sum of the values, members) over an audience, or over all members.
    pub fn sum(&self, audience: Option<&Plan<'_>>) -> (i128, u64) {
        let (mut sum, mut count) = (0_i128, 0_u64);
        self.for_audience(audience, |_, block, chosen| {
            let chosen = chosen.as_container();
            count += u64::from(chosen.count());
            for at in 0..self.slices {
                if let Some((members, _)) = slice(block, at + 1) {
                    sum += i128::from(super::pair::count_and(chosen, members)) << at;
                }
            }
        });
        (sum + i128::from(self.bias) * i128::from(count), count)
    }

    /// The members with the k largest values over an audience, exactly k if there are so many; of equal values the lower
    /// members. As portable bytes.
    pub fn top_k(&self, k: u64, audience: Option<&Plan<'_>>) -> Result<Vec<u8>> {
        let mut ties = self.chosen(audience);
        let mut certain: Vec<Chosen> = ties.iter().map(|(key, _)| (*key, Scratch::new())).collect();
        let mut left = k;
        if left == 0 {
            return Ok(super::view::EMPTY.to_vec());
        }
        for at in (0..self.slices).rev() {
            let with_bit = self.count_with_bit(&ties, at);
            for ((key, tie), (_, sure)) in ties.iter_mut().zip(&mut certain) {
                let members = self.slice_of(*key, at);
                if with_bit >= left {
                    and_or_clear(tie, members);
                } else if let Some(members) = members {
                    let mut taken = Scratch::new();
                    taken.set(tie.as_container());
                    taken.and(members);
                    sure.or(taken.as_container());
                    tie.andnot(members);
                }
            }
            left -= if with_bit < left { with_bit } else { 0 };
        }
        let mut writer = Writer::new(Encoding::Optimized, u64::MAX);
        for ((key, mut sure), (_, tie)) in certain.into_iter().zip(ties) {
            let here = u64::from(tie.as_container().count());
            if here <= left {
                sure.or(tie.as_container());
            } else if let Some(last) = (left as u32).checked_sub(1).and_then(|last| tie.as_container().select(last)) {
                let mut lowest = Scratch::new();
                lowest.set(tie.as_container());
                lowest.and(Container::Runs(&[super::container::run(0, u32::from(last) + 1)]));
                sure.or(lowest.as_container());
            }
            left -= here.min(left);
            writer.push(key, sure.as_container())?;
        }
        Ok(writer.finish())
    }

    /// The value with `index` values below or beside it in ascending order, over an audience.
    pub fn nth(&self, index: u64, audience: Option<&Plan<'_>>) -> Option<i64> {
        let mut ties = self.chosen(audience);
        let count: u64 = ties.iter().map(|(_, tie)| u64::from(tie.as_container().count())).sum();
        if index >= count {
            return None;
        }
        // From the top: the value with this many at or above it.
        let (mut left, mut stored) = (count - index, 0_u64);
        for at in (0..self.slices).rev() {
            let with_bit = self.count_with_bit(&ties, at);
            let has = with_bit >= left;
            for (key, tie) in &mut ties {
                match (has, self.slice_of(*key, at)) {
                    (true, members) => and_or_clear(tie, members),
                    (false, Some(members)) => tie.andnot(members),
                    (false, None) => {}
                }
            }
            if has { stored |= 1 << at } else { left -= with_bit }
        }
        Some(self.restore(stored))
    }

    /// The smallest value with at least the share `q` of all values at or below it (as SQL's PERCENTILE_DISC); `q` is
    /// within 0 ..= 1. None without members.
    pub fn quantile(&self, q: f64, audience: Option<&Plan<'_>>) -> Result<Option<i64>> {
        if !(0.0..=1.0).contains(&q) {
            return Err(Error::Argument("a quantile lies within 0 and 1"));
        }
        let count = self.sum_count(audience);
        let index = ((q * count as f64).ceil() as u64).clamp(1, count.max(1)) - 1;
        Ok(self.nth(index, audience))
    }

    fn sum_count(&self, audience: Option<&Plan<'_>>) -> u64 {
        let mut count = 0;
        self.for_audience(audience, |_, _, chosen| count += u64::from(chosen.as_container().count()));
        count
    }

    fn chosen(&self, audience: Option<&Plan<'_>>) -> Vec<Chosen> {
        let mut all = Vec::new();
        self.for_audience(audience, |key, _, chosen| {
            let mut own = Scratch::new();
            own.set(chosen.as_container());
            all.push((key, own));
        });
        all
    }

    fn slice_of(&self, key: u32, at: u32) -> Option<Container<'a>> {
        let parts = self.map.parts();
        let index = parts.binary_search_by_key(&key, |(high, _)| *high).ok()?;
        slice(&parts[index].1, at + 1).map(|(members, _)| members)
    }

    fn count_with_bit(&self, ties: &[Chosen], at: u32) -> u64 {
        let counts = ties.iter().filter_map(|(key, tie)| {
            self.slice_of(*key, at).map(|members| u64::from(super::pair::count_and(tie.as_container(), members)))
        });
        counts.sum()
    }
}

/// Container `key` of a block, and its members by the header.
fn slice<'a>(block: &BitmapRef<'a>, key: u32) -> Option<(Container<'a>, u32)> {
    let index = block.seek(0, key);
    (index < block.containers() && block.key(index) == key).then(|| (block.container(index), block.card(index)))
}

fn set_or_clear(scratch: &mut Scratch, container: Option<Container<'_>>) {
    match container {
        Some(container) => scratch.set(container),
        None => scratch.clear(),
    }
}

fn and_or_clear(scratch: &mut Scratch, container: Option<Container<'_>>) {
    match container {
        Some(container) => scratch.and(container),
        None => scratch.clear(),
    }
}

/// A numeric set of (member, value) pairs in any order; of several values of one member the last counts.
pub fn numeric_from_pairs(mut pairs: Vec<(u32, i64)>) -> Result<Vec<u8>> {
    pairs.sort_by_key(|(id, _)| *id);
    // The last of equal members: keep the later one in place of the earlier.
    pairs.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            earlier.1 = later.1;
        }
        same
    });
    let bias = pairs.iter().map(|(_, value)| *value).min().unwrap_or(0);
    let largest = pairs.iter().map(|(_, value)| value.wrapping_sub(bias) as u64).max().unwrap_or(0);
    let slices = u64::BITS - largest.leading_zeros();
    let blocks: Vec<&[(u32, i64)]> = pairs.chunk_by(|a, b| a.0 >> 16 == b.0 >> 16).collect();
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&[VERSION, slices as u8, 0, 0]);
    bytes.extend_from_slice(&bias.to_le_bytes());
    bytes.extend_from_slice(&(blocks.len() as u64).to_le_bytes());
    let mut members: Vec<Vec<Value>> = vec![Vec::new(); slices as usize + 1];
    for block in blocks {
        members.iter_mut().for_each(Vec::clear);
        for (id, value) in block {
            let low = (*id as u16).to_le_bytes();
            members[0].push(low);
            let mut bits = value.wrapping_sub(bias) as u64;
            while bits != 0 {
                members[bits.trailing_zeros() as usize + 1].push(low);
                bits &= bits - 1;
            }
        }
        let mut writer = Writer::new(Encoding::Optimized, u64::MAX);
        for (key, values) in members.iter().enumerate() {
            write_values(&mut writer, key as u32, values)?;
        }
        bytes.extend_from_slice(&(block[0].0 >> 16).to_le_bytes());
        bytes.extend(writer.finish());
    }
    Ok(bytes)
}
