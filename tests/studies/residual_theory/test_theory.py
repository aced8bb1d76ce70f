"""The laws of residual depth against simulation and exact identities."""

import math

import numpy as np
import pytest
import torch

from scaling_core.models.streams import (
    branch_mean_square,
    record_streams,
    stream_mean_square,
)
from studies.residual_theory.theory import (
    expansion_terms,
    init_mean_square,
    path_orders,
    path_sum,
    sample_log_kernel,
    variance_recursion,
    windowed_read,
)


@pytest.mark.parametrize("norm", ["pre", "lns", "peri", "post"])
def test_mean_squares_of_untrained_models(make, norm):
    found = []
    for seed in range(6):
        model = make(
            seed,
            d_model=64,
            n_layers=16,
            n_heads=4,
            act="relu",
            init_std=1 / 8,
            embed_std=1.0,
            norm=norm,
        )
        streams = record_streams(model, torch.arange(13)[:, None])
        found.append(stream_mean_square(streams))
    law = init_mean_square(model.config, float(np.mean(found, axis=0)[0]))
    assert np.mean(found, axis=0) == pytest.approx(law, rel=0.1)


def test_scaled_init_divides_the_branch(make):
    options = dict(d_model=64, n_heads=4, act="relu", init_std=1 / 8, n_layers=8)
    plain = branch_mean_square(make(**options).config)
    scaled = branch_mean_square(make(**options, init="scaled").config)
    assert (plain, scaled) == (3.0, pytest.approx(3.0 / 16))
    with pytest.raises(ValueError, match="ReLU"):
        branch_mean_square(make().config)
    with pytest.raises(ValueError, match="no law for residual='attnres'"):
        init_mean_square(make(**options, residual="attnres").config, 1.0)


@pytest.mark.parametrize("gain", [0.1, 0.5, 1.0, 2.0])
def test_the_recursion_is_quadratic(gain):
    y = variance_recursion(100_000, gain=gain)
    assert np.sqrt(y[-1]) / 100_000 == pytest.approx(gain / 2, rel=2e-3)
    slope = math.log(y[-1] / y[9_999]) / math.log(10)
    assert slope == pytest.approx(2.0, abs=0.01)


def test_the_lns_recursion_is_the_identity():
    assert variance_recursion(4096, lns=True) == pytest.approx(
        np.arange(1, 4097), rel=1e-9
    )


@pytest.mark.parametrize(
    ("kind", "nu", "skip", "tolerance"),
    [("linear", 2, 0.0, 0.03), ("relu", 5, 0.0, 0.06), ("residual", None, 0.9, 0.02)],
)
def test_moments_of_random_nets(kind, nu, skip, tolerance):
    rng = np.random.default_rng(0)
    log_k = sample_log_kernel(kind, 64, 8, 20_000, skip=skip, rng=rng)
    nu = 2 * (1 - skip**4) if nu is None else nu
    K = np.exp(log_k)
    assert K.mean() == pytest.approx(1.0, abs=0.03)
    ratio = (K**2).mean() / K.mean() ** 2
    assert ratio == pytest.approx((1 + nu / 64) ** 8, rel=tolerance)


def test_kernel_samples_are_those_of_real_matrices():
    rng = np.random.default_rng(1)
    direct = []
    for _ in range(2000):
        z = x = rng.standard_normal(24)
        for _ in range(3):
            z = rng.standard_normal((24, 24)) @ np.maximum(z, 0) * np.sqrt(2 / 24)
        direct.append(np.log(z @ z / (x @ x)))
    sampled = sample_log_kernel("relu", 24, 3, 30_000, rng=rng)
    assert np.mean(direct) == pytest.approx(sampled.mean(), abs=0.08)
    assert np.std(direct) == pytest.approx(sampled.std(), rel=0.06)


def test_remainders_of_the_expansion_have_orders_two_and_three():
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((6, 5, 5)) / 5**0.5
    x = rng.standard_normal(5)
    blocks = [lambda x, W=W: np.tanh(W @ x) for W in weights]
    slopes = [lambda x, v, W=W: (W @ v) / np.cosh(W @ x) ** 2 for W in weights]
    first, second = expansion_terms(blocks, slopes, x)
    gaps = []
    for scale in (1e-2, 1e-3):
        z = x
        for f in blocks:
            z = z + scale * f(z)
        gaps.append(
            [
                np.linalg.norm(z - x - scale * first),
                np.linalg.norm(z - x - scale * first - scale**2 * second),
            ]
        )
    orders = np.log10(np.divide(*gaps))
    assert orders == pytest.approx([2.0, 3.0], abs=0.05)


def test_paths_add_up_to_the_product():
    A = 0.5 * np.random.default_rng(0).standard_normal((8, 4, 4))
    product = np.eye(4)
    for matrix in A:
        product = (np.eye(4) + matrix) @ product
    assert np.abs(path_sum(A) - product).max() < 1e-12 * np.abs(product).max()
    orders = path_orders(A)
    assert np.abs(orders.sum(axis=0) - product).max() < 1e-12 * np.abs(product).max()
    ones = path_orders(np.ones((8, 1, 1))).ravel()
    assert ones.tolist() == [math.comb(8, k) for k in range(9)]


def test_depth_and_sequence_reads_are_one_operator():
    q, k, v = np.random.default_rng(0).standard_normal((3, 6, 5, 4))
    along_depth = windowed_read(q, k, v, 3, axis=1)
    turned = windowed_read(*(x.swapaxes(0, 1) for x in (q, k, v)), 3, axis=0)
    assert np.abs(along_depth - turned.swapaxes(0, 1)).max() < 1e-12
    assert windowed_read(q, k, v, 1, axis=0) == pytest.approx(v)
    by_hand = np.exp([q[2, 0] @ k[j, 0] / 2 for j in (1, 2)])
    expected = by_hand @ v[[1, 2], 0] / by_hand.sum()
    assert windowed_read(q, k, v, 2, axis=0)[2, 0] == pytest.approx(expected)
