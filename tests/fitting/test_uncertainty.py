"""Uncertainty: known closed forms, agreement between methods, and coverage."""

import numpy as np
import pytest

from scaling_core import fitting as sf
from scaling_core.fitting import fit

from .cases import CASES, mesh
from .test_fit import noisy

TRUTH = dict(E=1.8172, A=477.8, B=2143.0, alpha=0.3473, beta=0.3672)


def hundred(rng, sd=0.01):
    N, D = mesh(np.geomspace(5e7, 1.6e10, 10), np.geomspace(1e9, 5e11, 10))
    loss = sf.Chinchilla().predict(TRUTH, {"N": N, "D": D})
    return {"N": N, "D": D, "L": loss * np.exp(sd * rng.normal(size=100))}


def power(seed=0, n=40, sd=0.02):
    x = np.geomspace(1, 1e3, n)
    return {
        "x": x,
        "L": 2 * x**-0.3 * np.exp(sd * np.random.default_rng(seed).normal(size=n)),
    }


def test_log_linear_case_is_ordinary_regression():
    """log L = log A - alpha log x under squares: textbook standard errors and F intervals."""
    data = power()
    result = fit(sf.PowerLaw(floor=False), data, delta=np.inf)
    u, t = np.log(data["x"]), np.log(data["L"])
    (slope, _), cov = np.polyfit(u, t, 1, cov=True)
    assert abs(result.params["alpha"] + slope) < 1e-12
    assert np.isclose(sf.covariance(result, "robust")[1, 1], cov[0, 0], rtol=1e-6)
    from scipy import stats

    half = stats.t.ppf(0.975, 38) * np.sqrt(cov[0, 0])
    np.testing.assert_allclose(
        sf.profile(result, "alpha"), (-slope - half, -slope + half), rtol=1e-6
    )


@pytest.mark.parametrize("loss", ["log-huber", "mse"])
def test_methods_agree_where_all_are_valid(loss):
    result = fit(sf.Chinchilla(), hundred(np.random.default_rng(2)), loss=loss)
    pairs = sf.bootstrap(result, 600, rng=np.random.default_rng(0))
    residual = sf.bootstrap(result, 600, kind="residual", rng=np.random.default_rng(0))
    for name in ("E", "alpha", "beta"):
        widths = [
            np.diff(ends)[0]
            for ends in (
                pairs.interval(name),
                residual.interval(name),
                sf.interval(result, name),
                sf.interval(result, name, kind="robust"),
                sf.profile(result, name),
            )
        ]
        assert max(widths) / min(widths) < 1.8, (name, widths)


def test_bootstrap_is_reproducible_and_every_resample_converges():
    result = fit(sf.Chinchilla(), noisy())
    first, second = (
        sf.bootstrap(result, 50, rng=np.random.default_rng(4)) for _ in "ab"
    )
    assert (first.samples == second.samples).all() and first.converged.mean() > 0.95
    assert set(first.standard_errors) == set(result.params)
    low, high = first.statistic(lambda p: p["beta"] / (p["alpha"] + p["beta"]))
    assert low < result.derived["a"] < high


def test_clusters_are_drawn_whole():
    """Copies of each point in one cluster: the cluster bootstrap is not fooled, the pairs one is."""
    data = {k: np.repeat(v, 4) for k, v in noisy(n=40).items()}
    result = fit(sf.Chinchilla(), data)
    groups = np.repeat(np.arange(40), 4)
    whole = sf.bootstrap(
        result, 400, kind="cluster", groups=groups, rng=np.random.default_rng(0)
    )
    loose = sf.bootstrap(result, 400, rng=np.random.default_rng(0))
    ratio = whole.standard_errors["alpha"] / loose.standard_errors["alpha"]
    assert 1.5 < ratio < 2.7  # four copies: twice the error


@pytest.mark.parametrize(
    "options,message",
    [
        (dict(kind="jackknife"), "kind must be"),
        (dict(kind="cluster"), "groups must be given"),
        (dict(groups=np.zeros(60)), "and only then"),
        (dict(kind="cluster", groups=np.zeros(60)), "at least two groups"),
        (
            dict(kind="cluster", groups=np.zeros(6)),
            "groups has 6 entries for 60 points",
        ),
    ],
)
def test_bad_bootstrap_options(options, message):
    with pytest.raises(ValueError, match=message):
        sf.bootstrap(fit(sf.Chinchilla(), noisy()), 10, **options)


def test_bad_names_and_kinds():
    result = fit(sf.Chinchilla(), noisy())
    with pytest.raises(ValueError, match="robust or sandwich"):
        sf.covariance(result, "hessian")
    with pytest.raises(ValueError, match="no parameter 'gamma'"):
        sf.profile(result, "gamma")


def test_bands_widen_away_from_the_data_and_agree():
    result = fit(sf.Chinchilla(), hundred(np.random.default_rng(3)))
    boot = sf.bootstrap(result, 500, rng=np.random.default_rng(0))
    where = {"N": [1e9, 1e12], "D": [2e10, 2e13]}
    delta, sampled = sf.band(result, where), boot.band(where)
    for low, high in (delta, sampled):
        assert (low < result.predict(where)).all() and (
            result.predict(where) < high
        ).all()
        assert high[1] - low[1] > high[0] - low[0]
    assert (
        0.5
        < np.diff(np.array(delta), axis=0)[0, 1]
        / np.diff(np.array(sampled), axis=0)[0, 1]
        < 2
    )
    wide = boot.band(where, noise=True)
    assert (wide[0] < sampled[0]).all() and (wide[1] > sampled[1]).all()


def test_profile_stops_at_a_bound_and_fixed_parameters_have_no_error():
    x = np.geomspace(1, 1e3, 20)
    data = {
        "x": x,
        "L": (0.02 + 3 * x**-0.2)
        * np.exp(0.05 * np.random.default_rng(0).normal(size=20)),
    }
    assert sf.profile(fit(sf.PowerLaw(), data), "E")[0] == 0.0
    fixed = fit(sf.PowerLaw(), data, bounds={"E": (0.1, 0.1)})
    assert sf.covariance(fixed)[0, 0] == 0 and sf.covariance(fixed)[2, 2] > 0


def test_profile_of_values_tied_to_the_units():
    """A is profiled in raw units although the fit works in scaled ones."""
    result = fit(sf.Chinchilla(), hundred(np.random.default_rng(5)), loss="mse")
    low, high = sf.profile(result, "A")
    edge = fit(
        sf.Chinchilla(), result.problem.data, loss="mse", bounds={"A": (low, low)}
    )
    from scipy import stats

    expected = result.objective * (1 + stats.t.ppf(0.975, 95) ** 2 / 95)
    assert low < result.params["A"] < high and np.isclose(
        edge.objective, expected, rtol=1e-5
    )


def test_saturating_slope_of_many_sizes_bootstraps():
    law, inputs, params, _ = CASES["saturating-k"]
    loss = law.predict(params, inputs) * np.exp(
        0.01 * np.random.default_rng(0).normal(size=len(inputs["N"]))
    )
    boot = sf.bootstrap(
        fit(law, {**inputs, "L": loss}), 100, rng=np.random.default_rng(0)
    )
    low, high = boot.interval("K_max")
    assert low < 0.13 < high


def coverage(count, loss, seed):
    """Share of simulations whose 95 % interval holds the truth, per method and parameter."""
    rng = np.random.default_rng(seed)
    hits = {}
    for _ in range(count):
        result = fit(sf.Chinchilla(), hundred(rng), loss=loss)
        boot = sf.bootstrap(result, 400, rng=rng)
        for name, value in TRUTH.items():
            for kind, (low, high) in {
                "pairs": boot.interval(name),
                "sandwich": sf.interval(result, name),
                "profile": sf.profile(result, name),
            }.items():
                hits.setdefault((kind, name), []).append(low <= value <= high)
    return {key: np.mean(values) for key, values in hits.items()}


@pytest.mark.full
@pytest.mark.parametrize("loss", ["log-huber", "mse"])
def test_coverage_of_95_percent_intervals(loss):
    """100 points, 1 % noise, 600 simulations: coverage within [0.92, 0.98]."""
    shares = coverage(600, loss, seed=11)
    assert all(0.92 <= share <= 0.98 for share in shares.values()), shares
