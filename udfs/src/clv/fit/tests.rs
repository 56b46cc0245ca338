//! Searches that must end: customers drawn from the models themselves, many times over.

use super::*;

/// A linear congruential generator (Knuth, MMIX): uniform in (0, 1).
struct Draws(u64);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn exponential(&mut self, rate: f64) -> f64 {
        -self.uniform().ln() / rate
    }
}

/// Customers of BG/NBD, or of MBG/NBD, with r = 1 and a = 1, whose distributions are drawn by inversion.
fn customers(seed: u64, may_drop_out_at_once: bool) -> Vec<Row> {
    const ALPHA: f64 = 8.0;
    const B: f64 = 3.0;
    let mut draws = Draws(seed);
    let mut rows: Vec<Row> = (0..1_500)
        .map(|_| {
            let rate = draws.exponential(ALPHA);
            let dropout = 1.0 - draws.uniform().powf(1.0 / B);
            let age = 10.0 + 90.0 * draws.uniform();
            let (mut frequency, mut recency) = (0, 0.0);
            let mut alive = !may_drop_out_at_once || draws.uniform() > dropout;
            while alive {
                let next = recency + draws.exponential(rate);
                if next > age {
                    break;
                }
                (frequency, recency) = (frequency + 1, next);
                alive = draws.uniform() > dropout;
            }
            Row { frequency, recency, age, weight: 1 }
        })
        .collect();
    rows.sort_by_key(|row| row.frequency);
    rows
}

#[test]
fn a_search_ends_at_the_top_whatever_the_rounding() {
    for seed in 0..40 {
        for (family, at_once) in [(Family::BgNbd, false), (Family::MbgNbd, true), (Family::ParetoNbd, false)] {
            let rows = customers(seed, at_once);
            let fit = fit_purchases(family, &rows);
            assert!(fit.converged && fit.iterations < 100, "{family:?}, seed {seed}: {fit:?}");
            let (value, gradient) = log_likelihood_sum(family, &fit.parameters, &rows);
            assert_eq!(value, fit.log_likelihood);
            let slopes: [f64; 4] = std::array::from_fn(|i| gradient[i] * fit.parameters[i] / rows.len() as f64);
            assert!(largest(&slopes) < 1e-7, "{family:?}, seed {seed}: {slopes:?}");
            if family != Family::ParetoNbd {
                let (of_the_truth, _) = log_likelihood_sum(family, &[1.0, 8.0, 1.0, 3.0], &rows);
                assert!(value > of_the_truth, "{family:?}, seed {seed}");
            }
        }
    }
}
