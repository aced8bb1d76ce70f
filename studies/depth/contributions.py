"""How much each layer writes to the stream, in which direction, and the null curve.

An untrained pre-norm network already writes less and less, relative to its stream:
plot every trained curve over `null_contribution`. Introduced in the chapter on depth.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from torch.nn.functional import cosine_similarity

from scaling_core.models.streams import LEAST_NORM, wide
from scaling_core.models.transformer import Streams


def _collect(streams: Streams, first: int, measure: Callable) -> dict[str, np.ndarray]:
    h = streams.h
    layers = [after - before for before, after in pairwise(h)]
    written = dict(
        attn=(streams.attn, h[:-1]),
        mlp=(streams.mlp, streams.middle),
        layer=(layers, h[:-1]),
    )
    values = {}
    for name, pairs in written.items():
        values_BT = [
            measure(wide(write[:, first:]), wide(read[:, first:]))
            for write, read in zip(*pairs, strict=True)
        ]
        values[name] = np.array([value_BT.mean().item() for value_BT in values_BT])
    return values


def relative_contribution(streams: Streams, *, first: int = 0) -> dict[str, np.ndarray]:
    """Return what each branch and layer writes, over what it is added to, (L,) each.

    ‖a_l‖/‖h_l‖, ‖m_l‖/‖h'_l‖ and ‖h_{l+1} - h_l‖/‖h_l‖, means over tokens, under the
    keys ``attn``, ``mlp`` and ``layer`` (arXiv 2505.13898, section 3.1). h' is what
    the MLP's output is added to: h + a, its norm (post), h itself (parallel).
    ``first`` leaves out the first positions, whose norms are huge in large models.
    """

    def ratio(write, read):
        return write.norm(dim=-1) / read.norm(dim=-1).clamp(min=LEAST_NORM)

    return _collect(streams, first, ratio)


def contribution_cosine(streams: Streams, *, first: int = 0) -> dict[str, np.ndarray]:
    """Return the cosine of each write with what it is added to, (L,) each.

    0 writes something new, below 0 erases, above 0 strengthens
    (arXiv 2505.13898, section 3.1). Keys as in `relative_contribution`.
    """

    def cosine(write, read):
        return cosine_similarity(write, read, dim=-1, eps=LEAST_NORM)

    return _collect(streams, first, cosine)


def angular_distance(streams: Streams) -> np.ndarray:
    """Return how far each layer turns the stream, arccos(cos(h_l, h_{l+1}))/π, (L,).

    Mean over tokens; 0 leaves the direction, 1/2 is a right angle (arXiv 2403.17887,
    equation 3, for n = 1).
    """
    turns = []
    for before, after in pairwise(streams.h):
        cosine = cosine_similarity(wide(before), wide(after), dim=-1, eps=LEAST_NORM)
        turns.append(cosine.clamp(-1, 1).arccos().mean().item() / np.pi)
    return np.array(turns)


def null_contribution(n_layers: int, *, start: float = 1.0) -> np.ndarray:
    """Return 1/√(start + l), l = 0 .. L-1: the relative contribution untrained.

    Independent equal increments make ‖h_l‖² = v₀ + l·c, and ``start`` is v₀/c, the
    embedding's mean square in units of one layer's. 1 gives 1/√(layer from 1).

    >>> null_contribution(4).round(3)
    array([1.   , 0.707, 0.577, 0.5  ])
    """
    return (start + np.arange(n_layers)) ** -0.5
