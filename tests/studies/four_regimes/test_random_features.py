"""Exact losses: closed forms, brute force, and the curves that they must approach."""

import numpy as np
import pytest

from scaling_core.base.slopes import fit_slopes
from scaling_core.data import images
from studies.four_regimes import random_features as rf


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_losses_are_averages_over_teachers(rng):
    S, k, n = 6, 3, 100_000
    X = rng.normal(size=(50, S)) * rf.power_spectrum(S, 1.0) ** 0.5
    C, Z = X.T @ X / 50, rng.normal(size=(k, S))
    t_Sn = rng.normal(0, S**-0.5, (S, n))
    fit = np.linalg.lstsq(X @ Z.T, X @ t_Sn, rcond=None)[0]
    off = np.square(X @ t_Sn - X @ Z.T @ fit).mean() / 2
    assert rf.feature_loss(C, Z) == pytest.approx(off, rel=0.01)
    met = np.linalg.pinv(X[:k]) @ X[:k] @ t_Sn
    off = np.square(X @ (t_Sn - met)).mean() / 2
    assert rf.example_loss(C, X[:k]) == pytest.approx(off, rel=0.01)


def test_gaussian_examples_and_features_are_one_matrix(rng):
    spectrum = rf.power_spectrum(80, 0.7)
    Z = rng.normal(size=(20, 80))
    by_features = rf.feature_loss(np.diag(spectrum), Z)
    by_examples = rf.example_loss(np.diag(spectrum), Z * np.sqrt(spectrum))
    assert by_features == pytest.approx(by_examples, rel=1e-10)


@pytest.mark.parametrize("decay", [0.5, 1.5])
def test_curve_is_met_by_large_random_matrices(decay, rng):
    spectrum, ks = rf.power_spectrum(1500, decay), [30, 60, 120]
    curve = rf.learning_curve(spectrum, ks)
    drawn = [rf.feature_loss(np.diag(spectrum), rng.normal(size=(k, 1500))) for k in ks]
    assert drawn == pytest.approx(curve, rel=0.15)
    slope = -fit_slopes(ks, [curve]).runs[0]
    tail = -fit_slopes(ks, [rf.tail_sum(spectrum, ks)]).runs[0]
    assert slope == pytest.approx(tail, abs=0.05)


def test_implicit_ridge_is_refused_where_there_is_none():
    with pytest.raises(ValueError, match="need 0 < k < 3"):
        rf.implicit_ridge(np.array([3.0, 2.0, 1.0, 0.0]), 3)


def test_four_regimes_are_met_by_simulation(rng):
    spectrum, P, Ds = rf.power_spectrum(300, 1.0), 40, [12, 20, 80, 200, 400]
    runs = [rf.least_squares_loss(spectrum, P, Ds, rng=rng) for _ in range(40)]
    mean = np.mean([losses for _, losses in runs], axis=0)
    assert mean == pytest.approx(rf.four_regimes(spectrum, P, Ds), rel=0.15)
    limit = np.mean([limit for limit, _ in runs])
    exact = limit * P / (np.array(Ds[2:]) - P - 1)
    assert mean[2:] - limit == pytest.approx(exact, rel=0.2)
    assert np.isnan(rf.four_regimes(spectrum, P, [40])).all()


def test_digit_losses_follow_their_own_spectrum():
    ks = [8, 16, 32]
    found = rf.digit_losses(images.small_digits(), S=100, ks=ks, draws=3, seed=0)
    curve = rf.learning_curve(found["spectrum"], ks)
    assert found["features"] == pytest.approx(curve, rel=0.35)
    assert found["examples"] == pytest.approx(curve, rel=0.4)
    again = rf.digit_losses(images.small_digits(), S=100, ks=ks, draws=3, seed=0)
    assert again["examples"] == pytest.approx(found["examples"], rel=1e-9)


def test_losses_on_finite_rows_keep_duality():
    spectrum, ks = rf.power_spectrum(60, 1.0), [6, 12, 24]
    runs = [
        rf.gaussian_losses(spectrum, 120, ks=ks, draws=4, seed=seed)
        for seed in range(8)
    ]
    both = np.mean([[r["features"], r["examples"]] for r in runs], axis=0)
    by_features, by_examples = -fit_slopes(ks, both).runs
    assert by_features == pytest.approx(by_examples, abs=0.15)
    assert both[1] == pytest.approx(both[0], rel=0.15)


def test_shuffled_pixels_keep_their_values():
    digits = images.small_digits()
    mixed = rf.shuffled(digits, seed=0)
    assert np.array_equal(np.sort(mixed.flat, axis=0), np.sort(digits.flat, axis=0))
    off, of_digits = (
        np.abs(np.corrcoef(x.flat[:, 10:14].T) - np.eye(4)).max()
        for x in (mixed, digits)
    )
    assert off < 0.1 < of_digits
