"""Shape and kind of a transformer, as frozen dataclasses."""

from dataclasses import dataclass, field, fields
from typing import Literal, get_args, get_origin

Act = Literal["gelu", "gelu_tanh", "relu", "swiglu"]
NormPlace = Literal["pre", "post", "peri", "lns"]


@dataclass(frozen=True)
class Family:
    """What else sets published families apart (`hub`); no chapter changes it.

    Attributes
    ----------
    norm_kind
        RMSNorm or LayerNorm.
    bias
        Of the matrices of a block: none, all, or the qkv one alone.
    n_kv_heads
        Fewer than n_heads: grouped queries. By default n_heads.
    rope_fraction
        Share of each head that RoPE turns.
    qk_norm, parallel, tied
        RMSNorm of queries and keys per head (Qwen3); attention and MLP side by side
        (GPT-NeoX); unembedding = embedding.
    """

    norm_kind: Literal["rms", "layer"] = "rms"
    bias: Literal["none", "qkv", "all"] = "none"
    n_kv_heads: int | None = None
    rope_fraction: float = 1.0
    qk_norm: bool = False
    parallel: bool = False
    tied: bool = False

    def __post_init__(self):
        _check_choices(self)


@dataclass(frozen=True)
class TransformerConfig:
    """Shape and kind of a transformer.

    Attributes
    ----------
    d_model, n_layers, n_heads, d_vocab, n_ctx
        Widths and counts; ``n_ctx`` is the longest sequence.
    d_mlp, d_head
        By default 4·d_model and d_model/n_heads.
    norm
        Where the norms stand, see `blocks`.
    residual
        ``sum``, or ``attnres``: attention over depth.
    init
        N(0, init_std²) everywhere (``embed_std`` for the embeddings); ``scaled``
        divides the two output matrices of a block by √(2L), as GPT-2 did.
    norm_eps
        The norms' ε.
    act
        Of the MLP: ``gelu`` (exact), ``gelu_tanh``, ``relu``, ``swiglu``.
    positions
        ``rope`` (base 10,000), ``learned`` or ``none``.
    family
        The options of published models.

    Examples
    --------
    >>> config = TransformerConfig(d_model=48, n_heads=4)
    >>> config.mlp_width, config.head_width
    (192, 12)
    """

    d_model: int = 64
    n_layers: int = 4
    n_heads: int = 4
    d_vocab: int = 128
    n_ctx: int = 64
    d_mlp: int | None = None
    d_head: int | None = None
    norm: NormPlace = "pre"
    residual: Literal["sum", "attnres"] = "sum"
    init: Literal["normal", "scaled"] = "normal"
    init_std: float = 0.02
    embed_std: float | None = None
    norm_eps: float = 1e-6
    act: Act = "gelu"
    positions: Literal["rope", "learned", "none"] = "rope"
    family: Family = field(default_factory=Family)

    def __post_init__(self):
        _check_choices(self)
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
        if self.norm == "post" and (self.family.parallel or reads):
            raise ValueError("norm='post' allows neither parallel nor attnres")
        if self.family.parallel and reads:
            raise ValueError("attnres does not go with parallel blocks")

    @property
    def mlp_width(self) -> int:
        """Width of the MLP's hidden layer."""
        return self.d_mlp or 4 * self.d_model

    @property
    def kv_heads(self) -> int:
        """Number of key/value heads."""
        return self.family.n_kv_heads or self.n_heads

    @property
    def head_width(self) -> int:
        """Width of one head."""
        return self.d_head or self.d_model // self.n_heads

    @property
    def rotary_width(self) -> int:
        """How much of each head RoPE turns."""
        return int(self.head_width * self.family.rope_fraction)


def _check_choices(config) -> None:
    """Refuse a value that its field's Literal does not list."""
    for part in fields(config):
        value = getattr(config, part.name)
        if get_origin(part.type) is Literal and value not in get_args(part.type):
            allowed = ", ".join(get_args(part.type))
            raise ValueError(f"{part.name}={value!r}; allowed: {allowed}")
