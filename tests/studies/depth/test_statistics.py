"""One number from many layers: known answers, and what is refused."""

import numpy as np
import pytest

from studies.depth import statistics as stat
from studies.depth.contributions import null_contribution


def test_halves_of_the_null_for_very_deep_models():
    """Without an embedding the ratio of halves is √2 + 1 (exercise 1 of the page)."""
    curve = null_contribution(1_000_000, start=1.0)
    assert stat.half_ratio(curve, first=0) == pytest.approx(2**0.5 + 1, rel=2e-3)


def test_halves_keep_the_leading_axes():
    curves = np.arange(1.0, 25).reshape(2, 3, 4)
    ratios = stat.half_ratio(curves)
    assert ratios.shape == (2, 3)
    assert ratios[1, 2] == pytest.approx(22 / 23.5)
    with pytest.raises(ValueError, match="layers before and after 1"):
        stat.half_ratio([1.0, 2.0, 3.0])


def test_effects_of_a_layer_are_means_over_the_later_ones():
    matrices = np.triu(np.ones((5, 4, 4)), 1) * np.array([1.0, 2.0, 3.0, 4.0])[:, None]
    assert stat.effect_curve(matrices) == pytest.approx(
        np.broadcast_to([1.0, 2.0, 3.0], (5, 3))
    )


def test_all_halves_are_with_layer_1_and_without():
    curve, matrix = [9.0, 2.0, 1.0, 3.0], np.triu(np.ones((4, 4)), 1)
    cell = dict.fromkeys(("contribution", "angle", "output_future"), curve)
    cell |= dict.fromkeys(("skip_future", "local"), matrix)
    ratios = stat.all_halves(cell, middle=2)
    assert len(ratios) == 10 and ratios["skip", 0] == 1
    assert ratios["turn", 1] == 1 and ratios["contribution", 0] == 2.75


def test_centres_run_from_0_to_1():
    assert stat.relative_centre([[1, 0, 0], [0, 0, 1]]) == pytest.approx([0, 1])
    assert stat.relative_centre([[9, 1, 0], [9, 1, 1]], first=1) == pytest.approx(
        [0, 0.5]
    )


def test_growth_laws_are_told_apart():
    layers = np.arange(1, 9.0)
    power = np.concatenate(([0.0], layers**1.4))
    exponential = np.concatenate(([0.0], np.exp(0.3 * layers)))
    assert stat.growth_exponent(power) == pytest.approx(1.4)
    assert stat.exponential_over_power(power) < -20
    assert stat.exponential_over_power(exponential) > 20
    with pytest.raises(ValueError, match="three layers"):
        stat.exponential_over_power([1.0, 2.0, 3.0])


def test_even_steps_keep_both_ends_and_the_start():
    values = np.array([[0.1, 30.0, 31.0, 50.0, 36.0], [0.2, 1.0, 2.0, 3.0, 4.0]])
    even = stat.even_steps(values)
    assert even[1] == pytest.approx(values[1])
    assert even[0] == pytest.approx([0.1, 30, 32, 34, 36])
    assert values[0, 2] == 31  # the input stays


def test_matched_loss_reads_between_checkpoints_and_ignores_setbacks():
    losses = [[4.0, 3.0, 3.5, 2.0]]
    values = [[0.0, 1.0, 1.5, 2.0]]
    assert stat.at_loss(losses, values, [3.5]) == pytest.approx([0.5])
    assert stat.at_loss(losses, values, [2.0]) == pytest.approx([2.0])
    with pytest.raises(ValueError, match="was not reached"):
        stat.at_loss(losses, values, [1.9])
