"""What chapter 4 sweeps: small helpers with known answers, and one tiny run of each."""

import json

import numpy as np
import pytest
import torch

from scaling_core.data.published import load_published
from studies.depth import study, word_tasks
from studies.depth.contributions import centre_of_mass
from studies.depth.interventions import skip_effects
from studies.depth.lens import logit_lens

TINY = dict(d_model=16, n_heads=2, n_ctx=8, batch=4, steps=2, eval_rows=4, seed=0)


def test_initial_deviation_keeps_the_product_with_the_root_of_the_width():
    for d in (64, 256, 2048):
        product = study.published_init_std(d) * d**0.5
        assert product == pytest.approx(0.02 * 768**0.5)


def test_growth_laws_are_told_apart():
    layers = np.arange(1, 9.0)
    power = np.concatenate(([0.0], layers**1.4))
    exponential = np.concatenate(([0.0], np.exp(0.3 * layers)))
    assert study.exponential_over_power(power) < -20
    assert study.exponential_over_power(exponential) > 20
    with pytest.raises(ValueError, match="three layers"):
        study.exponential_over_power([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    "accuracy, length",
    [([1, 1, 0.5, 0.4], 3.0), ([0.9, 0.8], 2.0), ([0.4, 0.9], 0.0), ([1, 0], 1.5)],
)
def test_longest_word(accuracy, length):
    assert word_tasks.longest_word(accuracy) == pytest.approx(length)


def test_votes_count_what_they_say():
    votes = word_tasks.MajorityVote(length=6, batch=50, seed=3)
    words, labels = votes.batch_at(0)
    for word, label in zip(words.tolist(), labels.tolist(), strict=True):
        for t in range(6):
            upper = sum(symbol >= 3 for symbol in word[: t + 1])
            lower = t + 1 - upper
            assert label[t] == (-1 if upper == lower else int(upper > lower))
    again, _ = votes.batch_at(0)
    other, _ = votes.batch_at(0, split="test")
    assert torch.equal(words, again) and not torch.equal(words, other)


def test_accuracy_ignores_positions_that_are_not_asked():
    def model(words):
        return torch.nn.functional.one_hot(words, 6).float()  # answers its input

    words = torch.tensor([[0, 1], [0, 2]])
    labels = torch.tensor([[0, -1], [1, 2]])
    accuracy = word_tasks.accuracy_by_position(model, words, labels)
    assert accuracy.tolist() == [0.5, 1.0]


@pytest.mark.parametrize("norm", ["pre", "post", "peri", "lns"])
def test_a_text_run_is_json_and_repeats_itself(norm):
    config = dict(TINY, norm=norm, n_layers=4)
    result = study.measure_text_model(**config)
    assert json.loads(json.dumps(result)) == study.measure_text_model(**config)
    for key in ("removal", "removal_kl", "contribution", "cosine"):
        assert len(result[key]) == len(result[f"init_{key}"]) == 4
    for key in ("mean_square", "lens_kl", "lens_overlap"):
        assert len(result[key]) == 5
    assert result["lens_kl"][-1] == pytest.approx(0, abs=1e-6)
    skip = np.array(result["skip_future"])
    assert (np.tril(skip) == 0).all() and (skip[np.triu_indices(4, 1)] > 0).all()
    assert result["loss"] < result["init_loss"]


def test_runs_of_one_seed_share_data_and_start_with_other_norms():
    pre, lns = (
        study.measure_text_model(**TINY, norm=n, n_layers=2) for n in ("pre", "lns")
    )
    # layer 1 of LNS has scale 1: the same stream after it, untrained
    assert pre["init_mean_square"][:2] == lns["init_mean_square"][:2]
    assert pre["init_mean_square"][2] != lns["init_mean_square"][2]


def test_a_family_of_depths():
    result = study.measure_depths(**TINY, depths=[3, 4])
    for key in ("loss", "permutation", "permutation_inner", "causal", "useful"):
        assert len(result[key]) == len(result[f"init_{key}"]) == 2
        # an untrained shallow model is a model of its own, not the trained one
        assert key == "useful" or result[key] != result[f"init_{key}"]
    for name in ("map", "target", "source"):
        assert len(result[f"{name}_error"]) == len(result[f"{name}_source"]) == 4
    # all of these models share their first embedding, trained or not
    assert max(result["target_error"] + result["source_error"]) < 2
    assert result["map_error"] != result["source_error"] != result["target_error"]


def test_a_setting_is_spelled_as_its_fields():
    with pytest.raises(TypeError, match="width"):
        study.measure_depths(**TINY, depths=[3, 4], width=8)


@pytest.mark.parametrize("task", ["composition", "vote"])
def test_a_task_run(task):
    result = word_tasks.measure_task_model(
        task=task, n_layers=2, n_heads=2, seed=0, steps=2, length=4, eval_rows=32
    )
    assert len(result["accuracy"]) == len(result["depth_score"]) == 4
    assert all(1 <= score <= 2 for score in result["depth_score"])
    assert 0 < result["forward_ms"] < 1000


def test_rotary_positions_cannot_tell_a_repeated_symbol_from_one(make):
    rotary = make(positions="rope")
    learned = make(positions="learned")
    for model, same in [(rotary, True), (learned, False)]:
        logits = model(torch.tensor([[5, 5]]))
        assert torch.allclose(logits[:, 0], logits[:, 1]) is same


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


def test_lens_and_centre_agree_with_their_definitions_on_a_model(make, tokens):
    model = make()
    lens = logit_lens(model, tokens)
    assert lens.kl[0] > lens.kl[-1] and lens.overlap[-1] == 1
    assert centre_of_mass([0, 0, 2.0], first=0) == 2


def test_published_tables():
    perplexity = load_published("depth_lns_perplexity")
    table = perplexity.pivot(index="norm", columns="size", values="perplexity")
    assert table.shape == (5, 4)
    gain = np.log(table.loc["Pre-LN"] / table.loc["LNS"])
    assert gain["130M"] == pytest.approx(0.0370, abs=1e-4)
    assert gain["1B"] == pytest.approx(0.0801, abs=1e-4)
    scores = load_published("depth_layer_scores")
    ratio = scores.useful_layers / scores.n_layers
    assert np.allclose(ratio, scores.usefulness, atol=0.002)
    slope = np.polyfit(np.log(scores.n_layers), np.log(scores.permutation), 1)[0]
    assert slope == pytest.approx(-1.19, abs=0.01)
    methods = load_published("depth_scalings_perplexity").set_index(["method", "size"])
    shared = perplexity.set_index(["norm", "size"]).perplexity
    for key in [("Pre-LN", "130M"), ("Pre-LN", "250M"), ("LNS", "130M")]:
        assert methods.perplexity[key] == shared[key]
    decay = load_published("depth_weight_decay")
    assert decay.weight_decay[decay.perplexity.idxmin()] == 0.1
