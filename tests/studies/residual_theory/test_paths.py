"""Lengths of paths through random blocks, gains, and remainders."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from scaling_core.base.slopes import fit_slopes
from studies.residual_theory import paths
from studies.residual_theory.theory import residual_nu, sample_log_kernel


def test_equal_coins_are_binomial():
    shares = paths.expected_path_shares([0.25] * 12)
    assert shares == pytest.approx(binom.pmf(np.arange(13), 12, 0.2))


@given(st.lists(st.floats(0, 10), min_size=1, max_size=12))
def test_the_mean_path_is_at_most_the_log_of_the_gain(gains):
    shares = paths.expected_path_shares(gains)
    assert shares.sum() == pytest.approx(1.0)
    assert paths.mean_length(shares) <= np.log1p(gains).sum() + 1e-12


@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_paths_of_random_matrices_follow_the_coins(scale):
    rng = np.random.default_rng(0)
    found = np.mean(
        [
            paths.path_shares(scale * rng.standard_normal((8, 48, 48)) / 48**0.5)
            for _ in range(20)
        ],
        axis=0,
    )
    assert found == pytest.approx(paths.expected_path_shares([scale**2] * 8), abs=0.01)


def test_gains_have_the_stated_mean():
    rng = np.random.default_rng(0)
    gains = paths.gaussian_gains(8, 32, 20_000, 0.5, rng=rng)
    assert gains.mean() == pytest.approx(1.25**8, rel=0.02)


def test_remainders_fall_with_orders_two_and_three():
    scales = [1e-3, 3e-3]
    rest = paths.remainders(scales, blocks=4, width=8, rng=np.random.default_rng(0))
    assert fit_slopes(scales, rest).runs == pytest.approx([2, 3], abs=0.02)


def test_relu_behind_a_skip_is_plain_relu_without_skip():
    rng = np.random.default_rng(0)
    mine = paths.skip_relu_log_kernel(32, 4, 20_000, 0.0, rng=rng)
    theirs = sample_log_kernel("relu", 32, 4, 20_000, rng=rng)
    assert mine.std() == pytest.approx(theirs.std(), rel=0.03)


def test_relu_behind_a_skip_fluctuates_more_than_independent_layers_would():
    rng = np.random.default_rng(0)
    K = np.exp(paths.skip_relu_log_kernel(64, 16, 10_000, 0.5, rng=rng))
    one_layer = 1 + (1 - 0.25) * (5 - 0.25) / 64
    assert K.mean() > 1.05  # signs persist, so that large vectors grow more
    assert (K**2).mean() / K.mean() ** 2 > 1.3 * one_layer**16
    assert residual_nu(0.5) < (1 - 0.25) * (5 - 0.25)
