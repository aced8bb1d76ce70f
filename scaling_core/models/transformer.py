"""One decoder-only transformer, by config: every language model of the book.

Shapes: B batch, T positions, D d_model, V d_vocab, L n_layers. The stream h_0 is the
embedding, h_l the input of layer l (from 0), h_L what the final norm and the
unembedding read. Parts: `attention`, `blocks`; text: `generation`; weights: `hub`.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Literal, get_args, get_origin

import torch
from torch import Tensor, nn
from torch.nn.functional import linear as project

from scaling_core.models.attention import KVCache, linear, rotary_table
from scaling_core.models.blocks import Block, DepthReads, Norm


@dataclass(frozen=True)
class TransformerConfig:
    """Shape and kind of a transformer.

    Attributes
    ----------
    d_model, n_layers, n_heads, d_vocab, n_ctx
        Widths and counts; ``n_ctx`` is the longest sequence.
    d_mlp, n_kv_heads, d_head
        By default 4·d_model, n_heads (fewer: grouped queries), d_model/n_heads.
    norm
        Where the norms stand, see `blocks`; ``mix`` puts the first ``mix_post`` of
        the layers in post form.
    residual
        ``sum``, or ``attnres``: attention over depth.
    init
        N(0, init_std²) everywhere (``embed_std`` for the embeddings); ``scaled``
        divides the two output matrices of a block by √(2L), as GPT-2 did.
    norm_kind, norm_eps
        RMSNorm or LayerNorm, and its ε.
    act
        Of the MLP: ``gelu`` (exact), ``gelu_tanh``, ``relu``, ``swiglu``.
    positions
        ``rope`` (base ``rope_base``, on the first ``rope_fraction`` of each head),
        ``learned`` or ``none``.
    bias
        Of the matrices of a block: none, all, or the qkv one alone.
    qk_norm, parallel, tied, embed_norm
        RMSNorm of queries and keys per head (Qwen3); attention and MLP side by side
        (GPT-NeoX); unembedding = embedding; a norm after the embedding.
    share
        ``blocks``: all layers use the same matrices, each with its own norms
        (arXiv 2107.11817); ``all``: the norms too.
    """

    d_model: int = 64
    n_layers: int = 4
    n_heads: int = 4
    d_vocab: int = 128
    n_ctx: int = 64
    d_mlp: int | None = None
    n_kv_heads: int | None = None
    d_head: int | None = None
    norm: Literal["pre", "post", "peri", "lns", "mix"] = "pre"
    mix_post: float = 0.25
    residual: Literal["sum", "attnres"] = "sum"
    init: Literal["normal", "scaled"] = "normal"
    init_std: float = 0.02
    embed_std: float | None = None
    norm_kind: Literal["rms", "layer"] = "rms"
    norm_eps: float = 1e-6
    act: Literal["gelu", "gelu_tanh", "relu", "swiglu"] = "gelu"
    positions: Literal["rope", "learned", "none"] = "rope"
    rope_base: float = 10_000.0
    rope_fraction: float = 1.0
    bias: Literal["none", "qkv", "all"] = "none"
    qk_norm: bool = False
    parallel: bool = False
    tied: bool = False
    embed_norm: bool = False
    share: Literal["none", "blocks", "all"] = "none"

    def __post_init__(self):
        for field in fields(self):
            value, kind = getattr(self, field.name), field.type
            if get_origin(kind) is Literal and value not in get_args(kind):
                allowed = ", ".join(get_args(kind))
                raise ValueError(f"{field.name}={value!r}; allowed: {allowed}")
        if self.d_head is None and self.d_model % self.n_heads:
            raise ValueError(
                f"d_model {self.d_model} is not a multiple of n_heads {self.n_heads}"
            )
        if self.n_heads % self.kv_heads:
            raise ValueError(
                f"n_heads {self.n_heads} is not a multiple of n_kv_heads {self.kv_heads}"
            )
        if self.positions == "rope" and self.rotary_width % 2:
            raise ValueError(f"RoPE needs an even width, got {self.rotary_width}")
        reads = self.residual == "attnres"
        if self.norm in ("post", "mix") and (self.parallel or reads):
            raise ValueError(f"norm={self.norm!r} allows neither parallel nor attnres")
        if self.parallel and reads:
            raise ValueError("attnres does not go with parallel blocks")

    @property
    def mlp_width(self) -> int:
        """Width of the MLP's hidden layer."""
        return self.d_mlp or 4 * self.d_model

    @property
    def kv_heads(self) -> int:
        """Number of key/value heads."""
        return self.n_kv_heads or self.n_heads

    @property
    def head_width(self) -> int:
        """Width of one head."""
        return self.d_head or self.d_model // self.n_heads

    @property
    def rotary_width(self) -> int:
        """How much of each head RoPE turns."""
        return int(self.head_width * self.rope_fraction)

    def norm_at(self, layer: int) -> str:
        """Return the norm placement of one layer: ``mix`` becomes post or pre.

        >>> c = TransformerConfig(norm="mix", n_layers=8)
        >>> [c.norm_at(l) for l in range(3)]
        ['post', 'post', 'pre']
        """
        if self.norm != "mix":
            return self.norm
        return "post" if layer < round(self.mix_post * self.n_layers) else "pre"


@dataclass(frozen=True)
class Streams:
    """What flowed through one forward pass: tensors (B, T, D).

    Attributes
    ----------
    h
        L + 1 of them: the input of each layer, then the last stream.
    attn, mlp
        L each: the branch outputs. For pre, lns, peri: h[l+1] = h[l] + attn[l] + mlp[l].
    """

    h: list[Tensor]
    attn: list[Tensor]
    mlp: list[Tensor]


class Transformer(nn.Module):
    """A decoder-only transformer.

    Parameters
    ----------
    config
        Its shape and kind.
    generator
        Source of the initial weights; None leaves them unset, for loading.

    Examples
    --------
    >>> model = Transformer(TransformerConfig(), generator=torch.Generator())
    >>> model(torch.zeros(2, 5, dtype=torch.long)).shape
    torch.Size([2, 5, 128])
    """

    def __init__(self, config: TransformerConfig, *, generator: torch.Generator | None):
        super().__init__()
        self.config = c = config
        skip = nn.utils.skip_init
        self.embedding = skip(nn.Embedding, c.d_vocab, c.d_model)
        if c.positions == "learned":
            self.position = skip(nn.Embedding, c.n_ctx, c.d_model)
        self.embed_norm = Norm(c) if c.embed_norm else nn.Identity()
        self.blocks = nn.ModuleList(self._make_blocks())
        self.reads = DepthReads(c) if c.residual == "attnres" else None
        # a stack of post blocks ends with a norm already
        self.final_norm = nn.Identity() if c.norm == "post" else Norm(c)
        self.unembedding = linear(c.d_model, c.d_vocab, False)
        if c.tied:
            self.unembedding.weight = self.embedding.weight
        self.set_rotary(self._frequencies() if c.positions == "rope" else None)
        if generator is not None:
            self._draw(generator)

    def _make_blocks(self):
        first = None
        for layer in range(self.config.n_layers):
            block = Block(self.config, layer, first)
            if self.config.share == "all" and first is not None:
                for name in ("attn_norm", "mlp_norm", "attn_out_norm", "mlp_out_norm"):
                    setattr(block, name, getattr(first, name))
            if self.config.share != "none" and first is None:
                first = block
            yield block

    def _frequencies(self) -> Tensor:
        """θ_i = base^(-2i/width), i = 0 .. width/2 - 1."""
        width = self.config.rotary_width
        exponent = torch.arange(0, width, 2, dtype=torch.float64) / width
        return self.config.rope_base**-exponent

    def set_rotary(self, inverse_frequency: Tensor | None, scale: float = 1.0) -> None:
        """Set the RoPE table from given frequencies; None takes RoPE away."""
        table = None
        if inverse_frequency is not None:
            table = rotary_table(inverse_frequency, self.config.n_ctx, scale)
        self.register_buffer("rotary", table, persistent=False)

    @torch.no_grad()
    def _draw(self, generator: torch.Generator) -> None:
        """Draw matrices; gains stay 1, biases and depth queries 0."""
        c = self.config
        scaled = (2 * c.n_layers) ** -0.5 if c.init == "scaled" else 1.0
        for name, parameter in self.named_parameters():
            if name.endswith(("attn.out.weight", "mlp.down.weight")):
                parameter.normal_(0, c.init_std * scaled, generator=generator)
            elif name.endswith(("qkv.weight", "up.weight", "unembedding.weight")):
                parameter.normal_(0, c.init_std, generator=generator)
            elif name in ("embedding.weight", "position.weight"):
                std = c.init_std if c.embed_std is None else c.embed_std
                parameter.normal_(0, std, generator=generator)
            elif name.endswith(".bias"):
                parameter.zero_()

    def embed(self, tokens_BT: Tensor, start: int = 0) -> Tensor:
        """Return h_0 of tokens at positions ``start`` onwards, (B, T, D)."""
        end = start + tokens_BT.shape[1]
        if end > self.config.n_ctx:
            raise ValueError(f"{end} positions, but n_ctx is {self.config.n_ctx}")
        h_BTD = self.embedding(tokens_BT)
        if self.config.positions == "learned":
            h_BTD = h_BTD + self.position.weight[start:end]
        return self.embed_norm(h_BTD)

    def layer(
        self, layer: int, h_BTD: Tensor, cache: KVCache | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the stream after one layer, and its two branch outputs.

        Attention residuals have no single stream: a ValueError.
        """
        if self.reads is not None:
            raise ValueError(
                "attention residuals have no stream to step layer by layer"
            )
        start = 0 if cache is None else cache.length
        return self.blocks[layer](h_BTD, self._table(start, h_BTD), cache)

    def _table(self, start: int, h_BTD: Tensor) -> Tensor | None:
        if self.rotary is None:
            return None
        return self.rotary[start : start + h_BTD.shape[1]]

    def unembed(self, h_BTD: Tensor) -> Tensor:
        """Return logits (B, T, V) from a stream: final norm, then the unembedding."""
        return project(self.final_norm(h_BTD), self.unembedding.weight)

    def forward(
        self,
        tokens_BT: Tensor,
        *,
        skip_layers: Collection[int] = (),
        return_streams: bool = False,
        cache: KVCache | None = None,
    ) -> Tensor | tuple[Tensor, Streams]:
        """Return logits (B, T, V), with the `Streams` if asked.

        Parameters
        ----------
        tokens_BT
            Token ids; with a cache, the tokens after those it holds.
        skip_layers
            Layers (from 0) that pass the stream on unchanged.
        """
        start = 0 if cache is None else cache.length
        h = self.embed(tokens_BT, start)
        table = self._table(start, h)
        run = self._run_sum if self.reads is None else self._run_reads
        streams = run(h, table, cache, frozenset(skip_layers), return_streams)
        if cache is not None:
            cache.length += tokens_BT.shape[1]
        logits = self.unembed(streams.h[-1])
        return (logits, streams) if return_streams else logits

    def _run_sum(self, h, table, cache, skip, keep: bool) -> Streams:
        streams = Streams([h], [], [])
        for block in self.blocks:
            a = m = None
            if block.layer not in skip:
                h, a, m = block(h, table, cache)
            if not keep:
                streams.h[0] = h
                continue
            streams.h.append(h)
            streams.attn.append(torch.zeros_like(h) if a is None else a)
            streams.mlp.append(torch.zeros_like(h) if m is None else m)
        return streams

    def _run_reads(self, h, table, cache, skip, keep: bool) -> Streams:
        """Attention residuals: the "stream" is what each attention sublayer reads."""
        values, streams = [h], Streams([], [], [])
        for block in self.blocks:
            x = self.reads(values, 2 * block.layer)
            streams.h.append(x)
            if block.layer in skip:
                a = m = torch.zeros_like(x)
            else:
                a = block.attend(x, table, cache)
                values.append(a)
                m = block.think(self.reads(values, 2 * block.layer + 1))
                values.append(m)
            streams.attn.append(a)
            streams.mlp.append(m)
        streams.h.append(self.reads(values, 2 * self.config.n_layers))
        return streams


def count_parameters(model: nn.Module, *, embeddings: bool = True) -> int:
    """Return N, each shared parameter once; without token and position tables if told.

    >>> config = TransformerConfig(d_model=8, n_layers=2, d_vocab=10)
    >>> model = Transformer(config, generator=None)
    >>> count_parameters(model, embeddings=False)  # 2 (12 d² + 2 d) + d
    1576
    """
    tables = () if embeddings else ("embedding.weight", "position.weight")
    named = model.named_parameters()
    return sum(p.numel() for name, p in named if not name.endswith(tables))


def training_flops_per_token(
    config: TransformerConfig, n_ctx: int | None = None
) -> int:
    """Return 6·(matrix entries) + 6·L·T·H·E: forward and backward, causal attention.

    Counts multiply and add; embeddings looked up are free, the unembedding is not
    (arXiv 2204.02311, appendix B, with the causal half of the T·T products only).
    """
    c, n_ctx = config, n_ctx or config.n_ctx
    wide = c.n_heads * c.head_width
    attention = c.d_model * (2 * wide + 2 * c.kv_heads * c.head_width)
    mlp = c.d_model * c.mlp_width * (3 if c.act == "swiglu" else 2)
    entries = c.n_layers * (attention + mlp) + c.d_model * c.d_vocab
    return 6 * entries + 6 * c.n_layers * n_ctx * wide
