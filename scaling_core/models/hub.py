"""Published weights in our own transformer: GPT-2, Pythia, Llama, Qwen2 and Qwen3.

Reading is done by the transformers library (extra ``hub``); the weights are then laid
out as ours, so that every probe of `studies.depth` runs on them unchanged. Only
safetensors are read and no code of a repository is run.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from scaling_core.models.config import Act, Family, TransformerConfig
from scaling_core.models.transformer import Transformer

ACTIVATIONS: dict[str, Act] = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}
STATIC_ROPE = ("default", "linear", "llama3", "yarn")
HEAD = "lm_head.weight"
Weights = dict[str, Tensor]


def load_transformer(
    name: str | Path,
    *,
    offline: bool = True,
    revision: str | None = None,
    n_ctx: int | None = None,
    norm: Literal["pre", "lns"] = "pre",
    dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
) -> Transformer:
    """Return a published model as one of ours, ready for analysis.

    Parameters
    ----------
    name
        Folder with a saved model, or a name on the hub.
    offline
        Look in the folder or the local cache only; False may download.
    revision
        Commit to pin, for names on the hub.
    n_ctx
        Longest sequence wanted; by default the model's own, at most 4096.
    norm
        ``lns`` for weights trained with LayerNorm Scaling: no file tells.

    Raises
    ------
    ImportError
        Without the transformers library: install ``scaling-core[hub]``.
    ValueError
        For a family or an option that is not supported, and for a weight that is
        absent, in another shape, or of no use to the model; the weight is named.
    OSError
        If there is no such model, or no safetensors file in it.
    """
    try:
        from transformers import AutoModelForCausalLM
    except ImportError as error:
        raise ImportError(
            "published weights need transformers: pip install 'scaling-core[hub]'"
        ) from error
    read: Callable = AutoModelForCausalLM.from_pretrained  # gives a pair, as asked for
    source, report = read(
        str(name),
        revision=revision,
        local_files_only=offline,
        trust_remote_code=False,
        use_safetensors=True,
        ignore_mismatched_sizes=True,  # the report names them, and we refuse
        output_loading_info=True,
        dtype=dtype,
    )
    for kind, weights in report.items():
        if weights:
            kind = kind.replace("_", " ")
            raise ValueError(f"{name}: {kind}: {sorted(map(str, weights))[:4]}")
    return from_transformers(source, n_ctx=n_ctx, norm=norm).to(device)


def from_transformers(
    source, *, n_ctx: int | None = None, norm: Literal["pre", "lns"] = "pre"
) -> Transformer:
    """Return a loaded transformers model as one of ours, in its dtype.

    Raises
    ------
    ValueError
        For a family or an option that is not supported, and for a weight that is
        absent or of no use to the model.
    """
    families = {
        "gpt2": _gpt2,
        "gpt_neox": _gpt_neox,
        "llama": _llama,
        "qwen2": _llama,
        "qwen3": _llama,
    }
    kind = source.config.model_type
    if kind not in families:
        allowed = ", ".join(families)
        raise ValueError(f"model type {kind!r} is not supported; allowed: {allowed}")
    if norm not in ("pre", "lns"):
        raise ValueError(f"norm={norm!r} has other weights; allowed: pre, lns")
    given = dict(source.state_dict())
    config, ours, rotary = families[kind](source, given)
    longest = source.config.max_position_embeddings
    config = replace(config, n_ctx=min(longest, n_ctx or 4096), norm=norm)
    if config.positions == "learned":
        ours["position.weight"] = ours["position.weight"][: config.n_ctx]
    ours["unembedding.weight"] = ours["embedding.weight"]
    if not config.family.tied:
        ours["unembedding.weight"] = _take(given, HEAD)
    given.pop(HEAD, None)  # tied: the embedding under a second name
    if given:
        raise ValueError(f"weights that the model does not use: {sorted(given)[:4]}")
    model = Transformer(config, generator=None)
    if rotary is not None:
        model.set_rotary(rotary.inv_freq.float().cpu(), rotary.attention_scaling)
    model.load_state_dict(ours)
    return model.to(source.dtype).eval().requires_grad_(False)


def _take(given: Weights, name: str) -> Tensor:
    """Return a weight and cross it off, so that what is left over shows."""
    if name not in given:
        raise ValueError(f"the weight {name!r} is absent")
    return given.pop(name)


def _refuse(config, **wanted) -> None:
    """Refuse options that would change what the model computes."""
    for name, value in wanted.items():
        found = getattr(config, name, value)
        if found != value:
            kind = config.model_type
            raise ValueError(f"{kind} with {name}={found!r} is not supported")


def _activation(name: str) -> Act:
    if name not in ACTIVATIONS:
        allowed = ", ".join(ACTIVATIONS)
        raise ValueError(f"activation {name!r} is not supported; allowed: {allowed}")
    return ACTIVATIONS[name]


def _interleave(rows: Tensor, head_width: int, rotary_width: int) -> Tensor:
    """Reorder the rows of q or k: they pair (i, i + width/2), we pair (2i, 2i + 1)."""
    half = rotary_width // 2
    order = torch.arange(head_width)
    order[:rotary_width] = torch.arange(rotary_width).view(2, half).T.flatten()
    return rows.unflatten(0, (-1, head_width))[:, order].flatten(0, 1)


def _move(given: Weights, names: dict[str, str], theirs: str, ours: str) -> Weights:
    """Take weights and biases as they are, under our names."""
    return {
        f"{ours}{new}.{part}": _take(given, f"{theirs}{old}.{part}")
        for old, new in names.items()
        for part in ("weight", "bias")
    }


def _gpt2(source, given: Weights):
    c = source.config
    _refuse(
        c,
        scale_attn_weights=True,
        scale_attn_by_inverse_layer_idx=False,
        add_cross_attention=False,
    )
    config = TransformerConfig(
        d_model=c.n_embd,
        n_layers=c.n_layer,
        n_heads=c.n_head,
        d_mlp=c.n_inner,
        d_vocab=c.vocab_size,
        norm_eps=c.layer_norm_epsilon,
        act=_activation(c.activation_function),
        positions="learned",
        family=Family(norm_kind="layer", bias="all", tied=c.tie_word_embeddings),
    )
    ours = {
        "embedding.weight": _take(given, "transformer.wte.weight"),
        "position.weight": _take(given, "transformer.wpe.weight"),
    }
    ours |= _move(given, {"ln_f": "final_norm"}, "transformer.", "")
    names = {"ln_1": "attn_norm", "attn.c_attn": "attn.qkv", "attn.c_proj": "attn.out"}
    names |= {"ln_2": "mlp_norm", "mlp.c_fc": "mlp.up", "mlp.c_proj": "mlp.down"}
    for layer in range(config.n_layers):
        ours |= _move(given, names, f"transformer.h.{layer}.", f"blocks.{layer}.")
    for name, weight in ours.items():
        if weight.ndim == 2 and name.startswith("blocks."):  # stored as (in, out)
            ours[name] = weight.T
    return config, ours, None


def _gpt_neox(source, given: Weights):
    c = source.config
    _refuse(c, attention_bias=True)
    rotary = source.gpt_neox.rotary_emb
    _check_rope(rotary)
    width = c.hidden_size // c.num_attention_heads
    config = TransformerConfig(
        d_model=c.hidden_size,
        n_layers=c.num_hidden_layers,
        n_heads=c.num_attention_heads,
        d_mlp=c.intermediate_size,
        d_vocab=c.vocab_size,
        norm_eps=c.layer_norm_eps,
        act=_activation(c.hidden_act),
        family=Family(
            norm_kind="layer",
            rope_fraction=2 * len(rotary.inv_freq) / width,
            bias="all",
            parallel=c.use_parallel_residual,
            tied=c.tie_word_embeddings,
        ),
    )
    ours = {"embedding.weight": _take(given, "gpt_neox.embed_in.weight")}
    ours |= _move(given, {"final_layer_norm": "final_norm"}, "gpt_neox.", "")
    names = {
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "mlp_norm",
        "attention.query_key_value": "attn.qkv",
        "attention.dense": "attn.out",
        "mlp.dense_h_to_4h": "mlp.up",
        "mlp.dense_4h_to_h": "mlp.down",
    }
    for layer in range(config.n_layers):
        block = _move(given, names, f"gpt_neox.layers.{layer}.", f"blocks.{layer}.")
        for part in ("weight", "bias"):  # rows head by head, q k v within each
            name = f"blocks.{layer}.attn.qkv.{part}"
            heads = block[name].unflatten(0, (config.n_heads, 3, width))
            q, k, v = (x.flatten(0, 1) for x in heads.unbind(1))
            q, k = (_interleave(x, width, config.rotary_width) for x in (q, k))
            block[name] = torch.cat((q, k, v))
        ours |= block
    return config, ours, rotary


def _llama(source, given: Weights):
    c = source.config
    _refuse(
        c,
        hidden_act="silu",
        mlp_bias=False,
        attention_bias=False,
        use_sliding_window=False,
    )
    rotary = source.model.rotary_emb
    _check_rope(rotary)
    width = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
    config = TransformerConfig(
        d_model=c.hidden_size,
        n_layers=c.num_hidden_layers,
        n_heads=c.num_attention_heads,
        d_head=width,
        d_mlp=c.intermediate_size,
        d_vocab=c.vocab_size,
        norm_eps=c.rms_norm_eps,
        act="swiglu",
        family=Family(
            n_kv_heads=c.num_key_value_heads,
            bias="qkv" if c.model_type == "qwen2" else "none",
            qk_norm=c.model_type == "qwen3",
            tied=c.tie_word_embeddings,
        ),
    )
    ours = {
        "embedding.weight": _take(given, "model.embed_tokens.weight"),
        "final_norm.weight": _take(given, "model.norm.weight"),
    }
    names = {
        "attn_norm": ("input_layernorm",),
        "mlp_norm": ("post_attention_layernorm",),
        "attn.qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        "attn.out": ("self_attn.o_proj",),
        "mlp.up": ("mlp.gate_proj", "mlp.up_proj"),
        "mlp.down": ("mlp.down_proj",),
    }
    wanted = [
        (f"{new}.weight", f"{o}.weight") for new, old in names.items() for o in old
    ]
    if config.family.bias == "qkv":
        wanted += [("attn.qkv.bias", f"{o}.bias") for o in names["attn.qkv"]]
    if config.family.qk_norm:
        wanted += [(f"attn.{x}_norm", f"self_attn.{x}_norm.weight") for x in "qk"]
    for layer in range(config.n_layers):
        block: dict[str, list[Tensor]] = {}
        for new, old in wanted:
            weight = _take(given, f"model.layers.{layer}.{old}")
            if old.startswith(("self_attn.q_", "self_attn.k_")):
                weight = _interleave(weight, width, width)
            block.setdefault(new, []).append(weight)
        ours |= {f"blocks.{layer}.{new}": torch.cat(x) for new, x in block.items()}
    return config, ours, rotary


def _check_rope(rotary) -> None:
    if rotary.rope_type not in STATIC_ROPE:
        raise ValueError(
            f"RoPE of type {rotary.rope_type!r} changes with the length of the input; "
            f"allowed: {', '.join(STATIC_ROPE)}"
        )
