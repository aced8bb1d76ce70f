"""What the chapter on depth sweeps: helpers with known answers, one tiny run of each."""

import json

import numpy as np
import pytest

from scaling_core.data.published import load_published
from scaling_core.models.interventions import centre_of_mass
from scaling_core.training.text import published_init_std
from studies.depth import study
from studies.depth.lens import logit_lens

TINY = dict(d_model=16, n_heads=2, n_ctx=8, batch=4, steps=2, eval_rows=4, seed=0)


def test_initial_deviation_keeps_the_product_with_the_root_of_the_width():
    for d in (64, 256, 2048):
        product = published_init_std(d) * d**0.5
        assert product == pytest.approx(0.02 * 768**0.5)


def test_growth_laws_are_told_apart():
    layers = np.arange(1, 9.0)
    power = np.concatenate(([0.0], layers**1.4))
    exponential = np.concatenate(([0.0], np.exp(0.3 * layers)))
    assert study.exponential_over_power(power) < -20
    assert study.exponential_over_power(exponential) > 20
    with pytest.raises(ValueError, match="three layers"):
        study.exponential_over_power([1.0, 2.0, 3.0])


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
