//! Expected values: reference/clv.md section 3, computed with 30 digits at the papers' three-decimal parameters, and the
//! figures that the papers and the BTYD manual print.

use super::special::{ReducedHypergeometric, beta_mean, digamma, ln_gamma, scaled_exponential_integral};
use super::*;

const BG: Model = Model { family: Family::BgNbd, parameters: [0.243, 4.414, 0.793, 2.426] };
const PARETO: Model = Model { family: Family::ParetoNbd, parameters: [0.553, 10.578, 0.606, 11.669] };

fn forecast(model: Model) -> Forecast {
    Forecast::new(model)
}

fn row(frequency: u32, recency: f64, age: f64) -> Row {
    Row { frequency, recency, age, weight: 1 }
}

fn close(actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance * expected.abs().max(1e-3), "{actual} is not {expected}");
}

fn customers() -> [Row; 3] {
    [row(0, 0.0, 38.86), row(1, 1.71, 38.86), row(2, 30.43, 38.86)]
}

#[test]
fn bg_nbd_of_single_customers() {
    let expected = [
        (1.0, 0.195098052, 0.2520730223),
        (0.2121009854, 0.2031869871, 0.2598234649),
        (0.7265785701, 1.226028175, 1.558720806),
    ];
    for (row, (alive, in_39, in_52)) in customers().iter().zip(expected) {
        close(BG.p_alive(row), alive, 1e-9);
        close(forecast(BG).expected_purchases(39.0, row), in_39, 1e-9);
        close(forecast(BG).expected_purchases(52.0, row), in_52, 1e-9);
    }
}

#[test]
fn pareto_nbd_of_single_customers() {
    let expected = [
        (0.2952866046, 0.1070814682, 0.1362010059, -0.5210462941, 0.4784576695),
        (0.1680023267, 0.1710929806, 0.2176196913, -4.450194334, 0.7644716692),
        (0.8691675592, 1.455123193, 1.850826721, -9.554283245, 6.501730538),
    ];
    // 15 % a year on weekly data.
    let discount = 1.15_f64.ln() / 52.0;
    for (row, (alive, in_39, in_52, likelihood, residual)) in customers().iter().zip(expected) {
        close(PARETO.p_alive(row), alive, 1e-9);
        close(forecast(PARETO).expected_purchases(39.0, row), in_39, 1e-9);
        close(forecast(PARETO).expected_purchases(52.0, row), in_52, 1e-9);
        close(PARETO.log_likelihood(row), likelihood, 1e-8);
        close(PARETO.discounted_expected_transactions(discount, row), residual, 1e-8);
    }
    close(PARETO.discounted_expected_transactions(discount, &row(0, 0.0, 0.0)), 3.964070552, 1e-8);
}

#[test]
fn new_customers() {
    let times = [1.0, 39.0, 52.0, 78.0];
    let bg = [0.05326789117, 1.196723193, 1.446050595, 1.860519058];
    let pareto = [0.05097984325, 1.213002844, 1.472996803, 1.909398129];
    for (place, time) in times.into_iter().enumerate() {
        close(forecast(BG).expected_purchases_new(time), bg[place], 1e-9);
        close(forecast(PARETO).expected_purchases_new(time), pareto[place], 1e-9);
    }
}

#[test]
fn gamma_gamma_of_single_customers() {
    let model = GammaGamma([6.25, 3.74, 15.44]);
    close(model.expected_spend(0, 0.0), 35.2189781, 1e-8);
    close(model.expected_spend(1, 11.77), 18.91685206, 1e-8);
    close(model.expected_spend(2, 22.35), 24.66371391, 1e-8);
}

/// BTYD-walkthrough.pdf: the same recency with more purchases makes a customer likelier to be gone.
#[test]
fn the_increasing_frequency_paradox() {
    let pareto = Model { family: Family::ParetoNbd, parameters: [0.5533971, 10.5801985, 0.6060625, 11.6562237] };
    let expected = [(10, 0.7062289), (15, 0.1442396), (20, 0.02250658), (25, 0.00309267)];
    for (frequency, purchases) in expected {
        close(forecast(pareto).expected_purchases(52.0, &row(frequency, 20.0, 39.0)), purchases, 1e-3);
    }
}

/// Rows that came out as NaN in an older release of CLVTools (test_correctness_pnbd_nocovstaticcov.R), and a pair that
/// underflows in lifetimes (tests/test_estimation.py).
#[test]
fn pareto_nbd_of_many_purchases() {
    let model = Model { family: Family::ParetoNbd, parameters: [0.5143, 2.8845, 0.2856, 14.1087] };
    let rows =
        [(221, 103.42857, 103.57143), (254, 97.14286, 97.28571), (161, 94.71429, 98.0), (204, 98.57143, 99.42857)];
    for (frequency, recency, age) in rows {
        let alive = model.p_alive(&row(frequency, recency, age));
        assert!(alive > 0.0 && alive < 1.0, "{alive}");
    }
    let model = Model { family: Family::ParetoNbd, parameters: [0.55, 10.58, 0.61, 11.67] };
    close(forecast(model).expected_purchases(10.0, &row(132, 200.0, 200.0)), 6.2060518, 1e-7);
    close(forecast(model).expected_purchases(10.0, &row(133, 200.0, 200.0)), 6.2528722, 1e-7);
}

/// Alpha and beta far apart. The difference of two 2F1 of the paper, with 60 digits of mpmath: probability alive, purchases
/// in 52, log-likelihood.
#[test]
fn pareto_nbd_of_unlike_rates() {
    let rows = [row(0, 0.0, 12.0), row(0, 0.0, 104.0), row(3, 20.0, 38.86), row(30, 40.0, 52.0), row(1, 5.0, 104.0)];
    let expected = [
        (
            [0.449016084289908, 11.719121204655437, 166.1753542630027, 15738.577970089256],
            [
                (0.864717262978, 0.655322775485, -0.297883869268),
                (0.242110134183, 0.0376630431308, -0.704328249095),
                (0.654568230045, 1.78764266928, -11.9473630579),
                (0.0780894278147, 1.49481477838, -51.2922598494),
                (0.108634082668, 0.0545355689858, -5.45478317686),
            ],
        ),
        (
            [0.5, 10.0, 2000.0, 1000000.0],
            [
                (0.971779845404, 1.09076600375, -0.389602539509),
                (0.733389528083, 0.158861361902, -1.11471756041),
                (0.912820243079, 3.22936268637, -11.8179577106),
                (0.29056031684, 7.05930133072, -51.2132531591),
                (0.518804608672, 0.337138738169, -6.19791354816),
            ],
        ),
        (
            [0.3, 0.01, 0.4, 900.0],
            [
                (0.992502563415, 1.27485613959, -2.12504535369),
                (0.939270882259, 0.139452013918, -2.75598682321),
                (0.974222206418, 4.25446369701, -13.5597783114),
                (0.377591492629, 11.3169451672, -48.9804952786),
                (0.81322459483, 0.523198552395, -8.46035008459),
            ],
        ),
        (
            [0.6, 2000.0, 0.7, 0.05],
            [
                (0.0214348221609, 0.000167058328058, -0.00020862081397),
                (0.00461518757862, 5.90186922835e-05, -0.000435780632801),
                (0.624043986561, 0.0414341956651, -26.1456491299),
                (0.818324254956, 0.489011281548, -160.580038004),
                (0.113522845994, 0.00387125899766, -11.3655085687),
            ],
        ),
        (
            [40.0, 0.5, 0.02, 3000.0],
            [
                (1.41433661095e-49, 2.35305217784e-47, -16.2751038734),
                (1.82827007589e-86, 3.6384385539e-85, -16.2751038734),
                (2.03487952159e-07, 1.15579688045e-05, -159.106617553),
                (0.00333074705263, 0.23089267546, -179.719806068),
                (4.06774187618e-47, 8.29758950352e-46, -107.835947935),
            ],
        ),
        (
            [0.8, 5.0, 0.001, 0.0001],
            [
                (0.972233599364, 2.37659187678, -0.962556425821),
                (0.883620602719, 0.337162053185, -2.35565521715),
                (0.997642759366, 4.49244890165, -11.6965078477),
                (0.949839698547, 26.6785219278, -49.3768487645),
                (0.941770679193, 0.808538193214, -7.33388066722),
            ],
        ),
        (
            [3.0, 100000.0, 250.0, 2.0],
            [
                (5.31292596919e-212, 8.96048661734e-218, -2.40963806723e-07),
                (0.0, 0.0, -2.40963806723e-07),
                (6.03379610326e-68, 5.9384371132e-73, -629.919455212),
                (5.15451481174e-28, 3.68697650495e-32, -1025.6668141),
                (8.83741614992e-296, 1.50328174665e-300, -323.60525642),
            ],
        ),
    ];
    for (parameters, figures) in expected {
        let model = Model { family: Family::ParetoNbd, parameters };
        for (row, (alive, purchases, likelihood)) in rows.iter().zip(figures) {
            assert!((model.p_alive(row) / alive - 1.0).abs() < 1e-8, "{parameters:?} {row:?}: {}", model.p_alive(row));
            let found = forecast(model).expected_purchases(52.0, row);
            assert!((found / purchases - 1.0).abs() < 1e-8, "{parameters:?} {row:?}: {found} is not {purchases}");
            // The rule of fits has 16 points.
            close(model.log_likelihood(row), likelihood, 1e-6);
        }
    }
}

/// BTYD-walkthrough.pdf and Fader, Hardie 2010, with the maximum for the donations (BTYD stops a little before it, hence the tolerance).
#[test]
fn beta_binomial_donations() {
    let model = Model { family: Family::BgBb, parameters: [1.2035223520, 0.7497163582, 0.6567182086, 2.7834422323] };
    close(forecast(model).expected_purchases_new(10.0), 3.179805, 1e-4);
    close(forecast(model).expected_purchases(10.0, &row(0, 0.0, 6.0)), 0.1302169, 1e-4);
    close(forecast(model).expected_purchases(10.0, &row(4, 5.0, 6.0)), 3.627858, 1e-4);
    close(model.p_alive(&row(0, 0.0, 6.0)), 0.11, 0.03);
    close(model.p_alive(&row(2, 4.0, 6.0)), 0.59, 0.01);
    close(model.p_alive(&row(6, 6.0, 6.0)), 0.93, 0.01);
}

/// Every family, also where the usual forms divide by 0 or take the logarithm of a negative number.
#[test]
fn nothing_is_nan() {
    let ages = [0.0, 0.5, 40.0, 3_000.0];
    let shapes =
        [[0.3, 4.0, 0.3, 0.4], [0.3, 4.0, 1.0, 0.4], [0.3, 4.0, 1.0, 2.0], [0.3, 4.0, 0.5, 0.5], [2.0, 9.0, 3.0, 1e-3]];
    for family in [Family::BgNbd, Family::MbgNbd, Family::ParetoNbd] {
        for parameters in shapes {
            let model = Model { family, parameters };
            for frequency in [0, 1, 2, 30, 500, 10_000] {
                for age in ages {
                    for share in [0.3, 1.0] {
                        let recency = if frequency == 0 { 0.0 } else { age * share };
                        let row = row(frequency, recency, age);
                        let figures = [
                            model.p_alive(&row),
                            forecast(model).expected_purchases(52.0, &row),
                            model.log_likelihood(&row),
                            model.discounted_expected_transactions(0.003, &row),
                        ];
                        assert!(figures.iter().all(|figure| figure.is_finite()), "{model:?} {row:?}: {figures:?}");
                        assert!(
                            (0.0..=1.0).contains(&figures[0]) && figures[1] >= 0.0,
                            "{model:?} {row:?}: {figures:?}"
                        );
                    }
                }
            }
        }
    }
}

/// The limit at a = 1 (and s = 1) continues the values beside it.
#[test]
fn removable_points() {
    for family in [Family::BgNbd, Family::MbgNbd, Family::ParetoNbd] {
        let at = |shape| {
            forecast(Model { family, parameters: [0.3, 4.0, shape, 2.0] }).expected_purchases(20.0, &row(3, 20.0, 30.0))
        };
        close(0.5 * (at(1.0 - 1e-5) + at(1.0 + 1e-5)), at(1.0), 1e-8);
        close(at(1.0 + 1e-9), at(1.0), 1e-8);
    }
    let at = |b| forecast(Model { family: Family::BgNbd, parameters: [0.3, 4.0, 0.4, b] }).expected_purchases_new(20.0);
    close(0.5 * (at(0.6 - 1e-5) + at(0.6 + 1e-5)), at(0.6), 1e-8);
}

/// The discounted sum equals the sum of small steps of the expectation, each discounted.
#[test]
fn residual_transactions_are_discounted_expectations() {
    for family in [Family::BgNbd, Family::MbgNbd, Family::ParetoNbd] {
        let model = Model { family, parameters: [0.6, 5.0, 0.8, 2.4] };
        let customer = row(3, 20.0, 30.0);
        let (discount, step) = (0.05_f64, 0.05);
        let mut sum = 0.0;
        let mut before = 0.0;
        for i in 1..=12_000 {
            let time = f64::from(i) * step;
            let now = forecast(model).expected_purchases(time, &customer);
            sum += (now - before) * (-discount * (time - 0.5 * step)).exp();
            before = now;
        }
        close(model.discounted_expected_transactions(discount, &customer), sum, 1e-6);
    }
    let model = Model { family: Family::BgBb, parameters: [1.2, 0.75, 0.66, 2.78] };
    let customer = row(4, 5.0, 6.0);
    let expected = |time| forecast(model).expected_purchases(time, &customer);
    let sum: f64 = (1..2_000).map(|i| (expected(f64::from(i)) - expected(f64::from(i - 1))) / 1.1_f64.powi(i)).sum();
    close(model.discounted_expected_transactions(0.1, &customer), sum, 1e-9);
}

/// Analytic gradients against central differences.
#[test]
fn gradients() {
    let rows = [row(0, 0.0, 38.0), row(1, 3.0, 20.0), row(1, 20.0, 20.0), row(4, 17.0, 31.0), row(40, 30.0, 33.0)];
    let discrete = [row(0, 0.0, 6.0), row(1, 4.0, 6.0), row(4, 5.0, 6.0), row(6, 6.0, 6.0)];
    for family in Family::ALL {
        let rows: &[Row] = if family == Family::BgBb { &discrete } else { &rows };
        let parameters = [0.7, 5.0, 0.9, 2.1];
        let (_, gradient) = log_likelihood_sum(family, &parameters, rows);
        for place in 0..4 {
            let step = 1e-5 * parameters[place];
            let moved = |by: f64| {
                let mut moved = parameters;
                moved[place] += by;
                log_likelihood_sum(family, &moved, rows).0
            };
            close(gradient[place], (moved(step) - moved(-step)) / (2.0 * step), 1e-6);
        }
    }
    let rows = [SpendRow { frequency: 1, spend: 11.77, weight: 2 }, SpendRow { frequency: 5, spend: 40.0, weight: 1 }];
    let parameters = [6.25, 3.74, 15.44];
    let (_, gradient) = GammaGamma::log_likelihood_sum(&parameters, &rows);
    for place in 0..3 {
        let step = 1e-5 * parameters[place];
        let moved = |by: f64| {
            let mut moved = parameters;
            moved[place] += by;
            GammaGamma::log_likelihood_sum(&moved, &rows).0
        };
        close(gradient[place], (moved(step) - moved(-step)) / (2.0 * step), 1e-6);
    }
}

/// Abramowitz & Stegun tables 6.1 and 5.4, and the mean of a beta distribution.
#[test]
fn special_functions() {
    close(ln_gamma(1.5), -0.120_782_237_635_245_2, 1e-13);
    close(digamma(1.0), -0.577_215_664_901_532_9, 1e-13);
    close(digamma(0.5), -1.963_510_026_021_423_5, 1e-13);
    // E_1(1) e = 0.5963473623231940
    close(scaled_exponential_integral(1.0, 1.0), 0.596_347_362_323_194_1, 1e-12);
    close(scaled_exponential_integral(1.0, 0.001), 6.331_539_364_136_149 * 0.001_f64.exp(), 1e-10);
    close(beta_mean(0.3, 2.7, |p| p), 0.1, 1e-10);
    close(beta_mean(0.3, 0.2, |p| p), 0.6, 1e-8);
}

/// ₂F₁(1, 1; 2; w) = -ln(1 - w) / w and ₂F₁(p, e; e; w) = (1 - w)^-p (Abramowitz & Stegun 15.1.3 and 15.1.8).
#[test]
fn the_series_of_expected_purchases_has_its_closed_forms() {
    let places = [1e-9, 0.01, 0.999, 0.3, 0.5, 0.7, 0.9, 0.99, 0.2, 0.9999, 0.001];
    let mut kept = ReducedHypergeometric::new(1.0, 1.0, 2.0);
    for w in places {
        let expected = if w < 1e-6 { w } else { 2.0 * (-f64::ln_1p(-w) / w - 1.0) };
        close(kept.at(w), expected, 1e-10);
        assert_eq!(kept.at(w).to_bits(), ReducedHypergeometric::new(1.0, 1.0, 2.0).at(w).to_bits(), "kept, at {w}");
    }
    for p in [-3.0, -0.4, 0.5, 2.5, 40.0] {
        let mut kept = ReducedHypergeometric::new(p, 1.7, 1.7);
        for w in places.into_iter().filter(|w| *w <= 0.99) {
            close(kept.at(w), (-p * f64::ln_1p(-w)).exp_m1(), 1e-9);
        }
    }
    // Its coefficients overflow, its terms do not.
    close(ReducedHypergeometric::new(3000.0, 1.7, 1.7).at(0.1), (-3000.0 * f64::ln_1p(-0.1)).exp(), 1e-9);
}

/// The formula of the papers with ₂F₁ of 60 digits (mpmath 1.3.0): alike customers, sudden ends.
#[test]
fn concentrated_parameters_lose_no_digits() {
    let expected = [
        ([30.0, 1.0, 1.5, 2.0], 99.0, row(0, 0.0, 0.0), 4.8765074458373, 3.8765293218589),
        ([60.0, 1.0, 1.5, 2.0], 99.0, row(0, 0.0, 0.0), 4.9132229262901, 3.9132304167242),
        ([97.0, 1.0, 1.5, 2.0], 99.0, row(0, 0.0, 0.0), 4.9319129470159, 3.9319165474039),
        ([2.0, 5.0, 400.0, 600.0], 90.0, row(3, 8.0, 10.0), 1.0621676824679, 1.0642359703553),
        ([900.0, 1000.0, 0.8, 2.5], 52.0, row(12, 30.0, 39.0), 0.14444840493519, 0.15902166228226),
        ([5000.0, 6000.0, 0.3, 0.4], 100.0, row(0, 0.0, 50.0), 18.710589207504, 3.9755476957896e-17),
    ];
    for (parameters, time, row, bg, mbg) in expected {
        for (family, expected) in [(Family::BgNbd, bg), (Family::MbgNbd, mbg)] {
            let found = forecast(Model { family, parameters }).expected_purchases(time, &row);
            assert!((found / expected - 1.0).abs() < 1e-10, "{family:?} {parameters:?}: {found} is not {expected}");
        }
    }
}

/// Both ways to the expected purchases meet where one takes over from the other: at r = a + b + 7, and at a = 31.
#[test]
fn the_two_sums_of_expected_purchases_meet() {
    for (parameters, moved) in [([9.9, 12.0, 0.9, 2.0], 0), ([0.4, 6.0, 31.0, 40.0], 2)] {
        let at = |factor: f64| {
            let mut parameters = parameters;
            parameters[moved] *= factor;
            forecast(Model { family: Family::BgNbd, parameters }).expected_purchases(26.0, &row(2, 20.0, 30.0))
        };
        close(at(1.0 + 1e-11), at(1.0 - 1e-11), 1e-9);
    }
}
