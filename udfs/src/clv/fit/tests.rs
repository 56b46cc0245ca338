//! Searches that must end: customers drawn from the models themselves, many times over.

use std::cell::Cell;

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

/// 1500 customers of a model whose mixing distributions are drawn by inversion: r = 1, and a = 1 or s = 1.
fn customers(family: Family, seed: u64) -> Vec<Row> {
    drawn(family, seed, 1_500)
}

fn drawn(family: Family, seed: u64, count: usize) -> Vec<Row> {
    let [_, alpha, _, last] = truth(family);
    let mut draws = Draws(seed);
    let mut rows: Vec<Row> = (0..count)
        .map(|_| {
            let rate = draws.exponential(alpha);
            let dropout = 1.0 - draws.uniform().powf(1.0 / last);
            let lifetime = match family {
                Family::ParetoNbd => {
                    let rate_of_death = draws.exponential(last);
                    draws.exponential(rate_of_death)
                }
                _ => f64::INFINITY,
            };
            let age = 10.0 + 90.0 * draws.uniform();
            let (mut frequency, mut recency) = (0, 0.0);
            let mut alive = family != Family::MbgNbd || draws.uniform() > dropout;
            while alive {
                let next = recency + draws.exponential(rate);
                if next > age.min(lifetime) {
                    break;
                }
                (frequency, recency) = (frequency + 1, next);
                alive = family == Family::ParetoNbd || draws.uniform() > dropout;
            }
            Row { frequency, recency, age, weight: 1 }
        })
        .collect();
    rows.sort_by_key(|row| row.frequency);
    rows
}

fn truth(family: Family) -> [f64; 4] {
    match family {
        Family::ParetoNbd => [1.0, 8.0, 1.0, 40.0],
        _ => [1.0, 8.0, 1.0, 3.0],
    }
}

#[test]
fn a_search_ends_at_the_top_whatever_the_rounding() {
    let mut failures = Vec::new();
    for seed in 0..30 {
        for family in [Family::BgNbd, Family::MbgNbd, Family::ParetoNbd] {
            let rows = customers(family, seed);
            let fit = fit_purchases(family, &rows);
            let (value, gradient) = log_likelihood_sum(family, &fit.parameters, &rows);
            let slopes: [f64; 4] = std::array::from_fn(|i| gradient[i] * fit.parameters[i] / rows.len() as f64);
            let (of_the_truth, _) = log_likelihood_sum(family, &truth(family), &rows);
            let ends = fit.converged && fit.iterations < 100 && largest(&slopes) < 1e-7;
            let told = (fit.log_likelihood - value).abs() <= 1e-12 * value.abs();
            if !ends || !told || value < of_the_truth {
                failures.push((family, seed, fit, slopes, of_the_truth));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// The sum over so many customers has so much rounding that a search could wander at its end.
#[test]
fn half_a_million_customers_take_no_more_steps_than_a_few() {
    for family in [Family::BgNbd, Family::MbgNbd] {
        let rows = drawn(family, 7, 500_000);
        let total = rows.len() as f64;
        let evaluations = Cell::new(0);
        let objective = |parameters: &Parameters| {
            evaluations.set(evaluations.get() + 1);
            chunked_sum(&rows, |chunk| log_likelihood_sum(family, parameters, chunk))
        };
        let fit = maximise(family.starts(55.0)[0], &[1.0, 55.0, 1.0, 1.0], total, &objective);
        assert!(fit.converged && evaluations.get() < 50, "{family:?}: {} evaluations, {fit:?}", evaluations.get());
        // With so many the estimates are near to what the customers were drawn from.
        let near = |(found, truth): (&f64, f64)| (found / truth - 1.0).abs() < 0.05;
        assert!(fit.parameters.iter().zip(truth(family)).all(near), "{family:?}: {fit:?}");
    }
}
