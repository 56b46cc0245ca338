//! Maximum likelihood on log-parameters by BFGS with analytic gradients.
//!
//! Rows are summed in chunks of a fixed size whose sums are added in order: the same bits whatever the number of threads.

use super::model::{Family, GammaGamma, Parameters, Row, SpendRow, log_likelihood_sum};

/// Rows summed in one go; more than one chunk is worth a second thread.
const CHUNK: usize = 16_384;
const MAX_ITERATIONS: u32 = 500;
/// Largest slope of the mean log-likelihood by a log-parameter at the maximum.
const TOLERANCE: f64 = 1e-9;
/// A search that ends without reaching it, by rounding, has converged if the slopes are below this.
const LOOSE_TOLERANCE: f64 = 1e-6;
/// A parameter beyond this factor from its scale runs away: the data do not determine it.
const RUNAWAY: f64 = 1e4;

/// How a search ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fit<const N: usize> {
    /// Of the best point reached; to be trusted only if `converged`.
    pub(crate) parameters: [f64; N],
    pub(crate) log_likelihood: f64,
    pub(crate) converged: bool,
    pub(crate) iterations: u32,
}

/// Fits a purchase model to rows sorted by frequency.
pub(crate) fn fit_purchases(family: Family, rows: &[Row]) -> Fit<4> {
    let total: f64 = rows.iter().map(|row| row.weight as f64).sum();
    let age = rows.iter().map(|row| row.age * row.weight as f64).sum::<f64>() / total;
    let scale = match family {
        Family::BgNbd | Family::MbgNbd => [1.0, age, 1.0, 1.0],
        Family::ParetoNbd => [1.0, age, 1.0, age],
        Family::BgBb => [1.0; 4],
    };
    let objective = |parameters: &Parameters| chunked_sum(rows, |chunk| log_likelihood_sum(family, parameters, chunk));
    let fit = best_of(family.starts(age), |start| maximise(start, &scale, total, &objective));
    // Where nobody came back the likelihood rises without end as purchases get rarer.
    let anybody_came_back = rows.iter().any(|row| row.frequency > 0);
    Fit { converged: fit.converged && anybody_came_back, ..fit }
}

/// Fits the spend model to rows sorted by frequency.
pub(crate) fn fit_spend(rows: &[SpendRow]) -> Fit<3> {
    let total: f64 = rows.iter().map(|row| row.weight as f64).sum();
    let spend = rows.iter().map(|row| row.spend * row.weight as f64).sum::<f64>() / total;
    let objective =
        |parameters: &[f64; 3]| chunked_sum(rows, |chunk| GammaGamma::log_likelihood_sum(parameters, chunk));
    best_of([[2.0, 3.0, spend], [6.0, 4.0, 0.5 * spend]], |start| {
        maximise(start, &[1.0, 1.0, spend], total, &objective)
    })
}

/// The second start is tried only where the first does not converge.
fn best_of<const N: usize>(starts: [[f64; N]; 2], search: impl Fn([f64; N]) -> Fit<N>) -> Fit<N> {
    let first = search(starts[0]);
    if first.converged {
        return first;
    }
    let second = search(starts[1]);
    if second.converged || second.log_likelihood > first.log_likelihood { second } else { first }
}

type Sum<const N: usize> = (f64, [f64; N]);

fn chunked_sum<R: Sync, const N: usize>(rows: &[R], sum: impl Fn(&[R]) -> Sum<N> + Sync) -> Sum<N> {
    let chunks: Vec<&[R]> = rows.chunks(CHUNK).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(chunks.len());
    let parts: Vec<Sum<N>> = if threads < 2 {
        chunks.iter().map(|chunk| sum(chunk)).collect()
    } else {
        let share = chunks.len().div_ceil(threads);
        std::thread::scope(|scope| {
            let sum = &sum;
            let workers: Vec<_> = chunks
                .chunks(share)
                .map(|mine| scope.spawn(move || mine.iter().map(|chunk| sum(chunk)).collect::<Vec<_>>()))
                .collect();
            let resume = |panic| std::panic::resume_unwind(panic);
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(resume)).collect()
        })
    };
    let mut total = (0.0, [0.0; N]);
    for (value, gradient) in parts {
        total.0 += value;
        for (sum, part) in total.1.iter_mut().zip(gradient) {
            *sum += part;
        }
    }
    total
}

/// A point of the search: mean negative log-likelihood and its slopes by the log-parameters.
struct Point<const N: usize> {
    place: [f64; N],
    value: f64,
    slopes: [f64; N],
}

fn maximise<const N: usize>(
    start: [f64; N],
    scale: &[f64; N],
    total: f64,
    objective: &impl Fn(&[f64; N]) -> Sum<N>,
) -> Fit<N> {
    let evaluate = |place: [f64; N]| {
        let parameters = place.map(f64::exp);
        let (sum, gradient) = objective(&parameters);
        let slopes = std::array::from_fn(|i| -gradient[i] * parameters[i] / total);
        Point { place, value: -sum / total, slopes }
    };
    let mut point = evaluate(start.map(f64::ln));
    let mut inverse = identity::<N>();
    let mut iterations = 0;
    while iterations < MAX_ITERATIONS && point.value.is_finite() && largest(&point.slopes) > TOLERANCE {
        iterations += 1;
        let mut step = product(&inverse, &point.slopes).map(|part| -part);
        if dot(&step, &point.slopes) >= 0.0 {
            inverse = identity();
            step = point.slopes.map(|part| -part);
        }
        let Some(next) = line_search(&point, step, &evaluate) else { break };
        update(&mut inverse, &point, &next, iterations == 1);
        point = next;
    }
    let converged = point.value.is_finite() && largest(&point.slopes) <= LOOSE_TOLERANCE;
    let parameters = point.place.map(f64::exp);
    let held = parameters.iter().zip(scale).all(|(value, scale)| (1.0 / RUNAWAY..RUNAWAY).contains(&(value / scale)));
    Fit { parameters, log_likelihood: -point.value * total, converged: converged && held, iterations }
}

/// A point along `step` that is lower by a fair part of what the slope promises; halving, by interpolation.
///
/// At the bottom the promise is less than the rounding of a sum over all rows: there a step is good if it flattens the
/// slopes. Without this a search that is a step from its end crawls until its iterations are used up.
fn line_search<const N: usize>(
    from: &Point<N>,
    step: [f64; N],
    evaluate: &impl Fn([f64; N]) -> Point<N>,
) -> Option<Point<N>> {
    const LONGEST: f64 = 2.0;
    let noise = 64.0 * f64::EPSILON * from.value.abs();
    let length = largest(&step);
    let slope = dot(&step, &from.slopes);
    let mut factor = if length > LONGEST { LONGEST / length } else { 1.0 };
    for _ in 0..40 {
        let place = std::array::from_fn(|i| from.place[i] + factor * step[i]);
        let point = evaluate(place);
        let lower = point.value <= from.value + 1e-4 * factor * slope;
        let flatter = point.value <= from.value + noise && largest(&point.slopes) < largest(&from.slopes);
        if point.value.is_finite() && (lower || flatter) {
            return Some(point);
        }
        let bend = point.value - from.value - factor * slope;
        let best = -slope * factor * factor / (2.0 * bend);
        factor = if best.is_finite() { best.clamp(0.1 * factor, 0.5 * factor) } else { 0.1 * factor };
    }
    None
}

/// The BFGS update of the inverse Hessian.
fn update<const N: usize>(inverse: &mut [[f64; N]; N], from: &Point<N>, to: &Point<N>, first: bool) {
    let step: [f64; N] = std::array::from_fn(|i| to.place[i] - from.place[i]);
    let change: [f64; N] = std::array::from_fn(|i| to.slopes[i] - from.slopes[i]);
    let curvature = dot(&step, &change);
    if curvature <= 1e-300 {
        return;
    }
    if first {
        let size = curvature / dot(&change, &change);
        inverse.iter_mut().enumerate().for_each(|(i, row)| row[i] = size);
    }
    let moved = product(inverse, &change);
    let factor = 1.0 + dot(&change, &moved) / curvature;
    for i in 0..N {
        for j in 0..N {
            inverse[i][j] += (factor * step[i] * step[j] - moved[i] * step[j] - step[i] * moved[j]) / curvature;
        }
    }
}

fn identity<const N: usize>() -> [[f64; N]; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))))
}

fn product<const N: usize>(matrix: &[[f64; N]; N], vector: &[f64; N]) -> [f64; N] {
    std::array::from_fn(|i| dot(&matrix[i], vector))
}

fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn largest<const N: usize>(vector: &[f64; N]) -> f64 {
    vector.iter().fold(0.0, |largest, part| largest.max(part.abs()))
}

#[cfg(test)]
mod tests;
