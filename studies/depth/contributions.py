"""How much each layer writes to the stream, in which direction, and the null curve.

An untrained pre-norm network already writes less and less, relative to its stream:
plot every trained curve over `null_contribution`. Introduced in chapter 4.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.functional import cosine_similarity

from scaling_core.models.streams import LEAST_NORM, wide
from scaling_core.models.transformer import Streams


def _writes(streams: Streams, parallel: bool) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yield name, what is written, and the stream it is written to."""
    for layer, (a, m) in enumerate(zip(streams.attn, streams.mlp, strict=True)):
        h = streams.h[layer]
        yield "attn", a, h
        yield "mlp", m, h if parallel else h + a
        yield "layer", streams.h[layer + 1] - h, h


def _collect(streams: Streams, parallel: bool, first: int, measure) -> dict:
    values: dict[str, list[float]] = {"attn": [], "mlp": [], "layer": []}
    for name, write, read in _writes(streams, parallel):
        value_BT = measure(wide(write[:, first:]), wide(read[:, first:]))
        values[name].append(value_BT.mean().item())
    return {name: np.array(per_layer) for name, per_layer in values.items()}


def relative_contribution(
    streams: Streams, *, parallel: bool = False, first: int = 0
) -> dict[str, np.ndarray]:
    """Return ‖a_l‖/‖h_l‖, ‖m_l‖/‖h_l + a_l‖ and ‖h_{l+1} - h_l‖/‖h_l‖, (L,) each.

    Means over tokens, under the keys ``attn``, ``mlp`` and ``layer``
    (arXiv 2505.13898, section 3.1). With ``parallel`` blocks the MLP reads h_l.
    ``first`` leaves out the first positions, whose norms are huge in large models.
    """

    def ratio(write, read):
        return write.norm(dim=-1) / read.norm(dim=-1).clamp(min=LEAST_NORM)

    return _collect(streams, parallel, first, ratio)


def contribution_cosine(
    streams: Streams, *, parallel: bool = False, first: int = 0
) -> dict[str, np.ndarray]:
    """Return the cosine of each write with the stream it is added to, (L,) each.

    0 writes something new, below 0 erases, above 0 strengthens
    (arXiv 2505.13898, section 3.1). Keys as in `relative_contribution`.
    """

    def cosine(write, read):
        return cosine_similarity(write, read, dim=-1, eps=LEAST_NORM)

    return _collect(streams, parallel, first, cosine)


def null_contribution(n_layers: int, *, start: float = 1.0) -> np.ndarray:
    """Return 1/√(start + l), l = 0 .. L-1: the relative contribution untrained.

    Independent equal increments make ‖h_l‖² = v₀ + l·c, and ``start`` is v₀/c, the
    embedding's mean square in units of one layer's. 1 gives 1/√(layer from 1).

    >>> null_contribution(4).round(3)
    array([1.   , 0.707, 0.577, 0.5  ])
    """
    return (start + np.arange(n_layers)) ** -0.5


def half_ratio(curve: ArrayLike) -> float:
    """Return the mean of layers 2 .. L/2 over the mean of the second half.

    Layer 1 is left out: it writes to a bare embedding.

    >>> round(half_ratio(null_contribution(32)), 2)
    1.84
    """
    curve = np.asarray(curve, dtype=float)
    middle = len(curve) // 2
    if middle < 2:
        raise ValueError(f"need at least 4 layers, got {len(curve)}")
    return float(curve[1:middle].mean() / curve[middle:].mean())


def centre_of_mass(weights: ArrayLike, *, first: int = 1) -> float:
    """Return Σ l·w_l / Σ w_l with layers numbered from ``first``; negative w count 0.

    The depth score of arXiv 2505.13898 if w are effects of skipping layers.

    Raises
    ------
    ValueError
        If no weight is positive.

    >>> centre_of_mass([1.0, 0.0, 1.0])
    2.0
    """
    w = np.clip(np.asarray(weights, dtype=float), 0, None)
    if not w.sum() > 0:
        raise ValueError("no layer has a positive weight: there is no centre")
    return float(w @ (first + np.arange(len(w))) / w.sum())


def angular_distance(streams: Streams, n: int = 1) -> np.ndarray:
    """Return the mean over tokens of arccos(cos(h_l, h_{l+n}))/π, (L + 1 - n,).

    arXiv 2403.17887, eq. 5; used by arXiv 2502.05795, section 2.
    """
    pairs = zip(streams.h[:-n], streams.h[n:], strict=True)
    cosines = [cosine_similarity(a.double(), b.double(), dim=-1) for a, b in pairs]
    angles = [torch.arccos(c.clamp(-1, 1)).mean().item() / np.pi for c in cosines]
    return np.array(angles)
