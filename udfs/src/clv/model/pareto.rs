//! Pareto/NBD: Schmittlein, Morrison, Colombo (Management Science 33, 1987). Its integral over the time of dropping out
//! is done by quadrature in logarithmic time, where the usual difference of two ₂F₁ cancels.

use super::special::{
    Quadrature, digamma, expm1_over, gauss_legendre_16, gauss_legendre_48, ln_gamma, scaled_exponential_integral,
};
use super::{Parameters, Row, add};

/// Widest exponent that still counts: e^-40 is below the precision of a double.
const NEGLIGIBLE: f64 = 40.0;

/// s J (alpha+T)^(r+x) (beta+T)^s, the odds of having dropped out, with its logarithmic derivatives.
struct Odds {
    ln_value: f64,
    /// Means over the time y of dropping out: ln(alpha+y), 1/(alpha+y), ln(beta+y), 1/(beta+y).
    means: [f64; 4],
}

/// J = ∫ over y from t_x to T of (alpha+y)^-(r+x) (beta+y)^-(s+1).
fn odds(parameters: &Parameters, row: &Row, rule: &Quadrature) -> Option<Odds> {
    let [r, alpha, s, beta] = *parameters;
    let x = f64::from(row.frequency);
    if row.age <= row.recency {
        return None;
    }
    let (from, start) = (alpha + row.recency, beta + row.recency);
    let width = ((row.age - row.recency) / from).ln_1p().min(NEGLIGIBLE / (r + s + x));
    let ln_from = from.ln();
    let ln_start = start.ln();
    let (mut sum, mut means) = (0.0, [0.0; 4]);
    for (node, weight) in rule {
        let v = node * width;
        let passed = from * v.exp_m1();
        let ln_beta_ratio = (passed / start).ln_1p();
        let part = weight * (-(r + x - 1.0) * v - (s + 1.0) * ln_beta_ratio).exp();
        sum += part;
        means[0] += part * (ln_from + v);
        means[1] += part / (from + passed);
        means[2] += part * (ln_start + ln_beta_ratio);
        means[3] += part / (start + passed);
    }
    means.iter_mut().for_each(|mean| *mean /= sum);
    // In units of the lower end, so that nothing overflows.
    let ln_value = s.ln() + (sum * width).ln() + (r + x) * ((alpha + row.age) / from).ln() + ln_from - ln_start
        + s * ((beta + row.age) / start).ln();
    Some(Odds { ln_value, means })
}

pub(super) fn log_likelihood_sum(parameters: &Parameters, rows: &[Row]) -> (f64, Parameters) {
    let [r, alpha, s, beta] = *parameters;
    let mut sum = (0.0, [0.0; 4]);
    for group in rows.chunk_by(|left, right| left.frequency == right.frequency) {
        let x = f64::from(group[0].frequency);
        let shared = ln_gamma(r + x) - ln_gamma(r) + r * alpha.ln() + s * beta.ln();
        let by_r = digamma(r + x) - digamma(r) + alpha.ln();
        for row in group {
            let (at_alpha, at_beta) = (alpha + row.age, beta + row.age);
            let alive_value = -(r + x) * at_alpha.ln() - s * at_beta.ln();
            let found = odds(parameters, row, gauss_legendre_16());
            let ln_odds = found.as_ref().map_or(f64::NEG_INFINITY, |odds| odds.ln_value);
            let means = found.map_or([0.0; 4], |odds| odds.means);
            let dead = 1.0 / (1.0 + (-ln_odds).exp());
            let alive = 1.0 - dead;
            let ln_total = if ln_odds > 0.0 { ln_odds + (-ln_odds).exp().ln_1p() } else { ln_odds.exp().ln_1p() };
            let gradient = [
                by_r - alive * at_alpha.ln() - dead * means[0],
                r / alpha - (r + x) * (alive / at_alpha + dead * means[1]),
                beta.ln() - alive * at_beta.ln() - dead * (means[2] - 1.0 / s),
                s / beta - alive * s / at_beta - dead * (s + 1.0) * means[3],
            ];
            add(&mut sum, row.weight, shared + alive_value + ln_total, &gradient);
        }
    }
    sum
}

pub(super) fn p_alive(parameters: &Parameters, row: &Row) -> f64 {
    odds(parameters, row, gauss_legendre_48()).map_or(1.0, |odds| 1.0 / (1.0 + odds.ln_value.exp()))
}

pub(super) fn expected_purchases(parameters: &Parameters, time: f64, row: &Row) -> f64 {
    let [r, alpha, s, beta] = *parameters;
    let x = f64::from(row.frequency);
    let (at_alpha, at_beta) = (alpha + row.age, beta + row.age);
    // (1 - ((beta+T)/(beta+T+t))^(s-1)) / (s-1), whose limit at s = 1 is a logarithm.
    let grown = -expm1_over(s - 1.0, -(time / at_beta).ln_1p());
    p_alive(parameters, row) * (r + x) * at_beta / at_alpha * grown
}

/// Alive at T, purchases come at the mean rate (r+x)/(alpha+T) and the relation lasts beyond t with probability
/// ((beta+T)/(beta+T+t))^s.
pub(super) fn discounted_expected_transactions(parameters: &Parameters, discount: f64, row: &Row) -> f64 {
    let [r, alpha, s, beta] = *parameters;
    let x = f64::from(row.frequency);
    let at_beta = beta + row.age;
    p_alive(parameters, row) * (r + x) / (alpha + row.age)
        * at_beta
        * scaled_exponential_integral(s, discount * at_beta)
}
