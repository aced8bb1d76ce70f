"""What residual depth does before training: laws that hold exactly, or in the mean.

Norm placements as in `scaling_core.models.blocks`; l counts blocks from 1.
Introduced in the chapter on residual theory.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from scaling_core.models.config import TransformerConfig
from scaling_core.models.streams import branch_mean_square


def init_mean_square(config: TransformerConfig, start: float) -> np.ndarray:
    """Return the expected mean square of h_0 .. h_L untrained, (L + 1,).

    With v₀ = ``start`` and c = `branch_mean_square`: v₀ + l·c (pre), v₀ + c·H_l with
    the harmonic number H_l (lns), v₀ + 2l (peri: two branches of mean square 1),
    1 (post, after the first block). Linear, logarithmic, linear, constant.

    >>> config = TransformerConfig(n_layers=2, act="relu", init_std=1 / 8, norm="lns")
    >>> init_mean_square(config, 1.0)
    array([1. , 4. , 5.5])
    """
    if config.residual != "sum":
        raise ValueError(f"no law for residual={config.residual!r}; allowed: sum")
    layer = np.arange(config.n_layers + 1)
    if config.norm == "pre":
        return start + layer * branch_mean_square(config)
    if config.norm == "lns":
        harmonic = np.concatenate(([0.0], np.cumsum(1 / layer[1:])))
        return start + harmonic * branch_mean_square(config)
    if config.norm == "peri":
        return start + 2.0 * layer
    return np.where(layer == 0, start, 1.0)


def variance_recursion(
    steps: int, *, start: float = 1.0, gain: float = 1.0, lns: bool = False
) -> np.ndarray:
    """Return y_1 .. y_steps of y_{k+1} = y_k (1 + gain/σ_k), with σ_k = √y_k.

    The product in arXiv 2502.05795, lemma 3.2 (lemma 4.1 with ``lns``: gain/√k). It is
    y_k + gain·√y_k, whose solution grows as (gain·k/2)²: quadratic. With ``lns``
    and gain = start = 1 it is y_k = k exactly.

    >>> variance_recursion(4, lns=True)
    array([1., 2., 3., 4.])
    """
    y = np.empty(steps)
    y[0] = start
    for k in range(1, steps):
        step = gain / np.sqrt(k) if lns else gain
        y[k] = y[k - 1] + step * np.sqrt(y[k - 1])
    return y


def sample_log_kernel(
    kind: Literal["linear", "relu", "residual"],
    n: int,
    layers: int,
    samples: int,
    *,
    skip: float = 0.0,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return samples of log(K_L/K_0) of random critical nets of width n.

    A fresh Gaussian matrix sends x to ‖x‖·N(0, C_W/n · I), so vectors are drawn, never
    matrices: the law is that of the whole net. Matrices have variance C_W/n with
    C_W = 1 (linear), 2 (relu) or 1 - skip² (residual).
    """
    z = rng.standard_normal((samples, n))
    before = np.square(z).sum(axis=1)
    for _ in range(layers):
        x = np.maximum(z, 0) if kind == "relu" else z
        size = np.sqrt(np.square(x).sum(axis=1, keepdims=True) / n)
        fresh = size * rng.standard_normal((samples, n))
        if kind == "residual":
            z = skip * z + np.sqrt(1 - skip**2) * fresh
        else:
            z = fresh * (2**0.5 if kind == "relu" else 1.0)
    return np.log(np.square(z).sum(axis=1) / before)


def expansion_terms(
    blocks: list[Callable], jacobians: list[Callable], x: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return T₁ and T₂ of (1 + λf_n)∘…∘(1 + λf_1)(x) = x + λT₁ + λ²T₂ + O(λ³).

    T₁ = Σ f_i(x) and T₂ = Σ_{i<j} f_j'(x) f_i(x): every path through one block, and
    through two (arXiv 2510.03470). ``jacobians[j](x, v)`` is f_j'(x)v.
    """
    first, second = np.zeros_like(x), np.zeros_like(x)
    for f, slope in zip(blocks, jacobians, strict=True):
        second += slope(x, first)
        first += f(x)
    return first, second


def path_sum(matrices: np.ndarray) -> np.ndarray:
    """Return Σ over all 2^n subsets of the ordered products of (n, d, d) matrices.

    Equals (I + A_n)···(I + A_1); `path_orders` splits it by the length of the path.

    >>> A = np.array([[[1.0]], [[2.0]]])
    >>> path_sum(A)
    array([[6.]])
    """
    n, d, _ = matrices.shape
    total = np.zeros((d, d))
    for subset in range(2**n):
        product = np.eye(d)
        for i in range(n):
            if subset >> i & 1:
                product = matrices[i] @ product
        total += product
    return total


def path_orders(matrices: np.ndarray) -> np.ndarray:
    """Return the sums of products over paths through k blocks, k = 0 .. n.

    Shape (n + 1, d, d): C(n, k) paths each, by the recursion over blocks.

    >>> path_orders(np.array([[[1.0]], [[2.0]]])).ravel()
    array([1., 3., 2.])
    """
    n, d, _ = matrices.shape
    orders = np.zeros((n + 1, d, d))
    orders[0] = np.eye(d)
    for A in matrices:
        orders[1:] = orders[1:] + A @ orders[:-1]
    return orders


def windowed_read(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, window: int, *, axis: int
) -> np.ndarray:
    """Return causal attention over the last ``window`` entries along one axis.

    All of shape (T, L, d). Along positions (axis 0) this is sliding-window attention;
    along depth (axis 1) the read of arXiv 2603.16039. One operator, axes exchanged.
    """
    q, k, v = (np.moveaxis(x, axis, 0) for x in (q, k, v))
    score = np.einsum("iad,jad->aij", q, k) / np.sqrt(q.shape[-1])
    i, j = np.ogrid[: len(q), : len(q)]
    score = np.where((j <= i) & (j > i - window), score, -np.inf)
    weight = np.exp(score - score.max(axis=-1, keepdims=True))
    weight /= weight.sum(axis=-1, keepdims=True)
    return np.moveaxis(np.einsum("aij,jad->iad", weight, v), 0, axis)
