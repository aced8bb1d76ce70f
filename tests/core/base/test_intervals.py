"""Intervals: closed forms, coverage by simulation, and refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scaling_core.base.intervals import (
    Interval,
    bootstrap_interval,
    clopper_pearson,
    fisher_z_interval,
    interval_over_runs,
    jackknife_interval,
    log_t_interval,
    t_interval,
)

finite = st.floats(-1e6, 1e6, allow_nan=False)


def test_t_interval_is_scipys():
    values = np.array([1.2, 0.7, 1.9, 1.1, 0.4])
    ours = t_interval(values)
    low, high = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert (ours.low, ours.high) == pytest.approx((low, high))


def test_coverage_of_t_interval_at_five_runs():
    """Simulated coverage of the nominal 95 % lies in [0.93, 0.97]."""
    draws = np.random.default_rng(0).normal(3.0, 2.0, (4000, 5))
    hits = [i.low <= 3.0 <= i.high for i in map(t_interval, draws)]
    assert 0.93 <= np.mean(hits) <= 0.97


def test_log_interval_is_t_of_logs():
    ratios = np.array([1.5, 2.0, 2.5, 1.8])
    ours, inner = log_t_interval(ratios), t_interval(np.log(ratios))
    assert ours.low == pytest.approx(np.exp(inner.low))
    assert ours.estimate == pytest.approx(stats.gmean(ratios))


def test_fisher_interval_stays_inside_minus_one_and_one():
    ours = fisher_z_interval([0.99, 0.9, 0.95, 0.2, 0.8])
    assert -1 < ours.low < ours.estimate < ours.high < 1


def test_clopper_pearson_known_value():
    """20 of 20: lower bound 0.025 ** (1 / 20)."""
    ours = clopper_pearson(20, 20)
    assert (ours.low, ours.high) == pytest.approx((0.025 ** (1 / 20), 1.0))
    assert clopper_pearson(0, 25).low == 0.0


def test_bootstrap_respects_strata():
    """Two cells without spread inside: no resample moves the mean."""
    runs, cells = [0.0] * 10 + [1.0] * 10, ["a"] * 10 + ["b"] * 10
    ours = bootstrap_interval(
        runs, strata=cells, rng=np.random.default_rng(0), draws=50
    )
    assert ours.low == ours.high == 0.5


def test_bootstrap_repeats_itself():
    runs = np.random.default_rng(1).normal(size=(24, 2))
    first = interval_over_runs(runs, "bootstrap", statistic=np.median)
    assert first == interval_over_runs(runs, "bootstrap", statistic=np.median)


@given(st.lists(finite, min_size=2, max_size=9))
def test_estimate_lies_inside(values):
    ours = t_interval(values)
    assert ours.low <= ours.estimate <= ours.high


@pytest.mark.parametrize("bad", [[], [1.0], [1.0, float("nan")], [1.0, float("inf")]])
def test_bad_runs_are_refused(bad):
    with pytest.raises(ValueError):
        t_interval(bad)


@pytest.mark.parametrize(
    "call",
    [
        lambda: Interval(0.0, 1.0, -1.0, 2, "t"),
        lambda: Interval(float("nan"), 0.0, 1.0, 2, "t"),
        lambda: log_t_interval([1.0, -1.0]),
        lambda: fisher_z_interval([0.5, 1.0]),
        lambda: clopper_pearson(5, 5),
        lambda: clopper_pearson(30, 25),
        lambda: bootstrap_interval([1.0] * 19, rng=np.random.default_rng(0)),
        lambda: interval_over_runs([1.0, 2.0], "bca"),
        lambda: interval_over_runs([0.5] * 20, "clopper-pearson"),
        lambda: interval_over_runs([1.0, 2.0], "t", statistic=np.median),
    ],
)
def test_misuse_is_refused(call):
    with pytest.raises(ValueError):
        call()


def test_jackknife_of_a_slope_agrees_with_least_squares():
    rng = np.random.default_rng(0)
    x = np.linspace(0, 1, 400)
    rows = np.column_stack([x, 2 * x + 0.1 * rng.normal(size=len(x))])
    got = jackknife_interval(rows, lambda r: np.polyfit(*r.T, 1)[0])
    expected = stats.linregress(*rows.T)
    assert got.estimate == pytest.approx(expected.slope)
    assert (got.high - got.low) / 3.93 == pytest.approx(expected.stderr, rel=0.1)


@pytest.mark.parametrize("rows", [[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0, np.nan]])
def test_jackknife_refuses_too_few_rows_and_nan(rows):
    with pytest.raises(ValueError):
        jackknife_interval(rows, np.mean)
