"""Step Law: its published optimum, refits of exact optima, and the vertex of a sweep."""

import numpy as np
import pytest

from scaling_core.fitting import StepLaw, fit, lowest_point


def cells():
    axes = np.geomspace(2e8, 1e9, 4), np.geomspace(4e9, 1e11, 4)
    N, D = (g.ravel() for g in np.meshgrid(*axes))
    return {"N": N, "D": D, **StepLaw.optimum(N, D)}


def test_published_law_comes_back_from_its_optima():
    rate, batch = fit(StepLaw(), cells()), fit(StepLaw("batch", ("D",)), cells())
    assert rate.law.formula == "lr = c N^a D^b" and rate.status == "converged"
    expected = dict(c=1.79, a=-0.713, b=0.307)
    assert all(abs(rate.params[k] / v - 1) < 1e-6 for k, v in expected.items())
    assert batch.law.formula == "batch = c D^b"
    assert abs(batch.params["b"] - 0.571) < 1e-9


def test_squares_of_logs_are_the_linear_regression():
    data, rng = cells(), np.random.default_rng(0)
    data["lr"] = data["lr"] * np.exp(0.1 * rng.normal(size=16))
    design = np.column_stack([np.ones(16), np.log(data["N"]), np.log(data["D"])])
    expected = np.linalg.lstsq(design, np.log(data["lr"]), rcond=None)[0]
    found = fit(StepLaw(), data, delta=np.inf).params
    np.testing.assert_allclose([found["a"], found["b"]], expected[1:], rtol=1e-8)


def sweep(tilt=0.01):
    lr, batch = (g.ravel() for g in np.meshgrid(np.geomspace(1, 32, 6), [1, 2, 4.0]))
    u, v = np.log(lr / 5), np.log(batch / 2)
    loss = 2 + 0.01 * u**2 + 0.02 * v**2 + tilt * u * v
    return {"lr": lr, "batch": batch, "loss": loss}


def test_the_vertex_of_a_tilted_bowl_is_found():
    found = lowest_point(sweep(), window=1.0)
    assert found["lr"] == pytest.approx(5) and found["batch"] == pytest.approx(2)
    assert found["loss"] == pytest.approx(2) and found["convex"] and found["inside"]
    assert not lowest_point(sweep(tilt=0.05), window=1.0)["convex"]
    only = {k: v[sweep()["lr"] > 5] for k, v in sweep().items()}
    assert not lowest_point(only, window=1.0)["inside"]


def test_too_few_runs_near_the_best_are_said():
    with pytest.raises(ValueError, match="of the best do not determine a surface of 6"):
        lowest_point(sweep(), window=0.0001)
