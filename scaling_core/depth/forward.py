"""Running parts of a transformer, for the probes of this package.

Shapes in the package: B batch, T positions, D d_model, V d_vocab, L layers (from 0).
"""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from scaling_core.models.transformer import Streams, Transformer

LEAST_NORM = 1e-6


def wide(x: Tensor) -> Tensor:
    """Return ``x`` in single precision at least: sums and softmaxes need it."""
    return x if x.dtype == torch.float64 else x.float()


def run_layers(
    model: Transformer, h_BTD: Tensor, first: int = 0, last: int | None = None
) -> Tensor:
    """Return the stream after layers ``first`` .. ``last`` - 1 (default: to the end)."""
    for layer in range(first, model.config.n_layers if last is None else last):
        h_BTD = model.layer(layer, h_BTD)[0]
    return h_BTD


@torch.no_grad()
def record_streams(model: Transformer, tokens_BT: Tensor) -> Streams:
    """Return the streams and branch outputs of one forward pass, without gradients."""
    return model(tokens_BT, return_streams=True)[1]


def token_loss(
    model: Transformer,
    h_BTD: Tensor,
    tokens_BT: Tensor,
    labels_BT: Tensor | None = None,
) -> float:
    """Return the mean cross-entropy in nats of a last stream.

    ``labels_BT`` defaults to the next token at each position but the last.
    """
    logits_BTV = model.unembed(h_BTD)
    if labels_BT is None:
        logits_BTV, labels_BT = logits_BTV[:, :-1], tokens_BT[:, 1:]
    return float(cross_entropy(wide(logits_BTV).flatten(0, 1), labels_BT.flatten()))
