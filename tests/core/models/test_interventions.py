"""Interventions: causality, agreement with skip_layers, and known answers."""

import numpy as np
import pytest
import torch

from scaling_core.models.interventions import (
    layer_removal_kl,
    local_effects,
    mean_over_pairs,
    skip_effects,
    swap_scores,
)


def next_loss(logits, tokens):
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten()
    ).item()


def mute(model, layer):
    """Make a layer write nothing."""
    with torch.no_grad():
        model.blocks[layer].attn.out.weight.zero_()
        model.blocks[layer].mlp.down.weight.zero_()


def test_skipping_changes_nothing_before_and_all_of_the_layer_itself(make, tokens):
    effects = skip_effects(make(), tokens, keep_first=0)
    assert not effects.matrix[np.tril_indices(4, -1)].any()
    assert np.diag(effects.matrix) == pytest.approx(np.ones(4))
    assert np.diag(effects.ratio_of_means) == pytest.approx(np.ones(4))
    assert (effects.matrix[np.triu_indices(4, 1)] > 0).all()
    assert effects.matrix.shape == (4, 4) and effects.change.shape == (4, 4, 10)


def test_skip_effects_equal_skip_layers(make, tokens):
    """The fast path from the middle equals a whole pass with the layer skipped."""
    model = make()
    effects = skip_effects(model, tokens, keep_first=0)
    whole, streams = model(tokens, return_streams=True)
    for s in range(4):
        logits, skipped = model(tokens, skip_layers=[s], return_streams=True)
        gap = (whole.softmax(-1) - logits.softmax(-1)).norm(dim=-1)
        assert effects.output[s] == pytest.approx(
            gap.amax(0).detach().numpy(), rel=1e-9
        )
        assert effects.mean_output[s] == pytest.approx(
            gap.mean(0).detach().numpy(), rel=1e-4
        )
        for layer in range(s + 1, 4):
            delta = streams.h[layer + 1] - streams.h[layer]
            now = skipped.h[layer + 1] - skipped.h[layer]
            ratio = (delta - now).norm(dim=-1) / delta.norm(dim=-1)
            expected = ratio.amax(0).detach().numpy()
            assert effects.change[s, layer] == pytest.approx(expected)


def test_first_token_is_never_touched(make, tokens):
    effects = skip_effects(make(), tokens)
    assert not effects.change[:, :, 0].any() and not effects.output[:, 0].any()
    assert effects.change[0, 1, 1:].all()


def test_future_effects_pass_through_attention_only(make, tokens):
    """Skipped in the past only: the layer's own present write stays; the last layer
    of all cannot reach the future."""
    effects = skip_effects(make(), tokens, until=6)
    assert effects.change.shape == (4, 4, 4)
    assert np.diag(effects.matrix) == pytest.approx(np.zeros(4))
    assert (effects.matrix[np.triu_indices(4, 1)] > 0).all()
    assert not effects.output[3].any() and (effects.output[:3] > 0).all()


def test_future_effects_are_smaller_than_all(make, tokens):
    model = make()
    future = skip_effects(model, tokens, until=6).ratio_of_means
    everything = skip_effects(model, tokens).ratio_of_means
    assert mean_over_pairs(future) < mean_over_pairs(everything)


def test_a_mute_layer_can_be_skipped_removed_and_is_seen_as_such(make, tokens):
    model = make()
    mute(model, 2)
    effects = skip_effects(model, tokens)
    assert not effects.output[2].any() and not effects.matrix[2].any()
    kl = layer_removal_kl(model, tokens)
    assert kl[2] == pytest.approx(0, abs=1e-12) and (kl[[0, 1, 3]] > 0).all()


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_removal_kl_is_the_loss_added_for_labels_of_the_model_itself(
    make, tokens, norm
):
    model = make(norm=norm)
    kl = layer_removal_kl(model, tokens)
    with torch.no_grad():
        y = model(tokens).softmax(dim=-1)
        for s in range(4):
            gap = y.log() - model(tokens, skip_layers=[s]).log_softmax(dim=-1)
            assert kl[s] == pytest.approx((y * gap).sum(dim=-1).mean().item())


def test_removal_without_a_stream_equals_skip_layers(make, tokens):
    """Attention residuals: no layer can be run from a recorded stream."""
    model = make(residual="attnres")
    with torch.no_grad():
        model.reads.query.normal_(generator=torch.Generator().manual_seed(0))
        y = model(tokens).softmax(dim=-1)
        cuts = [model(tokens, skip_layers=[s]).log_softmax(dim=-1) for s in range(4)]
        kl = [(y * (y.log() - cut)).sum(dim=-1).mean().item() for cut in cuts]
    assert layer_removal_kl(model, tokens) == pytest.approx(kl)
    assert min(kl) > 0


def test_local_effects_by_definition_and_of_a_mute_layer(make, tokens):
    model = make()
    effects = local_effects(model, tokens)
    assert (np.tril(effects) == 0).all()
    assert (effects[np.triu_indices(4, 1)] > 0).all()
    with torch.no_grad():
        h = model(tokens, return_streams=True)[1].h
        cut = h[3] - (h[1] - h[0])
        whole, now = (model.layer(3, x)[0] - x for x in (h[3], cut))
        gap = (whole - now).norm(dim=-1).mean() / whole.norm(dim=-1).mean()
    assert effects[0, 3] == pytest.approx(gap.item())
    mute(model, 1)
    assert not local_effects(model, tokens)[1].any()


def test_labels_replace_the_next_token(make, tokens):
    model = make()
    labels = torch.zeros_like(tokens)
    assert not np.allclose(
        swap_scores(model, tokens), swap_scores(model, tokens, labels)
    )


def test_swapping_equal_layers_changes_nothing(make, tokens):
    model = make()
    for block in model.blocks[1:]:
        block.load_state_dict(model.blocks[0].state_dict())
    scores = swap_scores(model, tokens)
    assert scores == pytest.approx(np.zeros((4, 4)), abs=1e-7)
    scores = swap_scores(make(), tokens)
    assert np.array_equal(scores, scores.T) and mean_over_pairs(scores) > 0


def test_swap_by_reordering_the_blocks(make, tokens):
    model = make()
    whole = next_loss(model(tokens), tokens)
    blocks = list(model.blocks)
    scores = swap_scores(model, tokens)
    model.blocks = torch.nn.ModuleList([blocks[0], blocks[3], blocks[2], blocks[1]])
    for place, block in enumerate(model.blocks):
        block.layer = place
    swapped = next_loss(model(tokens), tokens)
    assert scores[1, 3] == pytest.approx(abs(whole - swapped) / whole, rel=1e-9)


def test_attention_residuals_are_refused(make, tokens):
    with pytest.raises(ValueError, match="no stream"):
        skip_effects(make(residual="attnres"), tokens)


def test_skip_matrix_from_recorded_streams_equals_the_long_way(make, tokens):
    model = make()
    got = skip_effects(model, tokens, keep_first=0).ratio_of_means
    with torch.no_grad():
        whole = model(tokens, return_streams=True)[1].h
        for s in range(4):
            cut = model(tokens, skip_layers=[s], return_streams=True)[1].h
            for layer in range(s, 4):
                delta = whole[layer + 1] - whole[layer]
                gap = delta - (cut[layer + 1] - cut[layer])
                ratio = gap.norm(dim=-1).mean() / delta.norm(dim=-1).mean()
                assert got[s, layer] == pytest.approx(ratio.item(), abs=1e-12)
