//! How far a timeline gets in a funnel when one row may serve one step only: ClickHouse's `strict_once`.
//!
//! ClickHouse keeps every chain of steps with the rows that it used; their number is a product over the steps. Rows have
//! one time each, so what a chain used matters only among the rows of the time in hand: afterwards, of the chains that
//! reached a step, the one that began last can do whatever the others can. Rows of one time that meet the same
//! conditions are of one kind, and chains need to know only how many of each kind they used.

use datafusion::common::{Result, resources_err};

use super::events::Timeline;
use super::funnel_modes::Rules;
use super::funnel_steps::steps_of;

/// The most chains that may reach one step at one time.
const MOST_CHAINS: usize = 10_000;

/// A chain whose last step is of the time in hand.
#[derive(Debug, Clone, PartialEq)]
struct Chain {
    first: i64,
    /// The kinds of the rows that it used at this time, sorted; one entry a row.
    used: Vec<u32>,
}

#[derive(Debug, Default)]
struct Step {
    reached: bool,
    /// When the chain that began last, of those that ended before the time in hand, began.
    before: Option<i64>,
    now: Vec<Chain>,
}

#[derive(Debug)]
pub(super) struct Once {
    rules: Rules,
    steps: Vec<Step>,
}

/// Rows of one time that meet the same conditions.
struct Kind<'a> {
    mask: &'a [u8],
    rows: usize,
}

impl Once {
    pub(super) fn new(rules: Rules) -> Self {
        let steps = (0..rules.steps).map(|_| Step::default()).collect();
        Self { rules, steps }
    }

    /// The number of steps reached.
    ///
    /// # Errors
    /// When rows of one time can be combined in too many ways.
    pub(super) fn reached(&mut self, timeline: Timeline<'_>) -> Result<usize> {
        self.steps.fill_with(Step::default);
        let mut start = 0;
        while start < timeline.len() {
            let time = timeline.times[start];
            let mut kinds: Vec<Kind> = Vec::new();
            let mut end = start;
            while end < timeline.len() && timeline.times[end] == time {
                let mask = timeline.mask(end);
                match kinds.last_mut() {
                    Some(kind) if kind.mask == mask => kind.rows += 1,
                    _ => kinds.push(Kind { mask, rows: 1 }),
                }
                end += 1;
            }
            if let Some(reached) = self.at_one_time(&kinds, time)? {
                return Ok(reached);
            }
            self.pass_time();
            start = end;
        }
        Ok(self.highest())
    }

    fn at_one_time(&mut self, kinds: &[Kind], time: i64) -> Result<Option<usize>> {
        let nothing = |kind: &Kind| kind.mask.iter().all(|byte| *byte == 0);
        if self.rules.order && self.steps[0].reached && kinds.iter().any(nothing) {
            return Ok(Some(self.highest()));
        }
        let mut all = vec![0_u8; self.rules.steps.div_ceil(8)];
        for kind in kinds {
            all.iter_mut().zip(kind.mask).for_each(|(any, byte)| *any |= byte);
        }
        for step in steps_of(&all) {
            for (number, kind) in kinds.iter().enumerate() {
                if kind.mask[step / 8] >> (step % 8) & 1 == 0 {
                    continue;
                }
                // A second row of the kind adds no chain, but deduplication wants to see it.
                let times = if self.rules.deduplication { kind.rows.min(2) } else { 1 };
                for _ in 0..times {
                    let reached = self.step(step, time, number as u32, kind.rows)?;
                    if reached.is_some() {
                        return Ok(reached);
                    }
                }
            }
        }
        Ok(None)
    }

    /// Takes a row that meets the condition of a step; the result, if it is known now.
    fn step(&mut self, step: usize, time: i64, kind: u32, rows: usize) -> Result<Option<usize>> {
        let Some(before) = step.checked_sub(1) else {
            return self.add(0, Chain { first: time, used: vec![kind] }).map(|()| None);
        };
        if self.rules.deduplication && self.steps[step].reached {
            return Ok(Some(self.highest()));
        }
        if !self.steps[before].reached {
            if self.rules.order && self.steps[0].reached && !self.rules.reentry {
                return Ok(Some(self.steps.iter().position(|step| !step.reached).unwrap_or(self.steps.len())));
            }
            return Ok(None);
        }
        for chain in self.longer(before, time, kind, rows) {
            if step + 1 == self.steps.len() {
                return Ok(Some(step + 1));
            }
            self.add(step, chain)?;
        }
        Ok(None)
    }

    /// The chains of a step, each with one more row of a kind.
    fn longer(&self, step: usize, time: i64, kind: u32, rows: usize) -> Vec<Chain> {
        let Step { before, now, .. } = &self.steps[step];
        let in_time = |first: i64| time <= first.saturating_add(self.rules.window);
        let mut chains = Vec::new();
        if let Some(first) = before.filter(|first| in_time(*first)) {
            chains.push(Chain { first, used: vec![kind] });
        }
        if self.rules.increase {
            return chains;
        }
        for chain in now.iter().filter(|chain| in_time(chain.first)) {
            let place = chain.used.partition_point(|used| *used <= kind);
            if chain.used[..place].iter().rev().take_while(|used| **used == kind).count() < rows {
                let mut used = chain.used.clone();
                used.insert(place, kind);
                chains.push(Chain { first: chain.first, used });
            }
        }
        chains
    }

    fn add(&mut self, step: usize, chain: Chain) -> Result<()> {
        let Step { reached, now, .. } = &mut self.steps[step];
        *reached = true;
        if let Some(held) = now.iter_mut().find(|held| held.used == chain.used) {
            held.first = held.first.max(chain.first);
            return Ok(());
        }
        if now.len() == MOST_CHAINS {
            return resources_err!(
                "window_funnel: 'strict_once' finds more than {MOST_CHAINS} ways to combine the rows of one time"
            );
        }
        now.push(chain);
        Ok(())
    }

    fn pass_time(&mut self) {
        for step in &mut self.steps {
            let latest = step.now.drain(..).map(|chain| chain.first).max();
            step.before = step.before.max(latest);
        }
    }

    fn highest(&self) -> usize {
        self.steps.iter().rposition(|step| step.reached).map_or(0, |step| step + 1)
    }
}
