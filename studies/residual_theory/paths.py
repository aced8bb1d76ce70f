"""Random residual blocks: how long a path is, what gain it costs, what is left over.

Paths through few blocks and through many do not mix in the mean, so that the length
of a path is a sum of independent coins. Shapes: N blocks, d width. Introduced in
the chapter on residual theory.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from scaling_core.models.streams import run_layers
from scaling_core.models.transformer import Transformer
from studies.residual_theory.theory import expansion_terms, path_orders


def path_shares(matrices: np.ndarray) -> np.ndarray:
    """Return ‖sum of paths through k blocks‖²_F, k = 0 .. N, as shares of their total.

    >>> path_shares(np.array([[[1.0]], [[1.0]]])).round(3)
    array([0.167, 0.667, 0.167])
    """
    weight = np.square(path_orders(matrices)).sum(axis=(1, 2))
    return weight / weight.sum()


def expected_path_shares(gains: Sequence[float]) -> np.ndarray:
    """Return the shares for independent centred blocks with E‖A_i x‖² = g_i‖x‖².

    Orders do not mix in the mean, so that the length of a path is a sum of coins that
    show 1 with probability g_i/(1 + g_i): binomial for equal gains.

    >>> expected_path_shares([1.0, 1.0])
    array([0.25, 0.5 , 0.25])
    """
    shares = np.array([1.0])
    for gain in gains:
        taken = gain / (1 + gain)
        shares = np.convolve(shares, [1 - taken, taken])
    return shares


def mean_length(shares: np.ndarray) -> float:
    """Return the mean number of blocks on a path, Σ k·share_k.

    >>> mean_length(expected_path_shares([1.0] * 10))
    5.0
    """
    return float(np.arange(len(shares)) @ shares)


def gaussian_gains(
    blocks: int, width: int, samples: int, scale: float, *, rng: np.random.Generator
) -> np.ndarray:
    """Return samples of ‖x_n‖²/‖x_0‖² for x ← x + scale·Ax, A fresh N(0, 1/d), n steps.

    Ax is Gaussian with variance ‖x‖²/d, so that vectors are drawn, never matrices.
    The mean is (1 + scale²)^n.
    """
    x = rng.standard_normal((samples, width))
    start = np.square(x).sum(axis=1)
    for _ in range(blocks):
        size = np.sqrt(np.square(x).mean(axis=1, keepdims=True))
        x = x + scale * size * rng.standard_normal((samples, width))
    return np.square(x).sum(axis=1) / start


def remainders(
    scales: Sequence[float], *, blocks: int, width: int, rng: np.random.Generator
) -> np.ndarray:
    """Return ‖x_n - expansion‖ after the terms in λ and λ², for each λ: (2, scales).

    Blocks are tanh(Wx) with W ~ N(0, 1/d), whose derivative is known.
    """
    weights = rng.standard_normal((blocks, width, width)) / width**0.5
    x = rng.standard_normal(width)
    f = [lambda x, W=W: np.tanh(W @ x) for W in weights]
    slopes = [lambda x, v, W=W: (W @ v) / np.cosh(W @ x) ** 2 for W in weights]
    first, second = expansion_terms(f, slopes, x)
    gaps = np.empty((2, len(scales)))
    for i, scale in enumerate(scales):
        z = x
        for block in f:
            z = z + scale * block(z)
        rest = z - x - scale * first
        gaps[:, i] = np.linalg.norm([rest, rest - scale**2 * second], axis=1)
    return gaps


@torch.no_grad()
def unrelated_share(model: Transformer, h_BTD: Tensor) -> float:
    """Return ‖h_L - h_0 - Σ f_i(h_0')‖ over ‖h_L - h_0‖, h_0' of the next sequence.

    The null of `trained.higher_order_share`: the same first order, of other tokens.
    """
    layers = range(model.config.n_layers)
    writes = [model.layer(i, h_BTD)[0] - h_BTD for i in layers]
    change = run_layers(model, h_BTD) - h_BTD
    rest = change - torch.stack(writes).sum(dim=0).roll(1, dims=0)
    return float(rest.norm(dim=-1).mean() / change.norm(dim=-1).mean())
