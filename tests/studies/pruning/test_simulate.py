"""The exact student: optimality, teacher recovered, theory met at a few cells."""

import numpy as np
import pytest

from studies.pruning.margin import hard_margin
from studies.pruning.replica import solve
from studies.pruning.rules import Cell, keep_indices
from studies.pruning.simulate import (
    angle_error,
    kept_examples,
    same_pool,
    simulate,
    simulate_all,
)


@pytest.mark.parametrize(
    "cell", [Cell(4.0, 1.0), Cell(60.0, 0.05), Cell(2.0, 0.4, "easy")]
)
def test_the_margin_is_the_largest(cell):
    """KKT: all margins at least one, and w a non-negative mix of those at one."""
    A = kept_examples(cell, 30, rng=np.random.default_rng(0))
    w = hard_margin(A)
    margin = A @ w
    assert margin.min() > 1 - 1e-6
    at_one = A[margin < 1 + 1e-6]
    mix, *_ = np.linalg.lstsq(at_one.T, w, rcond=None)
    assert at_one.T @ mix == pytest.approx(w, rel=1e-5, abs=1e-5)
    assert mix.min() > -1e-6


def test_what_cannot_be_separated_is_refused():
    with pytest.raises(ValueError, match="cannot be separated"):
        hard_margin(np.array([[1.0, 0.0], [-1.0, 0.0]]))
    with pytest.raises(ValueError, match="finite matrix"):
        hard_margin(np.array([1.0, 2.0]))


def test_kept_examples_are_those_of_the_rule():
    cell = Cell(20.0, 0.1, angle=30.0, rule="signed")
    A = kept_examples(cell, 50, rng=np.random.default_rng(0))
    assert A.shape == (100, 50)
    assert (A[:, 0] >= 0).all()  # labels are the teacher's
    margin = A[:, :2] @ [np.cos(np.pi / 6), np.sin(np.pi / 6)]
    assert margin.max() < 0.3
    assert A[:, 2:].std() == pytest.approx(1, abs=0.05)


def test_random_choice_ignores_the_probe():
    margin = np.array([0.1, 3.0, 0.2, 2.0])
    assert keep_indices(margin, Cell(1, 0.5, "random")).tolist() == [0, 1]
    assert keep_indices(margin, Cell(1, 0.5, "easy")).tolist() == [3, 1]


@pytest.mark.parametrize(
    "cell",
    [
        Cell(1.0, 1.0),
        Cell(4.0, 0.4, "easy"),
        Cell(6.0, 0.5),
        Cell(4.0, 0.25, angle=20.0),
        Cell(4.0, 0.25, angle=40.0, rule="signed"),
    ],
)
def test_simulation_meets_theory(cell):
    errors = simulate_all([cell], N=100, seeds=range(40))[:, 0]
    noise = errors.std(ddof=1) / 40**0.5
    assert abs(errors.mean() - solve(cell).error) < 4 * noise + 0.004


def test_a_cell_and_seed_give_one_number():
    one, other = (simulate(Cell(2.0, 0.5), N=20, seed=s) for s in (1, 2))
    assert one == simulate(Cell(2.0, 0.5), N=20, seed=1)
    assert one != other


def test_a_probe_of_the_pool_beats_its_angle():
    error, angle = same_pool(Cell(8.0, 0.25), N=60, seed=0, probe=6.0)
    assert 5 < angle < 30
    assert error < 0.6 * solve(Cell(8.0, 0.25, angle=angle)).error
    with pytest.raises(ValueError, match="cannot give a probe"):
        same_pool(Cell(2.0, 0.5), N=20, seed=0, probe=3.0)


def test_error_is_an_angle():
    assert angle_error(np.array([0.0, 1.0])) == pytest.approx(0.5)
    assert angle_error(np.array([-1.0, 0.0])) == pytest.approx(1.0)
