"""Lifetime value of simulated customers, beside the `lifetimes` library: its generators, its fits, its predictions.

Given the same parameters both must say the same of each customer; a fit of ours must be at least as likely as its.
"""

import json
import math

import pyarrow as pa
import pytest

from support import adbc, lifetimes

SIZE = 2_000
RELATIVE = 1e-6
WEEKS = [12.0, 20.57, 26.0, 38.86, 52.0, 71.43, 104.0]
PERIODS = [6, 8, 10]

# Model: names of its parameters, those that customers are drawn with, ages, seed, time to predict.
SIMULATIONS = {
    "bg_nbd": ("r alpha a b", [0.6, 8.0, 0.8, 2.5], WEEKS, 11, 39.0),
    "mbg_nbd": ("r alpha a b", [0.9, 6.0, 0.6, 2.2], WEEKS, 12, 39.0),
    "pareto_nbd": ("r alpha s beta", [0.55, 10.6, 0.6, 11.7], WEEKS, 13, 39.0),
    "bg_bb": ("alpha beta gamma delta", [1.2, 0.75, 0.66, 2.78], PERIODS, 14, 5.0),
}
SPEND = [6.25, 3.74, 15.44]


def purchases(model: str, parameters: list[float]) -> str:
    """SQL of a purchase model with these parameters."""
    named = dict(zip(SIMULATIONS[model][0].split(), parameters, strict=True))
    fitted = json.dumps({"version": 1, "model": model, "unit": "week"} | named)
    return f"clv_model_from_json('{fitted}')"


def spending(parameters: list[float]) -> str:
    """SQL of a spend model with these parameters."""
    named = ", ".join(f"'{name}', CAST({value!r} AS DOUBLE)" for name, value in zip("pqv", parameters, strict=True))
    return f"named_struct('version', 1, 'model', 'gamma_gamma', {named})"


def column(connection, sql: str) -> list:
    return adbc.table(connection, sql).column(0).to_pylist()


class Simulation:
    """The customers of one model, in lists and in a table of the server, with both fits."""

    def __init__(self, connection, model: str):
        self.names, self.truth, ages, seed, self.t = SIMULATIONS[model]
        self.model, self.connection, self.answers = model, connection, {}
        self.customers = lifetimes.ask(
            "simulate", model=model, parameters=self.truth, ages=ages, size=SIZE, seed=seed
        )
        self.table = f"simulated_{model}"
        columns = pa.table({"id": list(range(SIZE))} | self.customers)
        with connection.cursor() as cursor:
            cursor.adbc_ingest(self.table, columns, mode="replace")
        self.theirs = lifetimes.ask("fit", model=model, **self.customers)["parameters"]
        self.ours = adbc.one(connection, f"SELECT clv_fit('{model}', 'week', x, tx, age) FROM {self.table}")

    def parameters(self, whose: str) -> list[float]:
        ours = [self.ours[name] for name in self.names.split()]
        return {"truth": self.truth, "theirs": self.theirs, "ours": ours}[whose]

    def predicted(self, whose: str) -> dict:
        """By lifetimes."""
        if whose not in self.answers:
            arguments = self.customers | {"model": self.model, "parameters": self.parameters(whose), "t": self.t}
            self.answers[whose] = lifetimes.ask("predict", **arguments)
        return self.answers[whose]

    def each(self, call: str, whose: str) -> list[float]:
        """A function of the model `m` and the customer, for all customers."""
        m = purchases(self.model, self.parameters(whose))
        return column(self.connection, f"SELECT {call} FROM {self.table}, (SELECT {m} AS m) ORDER BY id")


@pytest.fixture(scope="module")
def connection(start_server, web_loaded):
    with adbc.connect(start_server(web_loaded)) as connection:
        yield connection


@pytest.fixture(scope="module", params=SIMULATIONS)
def simulation(request, connection):
    return Simulation(connection, request.param)


@pytest.fixture(scope="module")
def spend(connection):
    """Repeat customers of BG/NBD with what they spend: x, z, and both fits."""
    _, parameters, ages, seed, _ = SIMULATIONS["bg_nbd"]
    drawn = lifetimes.ask("simulate", model="bg_nbd", parameters=parameters, ages=ages, size=SIZE, seed=seed)
    x = [count for count in drawn["x"] if count > 0]
    z = lifetimes.ask("simulate_spend", parameters=SPEND, x=x, seed=15)["z"]
    with connection.cursor() as cursor:
        cursor.adbc_ingest("spenders", pa.table({"id": list(range(len(x))), "x": x, "z": z}), mode="replace")
    ours = adbc.one(connection, "SELECT clv_fit_spend(x, z) FROM spenders")
    theirs = lifetimes.ask("fit_spend", x=x, z=z)["parameters"]
    return {"x": x, "z": z}, ours, theirs


@pytest.mark.parametrize("whose", ["truth", "theirs", "ours"])
def test_each_customer_is_predicted_alike(simulation, whose):
    theirs = simulation.predicted(whose)
    assert simulation.each("clv_p_alive(m, x, tx, age)", whose) == pytest.approx(theirs["alive"], rel=RELATIVE, abs=0)
    expected = simulation.each(f"clv_expected_purchases(m, {simulation.t}, x, tx, age)", whose)
    assert expected == pytest.approx(theirs["expected"], rel=RELATIVE, abs=0)
    total = sum(simulation.each("clv_log_likelihood(m, x, tx, age)", whose))
    assert total == pytest.approx(theirs["log_likelihood"], rel=RELATIVE, abs=0)
    if "new" in theirs:
        new = simulation.each(f"clv_expected_purchases_new(m, {simulation.t})", whose)
        assert new[0] == pytest.approx(theirs["new"], rel=RELATIVE, abs=0)


def test_our_fit_is_at_least_as_likely(simulation):
    """By the likelihood of lifetimes at both results."""
    assert simulation.ours["converged"] and simulation.ours["n"] == SIZE
    theirs = simulation.predicted("theirs")["log_likelihood"]
    ours = simulation.predicted("ours")["log_likelihood"]
    assert simulation.ours["log_likelihood"] == pytest.approx(ours, rel=RELATIVE, abs=0)
    assert ours >= theirs - RELATIVE * abs(theirs)
    # More likely than the parameters that drew the customers, as the most likely ones are.
    assert ours > simulation.predicted("truth")["log_likelihood"]


def test_spend_is_fitted_and_expected_alike(connection, spend):
    customers, ours, theirs = spend
    assert ours["converged"] and ours["n"] == len(customers["x"])
    likelihoods = {}
    for whose, parameters in {"truth": SPEND, "theirs": theirs, "ours": [ours[name] for name in "pqv"]}.items():
        found = lifetimes.ask("predict_spend", parameters=parameters, **customers)
        likelihoods[whose] = found["log_likelihood"]
        g = spending(parameters)
        sql = f"SELECT clv_expected_spend(g, x, z) FROM spenders, (SELECT {g} AS g) ORDER BY id"
        assert column(connection, sql) == pytest.approx(found["expected"], rel=RELATIVE, abs=0), whose
    assert ours["log_likelihood"] == pytest.approx(likelihoods["ours"], rel=RELATIVE, abs=0)
    assert likelihoods["ours"] >= likelihoods["theirs"] - RELATIVE * abs(likelihoods["theirs"])
    assert likelihoods["ours"] > likelihoods["truth"]


def of_one(connection, model: str, parameters: list[float], call: str, customer: tuple) -> float:
    x, tx, age = customer
    sql = f"SELECT {call} FROM (SELECT {purchases(model, parameters)} AS m, {x} AS x, {tx} AS tx, {age} AS age)"
    return adbc.one(connection, sql)


def expected_by_lifetimes(model: str, parameters: list[float], customer: tuple, t: float) -> dict:
    x, tx, age = ([part] for part in customer)
    return lifetimes.ask("predict", model=model, parameters=parameters, x=x, tx=tx, age=age, t=t)


@pytest.mark.parametrize(
    ("model", "parameters", "place", "customer", "t"),
    [
        ("bg_nbd", [0.5, 5.0, 1.0, 0.4], 2, (5, 30.0, 40.0), 39.0),
        ("mbg_nbd", [0.5, 5.0, 1.0, 0.4], 2, (5, 30.0, 40.0), 39.0),
        ("pareto_nbd", [0.553, 10.578, 1.0, 11.669], 2, (3, 30.0, 38.86), 39.0),
        ("bg_bb", [1.2, 0.75, 1.0, 2.78], 2, (3, 5, 6), 5.0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_where_a_formula_has_a_hole_lifetimes_says_nothing(connection, model, parameters, place, customer, t):
    """At a = 1, s = 1 or gamma = 1 it divides zero by zero; the value lies between its neighbours."""
    assert expected_by_lifetimes(model, parameters, customer, t)["expected"] == [None]
    beside = []
    for step in (-1e-4, 1e-4):
        moved = [value + step * (at == place) for at, value in enumerate(parameters)]
        beside += expected_by_lifetimes(model, moved, customer, t)["expected"]
    ours = of_one(connection, model, parameters, f"clv_expected_purchases(m, {t}, x, tx, age)", customer)
    assert ours == pytest.approx(sum(beside) / 2, rel=RELATIVE, abs=0)


@pytest.mark.parametrize("customer", [(500, 100.0, 104.0), (2_000, 200.0, 201.0)], ids=str)
def test_heavy_buyers_of_mbg_nbd_whom_lifetimes_loses(connection, customer):
    """Who is alive buys as under BG/NBD with b + 1, of which lifetimes can say what to expect."""
    r, alpha, a, b = parameters = [0.525, 6.183, 0.891, 1.614]
    theirs = expected_by_lifetimes("mbg_nbd", parameters, customer, 1000.0)
    assert theirs["expected"] == [None]
    beside = expected_by_lifetimes("bg_nbd", [r, alpha, a, b + 1], customer, 1000.0)
    expected = theirs["alive"][0] * beside["expected"][0] / beside["alive"][0]
    ours = of_one(connection, "mbg_nbd", parameters, "clv_expected_purchases(m, 1000.0, x, tx, age)", customer)
    assert ours == pytest.approx(expected, rel=RELATIVE, abs=0)


@pytest.mark.parametrize("customer", [(30, 300, 365), (500, 900, 1_000), (1_000, 1_999, 2_000)], ids=str)
def test_long_histories_of_bg_bb_beyond_lifetimes(connection, customer):
    """It multiplies beta functions, which underflow; here the same sum of the paper is added as logarithms."""
    parameters = alpha, beta, gamma, delta = [1.2, 0.75, 0.66, 2.78]
    x, tx, n = customer

    def ln_beta(a: float, b: float) -> float:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    constant = ln_beta(alpha, beta) + ln_beta(gamma, delta)
    terms = [ln_beta(alpha + x, beta + n - x) + ln_beta(gamma, delta + n)]
    terms += [ln_beta(alpha + x, beta + at - x) + ln_beta(gamma + 1, delta + at) for at in range(tx, n)]
    total = max(terms) + math.log(sum(math.exp(term - max(terms)) for term in terms))
    assert of_one(connection, "bg_bb", parameters, "clv_log_likelihood(m, x, tx, age)", customer) == pytest.approx(
        total - constant, rel=1e-9, abs=0
    )
    alive = math.exp(ln_beta(alpha + x, beta + n - x) + ln_beta(gamma, delta + n + 1) - total)
    ours = of_one(connection, "bg_bb", parameters, "clv_p_alive(m, x, tx, age)", customer)
    assert ours == pytest.approx(alive, rel=RELATIVE, abs=0)
    theirs = expected_by_lifetimes("bg_bb", parameters, customer, 5.0)["alive"][0]
    assert theirs != pytest.approx(alive, rel=RELATIVE, abs=0)
