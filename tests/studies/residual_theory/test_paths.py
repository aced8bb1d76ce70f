"""Lengths of paths through random blocks, gains, and remainders."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from scaling_core.base.slopes import fit_slopes
from studies.residual_theory import paths


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


def test_a_strangers_writes_explain_nothing_and_ones_own_all(make, tokens):
    model = make(n_layers=1)
    embedded = model.embed(tokens)
    alike = embedded[:1].expand(3, -1, -1)
    assert paths.unrelated_share(model, embedded) > 0.5
    assert paths.unrelated_share(model, alike) < 1e-12
