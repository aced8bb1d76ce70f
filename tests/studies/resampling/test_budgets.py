"""Closed forms of budgets against simulation, limits, and the released notebook."""

import numpy as np
import pytest
from scipy.stats import binom

from scaling_core.rl.metrics import pass_at_k
from studies.resampling import budgets


def test_coverage_of_evenly_spread_chances_is_one_over_n_plus_one():
    p = (np.arange(200_000) + 0.5) / 200_000
    N = np.array([1, 10, 1000])
    np.testing.assert_allclose(1 - budgets.coverage(p, N), 1 / (N + 1), rtol=1e-5)


def test_coverage_keeps_tiny_chances():
    assert budgets.coverage([1e-15], 10) == pytest.approx(1e-14, rel=1e-9)


@pytest.mark.parametrize("p", [0.003, 0.2, 0.9])
def test_textbook_estimate_is_unbiased_and_the_plug_in_is_low(p):
    c = np.arange(17)
    mean = binom.pmf(c, 16, p) @ pass_at_k(c, 16, 8)
    assert mean == pytest.approx(budgets.coverage(p, 8), abs=1e-12)
    assert budgets.plug_in_bias(p, n=16, k=8) < 0


def test_accepted_answers_as_simulated():
    rng = np.random.default_rng(0)
    tp, fp = np.array([0.3, 0.05]), np.array([0.1, 0.2])
    kind = rng.integers(2, size=100_000)
    u = rng.random((4, len(kind)))
    right, wrong = u < tp[kind], (u >= tp[kind]) & (u < (tp + fp)[kind])
    ends = right | wrong
    first = ends.argmax(axis=0)
    at = (first, np.arange(len(kind)))
    found = budgets.accepted(tp, fp, [4])
    assert found[0][0] == pytest.approx((right[at] & ends[at]).mean(), abs=0.01)
    assert found[1][0] == pytest.approx((wrong[at] & ends[at]).mean(), abs=0.01)


def test_ceiling_is_the_limit_of_many_tries():
    tp, fp = np.array([0.3, 0.02]), np.array([0.1, 0.02])
    right, wrong = budgets.accepted(tp, fp, [10_000])
    assert right[0] == pytest.approx(budgets.ceiling(tp, fp))
    assert right[0] + wrong[0] == pytest.approx(1)


def test_no_cost_wants_all_tries_and_a_huge_cost_none():
    tp, fp = np.array([0.1]), np.array([0.1])
    assert budgets.best_tries(tp, fp, [0.0, 1e9], most=20).tolist() == [20, 0]


def test_costly_wrong_answers_lower_the_best_number_of_tries():
    tp, fp = np.array([0.5, 0.05]), np.array([0.05, 0.3])
    best = budgets.best_tries(tp, fp, np.geomspace(0.05, 20, 30))
    assert (np.diff(best) <= 0).all() and best[0] > best[-1]


def test_released_illustration_and_its_slip():
    assert budgets.toy_value(15, cost=2.0) == pytest.approx(0.1493, abs=1e-4)
    assert budgets.toy_value_as_released(15, cost=2.0) == pytest.approx(
        -0.0781, abs=1e-4
    )
    assert budgets.toy_value_as_released(1, cost=2.0) == pytest.approx(
        float(budgets.toy_value(1, cost=2.0))
    )
    assert budgets.toy_agreements() == 3


def test_one_pass_rate_is_recovered():
    accuracy = np.array([0.1, 0.4, 0.8])
    given = accuracy / (accuracy + 0.07 * (1 - accuracy))
    assert budgets.one_pass_rate(accuracy, given)[0] == pytest.approx(0.07, abs=1e-4)
    np.testing.assert_allclose(budgets.pass_rates(accuracy, given), 0.07)


def test_published_points_are_seventeen_and_correlate():
    accuracy, given = budgets.published_points()
    assert len(accuracy) == 17
    assert np.corrcoef(accuracy, given)[0, 1] == pytest.approx(0.944, abs=0.001)
