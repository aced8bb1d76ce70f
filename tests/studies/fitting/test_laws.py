"""Laws of this chapter: printed formulas, gradients, units, recovery, published fits."""

import numpy as np
import pytest

from studies.fitting import laws
from tests.core.fitting.cases import check_gradient, check_recovery, check_units


def _schedules():
    steps = np.arange(4000)
    cosine = 3e-4 * (0.55 + 0.45 * np.cos(np.pi * steps / 4000))
    drop = np.where(steps < 3000, 3e-4, 3e-5)
    parts = [laws.schedule_areas(lr) for lr in (cosine, drop)]
    both = [np.concatenate([part[i][50::100] for part in parts]) for i in (0, 1)]
    return dict(zip(("S1", "S2"), both, strict=True))


CASES = {  # as in tests/core/fitting/cases.py
    "lr-annealing": (
        laws.LRAnnealing(),
        _schedules(),
        dict(L_0=2.628, A=0.429, C=0.411, alpha=0.55),
        [("S1",), ("S2",)],
    ),
}
SAME = {"alpha"}  # without a unit


def direct(p, d):
    """The printed formula, written out."""
    return p["L_0"] + p["A"] * d["S1"] ** -p["alpha"] - p["C"] * d["S2"]


@pytest.mark.parametrize("name", CASES)
def test_prediction_is_the_printed_formula(name):
    law, inputs, params, _ = CASES[name]
    expected = direct(params, inputs)
    np.testing.assert_allclose(law.predict(params, inputs), expected, rtol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_gradient_agrees_with_finite_differences(name):
    check_gradient(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_units_there_and_back(name):
    check_units(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_noise_free_recovery_in_random_units(name):
    check_recovery(CASES[name], SAME, 5, seed=0, tolerance=1e-9, unit=True)


def test_schedule_areas_by_the_double_sum():
    lr, decay = np.random.default_rng(0).uniform(size=30), 0.9
    s1, s2 = laws.schedule_areas(lr, decay)
    falls = np.concatenate([[0.0], lr[:-1] - lr[1:]])
    momentum = [
        sum(falls[k] * decay ** (i - k) for k in range(i + 1)) for i in range(30)
    ]
    np.testing.assert_allclose(s2, np.cumsum(momentum), rtol=1e-12)
    np.testing.assert_allclose(s1, np.cumsum(lr), rtol=1e-15)
