"""Backtracking against direct samples: the formula by hand, and the matched budgets."""

import pytest

from studies.rl.search import (
    AFTER_RL,
    SHAPES,
    gaps,
    generation_flops,
    solved_curves,
)


def test_flops_by_hand():
    linear = 2 * 256**2 + 2 * 256 * 64 + 3 * 256 * 512
    assert generation_flops("3M", 3) == 6 * (3 * linear + 256 * 6)


def test_before_rl_direct_samples_win_countdown_at_the_largest_common_budget():
    last = {size: gaps("countdown", size)[-1] for size in SHAPES}
    assert min(last.values()) == pytest.approx(23.2, abs=0.1)
    assert min(last, key=lambda size: last[size]) == "38M"
    assert gaps("countdown", "3M")[0] == pytest.approx(1.4, abs=0.1)


def test_after_rl_one_trace_wins_there():
    last = [gaps("countdown", size, "after")[-1] for size in AFTER_RL]
    assert last == pytest.approx([-24.4, -22.7], abs=0.1)


def test_backtracking_wins_sudoku_where_the_model_is_large():
    assert gaps("sudoku", "38M")[-1] < -10 and gaps("sudoku", "144M")[-1] < -10


def test_budgets_are_common_ones():
    curves = solved_curves("countdown", "3M")
    low = max(flops[0] for flops, _ in curves.values())
    high = min(flops[-1] for flops, _ in curves.values())
    inside = [((f >= low) & (f <= high)).sum() for f, _ in curves.values()]
    assert len(gaps("countdown", "3M")) == sum(inside)
