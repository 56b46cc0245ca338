//! Pareto/NBD: Schmittlein, Morrison, Colombo (Management Science 33, 1987). Its integral over the time of dropping out
//! is done by quadrature in logarithmic time, where the usual difference of two ₂F₁ cancels.

use super::special::{
    Quadrature, digamma, expm1_over, gauss_legendre_16, gauss_legendre_48, ln_gamma, scaled_exponential_integral,
};
use super::{Parameters, Row, add};

/// Exponent from which on the integrand counts no more: e^-40 is below the precision of a double.
const NEGLIGIBLE: f64 = 40.0;

/// s J (alpha+T)^(r+x) (beta+T)^s, the odds of having dropped out, with its logarithmic derivatives.
struct Odds {
    ln_value: f64,
    /// Means over the time y of dropping out: ln(alpha+y), 1/(alpha+y), ln(beta+y), 1/(beta+y).
    means: [f64; 4],
}

/// J = ∫ over y from t_x to T of (alpha+y)^-(r+x) (beta+y)^-(s+1), in the logarithm of the smaller of alpha+y and beta+y:
/// there the integrand is smooth however far alpha and beta are apart.
fn odds(parameters: &Parameters, row: &Row, rule: &Quadrature) -> Option<Odds> {
    let [r, alpha, s, beta] = *parameters;
    let x = f64::from(row.frequency);
    if row.age <= row.recency {
        return None;
    }
    let (from, start) = (alpha + row.recency, beta + row.recency);
    let decay = match from <= start {
        true => Decay { near: from, exponent: r + x - 1.0, share: from / start, far_exponent: s + 1.0 },
        false => Decay { near: start, exponent: s, share: start / from, far_exponent: r + x },
    };
    let width = decay.width(row.age - row.recency);
    let (ln_from, ln_start) = (from.ln(), start.ln());
    let (mut sum, mut means) = (0.0, [0.0; 4]);
    for (node, weight) in rule {
        let v = node * width;
        let (passed, far) = decay.at(v);
        let part = weight * (-decay.exponent * v - decay.far_exponent * far).exp();
        let (by_alpha, by_beta) = if from <= start { (v, far) } else { (far, v) };
        sum += part;
        means[0] += part * (ln_from + by_alpha);
        means[1] += part / (from + passed);
        means[2] += part * (ln_start + by_beta);
        means[3] += part / (start + passed);
    }
    means.iter_mut().for_each(|mean| *mean /= sum);
    // In units of the lower end, so that nothing overflows.
    let ln_value = s.ln() + (sum * width).ln() + (r + x) * ((alpha + row.age) / from).ln() + decay.near.ln() - ln_start
        + s * ((beta + row.age) / start).ln();
    Some(Odds { ln_value, means })
}

/// The integrand, e^-E(v) with E(v) = exponent v + far_exponent ln(1 + share (e^v - 1)), which is convex.
struct Decay {
    /// The smaller of alpha + t_x and beta + t_x.
    near: f64,
    exponent: f64,
    /// The smaller over the larger.
    share: f64,
    far_exponent: f64,
}

impl Decay {
    /// The time since t_x, and ln(1 + share (e^v - 1)).
    fn at(&self, v: f64) -> (f64, f64) {
        let grown = v.exp_m1();
        (self.near * grown, (self.share * grown).ln_1p())
    }

    /// The v of `time`, or a smaller one from which on the integrand counts no more.
    fn width(&self, time: f64) -> f64 {
        let full = (time / self.near).ln_1p();
        // Where two tangents of E reach that: it is there or before.
        let at_first = self.exponent + self.far_exponent * self.share;
        let at_last = self.exponent + self.far_exponent;
        let mut width = full.min((NEGLIGIBLE - self.far_exponent * self.share.ln()) / at_last);
        if at_first > 0.0 {
            width = width.min(NEGLIGIBLE / at_first);
        }
        if width == full {
            return full;
        }
        // From the right of a convex function Newton's method does not step over.
        for _ in 0..4 {
            let (passed, far) = self.at(width);
            let above = self.exponent * width + self.far_exponent * far - NEGLIGIBLE;
            let over = self.share * (passed / self.near + 1.0);
            let slope = self.exponent + self.far_exponent * over / (1.0 - self.share + over);
            if above <= 0.0 || slope <= 0.0 {
                break;
            }
            width -= above / slope;
        }
        width
    }
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
