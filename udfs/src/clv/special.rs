//! Special functions that the purchase models need, to about 14 digits. Knows nothing of models.

use std::sync::LazyLock;

/// ln Γ(x) for x > 0.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// ln B(a, b) for a, b > 0.
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// ψ(x) = d ln Γ(x) / dx for x > 0: upward recurrence to 10, then the asymptotic series (Abramowitz & Stegun 6.3.18).
pub(crate) fn digamma(x: f64) -> f64 {
    let mut x = x;
    let mut shift = 0.0;
    while x < 10.0 {
        shift -= 1.0 / x;
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = square
        * (1.0 / 12.0
            - square
                * (1.0 / 120.0
                    - square
                        * (1.0 / 252.0
                            - square
                                * (1.0 / 240.0
                                    - square * (1.0 / 132.0 - square * (691.0 / 32_760.0 - square / 12.0))))));
    shift + x.ln() - 0.5 * inverse - series
}

/// ln(e^a + e^b) without overflow.
pub(crate) fn ln_add_exp(a: f64, b: f64) -> f64 {
    let (high, low) = if a >= b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

/// (e^(x y) - 1) / x, with its limit y at x = 0.
pub(crate) fn expm1_over(x: f64, y: f64) -> f64 {
    if x == 0.0 { y } else { (x * y).exp_m1() / x }
}

/// Terms after which a series is given up: its argument is too near to 1.
const MAX_TERMS: u32 = 2_000_000;

/// Σ_{n≥1} (p)_n (e+1)_{n-1} / ((c+1)_{n-1} n!) wⁿ, for 0 <= w < 1 and c > -1; NaN when it does not converge.
///
/// It is c (₂F₁(p, e; c; w) - 1) / e, finite also where e or c is 0. Its coefficients are kept: a term at a new w costs a
/// multiplication in place of a division.
#[derive(Debug, Clone)]
pub(crate) struct ReducedHypergeometric {
    p: f64,
    e: f64,
    c: f64,
    /// Of w¹, w², ..., as many as were needed, by fours.
    coefficients: Vec<[f64; 4]>,
}

impl ReducedHypergeometric {
    /// Coefficients kept at most, in fours.
    const MOST: usize = 1024;

    pub(crate) fn new(p: f64, e: f64, c: f64) -> Self {
        Self { p, e, c, coefficients: Vec::new() }
    }

    pub(crate) fn at(&mut self, w: f64) -> f64 {
        let square = w * w;
        let (mut sum, mut power) = (0.0, w);
        for place in 0..Self::MOST {
            let [first, second, third, fourth] = self.four(place);
            sum += power * ((first + second * w) + square * (third + fourth * w));
            if !f64::is_finite(sum) {
                break;
            }
            if (power * square * w * fourth).abs() <= 1e-17 * f64::abs(sum) {
                return sum;
            }
            power *= square * square;
        }
        // w is very near to 1, or a coefficient overflows where its term does not.
        self.term_by_term(w)
    }

    fn four(&mut self, place: usize) -> [f64; 4] {
        if let Some(known) = self.coefficients.get(place) {
            return *known;
        }
        let n = (4 * place) as f64;
        let mut coefficient = match self.coefficients.last() {
            Some(before) => before[3] * self.ratio(n),
            None => self.p,
        };
        let four = std::array::from_fn(|i| {
            let this = coefficient;
            coefficient *= self.ratio(n + 1.0 + i as f64);
            this
        });
        self.coefficients.push(four);
        four
    }

    /// Of coefficient n + 1 to coefficient n.
    fn ratio(&self, n: f64) -> f64 {
        (self.p + n) * (self.e + n) / ((self.c + n) * (n + 1.0))
    }

    fn term_by_term(&self, w: f64) -> f64 {
        let mut term = self.p * w;
        let mut sum = term;
        let mut n = 1.0;
        for _ in 0..MAX_TERMS {
            term *= self.ratio(n) * w;
            sum += term;
            n += 1.0;
            if term.abs() <= 1e-17 * sum.abs() && n > 4.0 || term == 0.0 {
                return sum;
            }
        }
        f64::NAN
    }
}

/// e^z E_s(z) = ∫₁^∞ e^(-z (t - 1)) t^(-s) dt for z > 0, s >= 0: continued fraction by Lentz (DLMF 8.19.17).
pub(crate) fn scaled_exponential_integral(s: f64, z: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let mut b = z + s;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut value = d;
    let mut i = 1.0;
    while i < 200_000.0 {
        let a = -i * (s - 1.0 + i);
        b += 2.0;
        d = 1.0 / (a * d + b);
        c = b + a / c;
        let factor = c * d;
        value *= factor;
        if (factor - 1.0).abs() < 1e-15 {
            break;
        }
        i += 1.0;
    }
    value
}

/// Nodes and weights on [0, 1].
pub(crate) type Quadrature = Vec<(f64, f64)>;

/// Gauss-Legendre with 16 points: for fits.
pub(crate) fn gauss_legendre_16() -> &'static Quadrature {
    static RULE: LazyLock<Quadrature> = LazyLock::new(|| gauss_legendre(16));
    &RULE
}

/// Gauss-Legendre with 48 points: for predictions.
pub(crate) fn gauss_legendre_48() -> &'static Quadrature {
    static RULE: LazyLock<Quadrature> = LazyLock::new(|| gauss_legendre(48));
    &RULE
}

/// The rule with `points` points on [0, 1]: roots of the Legendre polynomial by Newton's method.
fn gauss_legendre(points: usize) -> Quadrature {
    let n = points as f64;
    let mut rule = Vec::with_capacity(points);
    for i in 0..points {
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut before, mut value) = (1.0, x);
            for k in 2..=points {
                let k = k as f64;
                (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
            }
            slope = n * (x * value - before) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        rule.push((0.5 * (1.0 - x), 1.0 / ((1.0 - x * x) * slope * slope)));
    }
    rule
}

/// ∫₀¹ p^(a-1) (1-p)^(b-1) g(p) dp / B(a, b) by the tanh-sinh rule, which takes the poles at both ends.
pub(crate) fn beta_mean(a: f64, b: f64, g: impl Fn(f64) -> f64) -> f64 {
    const STEP: f64 = 1.0 / 16.0;
    let norm = ln_beta(a, b);
    let mut sum = 0.0;
    for i in -96..=96_i32 {
        let tau = f64::from(i) * STEP;
        // p = 1 / (1 + e^(-y)) with y = π sinh τ; logarithms of p and 1 - p stay exact at both ends.
        let y = std::f64::consts::PI * tau.sinh();
        let ln_p = -ln_add_exp(0.0, -y);
        let ln_q = -ln_add_exp(0.0, y);
        let ln_weight = a * ln_p + b * ln_q - norm;
        if ln_weight < -745.0 {
            continue;
        }
        sum += STEP * std::f64::consts::PI * tau.cosh() * ln_weight.exp() * g(ln_p.exp());
    }
    sum
}
