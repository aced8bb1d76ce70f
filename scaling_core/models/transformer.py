"""One decoder-only transformer, by config: every language model of the book.

Shapes: B batch, T positions, D d_model, V d_vocab, L n_layers. The stream h_0 is the
embedding, h_l the input of layer l (from 0), h_L what the final norm and the
unembedding read. Parts: `config`, `attention`, `blocks`; text: `generation`; published
weights: `hub`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import linear as project

from scaling_core.models.attention import KVCache, linear, rotary_table
from scaling_core.models.blocks import Block, DepthReads, Norm
from scaling_core.models.config import TransformerConfig


@dataclass(frozen=True)
class Streams:
    """What flowed through one forward pass: tensors (B, T, D).

    Attributes
    ----------
    h
        L + 1 of them: the input of each layer, then the last stream.
    attn, mlp
        L each: the branch outputs. For pre, lns, peri: h[l+1] = h[l] + attn[l] + mlp[l].
    middle
        L: what ``mlp`` is added to: h + attn, its norm (post), or h (parallel).
    """

    h: list[Tensor]
    attn: list[Tensor]
    mlp: list[Tensor]
    middle: list[Tensor]


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
        self.embedding = _table(c.d_vocab, c.d_model)
        self.position = _table(c.n_ctx, c.d_model) if c.positions == "learned" else None
        layers = nn.ModuleList(Block(c, layer) for layer in range(c.n_layers))
        self.blocks = cast(list[Block], layers)
        self.reads = DepthReads(c) if c.residual == "attnres" else None
        # a stack of post blocks ends with a norm already
        self.final_norm = nn.Identity() if c.norm == "post" else Norm(c)
        self.unembedding = linear(c.d_model, c.d_vocab, False)
        if c.family.tied:
            self.unembedding.weight = self.embedding.weight
        self.rotary: Tensor | None
        self.set_rotary(self._frequencies() if c.positions == "rope" else None)
        if generator is not None:
            self.draw(generator)

    def _frequencies(self) -> Tensor:
        """θ_i = 10000^(-2i/width), i = 0 .. width/2 - 1."""
        width = self.config.rotary_width
        exponent = torch.arange(0, width, 2, dtype=torch.float64) / width
        return 10_000.0**-exponent

    def set_rotary(self, inverse_frequency: Tensor | None, scale: float = 1.0) -> None:
        """Set the RoPE table from given frequencies; None takes RoPE away."""
        table = None
        if inverse_frequency is not None:
            table = rotary_table(inverse_frequency, self.config.n_ctx, scale)
        self.register_buffer("rotary", table, persistent=False)

    @torch.no_grad()
    def draw(self, generator: torch.Generator) -> None:
        """Draw matrices and zero biases; gains and depth queries stay as they are."""
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
        if self.position is not None:
            h_BTD = h_BTD + self.position.weight[start:end]
        return h_BTD

    def layer(
        self, layer: int, h_BTD: Tensor, cache: KVCache | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what `Block` returns: the stream after one layer, and its parts.

        Attention residuals have no single stream: a ValueError.
        """
        if self.reads is not None:
            raise ValueError(
                "attention residuals have no stream to step layer by layer"
            )
        start = 0 if cache is None else cache.length
        return self.blocks[layer](h_BTD, self._rotation(start, h_BTD), cache)

    def _rotation(self, start: int, h_BTD: Tensor) -> Tensor | None:
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
        last_only: bool = False,
    ) -> Tensor | tuple[Tensor, Streams]:
        """Return logits (B, T, V), with the `Streams` if asked.

        Parameters
        ----------
        tokens_BT
            Token ids; with a cache, the tokens after those it holds.
        skip_layers
            Layers (from 0) that pass the stream on unchanged.
        last_only
            Logits after the last token only, (B, 1, V).

        Raises
        ------
        ValueError
            For a layer that is not there, a sequence that is too long, or a cache
            filled with other layers skipped.
        """
        skip, start = self._skipped(skip_layers), 0
        if cache is not None:
            start = cache.length
            if start and cache.skipped != skip:
                raise ValueError(
                    f"the cache was filled with layers {sorted(cache.skipped)} skipped, "
                    f"now {sorted(skip)}: its keys would not fit"
                )
            cache.skipped = skip
        h = self.embed(tokens_BT, start)
        table = self._rotation(start, h)
        if self.reads is None:
            streams = self._run_sum(h, table, cache, skip, return_streams)
        else:
            streams = self._run_reads(self.reads, h, table, cache, skip)
        if cache is not None:
            cache.length += tokens_BT.shape[1]
        last = streams.h[-1]
        logits = self.unembed(last[:, -1:] if last_only else last)
        return (logits, streams) if return_streams else logits

    def _skipped(self, layers: Collection[int]) -> frozenset[int]:
        odd = [layer for layer in layers if layer not in range(self.config.n_layers)]
        if odd:
            raise ValueError(
                f"skip_layers has {odd}; layers are 0 to {self.config.n_layers - 1}"
            )
        return frozenset(layers)

    def _run_sum(self, h, table, cache, skip, keep: bool) -> Streams:
        streams = Streams([h], [], [], [])
        for block in self.blocks:
            a = m = None
            middle = h
            if block.layer not in skip:
                h, a, m, middle = block(h, table, cache)
            if not keep:
                streams.h[0] = h
                continue
            streams.h.append(h)
            streams.attn.append(torch.zeros_like(h) if a is None else a)
            streams.mlp.append(torch.zeros_like(h) if m is None else m)
            streams.middle.append(middle)
        return streams

    def _run_reads(self, reads: DepthReads, h, table, cache, skip) -> Streams:
        """Attention residuals: the "streams" are what each sublayer reads."""
        values, streams = [h], Streams([], [], [], [])
        for block in self.blocks:
            x = middle = reads(values, 2 * block.layer)
            a = m = torch.zeros_like(x)
            if block.layer not in skip:
                a = block.attend(x, table, cache)
                values.append(a)
                middle = reads(values, 2 * block.layer + 1)
                m = block.think(middle)
                values.append(m)
            streams.h.append(x)
            streams.attn.append(a)
            streams.mlp.append(m)
            streams.middle.append(middle)
        streams.h.append(reads(values, 2 * self.config.n_layers))
        return streams


def _table(rows: int, d_model: int) -> nn.Embedding:
    """Return an embedding whose weights are not drawn yet."""
    return nn.Embedding(rows, d_model, device="meta").to_empty(device="cpu")


def count_parameters(model: nn.Module, *, embeddings: bool = True) -> int:
    """Return N, each shared parameter once; without (un)embeddings if told.

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

    >>> training_flops_per_token(TransformerConfig(n_layers=1))
    368640
    """
    c, n_ctx = config, n_ctx or config.n_ctx
    wide = c.n_heads * c.head_width
    attention = c.d_model * (2 * wide + 2 * c.kv_heads * c.head_width)
    mlp = c.d_model * c.mlp_width * (3 if c.act == "swiglu" else 2)
    entries = c.n_layers * (attention + mlp) + c.d_model * c.d_vocab
    return 6 * entries + 6 * c.n_layers * n_ctx * wide
