//! How far a timeline gets in a funnel, as ClickHouse's windowFunnel counts without `strict_once`.

use super::events::Timeline;
use super::funnel_modes::Rules;

/// When a chain of steps began, and when it took its last one.
#[derive(Debug, Clone, Copy)]
struct Chain {
    first: i64,
    last: i64,
}

/// One pass over the events: for each step the chain that reached it last.
#[derive(Debug)]
pub(super) struct Steps {
    rules: Rules,
    /// By step; a step that is reached stays so.
    chains: Vec<Option<Chain>>,
    /// Conditions met by a row at the time in hand, and by two of them.
    any: Vec<u8>,
    twice: Vec<u8>,
}

/// The conditions of a mask, ascending from 0.
pub(super) fn steps_of(mask: &[u8]) -> impl Iterator<Item = usize> + '_ {
    mask.iter()
        .enumerate()
        .flat_map(|(byte, bits)| (0..8).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| byte * 8 + bit))
}

impl Steps {
    pub(super) fn new(rules: Rules) -> Self {
        let width = rules.steps.div_ceil(8);
        Self { chains: vec![None; rules.steps], any: vec![0; width], twice: vec![0; width], rules }
    }

    /// The number of steps reached.
    pub(super) fn reached(&mut self, timeline: Timeline<'_>) -> usize {
        self.chains.fill(None);
        let mut start = 0;
        while start < timeline.len() {
            let time = timeline.times[start];
            let mut end = start + 1;
            while end < timeline.len() && timeline.times[end] == time {
                end += 1;
            }
            if let Some(reached) = self.at_one_time(timeline, start, end, time) {
                return reached;
            }
            start = end;
        }
        self.highest()
    }

    /// Takes the rows at one time; the result, if it is known now.
    fn at_one_time(&mut self, timeline: Timeline<'_>, start: usize, end: usize, time: i64) -> Option<usize> {
        // A row that meets nothing comes before all others of its time.
        let nothing = |event: usize| timeline.mask(event).iter().all(|byte| *byte == 0);
        if self.rules.order && self.chains[0].is_some() && (start..end).any(nothing) {
            return Some(self.highest());
        }
        if end - start == 1 {
            return (0..self.any.len()).find_map(|byte| self.eight_steps(byte, timeline.mask(start)[byte], 0, time));
        }
        self.any.fill(0);
        self.twice.fill(0);
        for event in start..end {
            for ((any, twice), byte) in self.any.iter_mut().zip(&mut self.twice).zip(timeline.mask(event)) {
                *twice |= *any & byte;
                *any |= byte;
            }
        }
        (0..self.any.len()).find_map(|byte| self.eight_steps(byte, self.any[byte], self.twice[byte], time))
    }

    /// Takes events that meet the conditions of up to eight steps; `twice` has those that two rows meet.
    fn eight_steps(&mut self, byte: usize, mut any: u8, twice: u8, time: i64) -> Option<usize> {
        while any != 0 {
            let bit = any.trailing_zeros() as usize;
            any &= any - 1;
            // More than two of a kind say no more than two, and without deduplication one.
            let times = if self.rules.deduplication && twice >> bit & 1 == 1 { 2 } else { 1 };
            for _ in 0..times {
                let reached = self.step(byte * 8 + bit, time);
                if reached.is_some() {
                    return reached;
                }
            }
        }
        None
    }

    /// Takes an event that meets the condition of a step; the result, if it is known now.
    fn step(&mut self, step: usize, time: i64) -> Option<usize> {
        let Some(before) = step.checked_sub(1) else {
            self.chains[0] = Some(Chain { first: time, last: time });
            return None;
        };
        if self.rules.deduplication && self.chains[step].is_some() {
            return Some(self.highest());
        }
        match self.chains[before] {
            None if self.rules.order && self.chains[0].is_some() && !self.rules.reentry => {
                Some(self.chains.iter().position(Option::is_none).unwrap_or(self.chains.len()))
            }
            None => None,
            Some(chain) => {
                let in_time = time <= chain.first.saturating_add(self.rules.window);
                if in_time && (!self.rules.increase || chain.last < time) {
                    self.chains[step] = Some(Chain { first: chain.first, last: time });
                    return (step + 1 == self.chains.len()).then_some(step + 1);
                }
                None
            }
        }
    }

    /// The highest step that a chain reached, from 1.
    fn highest(&self) -> usize {
        self.chains.iter().rposition(Option::is_some).map_or(0, |step| step + 1)
    }
}
