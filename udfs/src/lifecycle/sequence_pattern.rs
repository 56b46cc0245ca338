//! The pattern language of ClickHouse's sequenceMatch, as text and as actions. Knows no Arrow and no time zones.

use datafusion::common::{Result, exec_err};

use crate::local_time::MICROS_A_SECOND;

/// How far an event is from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distance {
    AtMost,
    Below,
    AtLeast,
    Above,
    Exactly,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// `(?N)`: an event that meets a condition, counted from 0.
    Event(usize),
    /// `.`: an event of any kind.
    Any,
    /// `.*`: any events, or none.
    Gap,
    /// `(?t<=S)` and its siblings: seconds, in the unit of the times.
    Time(Distance, i64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// A pattern begins anywhere: the first action is a gap.
    pub(super) actions: Vec<Action>,
    pub(super) has_time: bool,
}

/// Reads a text from the left.
struct Reader<'a> {
    function: &'a str,
    text: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn number(&mut self) -> Result<u64> {
        let digits = self.rest.len() - self.rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = self.rest.split_at(digits);
        match number.parse() {
            Ok(number) => {
                self.rest = rest;
                Ok(number)
            }
            Err(_) => self.refused("a whole number is expected"),
        }
    }

    /// The message tells the place as the number of characters before it.
    fn refused<T>(&self, why: &str) -> Result<T> {
        let read = self.text[..self.text.len() - self.rest.len()].chars().count();
        exec_err!("{}: argument 1 (pattern) is '{}': {why} after {read} characters", self.function, self.text)
    }
}

impl Pattern {
    /// `conditions` is their number; `in_seconds` says that times count seconds and not microseconds.
    ///
    /// # Errors
    /// For what is no pattern, with the place.
    pub(super) fn new(function: &str, text: &str, conditions: usize, in_seconds: bool) -> Result<Self> {
        let mut reader = Reader { function, text, rest: text };
        let mut actions = vec![Action::Gap];
        if text.is_empty() {
            return reader.refused("'(?N)', '(?t<=S)', '.' or '.*' is expected");
        }
        while !reader.rest.is_empty() {
            let action = if reader.take("(?t") {
                if matches!(actions.last(), Some(Action::Time(..))) {
                    return reader.refused("a time follows an event, '.' or '.*', not a time,");
                }
                time(&mut reader, in_seconds)?
            } else if reader.take("(?") {
                event(&mut reader, conditions)?
            } else if reader.take(".*") {
                Action::Gap
            } else if reader.take(".") {
                Action::Any
            } else {
                return reader.refused("'(?N)', '(?t<=S)', '.' or '.*' is expected");
            };
            actions.push(action);
        }
        let has_time = actions.iter().any(|action| matches!(action, Action::Time(..)));
        Ok(Self { actions, has_time })
    }
}

fn close(reader: &mut Reader) -> Result<()> {
    if reader.take(")") { Ok(()) } else { reader.refused("')' is expected") }
}

fn event(reader: &mut Reader, conditions: usize) -> Result<Action> {
    let number = reader.number()?;
    match usize::try_from(number).ok().filter(|number| (1..=conditions).contains(number)) {
        Some(number) => close(reader).map(|()| Action::Event(number - 1)),
        None => reader.refused(&format!("there is no condition {number}, there are {conditions},")),
    }
}

fn time(reader: &mut Reader, in_seconds: bool) -> Result<Action> {
    // The longer signs first.
    let signs = [
        ("<=", Distance::AtMost),
        ("<", Distance::Below),
        (">=", Distance::AtLeast),
        (">", Distance::Above),
        ("==", Distance::Exactly),
    ];
    let Some((_, distance)) = signs.into_iter().find(|(sign, _)| reader.take(sign)) else {
        return reader.refused("'<=', '<', '>=', '>' or '==' is expected");
    };
    let seconds = i64::try_from(reader.number()?).unwrap_or(i64::MAX);
    close(reader)?;
    let unit = if in_seconds { 1 } else { MICROS_A_SECOND };
    Ok(Action::Time(distance, seconds.saturating_mul(unit)))
}
