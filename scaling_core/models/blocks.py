"""The parts of a transformer block: norms and where they stand, MLP, depth attention.

Shapes: B batch, T positions, D d_model, M d_mlp, N values read across depth.
With a the attention, m the MLP and c = 1/√l for LNS (l counts blocks from 1):

    pre, lns   h' = h + a(c·Norm h),  next = h' + m(c·Norm h')
    peri       h' = h + Norm(a(Norm h)), and so on        (arXiv 2502.02732)
    post       h' = Norm(h + a(h)),  next = Norm(h' + m(h'))
    lns        arXiv 2502.05795, section 4
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm, relu, rms_norm, silu

from scaling_core.models.attention import Attention, KVCache, linear
from scaling_core.models.config import TransformerConfig


class Norm(nn.Module):
    """RMSNorm or LayerNorm over the last axis, times a fixed ``scale``."""

    def __init__(self, config: TransformerConfig, *, scale: float = 1.0):
        super().__init__()
        self.eps, self.scale = config.norm_eps, scale
        self.weight = nn.Parameter(torch.ones(config.d_model))
        layer = config.family.norm_kind == "layer"
        self.bias = nn.Parameter(torch.zeros(config.d_model)) if layer else None

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight, self.bias
        if self.scale != 1.0:  # cheaper on the gain than on the output
            weight = weight * self.scale
            bias = None if bias is None else bias * self.scale
        if bias is None:
            return rms_norm(x, weight.shape, weight, self.eps)
        return layer_norm(x, weight.shape, weight, bias, self.eps)


class MLP(nn.Module):
    """W₂ φ(W₁x), or SwiGLU: W₂ (silu(W_g x) ⊙ W_u x), arXiv 2002.05202."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.act, bias = config.act, config.family.bias == "all"
        wide = config.mlp_width * (2 if self.act == "swiglu" else 1)
        self.up = linear(config.d_model, wide, bias)  # swiglu: gate rows, then up
        self.down = linear(config.mlp_width, config.d_model, bias)

    def forward(self, x_BTD: Tensor) -> Tensor:
        return self.down(activate(self.up(x_BTD), self.act))


def activate(x: Tensor, act: str) -> Tensor:
    """Apply the activation named in a config; ``swiglu`` halves the last axis.

    >>> activate(torch.tensor([-1.0, 2.0]), "relu")
    tensor([0., 2.])
    """
    if act == "gelu":
        return gelu(x)
    if act == "relu":
        return relu(x)
    if act == "gelu_tanh":
        return gelu(x, approximate="tanh")
    gate, up = x.chunk(2, dim=-1)
    return silu(gate) * up


class Block(nn.Module):
    """One layer: attention and MLP, with norms where the config places them.

    Parameters
    ----------
    config
        A `TransformerConfig`.
    layer
        Index from 0.
    """

    def __init__(self, config: TransformerConfig, layer: int):
        super().__init__()
        self.layer, self.parallel = layer, config.family.parallel
        self.place = config.norm
        scale = (layer + 1) ** -0.5 if self.place == "lns" else 1.0
        self.attn_norm = Norm(config, scale=scale)
        self.mlp_norm = Norm(config, scale=scale)
        peri = self.place == "peri"
        self.attn_out_norm = Norm(config) if peri else nn.Identity()
        self.mlp_out_norm = Norm(config) if peri else nn.Identity()
        self.attn = Attention(config)
        self.mlp = MLP(config)

    def attend(self, x_BTD: Tensor, table, cache: KVCache | None) -> Tensor:
        """Return what attention adds to the stream, given its un-normed input."""
        x_BTD = x_BTD if self.place == "post" else self.attn_norm(x_BTD)
        return self.attn_out_norm(self.attn(x_BTD, table, cache, self.layer))

    def think(self, x_BTD: Tensor) -> Tensor:
        """Return what the MLP adds to the stream, given its un-normed input."""
        x_BTD = x_BTD if self.place == "post" else self.mlp_norm(x_BTD)
        return self.mlp_out_norm(self.mlp(x_BTD))

    def forward(
        self, h_BTD: Tensor, table: Tensor | None = None, cache: KVCache | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the next stream, the branch outputs, and what the MLP's is added to."""
        a = self.attend(h_BTD, table, cache)
        if self.parallel:  # GPT-J, GPT-NeoX: both read the same stream
            m = self.think(h_BTD)
            return h_BTD + a + m, a, m, h_BTD
        middle = h_BTD + a
        if self.place == "post":
            middle = self.attn_norm(middle)
            m = self.think(middle)
            return self.mlp_norm(middle + m), a, m, middle
        m = self.think(middle)
        return middle + m, a, m, middle


class DepthReads(nn.Module):
    """Attention residuals: each sublayer reads a mixture of all outputs before it.

    h_l = Σ_{i<l} α_i v_i,  α = softmax_i(w_l · v_i/rms(v_i)), with v_0 the embedding,
    v_i the output of sublayer i, and w_l learned from 0, which makes a plain mean
    (arXiv 2603.15031, full variant).
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        reads = 2 * config.n_layers + 1  # two sublayers a block, and the output
        self.query = nn.Parameter(torch.zeros(reads, config.d_model))
        self.eps = config.norm_eps

    def forward(self, values: list[Tensor], read: int) -> Tensor:
        """Return the mixture number ``read`` of N values, each (B, T, D)."""
        v_NBTD = torch.stack(values)
        logit_NBT = rms_norm(v_NBTD, v_NBTD.shape[-1:], None, self.eps)
        logit_NBT = logit_NBT @ self.query[read]
        return (logit_NBT.softmax(dim=0)[..., None] * v_NBTD).sum(dim=0)
