"""The transformer against definitions written out, for every kind of config."""

import math
from dataclasses import replace

import pytest
import torch

from scaling_core.models.attention import KVCache, rotary_table, rotate
from scaling_core.models.config import Family
from scaling_core.models.transformer import (
    Transformer,
    TransformerConfig,
    count_parameters,
    training_flops_per_token,
)

SMALL = TransformerConfig(
    d_model=24, n_layers=3, n_heads=4, d_vocab=11, n_ctx=20, init_std=0.3
)
KINDS = {
    "pre": {},
    "post": dict(norm="post"),
    "peri": dict(norm="peri"),
    "lns": dict(norm="lns"),
    "attnres": dict(residual="attnres", norm="lns"),
    "grouped": dict(family=Family(n_kv_heads=2), act="swiglu"),
    "gpt2": dict(
        positions="learned",
        act="gelu_tanh",
        family=Family(norm_kind="layer", bias="all", tied=True),
    ),
    "neox": dict(
        family=Family(parallel=True, rope_fraction=0.67, norm_kind="layer", bias="all")
    ),
    "qwen": dict(family=Family(qk_norm=True, n_kv_heads=1), d_head=8, d_mlp=20),
    "no positions": dict(positions="none", act="relu", init="scaled"),
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(dtype=torch.float64, **changes) -> Transformer:
    model = Transformer(replace(SMALL, **changes), generator=generator()).to(dtype)
    with torch.no_grad():  # away from the neutral start of gains and queries
        for parameter in model.parameters():
            if parameter.ndim == 1 or parameter.shape[0] == 7:
                noise = torch.randn(parameter.shape, generator=generator(1))
                parameter.add_(0.2 * noise)
    return model


def tokens(length: int = 9, batch: int = 2) -> torch.Tensor:
    return torch.randint(11, (batch, length), generator=generator(2))


def rms(x, weight, eps=1e-6):
    return x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * weight


def test_pre_norm_block_written_out():
    model = make(norm="lns", positions="none", act="relu")
    x = tokens()
    h = model.embedding.weight[x]
    for layer, b in enumerate(model.blocks, start=1):
        y = rms(h, b.attn_norm.weight) / math.sqrt(layer)
        q, k, v = (y @ b.attn.qkv.weight.T).view(2, 9, 3, 4, 6).unbind(2)
        score = torch.einsum("bthe,bshe->bhts", q, k) / math.sqrt(6)
        score = score.masked_fill(torch.ones(9, 9).triu(1).bool(), -math.inf)
        read = torch.einsum("bhts,bshe->bthe", score.softmax(-1), v).flatten(2)
        h = h + read @ b.attn.out.weight.T
        y = rms(h, b.mlp_norm.weight) / math.sqrt(layer)
        h = h + torch.relu(y @ b.mlp.up.weight.T) @ b.mlp.down.weight.T
    logits = rms(h, model.final_norm.weight) @ model.unembedding.weight.T
    assert torch.allclose(model(x), logits, rtol=1e-10)


@pytest.mark.parametrize("kind", ["post", "peri"])
def test_norm_placements_written_out(kind):
    model = make(**KINDS[kind])
    _, streams = model(tokens(), return_streams=True)
    for layer, b in enumerate(model.blocks):
        h, table = streams.h[layer], model.rotary[:9]
        if kind == "post":
            middle = rms(h + b.attn(h, table), b.attn_norm.weight)
            after = rms(middle + b.mlp(middle), b.mlp_norm.weight)
        else:
            a = b.attn(rms(h, b.attn_norm.weight), table)
            middle = h + (rms(a, b.attn_out_norm.weight) if kind == "peri" else a)
            m = b.mlp(rms(middle, b.mlp_norm.weight))
            after = middle + (rms(m, b.mlp_out_norm.weight) if kind == "peri" else m)
        assert torch.allclose(streams.h[layer + 1], after, rtol=1e-10)


def test_attention_residuals_written_out():
    model = make(residual="attnres")
    values, x = [model.embedding.weight[tokens()]], tokens()

    def read(number):
        stack = torch.stack(values)
        keys = rms(stack, 1.0)
        alpha = (keys @ model.reads.query[number]).softmax(0)
        return (alpha[..., None] * stack).sum(0)

    for layer, b in enumerate(model.blocks):
        values.append(
            b.attn(rms(read(2 * layer), b.attn_norm.weight), model.rotary[:9])
        )
        values.append(b.mlp(rms(read(2 * layer + 1), b.mlp_norm.weight)))
    logits = rms(read(6), model.final_norm.weight) @ model.unembedding.weight.T
    assert torch.allclose(model(x), logits, rtol=1e-10)


def test_attention_residuals_start_as_pre_norm():
    """Zero queries read a mean, and RMSNorm(mean) = RMSNorm(sum) (ε -> 0)."""
    plain = Transformer(replace(SMALL, norm_eps=0.0), generator=generator()).double()
    config = replace(SMALL, norm_eps=0.0, residual="attnres")
    reading = Transformer(config, generator=generator()).double()
    assert torch.allclose(plain(tokens()), reading(tokens()), atol=1e-11)


def test_attention_residual_streams_are_bounded():
    model = make(residual="attnres")
    _, streams = model(tokens(), return_streams=True)
    outputs = [streams.h[0]]
    for a, m in zip(streams.attn, streams.mlp, strict=True):
        outputs += [a, m]
    largest = torch.stack([v.norm(dim=-1) for v in outputs]).amax(0)
    assert all((h.norm(dim=-1) <= largest + 1e-12).all() for h in streams.h)


@pytest.mark.parametrize("kind", KINDS)
def test_future_tokens_change_nothing_before(kind):
    model, x = make(**KINDS[kind]), tokens()
    changed = x.clone()
    changed[:, 5] = (x[:, 5] + 1) % 11
    before, after = model(x), model(changed)
    assert torch.allclose(before[:, :5], after[:, :5], atol=1e-12)
    assert not torch.allclose(before[:, 5:], after[:, 5:], atol=1e-3)


@pytest.mark.parametrize("positions", ["rope", "none"])
def test_relative_positions_cannot_count_equal_tokens(positions):
    """Without a start token (a), (a, a), (a, a, a) look the same, at any depth: the
    word problem then has at most 31/36 at its second position."""
    logits = make(positions=positions)(torch.full((1, 7), 3))
    assert torch.allclose(logits, logits[:, :1].expand_as(logits), atol=1e-5)
    counting = make(positions="learned")(torch.full((1, 7), 3))
    assert not torch.allclose(counting[:, 0], counting[:, 1], atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_cache_equals_the_whole_pass(kind):
    model, x = make(**KINDS[kind]), tokens(12)
    cache = KVCache.empty(model.config, 2, 12, model.embedding.weight)
    pieces = [
        model(x[:, a:b], cache=cache) for a, b in [(0, 5), (5, 8), (8, 9), (9, 12)]
    ]
    assert cache.length == 12
    assert torch.allclose(torch.cat(pieces, 1), model(x), atol=1e-10)


@pytest.mark.parametrize("kind", ["pre", "peri", "lns", "neox"])
def test_streams_telescope(kind):
    model = make(**KINDS[kind])
    logits, streams = model(tokens(), return_streams=True)
    total = streams.h[0] + sum(streams.attn) + sum(streams.mlp)
    assert torch.allclose(streams.h[-1], total, rtol=1e-12)
    assert torch.equal(model.unembed(streams.h[-1]), logits)


@pytest.mark.parametrize("kind", KINDS)
def test_skipped_layers_leave_no_trace(kind):
    model, x = make(**KINDS[kind]), tokens()
    _, streams = model(x, skip_layers={1}, return_streams=True)
    assert not streams.attn[1].any() and not streams.mlp[1].any()
    if model.reads is None:
        assert torch.equal(streams.h[2], streams.h[1])
    with torch.no_grad():
        for parameter in model.blocks[1].parameters():
            parameter.fill_(torch.nan)
    assert torch.isfinite(model(x, skip_layers=[1])).all()


@pytest.mark.parametrize("bad", [[-1], [7], ["a"]])
def test_a_layer_that_is_not_there_cannot_be_skipped(bad):
    with pytest.raises(ValueError, match=r"skip_layers has \[.*layers are 0 to 2"):
        make()(tokens(), skip_layers=bad)


def test_a_cache_belongs_to_the_layers_that_filled_it():
    model, x = make(), tokens(9)
    cache = KVCache.empty(model.config, 2, 9, model.embedding.weight)
    pieces = [model(x[:, :5], cache=cache, skip_layers={1})]
    with pytest.raises(ValueError, match=r"layers \[1\] skipped, now \[\]"):
        model(x[:, 5:], cache=cache)
    pieces.append(model(x[:, 5:], cache=cache, skip_layers=[1]))
    assert torch.allclose(torch.cat(pieces, 1), model(x, skip_layers=[1]), atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_mlp_is_added_to(kind):
    model = make(**KINDS[kind])
    _, streams = model(tokens(), return_streams=True)
    for layer, (block, m) in enumerate(zip(model.blocks, streams.mlp, strict=True)):
        middle = streams.middle[layer]
        assert torch.allclose(block.think(middle), m, rtol=1e-10)
        if kind == "post":
            after = block.mlp_norm(middle + m)
        elif kind == "neox":
            after = middle + streams.attn[layer] + m
        else:
            after = middle + m
        if kind != "attnres":
            assert torch.allclose(streams.h[layer + 1], after, rtol=1e-10)


def test_counts_of_parameters():
    d, L, vocab = 24, 3, 11
    block, rest = 12 * d * d + 2 * d, 2 * vocab * d + d
    assert count_parameters(make()) == L * block + rest
    tied = make(family=Family(tied=True))
    assert count_parameters(tied) == L * block + rest - vocab * d
    assert count_parameters(make(), embeddings=False) == L * block + d


def test_initial_spread():
    config = TransformerConfig(d_model=128, n_layers=8, d_vocab=512, embed_std=1.0)
    for init, factor in (("normal", 1.0), ("scaled", 0.25)):
        model = Transformer(replace(config, init=init), generator=generator())
        block = model.blocks[3]
        assert block.mlp.up.weight.std().item() == pytest.approx(0.02, rel=0.02)
        for matrix in (block.attn.out.weight, block.mlp.down.weight):
            assert matrix.std().item() == pytest.approx(0.02 * factor, rel=0.03)
        assert model.embedding.weight.std().item() == pytest.approx(1.0, rel=0.02)


def test_same_generator_same_weights_and_no_global_seed():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first, second = (Transformer(SMALL, generator=generator(5)) for _ in range(2))
    assert torch.equal(torch.rand(1), expected)
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_rotation_depends_on_distance_only():
    table = rotary_table(torch.tensor([1.0, 0.1, 0.01]), 40).double()
    q, k = torch.randn(2, 1, 1, 1, 6, dtype=torch.float64, generator=generator())

    def score(i, j):
        return (rotate(q, table[i : i + 1]) * rotate(k, table[j : j + 1])).sum().item()

    assert score(7, 3) == pytest.approx(score(30, 26), rel=1e-5)
    assert score(3, 3) == pytest.approx((q * k).sum().item(), rel=1e-5)
    assert abs(score(7, 3) - score(8, 3)) > 1e-3


def test_rotation_in_real_arithmetic_is_the_same():
    table = rotary_table(10_000.0 ** -torch.linspace(0, 0.9, 4), 10)
    x = torch.randn(2, 10, 3, 8, generator=generator())
    half = rotate(x.half(), table)  # no complex kernel in half precision
    assert torch.allclose(rotate(x, table), half.float(), atol=2e-2)


@pytest.mark.parametrize("kind", ["pre", "grouped"])
def test_many_models_attend_as_one_alone(kind):
    model = make(**KINDS[kind])
    x_GBTD = torch.randn(3, 2, 9, 24, dtype=torch.float64, generator=generator())
    attention = model.blocks[0].attn
    gradients = []
    for attention.many, run in ((False, map), (True, lambda f, x: torch.vmap(f)(x))):
        y = torch.stack(tuple(run(lambda x: attention(x, model.rotary[:9]), x_GBTD)))
        (gradient,) = torch.autograd.grad(y.square().sum(), attention.qkv.weight)
        gradients.append((y, gradient))
    for alone, together in zip(*gradients, strict=True):
        assert torch.allclose(alone, together, rtol=1e-10)


def test_flops_of_one_layer_by_hand():
    config = TransformerConfig(d_model=8, n_layers=1, n_heads=2, d_vocab=10, n_ctx=4)
    matrices = 8 * 24 + 8 * 8 + 2 * 8 * 32 + 8 * 10
    assert training_flops_per_token(config) == 6 * matrices + 6 * 4 * 8


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (dict(norm="sandwich"), "norm='sandwich'; allowed: pre, post"),
        (dict(d_model=30), "not a multiple of n_heads"),
        (dict(family=Family(n_kv_heads=3)), "not a multiple of n_kv_heads"),
        (dict(d_head=7), "even width"),
        (dict(norm="post", residual="attnres"), "norm='post' allows neither"),
        (dict(norm="post", family=Family(parallel=True)), "allows neither"),
        (dict(family=Family(parallel=True), residual="attnres"), "attnres does not go"),
    ],
)
def test_bad_config_is_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **bad)


def test_a_family_option_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="bias='some'; allowed: none, qkv, all"):
        Family(bias="some")


def test_too_long_input_is_refused():
    with pytest.raises(ValueError, match="21 positions, but n_ctx is 20"):
        make()(tokens(21))
    cache = KVCache.empty(SMALL, 2, 4, torch.zeros(()))
    with pytest.raises(ValueError, match="holds 4 positions, 9"):
        make(dtype=torch.float32)(tokens(), cache=cache)


def test_no_single_stream_with_attention_residuals():
    with pytest.raises(ValueError, match="no stream"):
        make(residual="attnres").layer(0, torch.zeros(1, 1, 24))
