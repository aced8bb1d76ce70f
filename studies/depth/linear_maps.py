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
    fit_on: Tensor | None = None,
    ridge: float = 1e-6,
) -> np.ndarray:
    """Return loss with layer l replaced by its best affine map, over the loss, (L,).

    The map h_l -> h_{l+1} is shared by all tokens. arXiv 2603.15389 fits and judges
    on the same samples, which is the default; ``fit_on`` gives other tokens to fit on.
    """
    streams = record_streams(model, tokens_BT)
    source = streams if fit_on is None else record_streams(model, fit_on)
    whole = token_loss(model, streams.h[-1], tokens_BT, labels_BT)
    ratios = []
    for layer in range(model.config.n_layers):
        x, y = (source.h[i].flatten(0, 1) for i in (layer, layer + 1))
        h = fit_affine(x, y, ridge=ridge)(streams.h[layer])
        last = run_layers(model, h, layer + 1)
        ratios.append(token_loss(model, last, tokens_BT, labels_BT) / whole)
    return np.array(ratios)


def usefulness(ratios: np.ndarray, *, threshold: float = 1.1) -> float:
    """Return the share of layers whose linear replacement raises the loss enough.

    arXiv 2603.15389: by more than 10 %. A count of layers: expect ±1 of noise.

    >>> usefulness(np.array([1.5, 1.05, 1.2, 1.0]))
    0.5
    """
    return float((np.asarray(ratios) > threshold).mean())


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
