"""Backtracking against direct samples: the formula by hand, and the matched budgets."""

import pytest

from studies.rl.search import SHAPES, gap, gap_at_longest, generation_flops


def test_flops_by_hand():
    linear = 2 * 256**2 + 2 * 256 * 64 + 3 * 256 * 512
    assert generation_flops("3M", 3) == 6 * (3 * linear + 256 * 6)


def test_direct_samples_win_countdown_at_every_size():
    gaps = {size: gap("countdown", size) for size in SHAPES}
    assert min(gaps.values()) == pytest.approx(23.2, abs=0.1)
    assert min(gaps, key=lambda size: gaps[size]) == "38M"


def test_sixteen_samples_cost_less_than_the_longest_trace():
    found = {size: gap_at_longest("countdown", size) for size in SHAPES}
    assert [points for points, _ in found.values()] == [10.5, 19.5, 18.0, 25.5]
    shares = [share for _, share in found.values()]
    assert shares == pytest.approx([0.447, 0.577, 0.658, 0.712], abs=1e-3)


def test_backtracking_wins_sudoku_where_the_model_is_large():
    assert gap("sudoku", "38M") < -10 and gap("sudoku", "144M") < -10
    assert gap_at_longest("sudoku", "38M")[0] == -19.0
    assert gap_at_longest("sudoku", "144M")[0] == -15.0
