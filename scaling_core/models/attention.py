"""Causal self-attention with rotary positions, grouped keys and values, and a cache.

Shapes: B batch, T positions, S positions so far (cache included), D d_model,
H query heads, K key/value heads (H a multiple of K), E width of a head.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import rms_norm, scaled_dot_product_attention

from scaling_core.models.config import TransformerConfig

SMALL_PRODUCT = 400  # batched products with fewer terms fall to a naive CPU loop


def linear(d_in: int, d_out: int, bias: bool) -> nn.Linear:
    """Return a linear layer whose weights are not drawn yet (no global seed)."""
    return nn.Linear(d_in, d_out, bias=bias, device="meta").to_empty(device="cpu")


def rotary_table(inverse_frequency: Tensor, n_ctx: int, scale: float = 1.0) -> Tensor:
    """Return (cos, sin) of position x frequency, shape (n_ctx, E/2, 2).

    >>> rotary_table(torch.tensor([1.0]), 2).round(decimals=3).tolist()
    [[[1.0, 0.0]], [[0.5400000214576721, 0.8410000205039978]]]
    """
    position = torch.arange(n_ctx, dtype=torch.float64)
    angle = position[:, None] * inverse_frequency.double()
    table = torch.stack((angle.cos(), angle.sin()), dim=-1) * scale
    return table.to(torch.get_default_dtype())


def rotate(x_BTHE: Tensor, table: Tensor) -> Tensor:
    """Turn the pairs (2i, 2i+1) of each head by position x frequency (RoPE).

    (x₀ + i x₁)(cos + i sin), arXiv 2104.09864, eq. 34. If the table covers fewer than
    E/2 pairs, the rest of the head is left as it is (GPT-NeoX).

    Notes
    -----
    One complex product on the CPU, a third of the time of real arithmetic there;
    real arithmetic elsewhere, where a compiler fuses it and bf16 has no complex.
    """
    width = 2 * table.shape[-2]
    if width < x_BTHE.shape[-1]:
        turned = rotate(x_BTHE[..., :width], table)
        return torch.cat((turned, x_BTHE[..., width:]), dim=-1)
    pairs = x_BTHE.unflatten(-1, (-1, 2))
    table = table.to(x_BTHE.dtype)[:, None]
    if x_BTHE.device.type == "cpu" and x_BTHE.dtype in (torch.float32, torch.float64):
        z = torch.view_as_complex(pairs) * torch.view_as_complex(table)
        return torch.view_as_real(z).flatten(-2)
    (a, b), (cos, sin) = pairs.unbind(-1), table.unbind(-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1).flatten(-2)


@dataclass
class KVCache:
    """Keys and values of the first ``length`` positions, of all layers.

    Attributes
    ----------
    keys, values
        (L, B, K, S, E) with room for S >= n_max positions, zero where unfilled.
    n_max
        Positions allowed.
    length
        Positions filled; the model advances it once per forward pass.
    skipped
        The layers that these positions passed by.
    """

    keys: Tensor
    values: Tensor
    n_max: int
    length: int = 0
    skipped: frozenset[int] = frozenset()

    @classmethod
    def empty(
        cls, config: TransformerConfig, rows: int, n_max: int, like: Tensor
    ) -> "KVCache":
        """Return a cache for ``rows`` sequences, dtype and device those of ``like``."""
        room = max(n_max, -(-SMALL_PRODUCT // config.head_width))
        shape = (config.n_layers, rows, config.kv_heads, room, config.head_width)
        return cls(like.new_zeros(shape), like.new_zeros(shape), n_max)

    def extend(self, layer: int, k_BKTE: Tensor, v_BKTE: Tensor):
        """Store one layer's new positions; return all its keys and values so far."""
        end = self.length + k_BKTE.shape[2]
        if end > self.n_max:
            raise ValueError(
                f"the cache holds {self.n_max} positions, {end} are needed"
            )
        self.keys[layer, :, :, self.length : end] = k_BKTE
        self.values[layer, :, :, self.length : end] = v_BKTE
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]

    def repeat(self, times: int) -> None:
        """Hold each sequence so many times in a row."""
        self.keys = self.keys.repeat_interleave(times, dim=1)
        self.values = self.values.repeat_interleave(times, dim=1)


class Attention(nn.Module):
    """softmax(QKᵀ/√E + causal mask) V, then the output matrix.

    One matrix makes queries, keys and values: rows ordered q (H·E), k (K·E), v (K·E).
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.heads, self.kv_heads = config.n_heads, config.kv_heads
        self.head_width = config.head_width
        rows = (self.heads + 2 * self.kv_heads) * self.head_width
        bias, wide = config.family.bias, self.heads * self.head_width
        self.qkv = linear(config.d_model, rows, bias != "none")
        self.out = linear(wide, config.d_model, bias == "all")
        self.eps, self.many = config.norm_eps, False
        self.q_norm = self.k_norm = None
        if config.family.qk_norm:
            self.q_norm = nn.Parameter(torch.ones(self.head_width))
            self.k_norm = nn.Parameter(torch.ones(self.head_width))

    def forward(
        self,
        x_BTD: Tensor,
        table: Tensor | None = None,
        cache: KVCache | None = None,
        layer: int = 0,
    ) -> Tensor:
        """Return the branch output, (B, T, D)."""
        H, K = self.heads, self.kv_heads
        qkv = self.qkv(x_BTD).unflatten(-1, (H + 2 * K, self.head_width))
        q, k, v = qkv.split((H, K, K), dim=2)
        if self.q_norm is not None:
            shape = (self.head_width,)
            q = rms_norm(q, shape, self.q_norm, self.eps)
            k = rms_norm(k, shape, self.k_norm, self.eps)
        if table is not None:
            q, k = rotate(q, table), rotate(k, table)
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))
        start = 0 if cache is None else cache.length
        if cache is not None:
            k, v = cache.extend(layer, k, v)
        if q.shape[2] == 1:
            total, least = k.shape[2], -(-SMALL_PRODUCT // self.head_width)
            if cache is not None and total < least:
                k, v = (x[layer, :, :, :least] for x in (cache.keys, cache.values))
            return self.out(attend_one(q, k, v, total).flatten(1)[:, None])
        y_BHTE = ManyAttention.apply(q, k, v) if self.many else attend(q, k, v, start)
        return self.out(y_BHTE.transpose(1, 2).flatten(2))


def attend(q_BHTE: Tensor, k_BKSE: Tensor, v_BKSE: Tensor, start: int = 0) -> Tensor:
    """Return causal attention of queries at positions ``start`` onwards, (B, H, T, E)."""
    T, S = q_BHTE.shape[2], k_BKSE.shape[2]
    mask = None
    if start:
        mask = torch.ones(T, S, dtype=torch.bool, device=q_BHTE.device).tril(S - T)
    grouped = q_BHTE.shape[1] != k_BKSE.shape[1]
    return scaled_dot_product_attention(
        q_BHTE, k_BKSE, v_BKSE, attn_mask=mask, is_causal=not start, enable_gqa=grouped
    )


class ManyAttention(torch.autograd.Function):
    """Causal attention under `torch.vmap`: the models join the batch.

    The library's CPU kernel has no rule of its own and would run model by model.
    """

    @staticmethod
    def forward(q, k, v):
        return attend(q, k, v)

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Nothing to save: under vmap gradients flow through `attend` itself."""

    @staticmethod
    def vmap(info, in_dims, *qkv):
        """Fold the models of an ensemble into the first axis."""
        folded = (
            x.movedim(dim, 0).flatten(0, 1) for x, dim in zip(qkv, in_dims, strict=True)
        )
        return attend(*folded).unflatten(0, (info.batch_size, -1)), 0


def attend_one(q_BH1E: Tensor, k_BKSE: Tensor, v_BKSE: Tensor, total: int) -> Tensor:
    """Return attention for one query over the first ``total`` positions, (B, H, E).

    Two batched products and a softmax: a query head group shares its keys. More
    positions than ``total`` may be given, to make the products large enough.
    """
    B, H, _, E = q_BH1E.shape
    K = k_BKSE.shape[1]
    q = q_BH1E.reshape(B * K, H // K, E) * E**-0.5
    score = torch.bmm(q, k_BKSE.flatten(0, 1).mT)
    score[..., total:] = -torch.inf
    return torch.bmm(score.softmax(dim=-1), v_BKSE.flatten(0, 1)).view(B, H, E)
