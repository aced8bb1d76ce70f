"""The scores: closed forms on made-up probes, torch.func against a loop, orientation."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from scaling_core.models.mlp import MLPConfig, forward
from scaling_core.training.batched import plain_adam
from studies.pruning import scores
from studies.pruning.digits import draw
from studies.pruning.scores import SCORES, Probe, keep, train_probe

CONFIG = MLPConfig((4, 3, 2))


def made_up(**parts) -> Probe:
    """Two examples, two classes, two networks."""
    p = np.array([[[0.9, 0.1], [0.4, 0.6]], [[0.7, 0.3], [0.8, 0.2]]])
    right = np.array([[0, 1], [1, 0], [0, 0], [1, 0]], bool)[:, None].repeat(2, 1)
    known = np.array([[1, 1], [0, 0], [1, 0], [1, 1]], bool)
    seen = np.array([[1, 1], [0, 1], [1, 0], [0, 0]], bool)
    probe = Probe(
        x_NI=np.ones((2, 4)),
        y_N=np.array([0, 1]),
        config=CONFIG,
        parameters_GP=torch.randn(2, 23, generator=torch.Generator().manual_seed(0)),
        p_GNC=p,
        right_TGN=right,
        seen_MN=seen,
        known_MN=known,
    )
    return replace(probe, **parts)


@pytest.fixture(scope="module")
def digits_probe():
    data, _ = draw("small digits", test=0, pool=300, seed=0)
    config = MLPConfig((64, 16, 10))
    settings = dict(seed=0, nets=3, subset_nets=20, looks=True)
    return train_probe(data.flat, data.y, config, plain_adam(160), **settings)


def test_closed_forms():
    probe = made_up()
    root = 2**0.5
    assert scores.el2n(probe) == pytest.approx([0.2 * root, 0.6 * root])
    assert scores.margin(probe) == pytest.approx([-0.6, 0.2])
    assert scores.ddd(probe) == pytest.approx([0.5, 0.75])
    assert scores.forgetting(probe) == pytest.approx([1, 1])
    assert scores.memorisation(probe) == pytest.approx([1 - 0.5, 0.5 - 0.5])
    same = probe.p_GNC[:1].repeat(2, 0)
    assert scores.disagreement(made_up(p_GNC=same)) == pytest.approx([0, 0])
    sure = np.eye(2)[[[0, 0], [0, 1]]]  # agree on the first, differ on the second
    found = scores.disagreement(made_up(p_GNC=sure))
    assert found == pytest.approx([0, np.log(2)])


def test_what_is_never_right_is_forgotten_most():
    never = np.zeros((4, 1, 2), bool)
    never[1:, 0, 0] = True
    assert scores.forgetting(made_up(right_TGN=never)) == pytest.approx([0, 4])


def test_grand_equals_a_loop_of_backward_passes(digits_probe):
    probe = digits_probe
    expected = np.zeros(20)
    for P_P in probe.parameters_GP:
        for n in range(20):
            P = P_P.clone().requires_grad_()
            f = forward(probe.config, P, torch.tensor(probe.x_NI[n : n + 1]))
            y = torch.tensor(probe.y_N[n : n + 1])
            torch.nn.functional.cross_entropy(f, y).backward()
            assert P.grad is not None
            expected[n] += float(P.grad.norm()) / len(probe.parameters_GP)
    small = replace(probe, x_NI=probe.x_NI[:20], y_N=probe.y_N[:20])
    assert scores.grand(small) == pytest.approx(expected, rel=1e-4)


def test_all_scores_call_a_wrong_label_hard(digits_probe):
    y = digits_probe.y_N.copy()
    y[:20] = (y[:20] + 5) % 10
    probe = train_probe(
        digits_probe.x_NI,
        y,
        MLPConfig((64, 64, 10)),
        plain_adam(600),
        seed=1,
        nets=2,
        subset_nets=20,
        looks=True,
    )
    blind = ("prototypes", "disagreement")  # one sees no labels, one is unsure at most
    for name, score in SCORES.items():
        values = score(probe)
        rank = (values[:20, None] > values[20:]).mean()
        assert rank > 0.6 or name in blind, (name, rank)


def test_prototypes_call_what_is_far_from_clusters_hard(digits_probe):
    rng = np.random.default_rng(0)
    centres, y = rng.standard_normal((10, 20)), np.arange(400) % 10
    x = centres[y] + 0.1 * rng.standard_normal((400, 20))
    x[:60] = rng.standard_normal((60, 20))
    probe = replace(digits_probe, x_NI=x, y_N=y)
    for score in (scores.prototypes, scores.labelled_prototypes):
        values = score(probe)
        assert np.median(values[:60]) > np.quantile(values[60:], 0.9)


def test_scores_say_what_they_need():
    bare = made_up(right_TGN=np.zeros((0, 2, 2), bool), seen_MN=np.zeros((0, 2), bool))
    with pytest.raises(ValueError, match="looks=True"):
        scores.forgetting(bare)
    with pytest.raises(ValueError, match="raise subset_nets"):
        scores.memorisation(bare)


def test_keep():
    score = np.array([3.0, 1.0, 2.0, 0.0, 4.0])
    assert keep(score, 0.4).tolist() == [0, 4]
    assert keep(score, 0.4, "easy").tolist() == [1, 3]
    assert keep(score, 1.0).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="got middle, 0.4"):
        keep(score, 0.4, "middle")


def test_controls_keep_the_classes():
    rng = np.random.default_rng(0)
    y, score = np.repeat([0, 1, 2], 40), rng.random(120)
    rows = np.arange(10, 60)
    same = scores.with_same_classes(rows, y, rng=rng)
    assert np.bincount(y[same]).tolist() == np.bincount(y[rows]).tolist()
    assert len(set(same)) == len(rows)
    even = scores.keep_in_each_class(score, y, 0.25)
    assert np.bincount(y[even]).tolist() == [10, 10, 10]
    for c in range(3):
        left = set(np.flatnonzero(y == c)) - set(even)
        assert score[even[y[even] == c]].min() > score[list(left)].max()
