//! How the models of `attribution` share a conversion among its touches. Knows no Arrow and no SQL.

use datafusion::common::{Result, exec_err};

/// How much each touch counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Model {
    First,
    Last,
    Linear,
    /// Shares of the first and the last touch; the others have the rest in equal parts.
    Position {
        first: f64,
        last: f64,
    },
    /// A touch counts half of one that is this many days later.
    TimeDecay {
        half_life: f64,
    },
}

/// A model, and how many days before the conversion a touch counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rules {
    pub(super) model: Model,
    pub(super) lookback: Option<f64>,
}

impl Rules {
    /// `options` is text such as 'half_life_days=7, lookback_days=30'.
    ///
    /// # Errors
    /// For a model or an option that does not exist, or is not one of this model.
    pub(super) fn new(function: &str, model: &str, options: &str) -> Result<Self> {
        let mut rules = Self { model: named(function, model)?, lookback: None };
        for option in options.split(',').map(str::trim).filter(|option| !option.is_empty()) {
            let refused =
                |why: &str| -> Result<f64> { exec_err!("{function}: argument 6 (options) has '{option}': {why}") };
            let Some((key, text)) = option.split_once('=').map(|(key, text)| (key.trim(), text.trim())) else {
                refused("an option is name=number")?;
                continue;
            };
            let value = match text.parse::<f64>() {
                Ok(value) if value.is_finite() => value,
                _ => refused("an option is name=number")?,
            };
            let days = |value: f64| if value > 0.0 { Ok(value) } else { refused("days must be above 0") };
            let share =
                |value: f64| if (0.0..=1.0).contains(&value) { Ok(value) } else { refused("a share is 0 to 1") };
            match (key, &mut rules.model) {
                ("lookback_days", _) => rules.lookback = Some(days(value)?),
                ("half_life_days", Model::TimeDecay { half_life }) => *half_life = days(value)?,
                ("first_share", Model::Position { first, .. }) => *first = share(value)?,
                ("last_share", Model::Position { last, .. }) => *last = share(value)?,
                _ => {
                    refused(
                        "there are lookback_days, half_life_days (of 'time_decay'), first_share and last_share (of 'position')",
                    )?;
                }
            }
        }
        match rules.model {
            Model::Position { first, last } if first + last > 1.0 => {
                exec_err!("{function}: argument 6 (options) is '{options}': first_share and last_share exceed 1")
            }
            _ => Ok(rules),
        }
    }
}

fn named(function: &str, model: &str) -> Result<Model> {
    Ok(match model {
        "first" => Model::First,
        "last" => Model::Last,
        "linear" => Model::Linear,
        "position" => Model::Position { first: 0.4, last: 0.4 },
        "time_decay" => Model::TimeDecay { half_life: 7.0 },
        other => {
            return exec_err!(
                "{function}: argument 1 (model) is '{other}'; use 'first', 'last', 'linear', 'position' or 'time_decay'"
            );
        }
    })
}

impl Model {
    /// The weight of each touch; `days` are those from touch to conversion, the earliest touch first.
    pub(super) fn weights(self, days: &[f64]) -> Vec<f64> {
        let last_place = days.len().saturating_sub(1);
        let days_of_last = days.last().copied().unwrap_or_default();
        let weight = |(place, days): (usize, &f64)| match self {
            Model::First => f64::from(u8::from(place == 0)),
            Model::Last => f64::from(u8::from(place == last_place)),
            Model::Linear => 1.0,
            Model::Position { first, last } => position(first, last, place, last_place),
            // Counted from the last touch, so that a weight is never too small to count.
            Model::TimeDecay { half_life } => (-(days - days_of_last) / half_life).exp2(),
        };
        days.iter().enumerate().map(weight).collect()
    }
}

/// Two touches share in proportion to their shares, and a single one has all.
fn position(first: f64, last: f64, place: usize, last_place: usize) -> f64 {
    if last_place == 0 || (last_place == 1 && first + last == 0.0) {
        return 1.0;
    }
    match place {
        0 => first,
        _ if place == last_place => last,
        _ => (1.0 - first - last) / (last_place - 1) as f64,
    }
}

/// Parts of a whole number by weights that add up to more than 0: together exactly the whole.
pub(super) fn shares(whole: i128, weights: &[f64]) -> Vec<i128> {
    let total: f64 = weights.iter().sum();
    let mut passed = 0.0;
    let mut given = 0;
    let part = |(place, weight): (usize, &f64)| {
        passed += weight;
        let reached = match place + 1 == weights.len() {
            true => whole,
            false => (whole as f64 * (passed / total)).round() as i128,
        };
        let part = reached - given;
        given = reached;
        part
    };
    weights.iter().enumerate().map(part).collect()
}
