"""Log-log slopes: exact recovery, agreement with polyfit, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scaling_core.base.slopes import fit_slopes, log_fit, r_squared

X = np.array([6, 10, 16, 26, 40])


@given(
    slope=st.floats(-3, 3),
    scale=st.floats(1e-3, 1e3),
)
def test_noiseless_power_law_is_recovered(slope, scale):
    y = scale * X.astype(float) ** slope
    fit = fit_slopes(X, [y, 2 * y])
    assert fit.runs == pytest.approx([slope, slope], abs=1e-9)
    assert np.exp(fit.intercepts) == pytest.approx([scale, 2 * scale], rel=1e-6)
    assert fit.leave_one_out == pytest.approx(np.full((5, 2), slope), abs=1e-9)


def test_agrees_with_polyfit_and_leaves_each_size_out():
    rng = np.random.default_rng(0)
    y = np.exp(rng.standard_normal((3, 5)))
    fit = fit_slopes(X, y)
    for s in range(3):
        slope, intercept = np.polyfit(np.log(X), np.log(y[s]), 1)
        assert fit.runs[s] == pytest.approx(slope)
        assert fit.intercepts[s] == pytest.approx(intercept)
        r = np.corrcoef(np.log(X), np.log(y[s]))[0, 1]
        assert fit.r_squared[s] == pytest.approx(r**2)
        for i in range(5):
            keep = np.arange(5) != i
            slope = np.polyfit(np.log(X[keep]), np.log(y[s][keep]), 1)[0]
            assert fit.leave_one_out[i, s] == pytest.approx(slope)
    assert fit.predict(X).shape == (3, 5)


def test_two_sizes_leave_nothing_out():
    fit = fit_slopes([1, 10], [[1.0, 0.1]])
    assert fit.runs == pytest.approx([-1.0]) and fit.leave_one_out.shape == (0, 1)


def test_flat_line_is_explained():
    fit = fit_slopes(X, np.ones((1, 5)))
    assert fit.runs == pytest.approx([0.0]) and fit.r_squared == pytest.approx([1.0])


@pytest.mark.parametrize(
    ("x", "y", "why"),
    [
        ([1, 2], [1.0, 2.0], "y\\[None\\]"),
        ([1, 2], [[1.0, 2.0, 3.0]], "shape"),
        ([1, 2], [[1.0, 0.0]], "y must be positive"),
        ([1, 2], [[1.0, np.nan]], "y must be positive"),
        ([0, 2], [[1.0, 1.0]], "x must be positive"),
        ([2, 2], [[1.0, 1.0]], "two different sizes"),
    ],
)
def test_bad_input(x, y, why):
    with pytest.raises(ValueError, match=why):
        fit_slopes(x, y)


def test_two_variables_without_noise_and_one_against_scipy():
    N, D, noise = np.exp(np.random.default_rng(0).normal(size=(3, 30)))
    exact = log_fit(2 * N**-0.7 * D**0.3, N, D)
    assert exact.slopes == pytest.approx([-0.7, 0.3])
    assert np.exp(exact.intercept) == pytest.approx(2)
    noisy, theirs = log_fit(noise, N), stats.linregress(np.log(N), np.log(noise))
    assert noisy.slopes == pytest.approx([theirs.slope])
    assert noisy.errors == pytest.approx([theirs.stderr])


def test_log_fit_refuses_as_many_constants_as_points():
    with pytest.raises(ValueError, match="2 points for 2 constants"):
        log_fit([1, 2], [1, 2])


def test_r_squared_known_values():
    assert r_squared([2.0, 2.0], [1.0, 3.0]) == 0
    assert r_squared([3.0, 1.0], [1.0, 3.0]) == -3
    assert r_squared([1.0, 1.1], [1.0, 1.0]) == -np.inf
