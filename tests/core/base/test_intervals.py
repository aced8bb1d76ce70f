"""Intervals: closed forms, coverage by simulation, and refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scaling_core.base.intervals import (
    Interval,
    Resamples,
    bootstrap_runs,
    interval_over_runs,
    jackknife_runs,
    resampled_interval,
    with_interval,
)

finite = st.floats(-1e6, 1e6, allow_nan=False)


def t_interval(runs):
    return interval_over_runs(runs, "t")


def rng(seed=0):
    return np.random.default_rng(seed)


def test_t_interval_is_scipys():
    values = np.array([1.2, 0.7, 1.9, 1.1, 0.4])
    ours = t_interval(values)
    theirs = stats.ttest_1samp(values, 0).confidence_interval()
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_equal_runs_make_an_interval_of_length_zero():
    assert t_interval([2.0, 2.0, 2.0]) == Interval(2.0, 2.0, 2.0, 3, "t")


def test_coverage_of_t_interval_at_five_runs():
    """Simulated coverage of the nominal 95 % lies in [0.93, 0.97]."""
    draws = rng().normal(3.0, 2.0, (4000, 5))
    hits = [i.low <= 3.0 <= i.high for i in map(t_interval, draws)]
    assert 0.93 <= np.mean(hits) <= 0.97


def test_log_interval_is_t_of_logs():
    ratios = np.array([1.5, 2.0, 2.5, 1.8])
    ours, inner = interval_over_runs(ratios, "t-log"), t_interval(np.log(ratios))
    assert ours.low == pytest.approx(np.exp(inner.low))
    assert ours.estimate == pytest.approx(stats.gmean(ratios))


def test_fisher_interval_stays_inside_minus_one_and_one():
    ours = interval_over_runs([0.99, 0.9, 0.95, 0.2, 0.8], "t-fisher-z")
    assert -1 < ours.low < ours.estimate < ours.high < 1


def test_clopper_pearson_known_values():
    """20 of 20: lower bound 0.025 ** (1 / 20); 24 of 30: quantiles of a beta."""
    ours = interval_over_runs([1] * 20, "clopper-pearson")
    assert (ours.low, ours.high) == pytest.approx((0.025 ** (1 / 20), 1.0))
    assert interval_over_runs([0] * 25, "clopper-pearson").low == 0.0
    ours = interval_over_runs([1] * 24 + [0] * 6, "clopper-pearson")
    ends = stats.beta.ppf([0.025, 0.975], [24, 25], [7, 6])
    assert (ours.low, ours.high) == pytest.approx(tuple(ends), rel=1e-9)


def test_bootstrap_respects_strata():
    """Two cells without spread inside: no resample moves the mean."""
    runs, cells = [0.0] * 10 + [1.0] * 10, ["a"] * 10 + ["b"] * 10
    ours = bootstrap_runs(runs, np.mean, strata=cells, rng=rng(), draws=50)
    assert ours.replicates.tolist() == [0.5] * 50
    interval = resampled_interval(ours)
    assert interval.low == interval.high == 0.5


@pytest.mark.parametrize("labels", [19, 21])
def test_strata_of_another_length_are_refused(labels):
    with pytest.raises(ValueError, match="a stratum for each of 20 runs"):
        bootstrap_runs(np.ones(20), np.mean, strata=["a"] * labels, rng=rng())


def test_bootstrap_draws_rows_as_it_always_did():
    """The first resample of generator 0: reference records depend on it."""
    runs = rng(1).normal(size=(24, 2))
    ours = bootstrap_runs(runs, np.median, rng=rng(), draws=3)
    first = np.median(runs[rng().choice(24, 24)])
    assert ours.replicates[0] == first and ours.n == 24
    assert ours.estimate == np.median(runs)


def test_bootstrap_interval_is_scipys():
    runs = rng(2).normal(size=40)
    ours = resampled_interval(bootstrap_runs(runs, np.mean, rng=rng(), draws=9000))
    theirs = stats.bootstrap(
        (runs,), np.mean, method="percentile", n_resamples=9000, rng=rng(3)
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), abs=0.02)


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
        lambda: interval_over_runs([1.0, -1.0], "t-log"),
        lambda: interval_over_runs([0.5, 1.0], "t-fisher-z"),
        lambda: interval_over_runs([1.0] * 19, "clopper-pearson"),
        lambda: interval_over_runs([0.5] * 20, "clopper-pearson"),
        lambda: interval_over_runs([1.0, 2.0], "bca"),
        lambda: bootstrap_runs([1.0] * 19, np.mean, rng=rng()),
        lambda: jackknife_runs([1.0, 2.0, 3.0, 4.0], np.mean),
        lambda: resampled_interval(jackknife_runs([1.0, 2, 3, 4, np.nan], np.mean)),
        lambda: resampled_interval(Resamples("bca", 1.0, 20, np.ones(9))),
    ],
)
def test_misuse_is_refused(call):
    with pytest.raises(ValueError):
        call()


def test_jackknife_of_a_slope_agrees_with_least_squares():
    x = np.linspace(0, 1, 400)
    rows = np.column_stack([x, 2 * x + 0.1 * rng().normal(size=len(x))])
    slopes = jackknife_runs(rows, lambda r: np.polyfit(*r.T, 1)[0])
    got, expected = resampled_interval(slopes), stats.linregress(*rows.T)
    assert got.estimate == pytest.approx(expected.slope)
    assert (got.high - got.low) / 3.93 == pytest.approx(expected.stderr, rel=0.1)


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        (
            [0.0170, 0.0231, 0.0199],
            "0.0200 ± 0.0076",
        ),  # two decimals hid it: 0.02 ± 0.01
        ([-120.0, -80.0, -100.0], "−100 ± 50"),
        ([1.0, 1.0], "1 ± 0"),
        ([0.123456], "0.1235"),
    ],
)
def test_shown_with_two_digits_of_the_half_width(runs, text):
    assert with_interval(runs) == text
