"""The gradients of three policy losses, side by side: where do they differ at all?

Shapes: B answers, T tokens.
"""

from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from scaling_core.rl.losses import Kind, aggregate, policy_loss

KINDS: tuple[Kind, ...] = ("clip", "cispo", "gspo")
BOUNDS: dict[Kind, tuple[float, float]] = {  # of the ratio, of each loss's own kind
    "clip": (0.8, 1.28),
    "cispo": (0.0, 5.0),
    "gspo": (0.996, 1.004),
}


def draw_answers(
    moved: float, *, seed: int, B: int = 64, T: int = 6
) -> tuple[Tensor, ...]:
    """Return log-probabilities now and when drawn, advantages, and a mask of tokens.

    Answers have 2 to T tokens. ``moved`` is the standard deviation of what updates since
    the draw have added to a token's log-probability; 0: the policy's own samples.
    """
    rng = np.random.default_rng(seed)
    old = -rng.exponential(size=(B, T))
    now = old + moved * rng.standard_normal((B, T))
    mask = np.arange(T) < rng.integers(2, T + 1, size=(B, 1))
    drawn = now, old, rng.standard_normal(B), mask.astype(float)
    return tuple(torch.from_numpy(np.ascontiguousarray(x)) for x in drawn)


def gradient(kind: Kind, answers: tuple[Tensor, ...]) -> Tensor:
    """Return the gradient in each token's log-probability, a mean per answer, (B, T)."""
    now, old, advantage, mask = answers
    logp = now.clone().requires_grad_()
    loss = policy_loss(logp, old, advantage, mask, kind=kind, bounds=BOUNDS[kind])
    return torch.autograd.grad(aggregate(loss, mask, "sample"), logp)[0]


def largest_difference(
    moved: float, *, seed: int, kinds: tuple[Kind, ...] = KINDS
) -> float:
    """Return the largest |difference| of two losses' gradients, over the clipped one's norm.

    >>> largest_difference(0.0, seed=0) < 1e-9
    True
    """
    found = [gradient(kind, draw_answers(moved, seed=seed)) for kind in kinds]
    pairs = [(one - two).norm() for one, two in combinations(found, 2)]
    return float(max(pairs) / found[0].norm())
