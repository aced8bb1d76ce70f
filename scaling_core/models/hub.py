"""Published weights in our own transformer: GPT-2, Pythia, Llama, Qwen2 and Qwen3.

Reading is done by the transformers library (extra ``hub``); the weights are then laid
out as ours, so that every probe of `studies.depth` runs on them unchanged. Only
safetensors are read and no code of a repository is run.
"""

from pathlib import Path

import torch
from torch import Tensor

from scaling_core.models.transformer import Transformer, TransformerConfig

ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}
STATIC_ROPE = ("default", "linear", "llama3", "yarn")
Weights = dict[str, Tensor]


def load_transformer(
    name: str | Path,
    *,
    offline: bool = True,
    revision: str | None = None,
    n_ctx: int | None = None,
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

    Raises
    ------
    ImportError
        Without the transformers library: install ``scaling-core[hub]``.
    ValueError
        For a family or an option that is not supported.
    OSError
        If there is no such model, or no safetensors file in it.
    """
    try:
        from transformers import AutoModelForCausalLM
    except ImportError as error:
        raise ImportError(
            "published weights need transformers: pip install 'scaling-core[hub]'"
        ) from error
    source = AutoModelForCausalLM.from_pretrained(
        str(name),
        revision=revision,
        local_files_only=offline,
        trust_remote_code=False,
        use_safetensors=True,
        dtype=dtype,
    )
    return from_transformers(source, n_ctx=n_ctx).to(device)


def from_transformers(source, *, n_ctx: int | None = None) -> Transformer:
    """Return a loaded transformers model as one of ours, in its dtype.

    Raises
    ------
    ValueError
        For a family or an option that is not supported.
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
    longest = source.config.max_position_embeddings
    options = dict(n_ctx=min(longest, n_ctx or 4096))
    weights = source.state_dict()
    config, ours, rotary = families[kind](source, weights, options)
    model = Transformer(config, generator=None)
    if rotary is not None:
        model.set_rotary(rotary.inv_freq.float().cpu(), rotary.attention_scaling)
    return _fill(model, ours).to(source.dtype).eval().requires_grad_(False)


def _fill(model: Transformer, weights: Weights) -> Transformer:
    """Copy weights in; each parameter must be given, once and in its shape."""
    parameters = dict(model.named_parameters())
    if parameters.keys() != weights.keys():
        odd = sorted(parameters.keys() ^ weights.keys())
        raise ValueError(f"weights do not fit the model, look at {odd[:4]}")
    with torch.no_grad():
        for name, parameter in parameters.items():
            if parameter.shape != weights[name].shape:
                shapes = tuple(parameter.shape), tuple(weights[name].shape)
                raise ValueError(f"{name}: shape {shapes[0]} wanted, {shapes[1]} given")
            parameter.copy_(weights[name])
    return model


def _refuse(config, **wanted) -> None:
    """Refuse options that would change what the model computes."""
    for name, value in wanted.items():
        found = getattr(config, name, value)
        if found != value:
            kind = config.model_type
            raise ValueError(f"{kind} with {name}={found!r} is not supported")


def _activation(name: str) -> str:
    if name not in ACTIVATIONS:
        allowed = ", ".join(ACTIVATIONS)
        raise ValueError(f"activation {name!r} is not supported; allowed: {allowed}")
    return ACTIVATIONS[name]


def _norm(weights: Weights, theirs: str, ours: str) -> Weights:
    """Gain and, for a LayerNorm, bias."""
    parts = [p for p in ("weight", "bias") if f"{theirs}.{p}" in weights]
    return {f"{ours}.{p}": weights[f"{theirs}.{p}"] for p in parts}


def _interleave(rows: Tensor, head_width: int, rotary_width: int) -> Tensor:
    """Reorder the rows of q or k: they pair (i, i + width/2), we pair (2i, 2i + 1)."""
    half = rotary_width // 2
    order = torch.arange(head_width)
    order[:rotary_width] = torch.arange(rotary_width).view(2, half).T.flatten()
    return rows.unflatten(0, (-1, head_width))[:, order].flatten(0, 1)


def _gpt2(source, w: Weights, options: dict):
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
        norm_kind="layer",
        norm_eps=c.layer_norm_epsilon,
        act=_activation(c.activation_function),
        positions="learned",
        bias="all",
        tied=c.tie_word_embeddings,
        **options,
    )
    ours = {
        "embedding.weight": w["transformer.wte.weight"],
        "position.weight": w["transformer.wpe.weight"][: config.n_ctx],
    }
    if not config.tied:
        ours["unembedding.weight"] = source.get_output_embeddings().weight
    ours |= _norm(w, "transformer.ln_f", "final_norm")
    names = {"attn.c_attn": "attn.qkv", "attn.c_proj": "attn.out"}
    names |= {"mlp.c_fc": "mlp.up", "mlp.c_proj": "mlp.down"}
    for layer in range(config.n_layers):
        theirs, block = f"transformer.h.{layer}", f"blocks.{layer}"
        ours |= _norm(w, f"{theirs}.ln_1", f"{block}.attn_norm")
        ours |= _norm(w, f"{theirs}.ln_2", f"{block}.mlp_norm")
        for old, new in names.items():  # stored as (in, out)
            ours[f"{block}.{new}.weight"] = w[f"{theirs}.{old}.weight"].T
            ours[f"{block}.{new}.bias"] = w[f"{theirs}.{old}.bias"]
    return config, ours, None


def _gpt_neox(source, w: Weights, options: dict):
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
        norm_kind="layer",
        norm_eps=c.layer_norm_eps,
        act=_activation(c.hidden_act),
        rope_fraction=2 * len(rotary.inv_freq) / width,
        bias="all",
        parallel=c.use_parallel_residual,
        tied=c.tie_word_embeddings,
        **options,
    )
    ours = {"embedding.weight": w["gpt_neox.embed_in.weight"]}
    if not config.tied:
        ours["unembedding.weight"] = source.get_output_embeddings().weight
    ours |= _norm(w, "gpt_neox.final_layer_norm", "final_norm")
    names = {"attention.dense": "attn.out", "mlp.dense_h_to_4h": "mlp.up"}
    names |= {"mlp.dense_4h_to_h": "mlp.down"}
    for layer in range(config.n_layers):
        theirs, block = f"gpt_neox.layers.{layer}", f"blocks.{layer}"
        ours |= _norm(w, f"{theirs}.input_layernorm", f"{block}.attn_norm")
        ours |= _norm(w, f"{theirs}.post_attention_layernorm", f"{block}.mlp_norm")
        for part in ("weight", "bias"):
            for old, new in names.items():
                ours[f"{block}.{new}.{part}"] = w[f"{theirs}.{old}.{part}"]
            # rows ordered head by head, q k v within each
            fused = w[f"{theirs}.attention.query_key_value.{part}"]
            q, k, v = fused.unflatten(0, (config.n_heads, 3, width)).unbind(1)
            q, k = (
                _interleave(x.flatten(0, 1), width, config.rotary_width) for x in (q, k)
            )
            ours[f"{block}.attn.qkv.{part}"] = torch.cat((q, k, v.flatten(0, 1)))
    return config, ours, rotary


def _llama(source, w: Weights, options: dict):
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
        n_kv_heads=c.num_key_value_heads,
        d_head=width,
        d_mlp=c.intermediate_size,
        d_vocab=c.vocab_size,
        norm_eps=c.rms_norm_eps,
        act="swiglu",
        bias="qkv" if c.model_type == "qwen2" else "none",
        qk_norm=c.model_type == "qwen3",
        tied=c.tie_word_embeddings,
        **options,
    )
    ours = {"embedding.weight": w["model.embed_tokens.weight"]}
    if not config.tied:
        ours["unembedding.weight"] = source.get_output_embeddings().weight
    ours |= _norm(w, "model.norm", "final_norm")
    for layer in range(config.n_layers):
        theirs, block = f"model.layers.{layer}", f"blocks.{layer}"
        ours |= _norm(w, f"{theirs}.input_layernorm", f"{block}.attn_norm")
        ours |= _norm(w, f"{theirs}.post_attention_layernorm", f"{block}.mlp_norm")
        ours |= _llama_attention(w, f"{theirs}.self_attn", f"{block}.attn", config)
        gate, up = (w[f"{theirs}.mlp.{x}_proj.weight"] for x in ("gate", "up"))
        ours[f"{block}.mlp.up.weight"] = torch.cat((gate, up))
        ours[f"{block}.mlp.down.weight"] = w[f"{theirs}.mlp.down_proj.weight"]
    return config, ours, rotary


def _llama_attention(w: Weights, theirs: str, ours: str, config) -> Weights:
    width, out = config.head_width, {}
    for part in ("weight", "bias") if config.bias == "qkv" else ("weight",):
        q, k, v = (w[f"{theirs}.{x}_proj.{part}"] for x in "qkv")
        q, k = (_interleave(x, width, width) for x in (q, k))
        out[f"{ours}.qkv.{part}"] = torch.cat((q, k, v))
    out[f"{ours}.out.weight"] = w[f"{theirs}.o_proj.weight"]
    for name in ("q_norm", "k_norm") if config.qk_norm else ():
        out[f"{ours}.{name}"] = _interleave(w[f"{theirs}.{name}.weight"], width, width)
    return out


def _check_rope(rotary) -> None:
    if rotary.rope_type not in STATIC_ROPE:
        raise ValueError(
            f"RoPE of type {rotary.rope_type!r} changes with the length of the input; "
            f"allowed: {', '.join(STATIC_ROPE)}"
        )
