"""Contributions: definitions, the untrained null, invariances."""

import numpy as np
import pytest
import torch

from scaling_core.models.config import Family
from scaling_core.models.interventions import centre_of_mass
from scaling_core.models.streams import (
    record_streams,
    run_layers,
    stream_mean_square,
    token_loss,
)
from scaling_core.models.transformer import Streams
from studies.depth.contributions import (
    angular_distance,
    contribution_cosine,
    null_contribution,
    relative_contribution,
)
from studies.depth.statistics import half_ratio


def by_hand(**parts) -> Streams:
    return Streams(
        **{k: [torch.tensor(x)[None, None] for x in part] for k, part in parts.items()}
    )


def test_ratios_and_cosines_by_hand():
    streams = by_hand(
        h=[[3.0, 4.0], [3.0, 9.0]],
        attn=[[0.0, 1.0]],
        mlp=[[0.0, 4.0]],
        middle=[[3.0, 5.0]],
    )
    ratio = relative_contribution(streams)
    assert ratio["attn"] == pytest.approx([1 / 5])
    assert ratio["mlp"] == pytest.approx([4 / np.hypot(3, 5)])
    assert ratio["layer"] == pytest.approx([1.0])
    cosine = contribution_cosine(streams)
    assert cosine["attn"] == pytest.approx([4 / 5])
    assert cosine["mlp"] == pytest.approx([5 / np.hypot(3, 5)])


def test_scaling_the_stream_changes_nothing(make, tokens):
    streams = record_streams(make(), tokens)
    scaled = Streams(**{k: [7 * x for x in part] for k, part in vars(streams).items()})
    for measure in (relative_contribution, contribution_cosine):
        for name, values in measure(streams).items():
            assert measure(scaled)[name] == pytest.approx(values)


@pytest.mark.parametrize(
    "changes", [dict(norm="post"), dict(family=Family(parallel=True))], ids=repr
)
def test_the_mlp_is_set_against_what_it_is_added_to(make, tokens, changes):
    """Post: the norm of h + a, parallel: h; h + a would be the wrong denominator."""
    model = make(**changes)
    streams = record_streams(model, tokens)
    ratio, cosine = (
        measure(streams)["mlp"]
        for measure in (relative_contribution, contribution_cosine)
    )
    for layer, block in enumerate(model.blocks):
        h, m = streams.h[layer], streams.mlp[layer]
        if block.place == "post":
            h = block.attn_norm(h + streams.attn[layer])
        expected = m.norm(dim=-1) / h.norm(dim=-1)
        assert ratio[layer] == pytest.approx(expected.mean().item())
        angle = torch.cosine_similarity(m, h, dim=-1)
        assert cosine[layer] == pytest.approx(angle.mean().item())


def test_first_positions_can_be_left_out(make, tokens):
    streams = record_streams(make(), tokens)
    for h in streams.h:
        h[:, 0] *= 1e6
    everything, rest = (relative_contribution(streams, first=f)["attn"] for f in (0, 1))
    assert (everything < rest).all()


def test_untrained_pre_norm_network_follows_the_null(make):
    """Independent increments: ‖Δ_l‖/‖h_l‖ = 1/√(v₀/c + l), without any training."""
    curves = []
    for seed in range(4):
        model = make(
            seed,
            d_model=64,
            n_layers=24,
            n_heads=4,
            act="relu",
            init_std=1 / 8,
            embed_std=3**0.5,
        )
        one_token = torch.arange(13)[:, None]
        curves.append(relative_contribution(record_streams(model, one_token))["layer"])
    ratio = np.mean(curves, axis=0) / null_contribution(24)
    assert ratio == pytest.approx(np.ones(24), abs=0.12)
    assert ratio.mean() == pytest.approx(1.0, abs=0.03)
    assert half_ratio(np.mean(curves, axis=0)) > 1.5


def test_null_is_what_equal_steps_give():
    curve = null_contribution(9, start=2.0)
    assert curve[0] == pytest.approx(2**-0.5) and curve[7] == pytest.approx(1 / 3)


def test_turns_by_hand():
    steps = [[1.0, 0.0], [1.0, 1.0], [-1.0, -1.0]]
    streams = Streams([torch.tensor([[x]]) for x in steps], [], [], [])
    assert angular_distance(streams) == pytest.approx([0.25, 1.0], abs=1e-3)


def test_centre_of_mass():
    assert centre_of_mass([0.0, 0.0, 2.0]) == 3.0
    assert centre_of_mass([1.0, -5.0, 1.0], first=0) == 1.0
    with pytest.raises(ValueError, match="no layer"):
        centre_of_mass([-1.0, 0.0])


def test_post_norm_streams_have_mean_square_one(make, tokens):
    squares = stream_mean_square(record_streams(make(norm="post"), tokens))
    assert squares[1:] == pytest.approx(np.ones(4), abs=1e-5)


def test_running_the_parts_gives_the_whole(make, tokens):
    model = make()
    streams = record_streams(model, tokens)
    with torch.no_grad():
        again = run_layers(model, run_layers(model, streams.h[0], 0, 2), 2)
        assert torch.equal(again, streams.h[-1])
        logits = model(tokens)
        loss = torch.nn.functional.cross_entropy(
            logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten()
        )
        assert token_loss(model, again, tokens) == pytest.approx(loss.item(), rel=1e-6)
