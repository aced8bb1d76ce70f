"""Choosing laws: likelihoods by quadrature, the true law found, extrapolation scored ahead only."""

import numpy as np
import pytest
from scipy import integrate

from scaling_core import fitting as sf
from scaling_core.fitting.selection import _log_partition


def data(seed=0, n=40, sd=0.01):
    x = np.geomspace(1, 1e4, n)
    return {
        "x": x,
        "L": (1 + 3 * x**-0.5)
        * np.exp(sd * np.random.default_rng(seed).normal(size=n)),
    }


@pytest.mark.parametrize("t,delta", [(0.3, 0.5), (1e-5, 1e-3), (4.0, 10.0)])
def test_partition_function_by_quadrature(t, delta):
    def density(r):
        rho = r**2 / 2 if r <= delta else delta * (r - delta / 2)
        return np.exp(-rho / t)

    tail = delta + 60 * t / delta
    total = 2 * (
        integrate.quad(density, 0, delta)[0]
        + integrate.quad(density, delta, tail, limit=200)[0]
    )
    assert np.isclose(_log_partition(np.array(t), delta), np.log(total), rtol=1e-8)


def test_true_law_wins():
    rows = sf.compare(
        [sf.PowerLaw(floor=False), sf.PowerLaw(), sf.BNSL()], data(), by="x"
    )
    first, last = rows.iloc[0], rows.iloc[-1]
    assert first.law == "PowerLaw" and first.k == 4 and first.delta_aicc == 0
    assert last.delta_aicc > 20
    assert first.extrapolation < 0.05 < last.extrapolation
    assert first.result.status == first.status == "converged"


def test_extra_parameters_are_charged():
    """Under squares AICc and BIC are the textbook expressions."""
    d = data()
    row = sf.compare([sf.PowerLaw()], d, loss="mse").iloc[0]
    s2 = row.result.objective / 40
    gaussian = -20 * (np.log(2 * np.pi * s2) + 1)
    assert np.isclose(row.log_likelihood, gaussian) and np.isclose(
        row.bic, 4 * np.log(40) - 2 * gaussian
    )
    assert np.isclose(row.aicc, 8 - 2 * gaussian + 40 / 35)


def test_scoring_uses_larger_scales_only():
    d = data()
    cv = sf.extrapolation_cv(sf.PowerLaw(), d, by="x", splits=4)
    assert (
        len(cv.cuts) == 4
        and list(cv.cuts) == sorted(cv.cuts)
        and len(cv.rmse_by_fold) == 4
    )
    assert len(cv.errors) == np.sum(d["x"] > cv.cuts[0])
    first = d["x"] <= cv.cuts[0]
    own = sf.fit(sf.PowerLaw(), {k: v[first] for k, v in d.items()})
    scored = (d["x"] > cv.cuts[0]) & (d["x"] <= cv.cuts[1])
    expected = np.log(own.predict({"x": d["x"][scored]}) / d["L"][scored])
    np.testing.assert_allclose(cv.errors[cv.fold == 0], expected, rtol=1e-9)


def test_order_may_be_a_column_a_function_or_values():
    d = data()
    by_name = sf.extrapolation_cv(sf.PowerLaw(), d, by="x")
    assert (
        by_name.rmse == sf.extrapolation_cv(sf.PowerLaw(), d, by=lambda c: c["x"]).rmse
    )
    assert by_name.rmse == sf.extrapolation_cv(sf.PowerLaw(), d, by=d["x"]).rmse
    with_compute = {**d, "C": d["x"] * 6}
    assert by_name.rmse == sf.extrapolation_cv(sf.PowerLaw(), with_compute, by="C").rmse


def test_too_little_data_is_said():
    with pytest.raises(ValueError, match="no cut leaves"):
        sf.extrapolation_cv(
            sf.PowerLaw(), {k: v[:5] for k, v in data().items()}, by="x"
        )
    with pytest.raises(ValueError, match="by has 3 entries"):
        sf.extrapolation_cv(sf.PowerLaw(), data(), by=[1, 2, 3])


def test_perfect_fit_has_infinite_likelihood_without_warning():
    x = np.ones(5) * np.arange(1, 6)
    row = sf.compare([sf.PowerLaw(floor=False)], {"x": x, "L": 1 / x}, loss="mse").iloc[
        0
    ]
    assert row.log_likelihood > 100
