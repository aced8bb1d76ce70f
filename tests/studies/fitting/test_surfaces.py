"""Approach 2's bias against its published tables, and the closed form."""

import numpy as np
import pytest

from scaling_core.fitting import Chinchilla, fit, isoflop
from scaling_core.fitting.laws import FLOPS
from studies.fitting.surfaces import approach2_bias, deadweight_loss, simulate_isoflop

SYMMETRIC = dict(E=1.69, A=400.0, B=400.0, alpha=0.31, beta=0.31)
CHINCHILLA = dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
ASYMMETRIC = dict(E=1.69, A=406.4, B=410.7, alpha=0.465, beta=0.155)
WIDTHS = (2.0, 4.0, 8.0, 16.0)


def error(params, on="D", C=1e24, **grid):
    """Percent error of Approach 2's optimum at C."""
    found = isoflop(simulate_isoflop(params, **grid), on=on).predict(C)
    return 100 * (found / Chinchilla().optimum(params, C)[on] - 1)


# arXiv 2603.22339, tables of the extrapolation to 1e24: error of D* in percent, sizes within x2, x4, x8, x16
TABLES = [
    (SYMMETRIC, {}, (0, 0, 0, 0)),
    (CHINCHILLA, {}, (-0.33, -1.30, -2.90, -5.10)),
    (ASYMMETRIC, {}, (-1.67, -6.50, -13.91, -23.12)),
    (SYMMETRIC, dict(offset=3.0), (3.97, 3.47, 2.65, 1.51)),
    (SYMMETRIC, dict(drift=3.0), (6.07, 5.17, 3.70, 1.69)),
    (CHINCHILLA, dict(drift=3.0), (11.61, 9.83, 6.94, 3.05)),
    (ASYMMETRIC, dict(drift=3.0), (34.57, 30.04, 22.97, 14.00)),
]


@pytest.mark.parametrize("params,grid,table", TABLES)
def test_bias_reproduces_the_published_tables(params, grid, table):
    np.testing.assert_allclose(
        [error(params, width=w, **grid) for w in WIDTHS], table, atol=0.0051
    )


@pytest.mark.parametrize("params", [SYMMETRIC, CHINCHILLA, ASYMMETRIC])
@pytest.mark.parametrize("width", WIDTHS)
def test_closed_form_is_the_simulation(params, width):
    w = np.linspace(-1, 1, 15) * np.log10(width)
    shift = approach2_bias(params["alpha"], params["beta"], w)
    for on, sign in (("N", 1), ("D", -1)):
        assert (
            abs(error(params, on=on, width=width) - 100 * (10 ** (sign * shift) - 1))
            < 1e-8
        )


def test_closed_form_does_not_depend_on_the_budget_and_needs_symmetry():
    slopes = [
        isoflop(simulate_isoflop(ASYMMETRIC, width=8.0)).slope,
        ASYMMETRIC["beta"] / 0.62,
    ]
    assert abs(slopes[0] - slopes[1]) < 1e-10
    with pytest.raises(ValueError, match="symmetric about zero"):
        approach2_bias(0.3, 0.2, np.array([-1.0, 0.0, 2.0]))


# arXiv 2603.22339: narrow grid, drift to x3, budgets 1e18-1e22, at 3.8e25: error of D*, share of compute lost
MISALLOCATION = [
    (CHINCHILLA, 12.77, 0.45),
    (dict(E=3.169, A=215886.0, B=4750.0, alpha=0.684, beta=0.439), 46.32, 7.99),
    (dict(E=2.158, A=381773.0, B=4659.0, alpha=0.710, beta=0.372), 54.31, 10.06),
]


@pytest.mark.parametrize("params,percent,lost", MISALLOCATION)
def test_misallocation_at_the_largest_budget(params, percent, lost):
    data = simulate_isoflop(
        params, budgets=np.logspace(18, 22, 5), width=2.0, drift=3.0
    )
    D = float(isoflop(data, on="D").predict(3.8e25))
    assert (
        abs(100 * (D / Chinchilla().optimum(params, 3.8e25)["D"] - 1) - percent) < 0.05
    )
    assert abs(100 * deadweight_loss(params, 3.8e25, D=D) - lost) < 0.05


def test_deadweight_loss_is_what_its_words_say():
    D = 3 * Chinchilla().optimum(CHINCHILLA, 1e22)["D"]
    lost = deadweight_loss(CHINCHILLA, 1e22, D=D)
    reached = Chinchilla().predict(CHINCHILLA, {"N": [1e22 / FLOPS / D], "D": [D]})[0]
    assert (
        abs(Chinchilla().optimum(CHINCHILLA, 1e22 * (1 - lost))["L"] - reached) < 1e-12
    )


def test_surface_fit_has_no_such_bias():
    for params in (CHINCHILLA, ASYMMETRIC):
        data = simulate_isoflop(params, width=16.0, drift=3.0)
        best = Chinchilla().optimum(fit(Chinchilla(), data).params, 1e24)
        assert abs(best["D"] / Chinchilla().optimum(params, 1e24)["D"] - 1) < 1e-8
