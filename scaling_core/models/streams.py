"""Running parts of a transformer and measuring its stream: what probes share.

Shapes in the package: B batch, T positions, D d_model, V d_vocab, L layers (from 0).
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from scaling_core.models.config import TransformerConfig
from scaling_core.models.transformer import Streams, Transformer

LEAST_NORM = 1e-6


def wide(x: Tensor) -> Tensor:
    """Return ``x`` in single precision at least: sums and softmaxes need it.

    >>> wide(torch.ones(1, dtype=torch.bfloat16)).dtype
    torch.float32
    """
    return x if x.dtype == torch.float64 else x.float()


def run_layers(
    model: Transformer, h_BTD: Tensor, first: int = 0, last: int | None = None
) -> Tensor:
    """Return the stream after layers ``first`` .. ``last`` - 1 (default: to the end).

    >>> draw = torch.Generator().manual_seed(0)
    >>> model = Transformer(TransformerConfig(), generator=draw)
    >>> half = run_layers(model, model.embed(torch.arange(5)[None]), 0, 2)
    >>> half.shape
    torch.Size([1, 5, 64])
    """
    for layer in range(first, model.config.n_layers if last is None else last):
        h_BTD = model.layer(layer, h_BTD)[0]
    return h_BTD


@torch.no_grad()
def record_streams(model: Transformer, tokens_BT: Tensor) -> Streams:
    """Return the streams and branch outputs of one forward pass, without gradients.

    >>> draw = torch.Generator().manual_seed(0)
    >>> model = Transformer(TransformerConfig(n_layers=2), generator=draw)
    >>> len(record_streams(model, torch.arange(5)[None]).h)  # h_0, h_1, h_2
    3
    """
    return model(tokens_BT, return_streams=True)[1]


def token_loss(
    model: Transformer,
    h_BTD: Tensor,
    tokens_BT: Tensor,
    labels_BT: Tensor | None = None,
) -> float:
    """Return the mean cross-entropy in nats of a last stream.

    ``labels_BT`` defaults to the next token at each position but the last.

    >>> draw = torch.Generator().manual_seed(0)
    >>> model = Transformer(TransformerConfig(d_vocab=8), generator=draw)
    >>> tokens = torch.arange(8)[None]
    >>> with torch.no_grad():
    ...     loss = token_loss(model, record_streams(model, tokens).h[-1], tokens)
    >>> round(loss / float(np.log(8)), 1)  # untrained: as good as chance
    1.0
    """
    logits_BTV = model.unembed(h_BTD)
    if labels_BT is None:
        logits_BTV, labels_BT = logits_BTV[:, :-1], tokens_BT[:, 1:]
    return float(cross_entropy(wide(logits_BTV).flatten(0, 1), labels_BT.flatten()))


def stream_mean_square(streams: Streams) -> np.ndarray:
    """Return the mean square per coordinate of h_0 .. h_L, (L + 1,).

    >>> draw = torch.Generator().manual_seed(0)
    >>> model = Transformer(TransformerConfig(n_layers=2), generator=draw)
    >>> stream_mean_square(record_streams(model, torch.arange(5)[None])).shape
    (3,)
    """
    return np.array([wide(h).square().mean().item() for h in streams.h])


def branch_mean_square(config: TransformerConfig) -> float:
    """Return what one untrained block adds to the stream's mean square, scale 1.

    s_v² s_o² d·w + s₁² s₂² d·d_mlp/2 for a context of one token, where attention
    copies the value of width w = n_heads·d_head, and a ReLU MLP, both behind an
    RMSNorm. For longer contexts attention averages values and adds less.

    >>> branch_mean_square(TransformerConfig(d_model=64, act="relu", init_std=1 / 8))
    3.0
    """
    c = config
    if c.act != "relu" or c.family.norm_kind != "rms" or c.kv_heads != c.n_heads:
        raise ValueError("the law holds for ReLU behind an RMSNorm, without GQA")
    shrink = 1 / (2 * c.n_layers) if c.init == "scaled" else 1.0
    product = c.init_std**4 * shrink
    return product * c.d_model * (c.n_heads * c.head_width + c.mlp_width / 2)
