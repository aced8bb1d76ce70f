"""Approach 2 on a surface with equal exponents, where it is exact, and its warnings."""

import numpy as np
import pytest

from scaling_core.fitting import Chinchilla, isoflop

SURFACE = dict(E=1.69, A=400.0, B=400.0, alpha=0.31, beta=0.31)


def runs(budgets=(1e18, 1e19, 1e20, 1e21), n=15, offset=1.0):
    """Losses at sizes within a factor of four around each budget's optimum."""
    C = np.repeat(budgets, n)
    D = np.sqrt(C / 6) * offset * np.tile(np.geomspace(0.25, 4, n), len(budgets))
    data = {"N": C / (6 * D), "D": D, "C": C}
    return {**data, "L": Chinchilla().predict(SURFACE, data)}


@pytest.mark.parametrize("on", ["N", "D"])
def test_equal_exponents_are_found_exactly(on):
    found = isoflop(runs(), on=on)
    best = Chinchilla().optimum(SURFACE, 1e24)
    assert abs(found.slope - 0.5) < 1e-9
    assert found.predict(1e24) == pytest.approx(best[on], rel=1e-9)
    assert found.warnings == () and len(found.vertices) == 4


def test_doubtful_parabolas_are_named():
    data = runs(n=3)
    assert all("three points only" in w for w in isoflop(data).warnings)
    data["L"][:3] = [1.0, 2.0, 1.0]
    assert any("opens downwards" in w for w in isoflop(data).warnings)
    assert any("outside the sizes" in w for w in isoflop(runs(offset=30.0)).warnings)
    with pytest.raises(ValueError, match="at least two budgets"):
        isoflop(runs(budgets=[1e20]))
    data = runs(budgets=[1e19, 1e20])
    data["L"] = -data["L"] + 10
    words = "1e\\+19: parabola opens downwards.*both sides"
    with pytest.raises(ValueError, match=words):
        isoflop(data)


def test_a_parabola_that_is_all_but_flat_is_no_crash():
    """Its minimum lies where no floating-point number reaches."""
    data = runs(budgets=[1e18, 1e19, 1e20])
    u = np.log10(data["N"])
    flat = slice(0, 15)
    data["L"][flat] = 30 - u[flat] + 1e-4 * (u[flat] - u[flat].mean()) ** 2
    found = isoflop(data)
    assert np.isfinite(found.slope) and found.vertices[0] == np.inf
    assert any("outside the sizes" in words for words in found.warnings)
