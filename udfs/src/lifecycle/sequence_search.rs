//! Searches a timeline for a pattern, as ClickHouse's sequenceMatch, sequenceCount and sequenceMatchEvents do.

use datafusion::common::{Result, resources_err};

use super::events::Timeline;
use super::sequence_pattern::{Action, Distance, Pattern};

/// The most steps of one search, as in ClickHouse: a pattern with times can take very many.
const MOST_STEPS: usize = 1_000_000;

/// A place to go back to: action, event, and the event that times are counted from.
#[derive(Debug, Clone, Copy)]
struct Place {
    action: usize,
    event: usize,
    base: usize,
}

#[derive(Debug)]
pub(super) struct Search {
    function: &'static str,
    pattern: Pattern,
    back: Vec<Place>,
    /// With [`Search::events`]: the events matched so far with their actions, and the most that there were.
    chain: Vec<(i64, usize)>,
    longest: Vec<i64>,
    /// Of the search without times: the actions that may come next.
    active: Vec<bool>,
    next: Vec<bool>,
}

impl Search {
    pub(super) fn new(function: &'static str, pattern: Pattern) -> Self {
        let (back, chain, longest) = (Vec::new(), Vec::new(), Vec::new());
        Self { function, pattern, back, chain, longest, active: Vec::new(), next: Vec::new() }
    }

    /// Whether the pattern is found.
    pub(super) fn matches(&mut self, timeline: Timeline<'_>) -> Result<bool> {
        if !self.pattern.has_time {
            return Ok(self.matches_without_time(timeline));
        }
        Ok(self.could_match(timeline) && self.find(timeline, 0, false)?.0)
    }

    /// How often the pattern is found, one after the other.
    pub(super) fn count(&mut self, timeline: Timeline<'_>) -> Result<i64> {
        let (mut found, mut from) = (0, 0);
        if !self.could_match(timeline) {
            return Ok(0);
        }
        while from < timeline.len() {
            let (matched, after) = self.find(timeline, from, false)?;
            if !matched {
                break;
            }
            found += 1;
            from = after;
        }
        Ok(found)
    }

    /// The times of the longest chain of events that follows the pattern's beginning.
    pub(super) fn events(&mut self, timeline: Timeline<'_>) -> Result<&[i64]> {
        self.chain.clear();
        self.longest.clear();
        self.find(timeline, 0, true)?;
        Ok(&self.longest)
    }

    /// Whether each condition of the pattern is met at all.
    fn could_match(&self, timeline: Timeline<'_>) -> bool {
        self.pattern.actions.iter().all(|action| match action {
            Action::Event(condition) => (0..timeline.len()).any(|event| timeline.met(event, *condition)),
            _ => true,
        })
    }

    /// Without times the pattern is a regular expression: one pass, all ways at once.
    fn matches_without_time(&mut self, timeline: Timeline<'_>) -> bool {
        let actions = &self.pattern.actions;
        let end = actions.len();
        // A gap may be empty: what follows it may come next as well.
        let reach = |active: &mut Vec<bool>| {
            for (place, action) in actions.iter().enumerate() {
                if active[place] && *action == Action::Gap {
                    active[place + 1] = true;
                }
            }
        };
        self.active.clear();
        self.active.resize(end + 1, false);
        self.active[0] = true;
        reach(&mut self.active);
        for event in 0..timeline.len() {
            if self.active[end] {
                return true;
            }
            self.next.clear();
            self.next.resize(end + 1, false);
            for place in (0..end).filter(|place| self.active[*place]) {
                match actions[place] {
                    Action::Gap => self.next[place] = true,
                    Action::Any => self.next[place + 1] = true,
                    Action::Event(condition) => self.next[place + 1] |= timeline.met(event, condition),
                    Action::Time(..) => {}
                }
            }
            std::mem::swap(&mut self.active, &mut self.next);
            reach(&mut self.active);
        }
        self.active[end]
    }

    /// Searches from an event on. Whether the pattern was found, and the event after it.
    ///
    /// `remember` keeps the chain of events; as in ClickHouse it then also tries later events for an action that had
    /// matched, which the other searches do not.
    fn find(&mut self, timeline: Timeline<'_>, from: usize, remember: bool) -> Result<(bool, usize)> {
        let end = timeline.len();
        let mut at = Place { action: 0, event: from, base: from };
        self.back.clear();
        let mut steps = 0;
        while at.action < self.pattern.actions.len() && at.event < end {
            let matched = match self.pattern.actions[at.action] {
                Action::Event(condition) if timeline.met(at.event, condition) => {
                    if remember {
                        self.remember(at, timeline.times[at.event]);
                    }
                    at = Place { action: at.action + 1, event: at.event + 1, base: at.event };
                    true
                }
                Action::Event(_) => false,
                Action::Any => {
                    at = Place { action: at.action + 1, event: at.event + 1, base: at.event };
                    true
                }
                Action::Gap => self.pass(&mut at),
                Action::Time(distance, length) => {
                    let limit = timeline.times[at.base].saturating_add(length);
                    let time = timeline.times[at.event];
                    match distance {
                        Distance::AtMost => time <= limit && self.pass(&mut at),
                        Distance::Below => time < limit && self.pass(&mut at),
                        Distance::AtLeast if time >= limit => self.pass(&mut at),
                        Distance::Above if time > limit => self.pass(&mut at),
                        Distance::Exactly if time == limit => self.pass(&mut at),
                        // A later event may be far enough.
                        _ => {
                            at.event += 1;
                            at.event < end
                        }
                    }
                }
            };
            if !matched && !self.go_back(&mut at, end, remember) {
                break;
            }
            steps += 1;
            if steps > MOST_STEPS {
                return resources_err!("{}: a pattern takes more than {MOST_STEPS} steps in one group", self.function);
            }
        }
        let left = self.pattern.actions.get(at.action..).unwrap_or_default();
        let found = left.iter().all(|action| match action {
            Action::Gap | Action::Time(Distance::AtMost | Distance::Below, _) => true,
            Action::Time(Distance::AtLeast, length) => *length == 0,
            _ => false,
        });
        // What is found in no event still takes one.
        Ok((found, if at.event == from { from + 1 } else { at.event }))
    }

    /// Goes on to the next action, and remembers to come back and take one more event here.
    fn pass(&mut self, at: &mut Place) -> bool {
        self.back.push(*at);
        *at = Place { action: at.action + 1, event: at.event, base: at.event };
        true
    }

    fn remember(&mut self, at: Place, time: i64) {
        self.back.push(at);
        self.chain.push((time, at.action));
        if self.longest.len() < self.chain.len() {
            self.longest.clear();
            self.longest.extend(self.chain.iter().map(|(time, _)| *time));
        }
    }

    fn go_back(&mut self, at: &mut Place, end: usize, remember: bool) -> bool {
        while let Some(place) = self.back.pop() {
            *at = Place { event: place.event + 1, ..place };
            if remember && self.chain.last().is_some_and(|(_, action)| *action >= at.action) {
                self.chain.pop();
            }
            if at.event < end {
                return true;
            }
        }
        false
    }
}
