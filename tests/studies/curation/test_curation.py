"""Curation: known laws recovered, transport against brute force, texts kept apart."""

from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from scaling_core.data.corpora import python_source
from scaling_core.models.config import TransformerConfig
from scaling_core.models.transformer import Transformer
from scaling_core.training.settings import Training
from scaling_core.training.text import TextSetting
from studies.curation import breadth, laws, occlusion, pools, selection, transport
from studies.curation.synthetic import write_text

PASSES = np.array([1, 2, 3, 4, 6, 8, 12, 16])
TRUTH = laws.PoolLaws(
    a=np.full(4, 9.0),
    b=-np.array([0.30, 0.26, 0.22, 0.18]),
    tau=np.array([2.0, 3.0, 4.0, 5.0]),
    d=np.full(4, 1.0),
)


def test_law_is_the_product_of_the_paper():
    n, M, tau, b = 1000 * np.arange(1, 6), 1000, 2.0, -0.3
    law = laws.PoolLaws(*np.array([[5.0], [b], [tau], [0.5]]))
    product = 5.0 * 1000.0**b
    for k, loss in enumerate(law.curves(laws.epoch_parts(n, M))[0], start=1):
        if k > 1:
            product *= (k / (k - 1)) ** (b * 0.5 ** ((k - 1) / tau))
        assert loss == pytest.approx(product + 0.5)


def test_law_without_decay_is_a_power_law():
    law = laws.PoolLaws(*np.array([[5.0], [-0.3], [laws.FOREVER], [0.5]]))
    n = np.array([300.0, 1000.0, 2500.0])
    found = law.curves(laws.epoch_parts(n, 1000))[0]
    assert found == pytest.approx(5 * n**-0.3 + 0.5)


def test_mixture_of_equal_pools_is_one_pool_as_long():
    one = laws.PoolLaws(*np.tile([[5.0], [-0.3], [3.0], [0.5]], 2))
    n = np.array([500.0, 2000.0, 9000.0])
    mixed = one.mixture(n, 1000, 2)
    alone = laws.PoolLaws(one.a, one.b, 2 * one.tau, one.d)
    assert mixed == pytest.approx(alone.curves(laws.epoch_parts(n, 2000))[0])


def test_fit_recovers_each_pools_law():
    parts = laws.epoch_parts(1000 * PASSES, 1000)
    found = laws.fit_pools(parts, TRUTH.curves(parts), common=("a", "d"))
    assert found.b == pytest.approx(TRUTH.b, rel=0.02)
    assert found.tau == pytest.approx(TRUTH.tau, rel=0.1)
    assert found.d == pytest.approx(TRUTH.d, rel=0.1)


@pytest.mark.parametrize("what", ["rate", "factor", "floor"])
def test_what_differs_is_found(what):
    parts = laws.epoch_parts(1000 * PASSES, 1000)
    values = dict(a=9.0, b=-0.3, tau=3.0, d=1.0)
    rows = {name: np.full(4, value) for name, value in values.items()}
    spread = np.linspace(1, 1.4, 4)
    rows[dict(rate="b", factor="a", floor="d")[what]] *= spread
    errors = laws.what_differs(parts, laws.PoolLaws(**rows).curves(parts))
    assert min(errors, key=lambda name: errors[name]) == what
    assert errors[what] < 1e-6 < min(v for k, v in errors.items() if k != what)


def test_mixing_rule_forecasts_what_it_made():
    n = 1000.0 * PASSES
    loss = dict(zip(pools.POOLS, TRUTH.curves(laws.epoch_parts(n, 1000)), strict=True))
    loss |= {name: TRUTH.mixture(n, 1000, p) for name, p in pools.MIXTURES.items()}
    loss["fresh"] = loss["clean"] - 0.1
    found = laws.mixture_errors(n, loss, 1000)
    errors = {name: np.abs(e).mean() for name, e in found.items()}
    assert errors["rule"] < 1e-3 < min(errors["mean"], errors["clean"])
    mean = np.mean([loss[name] for name in pools.POOLS], axis=0)
    assert found["unlawful"][1] == pytest.approx(
        np.log((mean - 0.1) / loss["all four"])
    )


def test_redrawn_losses_have_the_residuals_size():
    parts, rng = laws.epoch_parts(1000 * PASSES, 1000), np.random.default_rng(0)
    noise = 0.01 * rng.standard_normal((4, 6))
    loss = TRUTH.curves(parts)[:, :6] * np.exp(noise)
    drawn = [laws.redraw(TRUTH, parts, loss, rng=rng) for _ in range(50)]
    spread = np.log(np.array(drawn) / TRUTH.curves(parts)).std()
    assert spread == pytest.approx(np.sqrt((noise**2).mean()), rel=0.1)


def test_a_free_pivot_finds_the_unit_of_the_power():
    parts = laws.epoch_parts(1000 * PASSES, 1000)
    moved = parts - np.log(500.0) * (np.arange(len(parts)) == 0)[:, None]
    law = laws.PoolLaws(np.full(4, 3.0), TRUTH.b, np.full(4, 3.0), np.full(4, 1.0))
    loss = law.curves(moved)
    assert laws.free_pivot(parts, loss, (0.0, np.log(500.0))) < 1e-6
    assert laws.free_pivot(parts, loss, (0.0,)) > 1e-6


def test_code_and_formula_agree_without_a_floor():
    n = 1000 * np.arange(1, 5)
    found = laws.released_code(n, 1000, a=1.0, b=-0.2, tau=3.0, d=0.0, unit=1.0)
    law = laws.PoolLaws(*np.array([[1.0], [-0.2], [3.0], [0.0]]))
    assert found == pytest.approx(law.curves(laws.epoch_parts(n, 1000))[0])
    mixed: dict = dict(a=1.0, b=TRUTH.b, tau=TRUTH.tau, d=0.0, unit=1.0)
    found = laws.released_code(9 * n, 1000, **mixed)
    law = laws.PoolLaws(np.ones(4), TRUTH.b, TRUTH.tau, np.zeros(4))
    assert found == pytest.approx(law.mixture(9 * n, 1000, 4))


def test_texts_do_not_overlap():
    tokens = python_source().splits["train"]
    made = pools.draw_text([4096, 2048], rng=np.random.default_rng(0))
    blocks = np.concatenate(made).reshape(-1, pools.BLOCK)
    rows = tokens[: len(tokens) // pools.BLOCK * pools.BLOCK].reshape(-1, pools.BLOCK)
    places = [int(np.flatnonzero((rows == b).all(axis=1))[0]) for b in blocks]
    assert len(set(places)) == len(places) == 6
    with pytest.raises(ValueError, match="without repetition"):
        pools.draw_text([10**8], rng=np.random.default_rng(0))


def test_random_pool_is_a_quarter_of_each():
    texts = pools.make_pools(4096, 2, rng=np.random.default_rng(0))
    assert list(texts) == list(pools.RUNS)
    assert {len(texts[name]) for name in (*pools.POOLS, "random")} == {4096}
    assert len(texts["fresh"]) == 8192
    for i, name in enumerate(pools.POOLS):
        part = texts["random"][1024 * i : 1024 * (i + 1)]
        assert (part == texts[name][:1024]).all()


def test_epochs_show_every_character_once_and_change_order():
    text = np.arange(64)
    steps = [pools.pass_windows(text, s, batch=4, n_ctx=4, seed=1) for s in range(8)]
    first, second = (np.concatenate(steps[i : i + 4]) for i in (0, 4))
    assert sorted(first[:, 1:].ravel()) == sorted(second[:, 1:].ravel()) == list(text)
    assert not (first == second).all()
    with pytest.raises(ValueError, match="no multiple"):
        pools.pass_windows(text, 0, batch=3, n_ctx=4, seed=1)


def test_a_clean_text_teaches_more_than_noise():
    setting = TextSetting(16, 1, 32, 4, steps=96, seed=0, lr=1e-2, eval_rows=32)
    rng = np.random.default_rng(0)
    (text,) = pools.draw_text([4096], rng=rng)
    noisy = pools.add_noise(text, 1.0, rng=rng)
    training = Training(96, 1e-2, schedule=pools.warm_constant)
    _, losses = pools.train_on(
        [text, noisy], setting, training, pause_at=(48, 96), n_layers=1
    )
    assert losses.shape == (2, 2)
    assert losses[0, 1] + 0.5 < losses[1, 1]
    assert losses[1, 1] == pytest.approx(np.log(96), abs=0.3)


def test_transport_distance_is_the_best_permutation():
    cost = cdist(*np.random.default_rng(0).standard_normal((2, 5, 2)))
    best = min(cost[range(5), p].mean() for p in permutations(range(5)))
    assert transport.transport_distance(cost) == pytest.approx(best)


def test_duals_are_feasible_and_meet_the_distance():
    cost = cdist(*np.random.default_rng(0).standard_normal((2, 20, 2)))
    f, g = transport.transport_duals(cost)
    assert (f[:, None] + g <= cost + 1e-9).all()
    assert f.mean() + g.mean() == pytest.approx(transport.transport_distance(cost))
    assert transport.transport_gradient(cost, g) == pytest.approx(f, abs=1e-8)


def test_mixtures_have_the_shares_of_their_sources():
    rows = transport.split_digits(np.random.default_rng(0))
    assert (
        len(np.unique(np.concatenate([np.concatenate(part) for part in rows.values()])))
        == 5000
    )
    p = np.array([0.0, 1.0, 0.0])
    drawn = transport.draw_mixture(p, 1000, rows["train"], rng=np.random.default_rng(1))
    classes = np.bincount(transport.digits().y[drawn], minlength=10)
    assert len(np.unique(drawn)) == 1000
    assert classes == pytest.approx(1000 * transport.SOURCES[1], abs=8)


def test_held_out_error_of_the_true_form_is_zero():
    weights = transport.mixture_grid(0.1)
    accuracy = 0.5 + weights[:, 0] * weights[:, 1] - weights[:, 1] ** 2
    columns = transport.first_stage(weights)
    error = transport.held_out_error(columns, accuracy, weights[:, 1] < 0.5)
    assert error == pytest.approx(0, abs=1e-12)


def test_gradient_and_ratio_find_what_is_missing():
    found = [selection.measure_toy(seed=seed) for seed in range(3)]
    shares = {rule: np.mean([f[rule] for f in found]) for rule in selection.RULES}
    assert shares["gradient"] > 0.9 and shares["ratio"] > 0.9
    assert 0.3 < shares["matching"] < 0.7 and shares["random"] < 0.4


def test_hidden_squares_have_their_size():
    x = occlusion.hide(np.ones((6, 14, 14)), 5, rng=np.random.default_rng(0))
    assert (x.reshape(6, -1).sum(axis=1) == 14**2 - 25).all()
    assert occlusion.hide(x, 0, rng=np.random.default_rng(0)) == pytest.approx(x)


@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_breadth_follows_the_formula(shared):
    rng = np.random.default_rng(0)
    found = breadth.simulated_r2(5, 1.0, rows=20_000, rng=rng, shared=shared)
    assert found == pytest.approx(breadth.one_factor_r2(5, 1.0, shared), abs=0.03)


def test_written_text_has_its_length_and_repeats_by_seed():
    config = TransformerConfig(d_model=16, n_layers=1, n_heads=1, d_vocab=96, n_ctx=16)
    model = Transformer(config, generator=torch.Generator().manual_seed(0))
    text = write_text(model, np.arange(5, dtype=np.uint8), 1000, seed=0)
    assert len(text) == 1000 and text.dtype == np.uint8 and text.max() < 96
    again = write_text(model, np.arange(5, dtype=np.uint8), 1000, seed=0)
    assert (text == again).all()
