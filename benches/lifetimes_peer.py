"""The package lifetimes over the customers of the clv bench, as its users run it.

Arguments: the file of all customers, that of distinct ones with weights. Prints name and version; then reads requests,
one a line: `time WORK` prints the milliseconds that the work took, `rows WORK` its figures, parted by commas.
"""

import sys
import time
import warnings

import lifetimes
import numpy
import pandas


def fit(customers, weights=None):
    fitter = lifetimes.BetaGeoFitter()
    fitter.fit(customers["frequency"], customers["recency"], customers["age"], weights=weights)
    return fitter


def parameters(fitter):
    return [float(fitter.params_[name]) for name in ("r", "alpha", "a", "b")]


def main():
    warnings.simplefilter("ignore")
    whole, grouped = (pandas.read_csv(file) for file in sys.argv[1:3])
    fitters, figures = {}, {}

    def fit_all():
        fitters["model"] = fit(whole)
        return parameters(fitters["model"])

    def model():
        if "model" not in fitters:
            fit_all()
        return fitters["model"]

    def expected():
        rows = whole
        return [
            model().conditional_expected_number_of_purchases_up_to_time(90, rows["frequency"], rows["recency"], rows["age"]).sum()
        ]

    def alive():
        return [model().conditional_probability_alive(whole["frequency"], whole["recency"], whole["age"]).sum()]

    works = {
        "fit": fit_all,
        "fit of grouped rows": lambda: parameters(fit(grouped, grouped["weight"])),
        "expected purchases in 90 days": expected,
        "probability alive": alive,
    }
    print(f"lifetimes {lifetimes.__version__} (numpy {numpy.__version__}, pandas {pandas.__version__})", flush=True)
    for line in sys.stdin:
        request, work = line.rstrip("\n").split(" ", 1)
        if request == "time":
            if works[work] in (expected, alive):
                model()  # predictions do not count the fit
            start = time.perf_counter()
            figures[work] = works[work]()
            print((time.perf_counter() - start) * 1e3, flush=True)
        else:
            print(",".join(repr(float(figure)) for figure in figures[work]), flush=True)


main()
