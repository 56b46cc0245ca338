//! The purchase models: log-likelihood with gradient, and what a fitted model predicts for a customer.
//!
//! Notation of the literature: x repeat purchases, t_x the age at the last one, T the age at the end of observation, all
//! in one unit of time. Pure mathematics: knows no Arrow and no SQL.

mod beta_binomial;
mod gamma_gamma;
mod geometric;
mod pareto;

pub(crate) use gamma_gamma::{GammaGamma, SpendRow};

use super::special;

/// What is known of one customer, or of `weight` equal ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    /// x: purchases after the first.
    pub(crate) frequency: u32,
    /// t_x: age at the last purchase; 0 without a repeat.
    pub(crate) recency: f64,
    /// T.
    pub(crate) age: f64,
    pub(crate) weight: u64,
}

/// The families, with the four parameters of each in the order of its paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    /// Fader, Hardie, Lee (2005): r, alpha, a, b; may drop out after each repeat purchase.
    BgNbd,
    /// Batislam, Denizel, Filiztekin (2007): r, alpha, a, b; may drop out after the first purchase, too.
    MbgNbd,
    /// Schmittlein, Morrison, Colombo (1987): r, alpha, s, beta; may drop out at any time.
    ParetoNbd,
    /// Fader, Hardie, Shang (2010): alpha, beta, gamma, delta; discrete opportunities.
    BgBb,
}

pub(crate) type Parameters = [f64; 4];

impl Family {
    pub(crate) const ALL: [Family; 4] = [Family::MbgNbd, Family::BgNbd, Family::ParetoNbd, Family::BgBb];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Family::BgNbd => "bg_nbd",
            Family::MbgNbd => "mbg_nbd",
            Family::ParetoNbd => "pareto_nbd",
            Family::BgBb => "bg_bb",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// Names of the parameters, in order.
    pub(crate) fn parameter_names(self) -> [&'static str; 4] {
        match self {
            Family::BgNbd | Family::MbgNbd => ["r", "alpha", "a", "b"],
            Family::ParetoNbd => ["r", "alpha", "s", "beta"],
            Family::BgBb => ["alpha", "beta", "gamma", "delta"],
        }
    }

    /// Places to begin a search, the likeliest first; `age` is the mean age of the customers.
    pub(crate) fn starts(self, age: f64) -> [Parameters; 2] {
        let age = age.max(1e-6);
        match self {
            Family::BgNbd | Family::MbgNbd => [[0.5, 0.2 * age, 0.8, 2.5], [2.0, age, 0.3, 3.0]],
            Family::ParetoNbd => [[0.6, 0.3 * age, 0.6, 0.3 * age], [2.0, age, 2.0, age]],
            Family::BgBb => [[1.0, 1.0, 1.0, 2.0], [2.0, 2.0, 0.5, 5.0]],
        }
    }
}

/// A family with its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Model {
    pub(crate) family: Family,
    pub(crate) parameters: Parameters,
}

impl Model {
    /// ln L of one customer.
    pub(crate) fn log_likelihood(&self, row: &Row) -> f64 {
        log_likelihood_sum(self.family, &self.parameters, std::slice::from_ref(&Row { weight: 1, ..*row })).0
    }

    /// Probability that the customer will ever buy again.
    pub(crate) fn p_alive(&self, row: &Row) -> f64 {
        match self.family {
            Family::BgNbd => geometric::BG.p_alive(&self.parameters, row),
            Family::MbgNbd => geometric::MBG.p_alive(&self.parameters, row),
            Family::ParetoNbd => pareto::p_alive(&self.parameters, row),
            Family::BgBb => beta_binomial::p_alive(&self.parameters, row),
        }
    }

    /// Discounted expected residual transactions at a continuous rate `discount` a unit of time; for BG/BB the rate is
    /// that of one opportunity, compounded.
    pub(crate) fn discounted_expected_transactions(&self, discount: f64, row: &Row) -> f64 {
        match self.family {
            Family::BgNbd => geometric::BG.discounted_expected_transactions(&self.parameters, discount, row),
            Family::MbgNbd => geometric::MBG.discounted_expected_transactions(&self.parameters, discount, row),
            Family::ParetoNbd => pareto::discounted_expected_transactions(&self.parameters, discount, row),
            Family::BgBb => beta_binomial::discounted_expected_transactions(&self.parameters, discount, row),
        }
    }
}

/// Expected purchases under one model, of many customers or at many times: what depends on a frequency alone is kept.
#[derive(Debug, Clone)]
pub(crate) struct Forecast {
    pub(crate) model: Model,
    series: geometric::Series,
}

impl Forecast {
    pub(crate) fn new(model: Model) -> Self {
        Self { model, series: geometric::Series::default() }
    }

    /// Expected purchases in the next `time` units.
    pub(crate) fn expected_purchases(&mut self, time: f64, row: &Row) -> f64 {
        let parameters = &self.model.parameters;
        match self.model.family {
            Family::BgNbd => geometric::BG.expected_purchases(parameters, time, row, &mut self.series),
            Family::MbgNbd => geometric::MBG.expected_purchases(parameters, time, row, &mut self.series),
            Family::ParetoNbd => pareto::expected_purchases(parameters, time, row),
            Family::BgBb => beta_binomial::expected_purchases(parameters, time, row),
        }
    }

    /// Expected repeat purchases of a customer not yet seen in the first `time` units after the first purchase.
    pub(crate) fn expected_purchases_new(&mut self, time: f64) -> f64 {
        self.expected_purchases(time, &Row { frequency: 0, recency: 0.0, age: 0.0, weight: 1 })
    }
}

/// ln L of all rows, and its derivatives by the parameters. Rows must be sorted by frequency: what depends on it alone is
/// computed once for each value. The order of additions is that of the rows.
pub(crate) fn log_likelihood_sum(family: Family, parameters: &Parameters, rows: &[Row]) -> (f64, Parameters) {
    match family {
        Family::BgNbd => geometric::BG.log_likelihood_sum(parameters, rows),
        Family::MbgNbd => geometric::MBG.log_likelihood_sum(parameters, rows),
        Family::ParetoNbd => pareto::log_likelihood_sum(parameters, rows),
        Family::BgBb => beta_binomial::log_likelihood_sum(parameters, rows),
    }
}

/// `sum += weight * part`, for a likelihood and its gradient.
fn add(sum: &mut (f64, Parameters), weight: u64, value: f64, gradient: &Parameters) {
    let weight = weight as f64;
    sum.0 += weight * value;
    for (total, part) in sum.1.iter_mut().zip(gradient) {
        *total += weight * part;
    }
}

#[cfg(test)]
mod tests;
