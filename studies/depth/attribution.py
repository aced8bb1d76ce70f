"""Integrated gradients: which layer and position an output depends on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from scaling_core.models.streams import record_streams, run_layers
from scaling_core.models.transformer import Transformer


@dataclass(frozen=True)
class Attribution:
    """Integrated gradients of one stream.

    Attributes
    ----------
    attribution
        (B, T): share of each position, summed over coordinates.
    difference
        (B,): F(stream) - F(baseline), what the shares must add up to.
    """

    attribution: np.ndarray
    difference: np.ndarray

    @property
    def completeness_error(self) -> float:
        """Largest |Σ shares - difference| relative to the largest difference."""
        gap = np.abs(self.attribution.sum(axis=1) - self.difference)
        return float(gap.max() / max(np.abs(self.difference).max(), 1e-12))


def integrated_gradients(
    model: Transformer,
    tokens_BT: Tensor,
    layer: int,
    target: Callable[[Tensor], Tensor],
    *,
    steps: int = 64,
    baseline: Literal["mean", "zero"] = "mean",
    rule: Literal["midpoint", "left"] = "midpoint",
) -> Attribution:
    """Attribute ``target(logits)``, (B,), to the stream after ``layer`` layers.

    (h - h₀)·∫₀¹ ∂F/∂h (h₀ + α(h - h₀)) dα, with h₀ the mean over positions of the
    same stream, or zero (arXiv 1703.01365, eq. 1). ``left`` sums at α = r/steps, as
    the code of arXiv 2505.13898 does with 256 steps; the midpoint rule needs fewer.
    """
    h_BTD = record_streams(model, tokens_BT).h[layer]
    start = torch.zeros_like(h_BTD)
    if baseline == "mean":
        start = h_BTD.mean(dim=1, keepdim=True).expand_as(h_BTD)
    elif baseline != "zero":
        raise ValueError(f"baseline={baseline!r}; allowed: 'mean', 'zero'")

    def outcome(h):
        return target(model.unembed(run_layers(model, h, layer)))

    total = torch.zeros_like(h_BTD)
    shift = 0.5 if rule == "midpoint" else 0.0
    for r in range(steps):
        alpha = (r + shift) / steps
        point = (start + alpha * (h_BTD - start)).requires_grad_()
        (gradient,) = torch.autograd.grad(outcome(point).sum(), point)
        total += gradient / steps
    with torch.no_grad():
        difference = outcome(h_BTD) - outcome(start)
    share_BT = (total * (h_BTD - start)).sum(dim=-1)
    return Attribution(share_BT.cpu().numpy(), difference.cpu().numpy())
