"""Untrained transformers: measurements for the laws of `theory`.

Contexts of one token (attention then copies the value), ReLU, RMSNorm, every matrix
N(0, 1/d): the setting in which the laws are exact in the mean. Shapes: S seeds,
B tokens, D d_model, L blocks, N = 2L sublayers. Introduced in the chapter on residual theory.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scaling_core.models.config import NormPlace, TransformerConfig
from scaling_core.models.streams import record_streams, stream_mean_square
from scaling_core.models.transformer import Transformer

OUTPUTS = ("attn.out.weight", "mlp.down.weight")
TINY = 1e-30  # ε of the norms where an identity holds for ε -> 0 only


def untrained(
    norm: NormPlace, *, seed: int, d_model: int, n_layers: int, **changes: Any
) -> Transformer:
    """Return a fresh model with matrices N(0, 1/d) and embeddings N(0, 1), float64.

    ``changes`` go to the config.

    >>> untrained("pre", seed=0, d_model=16, n_layers=2).config.init_std ** 2
    0.0625
    """
    config = TransformerConfig(
        d_model=d_model,
        n_layers=n_layers,
        n_heads=4,
        d_vocab=16,
        n_ctx=1,
        norm=norm,
        act="relu",
        init_std=d_model**-0.5,
        embed_std=1.0,
    )
    config = replace(config, **changes)
    generator = torch.Generator().manual_seed(seed)
    return Transformer(config, generator=generator).double()


def redraw(model: Transformer, seed: int) -> Transformer:
    """Draw every matrix of an `untrained` model again, in place.

    Making the modules takes longer than drawing their weights.
    """
    model.draw(torch.Generator().manual_seed(seed))
    return model


def _all_tokens(model: Transformer) -> Tensor:
    return torch.arange(model.config.d_vocab).view(-1, model.config.n_ctx)


def mean_squares(norm: NormPlace, seeds: Sequence[int], **shape) -> np.ndarray:
    """Return the mean square of h_0 .. h_L over all tokens, one model per seed.

    Shape (S, L + 1). Sequences are as long as ``n_ctx`` of the config, 1 by default.
    """
    model = untrained(norm, seed=0, **shape)
    tokens_BT = _all_tokens(model)
    streams = (record_streams(redraw(model, s), tokens_BT) for s in seeds)
    return np.array([stream_mean_square(s) for s in streams])


def masked_growth(
    density: float, matrices: Sequence[str], seeds: Sequence[int], **shape
) -> np.ndarray:
    """Return what the stream gains with masks over what it gains without, (S,).

    The gain is the mean square of h_L - that of h_0, pre norm.
    """
    model = untrained("pre", seed=0, **shape)
    tokens_BT, ratios = _all_tokens(model), []
    for seed in seeds:
        gains = []
        for keep in (1.0, density):
            generator = torch.Generator().manual_seed(seed)
            keep_at_random(
                redraw(model, seed), keep, matrices=matrices, generator=generator
            )
            square = stream_mean_square(record_streams(model, tokens_BT))
            gains.append(square[-1] - square[0])
        ratios.append(gains[1] / gains[0])
    return np.array(ratios)


@torch.no_grad()
def keep_at_random(
    model: Transformer,
    density: float,
    *,
    matrices: Sequence[str] = OUTPUTS,
    generator: torch.Generator,
) -> Transformer:
    """Zero each entry of the named matrices with probability 1 - density, in place.

    Raises
    ------
    ValueError
        If the density is not in (0, 1], or no parameter has such a name.
    """
    if not 0 < density <= 1:
        raise ValueError(f"density is a share in (0, 1], got {density}")
    named = [
        p for name, p in model.named_parameters() if name.endswith(tuple(matrices))
    ]
    if not named:
        raise ValueError(f"no parameter ends with any of {matrices}")
    for parameter in named:
        keep = torch.rand(parameter.shape, generator=generator) < density
        parameter *= keep
    return model


def _sublayers(model: Transformer):
    """Yield every step stream -> stream, attention and MLP in turn (pre, lns, peri)."""
    for block in model.blocks:
        if block.place == "post":
            raise ValueError("post norm has no sum of a stream and a branch")
        yield lambda h, block=block: h + block.attend(h, None, None)
        yield lambda h, block=block: h + block.think(h)


def sublayer_jacobians(model: Transformer, token: int = 0) -> tuple:
    """Return J - I of every sublayer at one token, and the stream at each end.

    Shapes (N, D, D) and (N + 1, D), the latter from the embedding to h_L.
    """
    D = model.config.d_model
    h_D = model.embed(torch.tensor([[token]]))[0, 0].detach()
    A, streams = [], [h_D.numpy()]
    for step in _sublayers(model):
        copies = h_D.repeat(D, 1)[:, None].requires_grad_()  # a copy per output
        out = step(copies)
        (J,) = torch.autograd.grad(out[:, 0], copies, torch.eye(D, dtype=h_D.dtype))
        A.append(J[:, 0].numpy() - np.eye(D))
        h_D = out[0, 0].detach()
        streams.append(h_D.numpy())
    return np.array(A), np.array(streams)


def gradient_gain(matrices: np.ndarray, streams: np.ndarray) -> np.ndarray:
    """Return E‖∂Norm(h_n)/∂h_0 x‖² over random unit x, for n = 0 .. N sublayers.

    The matrices are J - I. A stack cut after n sublayers is an untrained stack of
    that depth, so that one model gives all depths.
    """
    d = matrices.shape[1]
    chain, gains = np.eye(d), []
    for n, h in enumerate(streams):
        if n:
            chain = chain + matrices[n - 1] @ chain
        unit = h / np.linalg.norm(h)
        seen = chain - np.outer(unit, unit @ chain)  # the norm drops the radial part
        gains.append(np.square(seen).sum() / d / np.square(h).mean())
    return np.array(gains)


@dataclass(frozen=True)
class Rescaled:
    """What changes when an MLP's output matrix is multiplied by k.

    Attributes
    ----------
    output
        Root mean square of the branch output, over that before.
    gradient
        Norm of the gradient with respect to the output matrix, over that before, for
        one fixed gradient arriving from above.
    output_error, gradient_error
        Largest deviation, relative to the largest entry before, of the output from
        what it was and of k times the gradient from what it was.
    """

    output: float
    gradient: float
    output_error: float
    gradient_error: float


def rescale_output(model: Transformer, layer: int, k: float, *, seed: int) -> Rescaled:
    """Multiply W₂ of one MLP by k and compare branch output and gradient."""
    block = model.blocks[layer]
    generator = torch.Generator().manual_seed(seed)
    shape = (64, 1, model.config.d_model)
    h, above = (
        torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2)
    )

    def both() -> tuple[Tensor, Tensor]:
        out = block.think(h)
        (gradient,) = torch.autograd.grad(out, block.mlp.down.weight, above)
        return out.detach(), gradient

    out, gradient = both()
    with torch.no_grad():
        block.mlp.down.weight *= k
    new_out, new_gradient = both()
    with torch.no_grad():
        block.mlp.down.weight /= k
    return Rescaled(
        float(new_out.norm() / out.norm()),
        float(new_gradient.norm() / gradient.norm()),
        float((new_out - out).abs().max() / out.abs().max()),
        float((k * new_gradient - gradient).abs().max() / gradient.abs().max()),
    )


def attnres_pair(*, seed: int, d_model: int, n_layers: int, **changes) -> tuple:
    """Return a pre-norm model and its twin with attention residuals, same matrices."""
    shape = dict(seed=seed, d_model=d_model, n_layers=n_layers, norm_eps=TINY)
    plain = untrained("pre", **shape, **changes)
    twin = untrained("pre", residual="attnres", **shape, **changes)
    missing = twin.load_state_dict(plain.state_dict(), strict=False).missing_keys
    if missing != ["reads.query"]:
        raise ValueError(f"the twins differ in more than their queries: {missing}")
    return plain, twin


def twin_difference(plain: Transformer, twin: Transformer) -> tuple[float, float]:
    """Return the largest differences of logits and of gradients between twins.

    Relative to the largest entry (gradients: per matrix), for the cross-entropy of
    predicting token i + 1 from token i.
    """
    tokens_BT = _all_tokens(plain)
    labels = (tokens_BT + 1) % plain.config.d_vocab
    logits, gradients = [], []
    for model in (plain, twin):
        out = model(tokens_BT)
        loss = torch.nn.functional.cross_entropy(out.flatten(0, 1), labels.flatten())
        names = dict(plain.named_parameters())
        shared = [p for name, p in model.named_parameters() if name in names]
        gradients.append(torch.autograd.grad(loss, shared))
        logits.append(out.detach())

    def gap(a, b):
        return float((a - b).abs().max() / a.abs().max())

    return gap(*logits), max(map(gap, *gradients))
