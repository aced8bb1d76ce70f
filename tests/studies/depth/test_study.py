"""What the chapter on depth sweeps: helpers with known answers, one tiny run of each."""

import json

import numpy as np
import pytest
import torch

from scaling_core.data.published import load_published
from scaling_core.models.interventions import centre_of_mass
from scaling_core.training.settings import Training
from scaling_core.training.text import published_init_std
from studies.depth import study
from studies.depth.lens import logit_lens
from studies.depth.permuted import permute_letters

TINY = dict(
    d_model=16, n_heads=2, n_ctx=8, batch=4, steps=2, eval_rows=4, seeds=(0, 1), lr=1e-2
)


def test_initial_deviation_keeps_the_product_with_the_root_of_the_width():
    for d in (64, 256, 2048):
        product = published_init_std(d) * d**0.5
        assert product == pytest.approx(0.02 * 768**0.5)


@pytest.mark.parametrize("kind", list(study.KINDS))
def test_a_kind_is_json_and_has_its_checkpoints(kind):
    result = study.measure_kind(**TINY, kind=kind, checkpoints=(0, 1, 2), n_layers=4)
    assert json.loads(json.dumps(result)) == result
    shapes = {key: np.shape(values) for key, values in result.items()}
    assert shapes["loss"] == (2, 3) and shapes["removal_kl"] == (2, 3, 4)
    loss = np.array(result["loss"])
    assert (loss[:, -1] < loss[:, 0]).all()
    streams = {"mean_square", "contribution", "lens_kl", "lens_overlap"}
    if kind != "pre":
        seen = {"loss", "removal_kl"} | (set() if kind == "attnres" else streams)
        assert set(shapes) == seen
        return
    for key in ("contribution", "cosine", "angle", "output_future"):
        assert shapes[key] == (2, 3, 4)
    for key in streams - {"contribution"}:
        assert shapes[key] == (2, 3, 5)
    for key in ("skip_future", "local"):
        matrices = np.array(result[key])
        assert matrices.shape == (2, 3, 4, 4) and (np.tril(matrices) == 0).all()


def test_seeds_trained_together_equal_a_seed_alone():
    both = study.measure_kind(**TINY, kind="pre", checkpoints=(1, 2), n_layers=2)
    alone = study.measure_kind(
        **TINY | dict(seeds=(1,)), kind="pre", checkpoints=(1, 2), n_layers=2
    )
    assert both["loss"][1] == pytest.approx(alone["loss"][0], rel=1e-5)
    one = {key: x for key, x in TINY.items() if key != "seeds"} | dict(seed=1)
    rate = study.measure_rate(**one, kind="pre", n_layers=2)
    assert rate["loss"] == pytest.approx(both["loss"][1][-1], rel=1e-5)


def test_kinds_of_one_seed_start_with_the_same_draws():
    pre, lns = (
        study.measure_kind(**TINY, kind=kind, checkpoints=(0,), n_layers=2)
        for kind in ("pre", "lns")
    )
    # layer 1 of LNS has scale 1: the same stream after it, untrained
    assert pre["mean_square"][0][0][:2] == lns["mean_square"][0][0][:2]
    assert pre["mean_square"][0][0][2] != lns["mean_square"][0][0][2]


def test_permuted_letters_start_alike_and_keep_only_frequencies():
    tokens = torch.arange(12).view(3, 4) % 5
    mixed = permute_letters(tokens, seed=1)
    assert mixed.shape == tokens.shape and not torch.equal(mixed, tokens)
    assert torch.equal(mixed.flatten().sort().values, tokens.flatten().sort().values)
    assert torch.equal(mixed, permute_letters(tokens, seed=1))
    text = study.measure_kind(**TINY, kind="pre", checkpoints=(0, 2), n_layers=2)
    letters = study.measure_kind(
        **TINY, kind="pre", checkpoints=(0, 2), n_layers=2, permuted=True
    )
    assert json.loads(json.dumps(letters)) == letters
    for row, other in zip(text["loss"], letters["loss"], strict=True):
        assert row[0] == other[0] and row[1] != other[1]


def test_decay_alone_shrinks_the_stream_by_about_its_fourth_power():
    setting = TINY | dict(seeds=(0,), lr=0.1, d_model=64)
    (ratio,) = study.decay_alone(**setting, n_layers=8, weight_decay=0.5)
    rates = [Training(2, 0.1).lr_at(step) for step in range(2)]
    factor = np.prod([1 - rate * 0.5 for rate in rates])
    assert factor**-3 < ratio < factor**-5
    (none,) = study.decay_alone(**setting, n_layers=8, weight_decay=0.0)
    assert none == 1


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
    levers = load_published("depth_sparsity").set_index("lever")
    decay = levers.loc["weight decay"]
    assert decay.set_index("value").perplexity.idxmin() == 0.1
    placement = load_published("depth_lns_placement").set_index("placement").perplexity
    assert placement["no factor (Pre-LN)"] == shared["Pre-LN", "130M"]
    assert placement.idxmin() == "after the norms (LNS)"
    assert placement.min() == shared["LNS", "130M"]
