"""Affine maps between streams: can a layer, or a whole model, be replaced by one?

The maps are exact least squares, by normal equations in double precision.
Shapes: N samples (tokens), P and Q widths.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scaling_core.models.streams import record_streams, run_layers, token_loss
from scaling_core.models.transformer import Transformer


@dataclass(frozen=True)
class AffineMap:
    """y = x W + b."""

    W_PQ: Tensor
    b_Q: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return (x.double() @ self.W_PQ + self.b_Q).to(x.dtype)


def fit_affine(x_NP: Tensor, y_NQ: Tensor, *, ridge: float = 1e-6) -> AffineMap:
    """Return the map that minimises Σ‖xW + b - y‖² + λ‖W‖².

    λ is ``ridge`` times the mean square of the centred x, summed over samples; the
    offset is free of penalty.

    >>> x = torch.arange(6.0).view(3, 2) ** 2
    >>> fit = fit_affine(x, 2 * x + 1)
    >>> torch.allclose(fit(x), 2 * x + 1, atol=1e-3)
    True
    """
    x, y = x_NP.double(), y_NQ.double()
    x_mean, y_mean = x.mean(dim=0), y.mean(dim=0)
    x, y = x - x_mean, y - y_mean
    gram = x.T @ x
    penalty = ridge * gram.diagonal().mean().clamp(min=1e-30)
    gram.diagonal().add_(penalty)
    W = torch.linalg.solve(gram, x.T @ y)
    return AffineMap(W, y_mean - x_mean @ W)


def relative_error(predicted: Tensor, actual: Tensor) -> float:
    """Return the mean over samples of ‖ŷ - y‖/‖y‖.

    >>> relative_error(torch.zeros(2, 3), torch.ones(2, 3))
    1.0
    """
    gap = (predicted - actual).double().norm(dim=-1)
    return float((gap / actual.double().norm(dim=-1).clamp(min=1e-12)).mean())


@torch.no_grad()
def linear_replacement(
    model: Transformer,
    tokens_BT: Tensor,
    labels_BT: Tensor | None = None,
    *,
    ridge: float = 1e-6,
) -> np.ndarray:
    """Return loss with layer l replaced by its best affine map, over the loss, (L,).

    The map h_l -> h_{l+1} is shared by all tokens; as in arXiv 2603.15389 it is
    fitted and judged on the same samples.
    """
    streams = record_streams(model, tokens_BT)
    whole = token_loss(model, streams.h[-1], tokens_BT, labels_BT)
    ratios = []
    for layer, (before, after) in enumerate(
        zip(streams.h, streams.h[1:], strict=False)
    ):
        fit = fit_affine(before.flatten(0, 1), after.flatten(0, 1), ridge=ridge)
        last = run_layers(model, fit(before), layer + 1)
        ratios.append(token_loss(model, last, tokens_BT, labels_BT) / whole)
    return np.array(ratios)


def ridge_layer_maps(
    sources: Sequence[Tensor],
    targets: Sequence[Tensor],
    *,
    fit_share: float = 0.5,
    ridge: float = 1e-3,
) -> np.ndarray:
    """Return held-out relative errors of maps from each source to each target stream.

    Streams (B, T, D) of two models on the same tokens; maps are fitted on the first
    ``fit_share`` of the sequences and judged on the rest. The closed form is the
    exact minimiser of the loss arXiv 2505.13898 (section 3.6) descends. Errors fall
    with depth for untrained models too: always show an untrained control beside.
    """
    cut = int(fit_share * len(sources[0]))
    if not 0 < cut < len(sources[0]):
        raise ValueError(
            f"fit_share {fit_share} of {len(sources[0])} sequences leaves no "
            "sequence to fit on, or none to judge on"
        )
    errors = np.zeros((len(sources), len(targets)))
    wanted = torch.cat([y[:cut].flatten(0, 1) for y in targets], dim=1)
    widths = [y.shape[-1] for y in targets]
    for i, x in enumerate(sources):
        fit = fit_affine(x[:cut].flatten(0, 1), wanted, ridge=ridge)
        predicted = fit(x[cut:].flatten(0, 1)).split(widths, dim=1)
        for j, y in enumerate(targets):
            errors[i, j] = relative_error(predicted[j], y[cut:].flatten(0, 1))
    return errors
