//! BG/NBD and MBG/NBD: they differ only in whether a customer may drop out right after the first purchase.
//!
//! Formulas: Fader, Hardie, Lee (Marketing Science 24, 2005); Batislam, Denizel, Filiztekin (IJRM 24, 2007). Expectations
//! after Euler's transformation of ₂F₁, which converges fast and has no cancellation where a + b < 1; where the parameters
//! are so concentrated that it has, a sum of positive terms.

use super::special::{ReducedHypergeometric, digamma, ln_beta, ln_gamma, scaled_exponential_integral};
use super::{Parameters, Row, add, special};

/// One of the two models.
#[derive(Debug, Clone, Copy)]
pub(super) struct Geometric {
    /// A customer may drop out after the first purchase, too.
    first_counts: bool,
}

pub(super) const BG: Geometric = Geometric { first_counts: false };
pub(super) const MBG: Geometric = Geometric { first_counts: true };

/// The series of expected purchases for the lower frequencies, which most customers have; for the others it is made anew.
#[derive(Debug, Clone, Default)]
pub(super) struct Series(Vec<Option<(f64, ReducedHypergeometric)>>);

impl Series {
    const FREQUENCIES: u32 = 256;

    /// c and the sum at w.
    fn at(&mut self, frequency: u32, w: f64, make: impl Fn(f64) -> (f64, ReducedHypergeometric)) -> (f64, f64) {
        let x = f64::from(frequency);
        if frequency >= Self::FREQUENCIES {
            let (c, mut series) = make(x);
            return (c, series.at(w));
        }
        let place = frequency as usize;
        if self.0.len() <= place {
            self.0.resize(place + 1, None);
        }
        let (c, series) = self.0[place].get_or_insert_with(|| make(x));
        (*c, series.at(w))
    }
}

/// Below this p the terms of Euler's series cancel each other; above this e its sum overflows.
const LEAST_P: f64 = -8.0;
const MOST_E: f64 = 30.0;

/// Expected purchases of a customer who is alive, for concentrated parameters: the mean over the number n of purchases that
/// a customer who never drops out would make, a negative binomial with `shape` and `w`, of the purchases before dropping
/// out: the sum over k < n of (stays)_k / (chances)_k. All terms are positive.
fn expected_by_chances(shape: f64, w: f64, ln_rest: f64, stays: f64, chances: f64) -> f64 {
    const MOST_TERMS: u32 = 10_000_000;
    const LARGE: f64 = 1e200;
    // The chance of n purchases, over e^ln_scale.
    let (mut chance, mut ln_scale) = (1.0, shape * ln_rest);
    let (mut purchases, mut step, mut sum) = (0.0, 1.0, 0.0);
    for n in 0..MOST_TERMS {
        let n = f64::from(n);
        purchases += step;
        step *= (stays + n) / (chances + n);
        let growth = (shape + n) / (n + 1.0) * w;
        chance *= growth;
        sum += chance * purchases;
        if growth < 1.0 && chance * purchases <= 1e-17 * (1.0 - growth) * sum {
            return (f64::ln(sum) + ln_scale).exp();
        }
        if sum > LARGE {
            (chance, sum, ln_scale) = (chance / LARGE, sum / LARGE, ln_scale + LARGE.ln());
        }
    }
    f64::NAN
}

/// What a row's likelihood has from its frequency alone.
struct Shared {
    /// Its part of ln L, and the derivatives of that part.
    value: f64,
    gradient: Parameters,
    /// ln of the weight of having dropped out, over that of being alive; -inf when impossible.
    ln_odds: f64,
    /// d ln_odds by a and by b.
    odds_slopes: (f64, f64),
}

impl Geometric {
    /// Odds of dropped out to alive, before the factor of time: a / (b + x - 1), or a / (b + x).
    fn odds(self, [_, _, a, b]: Parameters, x: f64) -> f64 {
        match (self.first_counts, x > 0.0) {
            (true, _) => a / (b + x),
            (false, true) => a / (b + x - 1.0),
            (false, false) => 0.0,
        }
    }

    fn shared(self, parameters: &Parameters, x: f64) -> Shared {
        let [r, alpha, a, b] = *parameters;
        // Number of times that the customer stayed: the beta distribution of p after them is Beta(a, b + stays).
        let stays = if self.first_counts { x + 1.0 } else { x };
        let value = ln_gamma(r + x) - ln_gamma(r) + r * alpha.ln() + ln_beta(a, b + stays) - ln_beta(a, b);
        let by_sum = digamma(a + b) - digamma(a + b + stays);
        let gradient =
            [digamma(r + x) - digamma(r) + alpha.ln(), r / alpha, by_sum, digamma(b + stays) - digamma(b) + by_sum];
        let odds = self.odds(*parameters, x);
        let ln_odds = if odds > 0.0 { odds.ln() } else { f64::NEG_INFINITY };
        let odds_slopes = if odds > 0.0 { (1.0 / a, -odds / a) } else { (0.0, 0.0) };
        Shared { value, gradient, ln_odds, odds_slopes }
    }

    pub(super) fn log_likelihood_sum(self, parameters: &Parameters, rows: &[Row]) -> (f64, Parameters) {
        let [r, alpha, _, _] = *parameters;
        let mut sum = (0.0, [0.0; 4]);
        for group in rows.chunk_by(|left, right| left.frequency == right.frequency) {
            let x = f64::from(group[0].frequency);
            let shared = self.shared(parameters, x);
            for row in group {
                let (at_end, at_last) = (alpha + row.age, alpha + row.recency);
                let (ln_end, ln_last) = (at_end.ln(), at_last.ln());
                // ln L = shared - (r+x) ln(alpha+T) + ln(1 + odds ((alpha+T)/(alpha+t_x))^(r+x))
                let ln_dead = shared.ln_odds + (r + x) * (ln_end - ln_last);
                let dead = 1.0 / (1.0 + (-ln_dead).exp());
                let alive = 1.0 - dead;
                let ln_total = if ln_dead > 0.0 { ln_dead + (-ln_dead).exp().ln_1p() } else { ln_dead.exp().ln_1p() };
                let value = shared.value - (r + x) * ln_end + ln_total;
                let gradient = [
                    shared.gradient[0] - alive * ln_end - dead * ln_last,
                    shared.gradient[1] - (r + x) * (alive / at_end + dead / at_last),
                    shared.gradient[2] + dead * shared.odds_slopes.0,
                    shared.gradient[3] + dead * shared.odds_slopes.1,
                ];
                add(&mut sum, row.weight, value, &gradient);
            }
        }
        sum
    }

    pub(super) fn p_alive(self, parameters: &Parameters, row: &Row) -> f64 {
        let [r, alpha, _, _] = *parameters;
        let x = f64::from(row.frequency);
        let odds = self.odds(*parameters, x);
        if odds == 0.0 {
            return 1.0;
        }
        1.0 / (1.0 + odds * ((r + x) * ((alpha + row.age) / (alpha + row.recency)).ln()).exp())
    }

    pub(super) fn expected_purchases(self, parameters: &Parameters, time: f64, row: &Row, series: &mut Series) -> f64 {
        let [r, alpha, a, b] = *parameters;
        let w = time / (alpha + row.age + time);
        // alpha + T over alpha + T + t: not 1 - w, which loses digits for large t.
        let ln_rest = ((alpha + row.age) / (alpha + row.age + time)).ln();
        let e = a - 1.0;
        let p_alive = self.p_alive(parameters, row);
        if a + b - 1.0 - r < LEAST_P || e > MOST_E {
            let x = f64::from(row.frequency);
            let stays = if self.first_counts { x + 1.0 } else { x };
            return p_alive * expected_by_chances(r + x, w, ln_rest, b + stays, a + b + stays);
        }
        let grown = (e * ln_rest).exp_m1();
        let reduced = if e == 0.0 { ln_rest } else { grown / e };
        let power = if grown > -0.5 { 1.0 + grown } else { (e * ln_rest).exp() };
        let (c, sum) = series.at(row.frequency, w, |x| self.series(parameters, x));
        p_alive * (-c * reduced - power * sum)
    }

    /// The series of the expected purchases, and its c.
    fn series(self, [r, _, a, b]: &Parameters, x: f64) -> (f64, ReducedHypergeometric) {
        let (c, p) = if self.first_counts { (a + b + x, a + b - r) } else { (a + b + x - 1.0, a + b - 1.0 - r) };
        (c, ReducedHypergeometric::new(p, a - 1.0, c))
    }

    /// Alive at T, the rate is Gamma(r + x, alpha + T), p is Beta(a, b + stays), and purchases come at the rate while each
    /// ends the relation with probability p.
    pub(super) fn discounted_expected_transactions(self, parameters: &Parameters, discount: f64, row: &Row) -> f64 {
        let [r, alpha, a, b] = *parameters;
        let x = f64::from(row.frequency);
        let stays = if self.first_counts { x + 1.0 } else { x };
        let scale = alpha + row.age;
        let mean = special::beta_mean(a, b + stays, |p| {
            if p < 1e-12 {
                return 1.0 / discount;
            }
            let length = scale / p;
            length * scaled_exponential_integral(r + x + 1.0, discount * length)
        });
        self.p_alive(parameters, row) * (r + x) / scale * mean
    }
}
