"""The largest margin: one answer by two roads, also where it is hard to find."""

import numpy as np
import pytest

from studies.pruning import margin
from studies.pruning.margin import by_interior_point, by_least_squares, hard_margin
from studies.pruning.rules import Cell
from studies.pruning.simulate import kept_examples


def draw(cell: Cell, N: int, seed: int = 0) -> np.ndarray:
    return kept_examples(cell, N, rng=np.random.default_rng(seed))


@pytest.mark.parametrize(
    "cell",
    [
        Cell(0.5, 0.4),  # fewer examples than weights
        Cell(0.1, 1.0),
        Cell(4.0, 1.0),
        Cell(8.0, 0.4, "easy"),
        Cell(8.0, 0.4),
        Cell(8.0, 0.25, angle=40.0, rule="signed"),
        Cell.of_kept(4.0, 0.1),
        Cell.of_kept(2.2, 0.05),  # near capacity
    ],
)
def test_two_roads_to_one_answer(cell):
    for seed in range(3):
        A = draw(cell, 40, seed)
        one, other = by_interior_point(A), by_least_squares(A)
        assert one is not None
        assert one == pytest.approx(other, abs=1e-10 * abs(other).max())


def test_tiny_shares_make_long_students():
    """With a hundredth kept, w is long: least squares themselves lose digits there."""
    A = draw(Cell.of_kept(3.0, 0.01), 100)
    w = by_interior_point(A)
    assert w is not None
    assert np.linalg.norm(w) > 100
    assert (A @ w).min() > 1 - 1e-10
    assert w == pytest.approx(by_least_squares(A), abs=1e-8 * abs(w).max())


def test_examples_may_come_twice():
    A = draw(Cell(4.0, 1.0), 30)
    w = hard_margin(np.vstack([A, A]))
    assert w == pytest.approx(hard_margin(A), abs=1e-10)


def test_examples_may_depend_on_each_other():
    """Four examples of two weights on one line: the support has no single a."""
    A = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, -1.0], [2.0, 0.0], [1.0, 0.5]])
    assert hard_margin(A) == pytest.approx([1.0, 0.0], abs=1e-12)


def test_the_answer_scales():
    A = draw(Cell(6.0, 0.5), 30)
    for size in (1e-3, 1e3):
        assert size * hard_margin(size * A) == pytest.approx(hard_margin(A), rel=1e-9)


@pytest.mark.parametrize("P", [30, 200])
def test_mixed_labels_are_refused(P):
    A = np.random.default_rng(0).standard_normal((P, 20))
    A[-1] = -A[0]
    with pytest.raises(ValueError, match=f"{P} examples of 20 weights cannot be"):
        hard_margin(A)
    assert by_interior_point(A) is None


def test_where_no_support_is_accepted_least_squares_decide(monkeypatch):
    A = draw(Cell(4.0, 1.0), 20)
    w = hard_margin(A)
    monkeypatch.setattr(margin, "EXCHANGES", 0)
    assert by_interior_point(A) is None
    assert hard_margin(A) == pytest.approx(w, abs=1e-10)
