"""Measurements of superposition: closed forms, frames, exact sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling_core.models.sparse_features import power_law_frequencies
from scaling_core.models.superposition import ToyConfig
from scaling_core.superposition.geometry import (
    adjacent_angles,
    feature_dimensionality,
    random_overlap_moments,
    random_unit_vectors,
    represented_fraction,
    squared_overlap_stats,
    squared_overlaps,
    tight_frame,
    welch_bound,
)
from scaling_core.superposition.ideal import (
    ideal_losses,
    ideal_weak_exponent,
    unlearned_feature_loss,
)
from scaling_core.superposition.toys import train_toys
from scaling_core.training.ensemble import EnsembleTraining

FRAMES = {
    ("simplex", 2): (3, 2, 1 / 2),
    ("simplex", 9): (10, 9, 1 / 9),
    ("icosahedron", 3): (6, 3, 1 / 5**0.5),
    ("7x28", 7): (28, 7, 1 / 3),
    ("paley", 7): (14, 7, 1 / 13**0.5),
}
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(("frame", "known"), FRAMES.items())
def test_tight_frames_meet_welch_at_every_pair(frame, known):
    W = tight_frame(*frame)
    nu, m, cosine = known
    assert W.shape == (nu, m)
    assert np.linalg.norm(W, axis=1) == pytest.approx(np.ones(nu), abs=1e-12)
    assert welch_bound(nu, m) == pytest.approx(cosine, abs=1e-12)
    assert np.abs(np.sqrt(squared_overlaps(W)) / cosine - 1).max() < 1e-12
    assert np.allclose(W.T @ W, nu / m * np.eye(m))  # tight
    assert feature_dimensionality(W).sum() == pytest.approx(m)


@given(nu=st.integers(2, 40), m=st.integers(1, 12), seed=seeds)
def test_no_set_of_lines_beats_welch(nu, m, seed):
    W = random_unit_vectors(nu, m, rng=np.random.default_rng(seed))
    assert np.sqrt(squared_overlaps(W).max()) >= welch_bound(nu, m) - 1e-9


@given(n=st.integers(1, 12), m=st.integers(1, 6), seed=seeds)
def test_dimensionalities_never_exceed_the_dimensions(n, m, seed):
    W = np.random.default_rng(seed).standard_normal((n, m))
    assert feature_dimensionality(W).sum() <= min(n, m) + 1e-9


@pytest.mark.parametrize("m", [2, 5, 40])
def test_random_moments(m):
    W = random_unit_vectors(1500, m, rng=np.random.default_rng(m))
    mean, variance = squared_overlap_stats(W)
    assert mean == pytest.approx(random_overlap_moments(m)[0], rel=0.01)
    assert variance == pytest.approx(random_overlap_moments(m)[1], rel=0.03)


def test_overlaps_ignore_norms_and_masked_rows():
    W = np.array([[2.0, 0.0], [0.0, 0.0], [3.0, 3.0]])
    assert squared_overlaps(W, [True, False, True]) == pytest.approx([0.5])
    with pytest.raises(ValueError, match="zero"):
        squared_overlaps(W)
    with pytest.raises(ValueError, match="two rows"):
        squared_overlaps(W, [True, False, False])


def test_represented_fraction_of_a_stack():
    W = np.array([[[0.6, 0.0], [0.4, 0.0]], [[2.0, 0.0], [0.8, 0.8]]])
    assert represented_fraction(W).tolist() == [0.5, 1.0]
    assert represented_fraction(W, 1.0).tolist() == [0.0, 1.0]


# Exact sums over the named widths, found independently with a spreadsheet-style loop.
EXACT = [
    (256, (6, 10, 16, 26, 40), [0.075, 0.173, 0.359, 0.653, 1.037]),
    (1000, (10, 15, 25, 39, 63, 100), [0.039, 0.116, 0.294, 0.606, 1.020]),
    (10240, tuple(2**k for k in range(3, 11)), [0.018, 0.067, 0.226, 0.561, 1.007]),
]


@pytest.mark.parametrize(("n", "ms", "expected"), EXACT)
def test_finite_n_exponents(n, ms, expected):
    ours = [ideal_weak_exponent(n, ms, alpha) for alpha in (0, 0.5, 1, 1.5, 2)]
    assert ours == pytest.approx(expected, abs=0.0006)


def test_exponent_tends_to_alpha_minus_one():
    assert ideal_weak_exponent(10**6, (10, 30, 100), 2.0) == pytest.approx(1, abs=0.03)
    assert ideal_weak_exponent(10**6, (10, 30, 100), 1.5) == pytest.approx(
        0.5, abs=0.03
    )


@settings(deadline=None)
@given(n=st.integers(2, 50), alpha=st.floats(0, 2), k=st.integers(0, 50))
def test_unlearned_loss_falls_to_zero_and_takes_masks(n, alpha, k):
    p, k = power_law_frequencies(n, alpha), min(k, n)
    loss = unlearned_feature_loss(p, k)
    assert loss == pytest.approx(unlearned_feature_loss(p, np.arange(n) < k))
    assert 0 <= loss <= unlearned_feature_loss(p, max(k - 1, 0)) + 1e-12
    assert unlearned_feature_loss(p, n) == 0


def test_unlearned_loss_is_what_a_constant_prediction_costs():
    rng = np.random.default_rng(0)
    p = np.array([0.3, 0.2])
    x = (rng.random((400_000, 2)) < p) * rng.uniform(0, 2, (400_000, 2))
    assert unlearned_feature_loss(p, 1) == pytest.approx(x[:, 1].var(), rel=0.01)
    assert ideal_losses(2, [1], 0.0)[0] == pytest.approx(4 / 6 - 1 / 4)


def test_angles_of_a_pentagon():
    turn = 2 * np.pi * np.arange(5) / 5
    W = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    assert adjacent_angles(W[[3, 0, 4, 1, 2]]) == pytest.approx(np.full(5, 72.0))
    assert feature_dimensionality(W) == pytest.approx(np.full(5, 0.4))
    with pytest.raises(ValueError, match="plane"):
        adjacent_angles(np.ones((3, 3)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: welch_bound(1, 2),
        lambda: random_overlap_moments(0),
        lambda: tight_frame("cube"),
        lambda: power_law_frequencies(0, 1.0),
    ],
)
def test_bad_input(call):
    with pytest.raises(ValueError):
        call()


def test_toys_at_every_width():
    config = ToyConfig(n=16, alphas=(0.0, 0.5), gammas=(-1.0, 0.5), seeds=(0, 1, 2))
    sizes = dict(batch=32, test_samples=2000)
    toys = train_toys(config, (2, 4, 8), EnsembleTraining(steps=1000), **sizes)
    assert toys.losses.shape == (2, 3, 2, 3)
    assert toys.rows(0.5, -1.0, 4).shape == (3, 16, 4)
    slopes = toys.slopes(0.5, -1.0)
    assert slopes.runs.shape == (3,) and (slopes.runs < 0).all()
    assert (represented_fraction(toys.rows(0.0, -1.0, 8)) > 0.9).all()
    assert (represented_fraction(toys.rows(0.0, 0.5, 2)) < 0.9).all()
    untrained = train_toys(config, (2,), None, **sizes)
    assert (untrained.losses > toys.losses[..., :1]).all()
    with pytest.raises(ValueError, match="there are alphas"):
        toys.loss(1.0, -1.0)
