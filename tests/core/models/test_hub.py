"""Published architectures: ours computes what transformers computes, to 1e-5."""

import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

transformers = pytest.importorskip(
    "transformers", reason="needs transformers (pip install 'scaling-core[hub]')"
)

from scaling_core.models.generation import generate  # noqa: E402
from scaling_core.models.hub import from_transformers, load_transformer  # noqa: E402

SMALL = dict(
    vocab_size=50,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=3,
    num_attention_heads=4,
    max_position_embeddings=40,
    initializer_range=0.2,
    bos_token_id=None,
    eos_token_id=None,
    pad_token_id=None,
)
LLAMA3 = dict(
    rope_type="llama3",
    rope_theta=10_000.0,
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=16,
)
MODELS = {
    "gpt2": lambda: transformers.GPT2Config(
        vocab_size=50,
        n_embd=32,
        n_layer=3,
        n_head=4,
        n_positions=40,
        initializer_range=0.2,
        bos_token_id=None,
        eos_token_id=None,
    ),
    "pythia": lambda: transformers.GPTNeoXConfig(**SMALL, rotary_pct=0.5),
    "neox, sequential": lambda: transformers.GPTNeoXConfig(
        **SMALL, use_parallel_residual=False, tie_word_embeddings=True
    ),
    "llama": lambda: transformers.LlamaConfig(**SMALL, num_key_value_heads=2),
    "llama 3": lambda: transformers.LlamaConfig(
        **SMALL, num_key_value_heads=1, rope_parameters=LLAMA3
    ),
    "qwen2": lambda: transformers.Qwen2Config(**SMALL, num_key_value_heads=2),
    "qwen3": lambda: transformers.Qwen3Config(
        **SMALL, num_key_value_heads=2, head_dim=12, tie_word_embeddings=True
    ),
}


@pytest.fixture(params=MODELS)
def theirs(request):
    torch.manual_seed(0)  # transformers draws from the global generator
    model = transformers.AutoModelForCausalLM.from_config(
        MODELS[request.param]()
    ).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():  # biases and gains away from 0 and 1
        for parameter in model.parameters():
            if parameter.ndim == 1:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.add_(0.1 * noise)
    return model


def tokens() -> torch.Tensor:
    return torch.randint(50, (2, 17), generator=torch.Generator().manual_seed(2))


def test_logits_and_streams_equal_after_a_trip_over_disk(theirs, tmp_path):
    theirs.save_pretrained(tmp_path)
    ours = load_transformer(tmp_path, offline=True)
    with torch.no_grad():
        expected = theirs(tokens(), output_hidden_states=True)
        logits, streams = ours(tokens(), return_streams=True)
    assert (logits - expected.logits).abs().max() < 1e-5 * expected.logits.abs().max()
    *hidden, last = expected.hidden_states  # the last one is after the final norm
    for h, reference in zip(streams.h, hidden, strict=False):
        assert torch.allclose(h, reference, rtol=1e-5, atol=1e-5)
    assert torch.allclose(ours.final_norm(streams.h[-1]), last, rtol=1e-5, atol=1e-5)


def test_branch_outputs_equal_their_modules(theirs):
    caught = {}

    def catch(name):
        def hook(_module, _inputs, output):
            caught[name] = output[0] if isinstance(output, tuple) else output

        return hook

    for name, module in theirs.named_modules():
        if name.split(".")[-1] in ("attn", "self_attn", "attention", "mlp"):
            kind = "mlp" if name.endswith("mlp") else "attn"
            module.register_forward_hook(catch((kind, int(name.split(".")[-2]))))
    with torch.no_grad():
        theirs(tokens())
        _, streams = from_transformers(theirs)(tokens(), return_streams=True)
    assert len(caught) == 6
    for (kind, layer), expected in caught.items():
        ours = getattr(streams, kind)[layer]
        assert torch.allclose(ours, expected, rtol=1e-5, atol=1e-5)


def test_greedy_text_is_the_same(theirs):
    expected = theirs.generate(
        tokens(),
        attention_mask=torch.ones_like(tokens()),
        max_new_tokens=8,
        do_sample=False,
    )
    assert torch.equal(
        generate(from_transformers(theirs), tokens(), 8, temperature=0), expected
    )


def test_unsupported_families_and_options_are_refused():
    make = transformers.AutoModelForCausalLM.from_config
    shape = dict(vocab_size=50, hidden_size=8, num_hidden_layers=1, ffn_dim=8)
    shape |= dict(num_attention_heads=2, word_embed_proj_dim=8)
    opt = make(transformers.OPTConfig(**shape))
    with pytest.raises(ValueError, match="'opt' is not supported"):
        from_transformers(opt)
    config = transformers.LlamaConfig(**SMALL, attention_bias=True)
    with pytest.raises(ValueError, match="attention_bias=True"):
        from_transformers(make(config))
    config = transformers.LlamaConfig(**SMALL, hidden_act="gelu")
    with pytest.raises(ValueError, match="hidden_act='gelu'"):
        from_transformers(make(config))
    config = transformers.GPTNeoXConfig(**SMALL, hidden_act="silu")
    with pytest.raises(ValueError, match="activation 'silu'"):
        from_transformers(make(config))
    dynamic = dict(rope_type="dynamic", rope_theta=10_000.0, factor=2.0)
    config = transformers.LlamaConfig(**SMALL, rope_parameters=dynamic)
    with pytest.raises(ValueError, match="changes with the length"):
        from_transformers(make(config))


@pytest.mark.parametrize(
    "family, change, named",
    [
        ("llama", {"lm_head.weight": None}, "missing keys: .*lm_head.weight"),
        ("gpt2", {"transformer.h.1.mlp.c_fc.bias": None}, "missing.*c_fc.bias"),
        ("llama", {"model.layers.2.self_attn.q_proj.bias": 32}, "unexpected.*q_proj"),
        ("qwen3", {"model.norm.bias": 32}, "unexpected keys: .*model.norm.bias"),
        ("pythia", {"gpt_neox.final_layer_norm.bias": 31}, "mismatched.*final_layer"),
    ],
)
def test_an_absent_or_extra_weight_is_named(tmp_path, family, change, named):
    make = transformers.AutoModelForCausalLM.from_config
    make(MODELS[family]()).save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    weights = load_file(file)
    for name, width in change.items():
        weights.pop(name, None)
        if width is not None:
            weights[name] = torch.zeros(width)
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=named):
        load_transformer(tmp_path)


def test_a_stray_weight_of_a_loaded_model_is_named():
    model = transformers.AutoModelForCausalLM.from_config(MODELS["llama"]())
    model.model.norm.register_parameter("bias", torch.nn.Parameter(torch.zeros(32)))
    with pytest.raises(ValueError, match="does not use: .*model.norm.bias"):
        from_transformers(model)


def test_the_norm_can_be_told():
    model = transformers.AutoModelForCausalLM.from_config(MODELS["llama"]())
    ours = from_transformers(model, norm="lns")
    assert [b.attn_norm.scale for b in ours.blocks] == [1, 2**-0.5, 3**-0.5]
    with pytest.raises(ValueError, match="norm='peri' has other weights"):
        from_transformers(model, norm="peri")


def test_offline_never_reaches_for_the_network(tmp_path):
    with pytest.raises(OSError):
        load_transformer(tmp_path / "absent", offline=True)


def test_without_transformers_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['transformers'] = None\n"
        "from scaling_core.models.hub import load_transformer\n"
        "load_transformer('x')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'scaling-core[hub]'" in done.stderr
