//! Gamma-Gamma: mean spend of a customer, independent of how often. Fader, Hardie: "The Gamma-Gamma Model of Monetary
//! Value" (2013), with v for its gamma.

use super::special::{digamma, ln_gamma};

/// p, q, v.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GammaGamma(pub(crate) [f64; 3]);

/// `weight` customers with x repeat periods and a mean spend of z in them; both above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SpendRow {
    pub(crate) frequency: u32,
    pub(crate) spend: f64,
    pub(crate) weight: u64,
}

impl GammaGamma {
    /// Mean spend to expect of a customer; without a repeat purchase the mean of all. NaN where q <= 1 leaves no mean.
    pub(crate) fn expected_spend(&self, frequency: u32, spend: f64) -> f64 {
        let [p, q, v] = self.0;
        let x = f64::from(frequency);
        let denominator = p * x + q - 1.0;
        if denominator <= 0.0 {
            return f64::NAN;
        }
        let total = if frequency == 0 { 0.0 } else { x * spend };
        p * (v + total) / denominator
    }

    /// ln L of all rows, sorted by frequency, and its derivatives by p, q and v.
    pub(crate) fn log_likelihood_sum([p, q, v]: &[f64; 3], rows: &[SpendRow]) -> (f64, [f64; 3]) {
        let (p, q, v) = (*p, *q, *v);
        let mut sum = (0.0, [0.0; 3]);
        for group in rows.chunk_by(|left, right| left.frequency == right.frequency) {
            let x = f64::from(group[0].frequency);
            let shared = ln_gamma(p * x + q) - ln_gamma(p * x) - ln_gamma(q) + q * v.ln() + p * x * x.ln();
            let both = digamma(p * x + q);
            let by_p = x * (both - digamma(p * x) + x.ln());
            let by_q = both - digamma(q) + v.ln();
            for row in group {
                let weight = row.weight as f64;
                let reach = x * row.spend + v;
                let (ln_spend, ln_reach) = (row.spend.ln(), reach.ln());
                sum.0 += weight * (shared + (p * x - 1.0) * ln_spend - (p * x + q) * ln_reach);
                sum.1[0] += weight * (by_p + x * (ln_spend - ln_reach));
                sum.1[1] += weight * (by_q - ln_reach);
                sum.1[2] += weight * (q / v - (p * x + q) / reach);
            }
        }
        sum
    }
}
