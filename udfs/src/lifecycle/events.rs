//! The events of many groups in three columns: group, time, and one bit for each condition that the row met. What the
//! aggregates over time keep as their state; knows nothing of what is made of it.
//!
//! An event costs 12 bytes and one for every eight conditions. Events lie in the order of arrival and are brought
//! together by group, and sorted by time where they do not arrive so, once, when the result is wanted.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, LargeBinaryArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::common::{Result, resources_err};
use datafusion::logical_expr::EmitTo;

use super::arguments::damaged;

/// The most events that one group may hold.
pub(super) const MOST_EVENTS: usize = 1 << 24;
const TIME: usize = size_of::<i64>();

#[derive(Debug, Clone)]
pub(super) struct EventLog {
    function: &'static str,
    /// Bytes of a row of `masks`.
    width: usize,
    /// Rows that meet no condition are kept too.
    keep_all: bool,
    /// Groups seen, events or not.
    count: usize,
    groups: Vec<u32>,
    times: Vec<i64>,
    masks: Vec<u8>,
    /// Groups never decrease: the events of each lie together already.
    together: bool,
}

/// The times of events, whichever type they came in.
pub(super) fn times_of(times: &ArrayRef) -> (&[i64], Option<&NullBuffer>) {
    match times.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(instants) => (instants.values(), instants.nulls()),
        None => (times.as_primitive::<Int64Type>().values(), times.nulls()),
    }
}

/// Where a condition holds: NULL is false.
pub(super) fn truths(condition: &BooleanArray) -> BooleanBuffer {
    match condition.nulls() {
        Some(valid) => condition.values() & valid.inner(),
        None => condition.values().clone(),
    }
}

/// One row of bits for each row: `width` bytes, the first condition in the lowest bit of the first.
fn masks_of(conditions: &[BooleanBuffer], rows: usize, width: usize) -> Vec<u8> {
    let mut masks = vec![0; rows * width];
    for (place, condition) in conditions.iter().enumerate() {
        for row in condition.set_indices() {
            masks[row * width + place / 8] |= 1 << (place % 8);
        }
    }
    masks
}

/// The rows of a batch that are events, with their conditions.
struct Rows {
    wanted: BooleanBuffer,
    masks: Vec<u8>,
}

impl EventLog {
    pub(super) fn new(function: &'static str, conditions: usize, keep_all: bool) -> Self {
        let width = conditions.div_ceil(8);
        let (groups, times, masks) = (Vec::new(), Vec::new(), Vec::new());
        Self { function, width, keep_all, count: 0, groups, times, masks, together: true }
    }

    /// An empty one of the same kind.
    pub(super) fn like(&self) -> Self {
        let (groups, times, masks) = (Vec::new(), Vec::new(), Vec::new());
        Self { count: 0, groups, times, masks, together: true, ..*self }
    }

    pub(super) fn set_count(&mut self, count: usize) {
        self.count = count;
    }

    /// Bytes held, and those that bringing groups together will take.
    pub(super) fn size(&self) -> usize {
        let held = self.groups.capacity() * size_of::<u32>() + self.times.capacity() * TIME + self.masks.capacity();
        let later = if self.together { 0 } else { self.times.len() * (TIME + self.width) };
        held + later
    }

    /// Notes the group of the next event; `last` is that of the one before.
    fn enter(&mut self, last: u32, group: usize) -> Result<u32> {
        let Ok(group) = u32::try_from(group) else {
            return resources_err!("{}: more than 2^32 groups", self.function);
        };
        self.together &= last <= group;
        self.groups.push(group);
        Ok(group)
    }

    fn events_in(&self, times: &ArrayRef, conditions: &[ArrayRef], filter: Option<&BooleanArray>) -> Rows {
        let rows = times.len();
        let conditions: Vec<BooleanBuffer> =
            conditions.iter().map(|condition| truths(condition.as_boolean())).collect();
        let mut wanted = match self.keep_all {
            true => BooleanBuffer::new_set(rows),
            false => conditions.iter().fold(BooleanBuffer::new_unset(rows), |any, condition| &any | condition),
        };
        if let Some(valid) = times.nulls() {
            wanted &= valid.inner();
        }
        if let Some(filter) = filter {
            wanted &= &truths(filter);
        }
        Rows { wanted, masks: masks_of(&conditions, rows, self.width) }
    }

    /// Takes in rows: `group_of` gives the group of each.
    pub(super) fn update(
        &mut self,
        times: &ArrayRef,
        conditions: &[ArrayRef],
        filter: Option<&BooleanArray>,
        group_of: impl Fn(usize) -> usize,
    ) -> Result<()> {
        let rows = self.events_in(times, conditions, filter);
        let (times, _) = times_of(times);
        let more = rows.wanted.count_set_bits();
        self.groups.reserve(more);
        self.times.reserve(more);
        self.masks.reserve(more * self.width);
        let mut last = self.groups.last().copied().unwrap_or(0);
        for row in rows.wanted.set_indices() {
            last = self.enter(last, group_of(row))?;
            self.times.push(times[row]);
        }
        match self.width {
            // Mostly: one byte need not be copied as a slice.
            1 => self.masks.extend(rows.wanted.set_indices().map(|row| rows.masks[row])),
            width => {
                let masks = rows.wanted.set_indices().map(|row| &rows.masks[row * width..(row + 1) * width]);
                masks.for_each(|mask| self.masks.extend_from_slice(mask));
            }
        }
        Ok(())
    }

    /// The state of each row on its own, for [`EventLog::merge`].
    pub(super) fn row_states(
        &self,
        times: &ArrayRef,
        conditions: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<LargeBinaryArray> {
        let rows = self.events_in(times, conditions, filter);
        let (times, _) = times_of(times);
        let mut bytes = Vec::with_capacity(rows.wanted.count_set_bits() * (TIME + self.width));
        let lengths = rows.wanted.iter().map(|wanted| if wanted { TIME + self.width } else { 0 });
        let offsets = OffsetBuffer::from_lengths(lengths);
        for row in rows.wanted.set_indices() {
            bytes.extend_from_slice(&times[row].to_le_bytes());
            bytes.extend_from_slice(&rows.masks[row * self.width..(row + 1) * self.width]);
        }
        Ok(LargeBinaryArray::try_new(offsets, bytes.into(), None)?)
    }

    /// Takes in states of [`Grouped::states`].
    ///
    /// # Errors
    /// For bytes that are no whole events.
    pub(super) fn merge(&mut self, states: &ArrayRef, group_of: impl Fn(usize) -> usize) -> Result<()> {
        let mut last = self.groups.last().copied().unwrap_or(0);
        for (row, state) in states.as_binary::<i64>().iter().enumerate() {
            let state = state.unwrap_or_default();
            let group = group_of(row);
            if !state.len().is_multiple_of(TIME + self.width) {
                return Err(damaged(self.function));
            }
            for event in state.chunks_exact(TIME + self.width) {
                let Some((time, mask)) = event.split_first_chunk() else { return Err(damaged(self.function)) };
                last = self.enter(last, group)?;
                self.times.push(i64::from_le_bytes(*time));
                self.masks.extend_from_slice(mask);
            }
        }
        Ok(())
    }

    /// Takes out the groups that are emitted; the others move down.
    pub(super) fn take(&mut self, emit: EmitTo) -> Result<Grouped> {
        let emitted = match emit {
            EmitTo::All => self.count,
            EmitTo::First(count) => count,
        };
        self.count -= emitted.min(self.count);
        let taken = self.split(emitted);
        let mut starts = vec![0_usize; emitted + 1];
        for group in &taken.groups {
            starts[*group as usize + 1] += 1;
        }
        if starts.iter().any(|events| *events > MOST_EVENTS) {
            return resources_err!("{}: a group has more than {MOST_EVENTS} rows", self.function);
        }
        let mut before = 0;
        for start in &mut starts {
            before += *start;
            *start = before;
        }
        let (times, masks) = match taken.together {
            true => (taken.times, taken.masks),
            false => taken.scattered(&starts),
        };
        Ok(Grouped { width: self.width, starts, times, masks, order: Vec::new() })
    }

    /// The events of groups below `first`; the others stay.
    fn split(&mut self, first: usize) -> Self {
        let empty = self.like();
        let kept = match self.together {
            // Those of the first groups lie in front.
            true => self.groups.partition_point(|group| (*group as usize) < first),
            false => self.groups.iter().filter(|group| (**group as usize) < first).count(),
        };
        if kept == self.groups.len() {
            return std::mem::replace(self, Self { count: self.count, ..empty });
        }
        let mut rest = Self { count: self.count, ..empty.clone() };
        let mut taken = empty;
        for (place, group) in self.groups.iter().enumerate() {
            let (to, group) = match (*group as usize).checked_sub(first) {
                Some(after) => (&mut rest, after as u32),
                None => (&mut taken, *group),
            };
            to.together &= to.groups.last().is_none_or(|last| *last <= group);
            to.groups.push(group);
            to.times.push(self.times[place]);
            to.masks.extend_from_slice(&self.masks[place * self.width..(place + 1) * self.width]);
        }
        *self = rest;
        taken
    }

    /// Times and masks with each group's together, in the order of arrival within it.
    fn scattered(self, starts: &[usize]) -> (Vec<i64>, Vec<u8>) {
        let mut next = starts.to_vec();
        let (mut times, mut masks) = (vec![0; self.times.len()], vec![0; self.masks.len()]);
        for (place, group) in self.groups.iter().enumerate() {
            let to = next[*group as usize];
            next[*group as usize] += 1;
            times[to] = self.times[place];
            let mask = &self.masks[place * self.width..(place + 1) * self.width];
            masks[to * self.width..(to + 1) * self.width].copy_from_slice(mask);
        }
        (times, masks)
    }
}

/// Events by group.
#[derive(Debug)]
pub(super) struct Grouped {
    width: usize,
    /// Where each group's events begin; one more than there are groups.
    starts: Vec<usize>,
    times: Vec<i64>,
    masks: Vec<u8>,
    /// Room for sorting: time, the highest bytes of the mask as a number, place.
    order: Vec<(i64, u64, u32)>,
}

/// The events of one group in order of time; those at one time by their conditions, lower ones first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeline<'a> {
    pub(super) times: &'a [i64],
    masks: &'a [u8],
    width: usize,
}

impl Timeline<'_> {
    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    /// One bit a condition, the first in the lowest bit of the first byte. `event` is below the number of events.
    pub(super) fn mask(&self, event: usize) -> &[u8] {
        &self.masks[event * self.width..(event + 1) * self.width]
    }

    /// Whether an event met a condition, counted from 0.
    pub(super) fn met(&self, event: usize, condition: usize) -> bool {
        self.mask(event)[condition / 8] >> (condition % 8) & 1 == 1
    }

    fn is_sorted(&self) -> bool {
        let in_order = |event: usize| match self.times[event].cmp(&self.times[event + 1]) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => self.mask(event).iter().rev().le(self.mask(event + 1).iter().rev()),
            std::cmp::Ordering::Greater => false,
        };
        (0..self.len().saturating_sub(1)).all(in_order)
    }
}

impl Grouped {
    pub(super) fn groups(&self) -> usize {
        self.starts.len() - 1
    }

    /// The events of a group, sorted now if they did not come so.
    pub(super) fn timeline(&mut self, group: usize) -> Timeline<'_> {
        let (start, end) = (self.starts[group], self.starts[group + 1]);
        let masks = start * self.width..end * self.width;
        let view = Timeline { times: &self.times[start..end], masks: &self.masks[masks.clone()], width: self.width };
        if !view.is_sorted() {
            self.sort(start, end);
        }
        Timeline { times: &self.times[start..end], masks: &self.masks[masks], width: self.width }
    }

    fn sort(&mut self, start: usize, end: usize) {
        let width = self.width;
        let masks = self.masks[start * width..end * width].to_vec();
        let mask = |place: u32| &masks[place as usize * width..(place as usize + 1) * width];
        self.order.clear();
        self.order.extend(self.times[start..end].iter().enumerate().map(|(place, time)| {
            // A group has at most 2^24 events.
            let place = place as u32;
            let highest = mask(place).iter().rev().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
            (*time, highest, place)
        }));
        self.order.sort_unstable_by(|left, right| {
            let by_mask = || mask(left.2).iter().rev().cmp(mask(right.2).iter().rev());
            (left.0, left.1).cmp(&(right.0, right.1)).then_with(by_mask)
        });
        for (offset, (time, _, place)) in self.order.iter().enumerate() {
            self.times[start + offset] = *time;
            self.masks[(start + offset) * width..(start + offset + 1) * width].copy_from_slice(mask(*place));
        }
    }

    /// Each group's events as bytes, for [`EventLog::merge`].
    pub(super) fn states(&self) -> Result<LargeBinaryArray> {
        let event = TIME + self.width;
        let mut bytes = Vec::with_capacity(self.times.len() * event);
        for (place, time) in self.times.iter().enumerate() {
            bytes.extend_from_slice(&time.to_le_bytes());
            bytes.extend_from_slice(&self.masks[place * self.width..(place + 1) * self.width]);
        }
        let offsets = OffsetBuffer::from_lengths(self.starts.windows(2).map(|pair| (pair[1] - pair[0]) * event));
        Ok(LargeBinaryArray::try_new(offsets, bytes.into(), None)?)
    }
}
