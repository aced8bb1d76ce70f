"""Sampling text from a transformer with a key/value cache.

Shapes: B sequences, T prompt positions, N new positions, V d_vocab; Q prompts.
"""

import torch
from torch import Tensor

from scaling_core.models.attention import KVCache
from scaling_core.models.transformer import Transformer

CACHE_BYTES = 64 * 2**20  # of one slice of sequences: of the order of the last cache


def generate(
    model: Transformer,
    prompt_BT: Tensor,
    new: int,
    *,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
    rows: int | None = None,
    repeats: int = 1,
) -> Tensor:
    """Return the prompts with ``new`` sampled tokens after each, (B, T + new).

    Parameters
    ----------
    temperature
        Of the softmax; 0 takes the most likely token.
    generator
        Source of the samples, on the model's device; needed unless temperature is 0.
    rows
        Sequences decoded together; by default as many as `CACHE_BYTES` holds on a
        CPU, all elsewhere. The result does not depend on it but for rounding.
    repeats
        Sequences after each prompt, which is read once: B = Q·repeats, in a row.

    Raises
    ------
    ValueError
        If the context is too short, the temperature is negative or no number, or
        there is no generator to sample with.

    Examples
    --------
    >>> from scaling_core.models.config import TransformerConfig
    >>> draw = torch.Generator().manual_seed(0)
    >>> model = Transformer(TransformerConfig(), generator=draw)
    >>> generate(model, torch.zeros(1, 3, dtype=torch.long), 5, temperature=0).shape
    torch.Size([1, 8])
    """
    if not temperature >= 0:
        raise ValueError(f"temperature is a number from 0 up, got {temperature}")
    total = prompt_BT.shape[1] + new
    if total > model.config.n_ctx:
        raise ValueError(f"{total} positions, but n_ctx is {model.config.n_ctx}")
    if temperature > 0 and generator is None:
        raise ValueError("sampling needs a generator (or temperature=0)")
    prompt_BT, uniform_BN = prompt_BT.repeat_interleave(repeats, dim=0), None
    if temperature > 0:  # all draws first: slices cannot change them
        shape, device = (len(prompt_BT), new), prompt_BT.device
        uniform_BN = torch.rand(shape, generator=generator, device=device)
    out = prompt_BT.new_empty(len(prompt_BT), total)
    out[:, : prompt_BT.shape[1]] = prompt_BT
    rows = rows or _slice_rows(model, len(prompt_BT), total)
    rows = -(-rows // repeats) * repeats  # a prompt's sequences stay together
    for first in range(0, len(out), rows):
        part = slice(first, first + rows)
        u = None if uniform_BN is None else uniform_BN[part]
        _decode(model, out[part], prompt_BT.shape[1], temperature, u, repeats)
    return out


def _slice_rows(model: Transformer, rows: int, total: int) -> int:
    weight, c = model.embedding.weight, model.config
    if weight.device.type != "cpu":
        return rows
    per_position = 2 * c.n_layers * c.kv_heads * c.head_width * weight.element_size()
    slices = -(-rows * total * per_position // CACHE_BYTES)
    return -(-rows // slices)  # of equal length


@torch.inference_mode()  # here, not on generate: its result may be trained on
def _decode(model, out_BT, prompt, temperature, uniform_BN, repeats) -> None:
    """Fill the columns after the prompt, in place."""
    total = out_BT.shape[1]
    read_QT = out_BT[::repeats, :prompt]
    cache = KVCache.empty(model.config, len(read_QT), total, model.embedding.weight)
    logits_QV = model(read_QT, cache=cache, last_only=True)[:, 0]
    logits_BV = logits_QV.repeat_interleave(repeats, dim=0)
    if repeats > 1:
        cache.repeat(repeats)
    for column in range(prompt, total):
        if column > prompt:
            last_B1 = out_BT[:, column - 1 : column]
            logits_BV = model(last_B1, cache=cache, last_only=True)[:, 0]
        if uniform_BN is None:
            out_BT[:, column] = logits_BV.argmax(dim=-1)
        else:
            u_B = uniform_BN[:, column - prompt]
            out_BT[:, column] = sample(logits_BV, u_B, temperature)


def sample(logits_BV: Tensor, uniform_B: Tensor, temperature: float = 1.0) -> Tensor:
    """Return one token per row by the inverse of the cumulative softmax, (B,).

    One uniform number per row, where a Gumbel or multinomial draw needs V.

    >>> logits = torch.tensor([[0.0, 0.0]]).expand(2, 2)
    >>> sample(logits, torch.tensor([0.3, 0.7]))
    tensor([0, 1])
    """
    cumulative = (logits_BV.float() / temperature).softmax(dim=-1).cumsum(dim=-1)
    threshold = uniform_B[:, None] * cumulative[:, -1:]
    return (cumulative <= threshold).sum(dim=-1).clamp_(max=logits_BV.shape[-1] - 1)
