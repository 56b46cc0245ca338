"""Run by the Python with `lifetimes`: simulates, fits and predicts with that library. One JSON object in, one out.

Input: task and its arguments. What is not a finite number is answered as null.
"""

import json
import sys
import warnings

import numpy
import pandas
from lifetimes import BetaGeoBetaBinomFitter, BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter, ParetoNBDFitter
from lifetimes import generate_data as generate

FITTERS = {
    "bg_nbd": (BetaGeoFitter, "r alpha a b", generate.beta_geometric_nbd_model),
    "mbg_nbd": (ModifiedBetaGeoFitter, "r alpha a b", generate.modified_beta_geometric_nbd_model),
    "pareto_nbd": (ParetoNBDFitter, "r alpha s beta", generate.pareto_nbd_model),
    "bg_bb": (BetaGeoBetaBinomFitter, "alpha beta gamma delta", generate.beta_geometric_beta_binom_model),
}
SPEND = "p q v"


def simulate(model, parameters, ages, size, seed):
    """Customers by the library's own generator; the age of each is one of `ages`."""
    numpy.random.seed(seed)
    drawn = numpy.random.choice(ages, size)
    made = FITTERS[model][2](drawn, *parameters, size=size)
    return {"x": made["frequency"], "tx": made["recency"], "age": drawn}


def fit(model, x, tx, age):
    """From the same start each time: the library draws it for Pareto/NBD, and from some it ends far from the best fit."""
    numpy.random.seed(0)
    fitter = FITTERS[model][0]()
    fitter.fit(x, tx, age)
    return {"parameters": list(fitter.params_)}


def at(fitter, names, parameters):
    fitter.params_ = pandas.Series(parameters, index=names.split())
    return fitter


def predict(model, parameters, x, tx, age, t):
    """Log-likelihood of all, and for each customer the purchases to expect within `t` and the chance to be alive."""
    kind, names, _ = FITTERS[model]
    fitter = at(kind(), names, parameters)
    expected = fitter.conditional_expected_number_of_purchases_up_to_time(t, x, tx, age)
    ones = numpy.ones(len(x))
    if model == "bg_bb":
        # Alive at the first opportunity to come.
        alive = fitter.conditional_probability_alive(1, x, tx, age)
        total = fitter._loglikelihood(parameters, x, tx, age).sum()
        return {"expected": expected, "alive": alive, "log_likelihood": total}
    if model == "pareto_nbd":
        # Of this model a sum, not a mean, and of parameters, not of their logarithms.
        total = -fitter._negative_log_likelihood(parameters, x, tx, age, ones, 0)
    else:
        total = -fitter._negative_log_likelihood(numpy.log(parameters), x, tx, age, ones, 0) * len(x)
    new = fitter.expected_number_of_purchases_up_to_time(t)
    alive = fitter.conditional_probability_alive(x, tx, age)
    return {"expected": expected, "alive": alive, "log_likelihood": total, "new": new}


def simulate_spend(parameters, x, seed):
    """Mean spend of repeat purchases as the Gamma-Gamma model says; the library has no generator for it."""
    p, q, v = parameters
    numpy.random.seed(seed)
    rate = numpy.random.gamma(q, 1 / v, len(x))
    return {"z": numpy.random.gamma(p * x, 1 / (rate * x))}


def fit_spend(x, z):
    return {"parameters": list(GammaGammaFitter().fit(x, z).params_)}


def predict_spend(parameters, x, z):
    """Of customers with repeat purchases."""
    fitter = at(GammaGammaFitter(), SPEND, parameters)
    total = -fitter._negative_log_likelihood(numpy.log(parameters), x, z, numpy.ones(len(x)), 0) * len(x)
    return {"expected": fitter.conditional_expected_average_profit(x, z), "log_likelihood": total}


def value(model, parameters, spend, x, tx, age, z, months, discount):
    """What each customer is worth; ages in weeks."""
    kind, names, _ = FITTERS[model]
    buying = at(kind(), names, parameters)
    buying.predict = buying.conditional_expected_number_of_purchases_up_to_time
    series = [pandas.Series(column) for column in (x, tx, age, z)]
    return {
        "value": at(GammaGammaFitter(), SPEND, spend).customer_lifetime_value(
            buying, *series, time=months, discount_rate=discount, freq="W"
        )
    }


TASKS = {task.__name__: task for task in (simulate, fit, predict, simulate_spend, fit_spend, predict_spend, value)}


def plain(found):
    if isinstance(found, dict):
        return {name: plain(part) for name, part in found.items()}
    if numpy.ndim(found):
        return [plain(part) for part in found]
    return float(found) if numpy.isfinite(found) else None


warnings.simplefilter("ignore")
arguments = json.load(sys.stdin)
task = TASKS[arguments.pop("task")]
columns = {name: numpy.array(given) if isinstance(given, list) else given for name, given in arguments.items()}
json.dump(plain(task(**columns)), sys.stdout)
