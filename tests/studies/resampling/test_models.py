"""Trained stand-ins at tiny sizes: exact chances, gradients, and nulls."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from scaling_core.models.mlp import MLPConfig
from studies.resampling import datastore, noisy, strings, verifiers


@pytest.fixture(scope="module")
def pair():
    return verifiers.train_pairs(seeds=[0], sizes=[30, 300], looks=[60], test=300)[60][
        0
    ]


def test_parts_of_the_digits_do_not_overlap():
    rows = verifiers.split(3, 700)
    joint = np.concatenate(list(rows.values()))
    assert len(np.unique(joint)) == len(joint) == 5000


def test_rates_are_chances_and_everything_passes_without_a_verifier(pair):
    tp, fp = pair.rates(0, None)
    np.testing.assert_allclose(tp + fp, 1, atol=1e-6)
    right, wrong = pair.rates(0, 1)
    assert (right <= tp + 1e-12).all() and (wrong <= fp + 1e-12).all()


def test_verifier_passes_about_nineteen_of_twenty_right_answers(pair):
    passes = pair.accepts(1)[np.arange(len(pair.y)), pair.y].mean()
    assert 0.88 < passes < 1.0


def test_a_softened_proposer_is_right_as_often_as_asked(pair):
    weak = pair.accuracy(0)
    soft = pair.softened(1, weak)
    assert soft.accuracy(1) == pytest.approx(weak, abs=1e-4)
    assert soft.best_answer(1) == pair.best_answer(1) and soft.accuracy(0) == weak


def test_a_less_complete_verifier_accepts_less(pair):
    strict = replace(pair, complete=0.5)
    assert (pair.accepts(1) | ~strict.accepts(1)).all()
    assert strict.accepts(1).sum() < pair.accepts(1).sum()


def test_more_images_make_a_better_proposer_and_verifier(pair):
    assert pair.accuracy(1) > pair.accuracy(0) > 0.1
    assert pair.ceiling(0, 1) > pair.ceiling(0, 0)
    assert pair.ceiling(0, 1) > pair.accuracy(0)


def test_coverage_gradient_against_finite_differences():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 5)), rng.integers(3, size=6)
    nets = noisy.CoverageEnsemble(
        MLPConfig((5, 4, 3)),
        x,
        y,
        [range(6)] * 2,
        batch=6,
        seeds=[1, 1],
        dtype=torch.float64,
    )
    rows = torch.arange(6).repeat(2, 1)

    def losses() -> np.ndarray:
        logp = nets.outputs(x).log_softmax(-1)[:, np.arange(6), y].numpy()
        cover = -np.log1p(-((1 - np.exp(logp[1])) ** 4))
        return np.array([-logp[0].mean(), cover.mean()])

    slope, step = nets.gradient(rows).clone(), 1e-6
    for k in (0, 7, 23):
        nets.parameters[:, k] += step
        up = losses()
        nets.parameters[:, k] -= 2 * step
        down = losses()
        nets.parameters[:, k] += step
        np.testing.assert_allclose(slope[:, k], (up - down) / (2 * step), atol=1e-6)


def test_pass_at_temperature_one_and_infinite():
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25]]))
    found = noisy.pass_at(logits, torch.tensor([0]), 2)
    assert found[0] == pytest.approx(0.75)
    assert found[-1] > 1 - (2 / 3) ** 2  # hotter is nearer to even guesses


def test_chance_of_a_string_is_the_product_of_its_characters():
    setting = strings.StringSetting(seed=0, d_model=16, steps=1)
    model = setting.make_model()
    tokens = strings.problem_tokens(problems=3, context=20, n=2, seed=0)
    found = strings.ask(model, tokens, 20)
    with torch.no_grad():
        first = model(tokens[:, :20])[:, -1].log_softmax(-1)
        second = model(tokens[:, :21])[:, -1].log_softmax(-1)
    rows = torch.arange(3)
    expected = first[rows, tokens[:, 20]] + second[rows, tokens[:, 21]]
    np.testing.assert_allclose(np.log(found.p(2)), expected, atol=1e-5)


def test_files_apart_share_no_text():
    train, asked = strings.files_apart()
    assert 0.1 < len(asked) / (len(asked) + len(train.text)) < 0.3
    assert '"""Temporary files.' not in train.text


def test_nearest_neighbours_find_their_own_entry():
    keys = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    after = torch.arange(200) % 7
    found = datastore.vote(keys, after, keys[:5], after[:5])
    assert found.shape == (len(datastore.HEATS), 5) and (found[0] > 0.1).all()


def test_counting_knows_a_text_that_repeats():
    text = np.tile([1, 2, 3], 100)
    last = np.lib.stride_tricks.sliding_window_view(text, 3)[:-1]
    found = datastore.count_vote(last, text[3:], last[:9], text[3:12], V=5)
    assert found.shape == (1, 9) and (found > 0.9).all()


def test_a_vote_that_knows_nothing_gets_no_weight():
    own = torch.tensor([0.5, 0.4, 0.5, 0.6]).log()
    assert datastore.mixed_loss(own, torch.zeros(1, 4)) == pytest.approx(
        -own[1::2].double().mean().item()
    )
