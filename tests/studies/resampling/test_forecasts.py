"""Forecasts and allocations recover what was put in."""

import numpy as np
import pytest

from studies.resampling import allocation, forecasts
from studies.resampling.budgets import coverage

N = 2.0 ** np.arange(6)
TRUTHS = {
    "saturating": lambda n: 0.6 * -np.expm1(-0.05 * n),
    "power law": lambda n: np.exp(-1.8 * n**-0.3),
    "logistic": lambda n: 1 / (1 + 8 * n**-0.6),
}


@pytest.mark.parametrize("form", TRUTHS)
def test_own_curve_is_forecast(form):
    truth = TRUTHS[form]
    found = forecasts.forecast(form, N, truth(N), 1024.0)
    assert found == pytest.approx(truth(1024.0), abs=2e-4)


def test_saturation_point_of_its_own_form():
    point = forecasts.saturation_point(N, TRUTHS["saturating"](N))
    gain = np.diff([TRUTHS["saturating"](point + i) for i in (0, 1)])[0]
    assert gain == pytest.approx(1e-3, rel=0.1)


def test_beta_of_chances_is_recovered():
    rng = np.random.default_rng(0)
    a, b = forecasts.fit_beta(rng.binomial(64, rng.beta(0.4, 2.0, 20_000)), 64)
    assert a == pytest.approx(0.4, rel=0.05) and b == pytest.approx(2.0, rel=0.1)


def test_beta_failures_fall_as_a_power():
    left = forecasts.beta_failure(0.3, 1.0, np.array([1e4, 4e4]))
    assert forecasts.local_exponent(*left, 4.0) == pytest.approx(0.3, abs=1e-3)


def test_no_draw_succeeds_and_the_fit_stays_finite():
    assert np.isfinite(forecasts.fit_beta(np.zeros(50, int), 32)).all()


def test_true_difficulty_saves_draws_and_chance_saves_none():
    rng = np.random.default_rng(1)
    p = np.clip(rng.beta(0.3, 1.5, 4000), 1e-6, 1 - 1e-6)
    for stop in (False, True):
        known = allocation.budget_ratio(p, np.log(p), 16, stop=stop)
        blind = allocation.budget_ratio(p, rng.random(len(p)), 16, stop=stop)
        assert known > 0.2 and abs(blind) < 0.05


def test_equal_problems_have_nothing_to_allocate():
    p = np.full(400, 0.1)
    score = np.random.default_rng(2).random(400)
    assert allocation.budget_ratio(p, score, 8, stop=False) == pytest.approx(
        0, abs=0.01
    )


def test_stopping_saves_what_the_geometric_law_says():
    p, n = 0.2, 10
    mean = sum(k * p * (1 - p) ** (k - 1) for k in range(1, n)) + n * (1 - p) ** (n - 1)
    found = allocation.stopping_ratio(np.array([p]), n)
    assert found == pytest.approx(np.log(n / mean))


def test_gains_fall_with_draws():
    p = np.random.default_rng(3).beta(0.5, 2.0, 500)
    for stop in (False, True):
        fall = allocation.gains(p, stop=stop)
        assert (np.diff(fall) <= 1e-12).all() and fall[0] == pytest.approx(p.mean())


def test_ridge_finds_a_linear_truth():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((400, 3))
    y = x @ [1.0, -2.0, 0.5] + 3
    np.testing.assert_allclose(allocation.ridge_forecast(x, y, 1e-9), y, atol=1e-6)


def test_exponents_of_a_beta_agree_with_its_tail():
    rng = np.random.default_rng(5)
    p = rng.beta(0.4, 1.0, 20_000)
    line, beta, _, true = forecasts.exponents(p, 64, rng=rng)
    assert beta == pytest.approx(true, abs=0.05)
    assert line > 0 and coverage(p, 4) < coverage(p, 64)
