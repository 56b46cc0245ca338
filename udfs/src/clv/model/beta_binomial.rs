//! BG/BB: Fader, Hardie, Shang (Marketing Science 29, 2010). Age and recency count opportunities.

use super::special::{digamma, ln_beta, ln_gamma};
use super::{Parameters, Row, add};

/// ln of each way to have bought x times up to t_x: still alive first, then dead after each later opportunity.
fn ln_ways([alpha, beta, gamma, delta]: &Parameters, row: &Row) -> impl Iterator<Item = (f64, f64, f64, f64)> {
    let (x, last, n) = (f64::from(row.frequency), row.recency, row.age);
    let (alpha, beta, gamma, delta) = (*alpha, *beta, *gamma, *delta);
    let alive = std::iter::once((alpha + x, beta + n - x, gamma, delta + n));
    let later = (n - last).max(0.0) as u32;
    let dead = (0..later).map(move |i| {
        let i = f64::from(i);
        (alpha + x, beta + last - x + i, gamma + 1.0, delta + last + i)
    });
    alive.chain(dead)
}

pub(super) fn log_likelihood_sum(parameters: &Parameters, rows: &[Row]) -> (f64, Parameters) {
    let [alpha, beta, gamma, delta] = *parameters;
    let base = ln_beta(alpha, beta) + ln_beta(gamma, delta);
    let (by_transaction, by_dropout) = (digamma(alpha + beta), digamma(gamma + delta));
    let base_gradient = [
        digamma(alpha) - by_transaction,
        digamma(beta) - by_transaction,
        digamma(gamma) - by_dropout,
        digamma(delta) - by_dropout,
    ];
    let mut sum = (0.0, [0.0; 4]);
    for row in rows {
        let ways: Vec<_> = ln_ways(parameters, row).collect();
        let values: Vec<f64> = ways.iter().map(|(a, b, c, d)| ln_beta(*a, *b) + ln_beta(*c, *d)).collect();
        let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = values.iter().map(|value| (value - highest).exp()).sum();
        let mut gradient = base_gradient.map(|part| -part);
        for ((a, b, c, d), value) in ways.iter().zip(&values) {
            let share = (value - highest).exp() / total;
            let (both, ends) = (digamma(a + b), digamma(c + d));
            gradient[0] += share * (digamma(*a) - both);
            gradient[1] += share * (digamma(*b) - both);
            gradient[2] += share * (digamma(*c) - ends);
            gradient[3] += share * (digamma(*d) - ends);
        }
        add(&mut sum, row.weight, highest + total.ln() - base, &gradient);
    }
    sum
}

/// ln of the likelihood without the constant factors B(alpha, beta) B(gamma, delta).
fn ln_total(parameters: &Parameters, row: &Row) -> f64 {
    let values: Vec<f64> = ln_ways(parameters, row).map(|(a, b, c, d)| ln_beta(a, b) + ln_beta(c, d)).collect();
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    highest + values.iter().map(|value| (value - highest).exp()).sum::<f64>().ln()
}

/// Probability to be alive at the next opportunity.
pub(super) fn p_alive(parameters: &Parameters, row: &Row) -> f64 {
    let [alpha, beta, gamma, delta] = *parameters;
    let (x, n) = (f64::from(row.frequency), row.age);
    (ln_beta(alpha + x, beta + n - x) + ln_beta(gamma, delta + n + 1.0) - ln_total(parameters, row)).exp()
}

/// Expected purchases at the next `time` opportunities.
pub(super) fn expected_purchases(parameters: &Parameters, time: f64, row: &Row) -> f64 {
    let [alpha, beta, gamma, delta] = *parameters;
    let (x, n) = (f64::from(row.frequency), row.age);
    let bought = ln_beta(alpha + x + 1.0, beta + n - x) - ln_total(parameters, row);
    let e = gamma - 1.0;
    // B(gamma, delta+n+i) summed over i = 1..time telescopes; the closed form has a limit where gamma is 1.
    if e.abs() < 1e-6 {
        let steps = time.round().max(0.0) as u64;
        return (1..=steps).map(|i| (bought + ln_beta(gamma, delta + n + i as f64)).exp()).sum();
    }
    let tail = |end: f64| ln_gamma(gamma) + ln_gamma(1.0 + delta + end) - ln_gamma(gamma + delta + end);
    (bought.exp() / e) * (tail(n).exp() - tail(n + time).exp())
}

/// Sum over the opportunities to come, each discounted by (1 + discount) once more than the one before.
pub(super) fn discounted_expected_transactions(parameters: &Parameters, discount: f64, row: &Row) -> f64 {
    let [alpha, beta, gamma, delta] = *parameters;
    let (x, n) = (f64::from(row.frequency), row.age);
    let bought = ln_beta(alpha + x + 1.0, beta + n - x) - ln_total(parameters, row);
    // B(gamma, delta+n+i+1) = B(gamma, delta+n+i) (delta+n+i) / (gamma+delta+n+i)
    let mut term = (bought + ln_beta(gamma, delta + n + 1.0)).exp() / (1.0 + discount);
    let (mut sum, mut i) = (0.0, 1.0);
    while term > sum * 1e-17 && i < 1e7 {
        sum += term;
        term *= (delta + n + i) / (gamma + delta + n + i) / (1.0 + discount);
        i += 1.0;
    }
    sum
}
