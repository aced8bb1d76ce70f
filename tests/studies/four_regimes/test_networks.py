"""Interpolation, students, curves on digits and floors: known rates and choices."""

import numpy as np
import pytest

from scaling_core.base.slopes import fit_slopes
from scaling_core.data import images
from studies.four_regimes import digit_curves as curves
from studies.four_regimes.floors import floor_gain
from studies.four_regimes.interpolation import interpolation_errors
from studies.four_regimes.students import student_losses, teach


def test_interpolation_has_the_rates_of_theory():
    for d, Ds in ((1, [64, 256, 1024]), (2, [128, 512, 2048])):
        runs = [interpolation_errors(d, Ds, seed=seed) for seed in range(3)]
        linear, nearest = np.array(runs).swapaxes(0, 1)
        assert -fit_slopes(Ds, linear).runs.mean() == pytest.approx(4 / d, rel=0.2)
        assert -fit_slopes(Ds, nearest).runs.mean() == pytest.approx(2 / d, rel=0.2)
    with pytest.raises(ValueError, match="do not cover"):
        interpolation_errors(3, [10], seed=0)


def test_teachers_are_their_own():
    x, y = teach(3, 8, 500, seed=0)
    assert x.shape == (500, 3) and y.shape == (500, 1) and np.abs(x).max() <= 1
    assert (y.mean(), y.std()) == pytest.approx((0, 1), abs=1e-2)
    again, other = teach(3, 8, 500, seed=0), teach(3, 8, 500, seed=1)
    assert np.array_equal(y, again[1]) and not np.allclose(y, other[1])


def test_students_learn_more_from_more():
    plan = dict(d=2, steps=200, width=16, teacher=8)
    both = student_losses(Ds=[8, 256], seeds=[0, 1], starts=2, **plan)
    chosen = np.array(both["chosen"])
    assert chosen.shape == (2, 2) and (chosen[:, 1] < chosen[:, 0] / 2).all()
    assert (chosen <= np.array(both["last"]) * 1.2).all()
    alone = student_losses(Ds=[8, 256], seeds=[1], starts=2, **plan)
    assert alone["chosen"][0] == pytest.approx(both["chosen"][1], rel=0.05)


@pytest.fixture(scope="module")
def data():
    return curves.split(images.small_digits(), held_out=300, seed=0)


def test_split_is_disjoint(data):
    rows = [{row.tobytes() for row in x} for x in data.x]
    assert [len(x) for x in data.x] == [1197, 300, 300]
    assert not rows[0] & rows[2] and not rows[1] & rows[2]
    assert set(data.merged().y[0]) == set(range(5))
    moved = data.noisy(0.5, seed=1).x[2] - data.x[2]
    assert moved.std() == pytest.approx(0.5, rel=0.05)


def test_one_factor_serves_all_sizes(data):
    all_sizes = curves.kernel_errors(data, [50, 400])
    assert all_sizes[0] == curves.kernel_errors(data, [50])[0]
    x, scale = data.x[0].astype(float)[:400], None
    scale = 2 * x.shape[1] * np.mean(np.square(x))
    k = lambda a, b: np.exp(-np.square(a[:, None] - b[None]).sum(-1) / scale)
    weights = np.linalg.solve(k(x, x) + 1e-3 * np.eye(400), np.eye(10)[data.y[0][:400]])
    guess = (k(data.x[2].astype(float), x) @ weights).argmax(1)
    assert all_sizes[1] == np.mean(guess != data.y[2])
    assert all_sizes[1] < 0.06 < all_sizes[0]


def test_networks_are_stopped_by_validation(data):
    found = curves.network_curves(data, [60, 900], width=32, steps=300, seed=0, lr=3e-3)
    assert found["error"].shape == (2, 2)
    assert (found["valid"][1] <= found["valid"][0]).all()
    assert (found["error"][:, 1] < found["error"][:, 0]).all()
    assert found["error"][1, 1] < 0.1
    worse = dict(valid=found["valid"] + 1, error=0 * found["error"])
    assert np.array_equal(curves.best_width([found, worse]), found["error"])
    nearest = curves.neighbour_errors(data, [60, 900])
    assert nearest[1] < nearest[0]


def test_a_floor_pays_only_where_there_is_one():
    n = np.geomspace(100, 4000, 6)
    wobble = np.exp(1e-3 * np.array([1, -1, 0.5, -0.5, 1, -1]))
    assert floor_gain(n, (0.2 + 9 / n**0.7) * wobble) > 0
    assert floor_gain(n, 9 / n**0.3 * wobble) < 0
    with pytest.raises(ValueError, match="six points"):
        floor_gain([1, 2, 3], np.array([3.0, 2, 1]))
