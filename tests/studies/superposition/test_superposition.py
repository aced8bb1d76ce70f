"""Measurements of superposition: closed forms, frames, exact sums."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling_core.models.sparse_features import (
    feature_frequencies,
)
from scaling_core.models.superposition import ToyConfig, ToyEnsemble
from scaling_core.training.sweep import run_sweep
from studies.superposition import geometry, readings
from studies.superposition.curves import (
    bend,
    bend_error,
    bends_left_out,
    chance_above,
    exponent_gap,
    local_exponents,
)
from studies.superposition.frozen import FrozenDirections
from studies.superposition.geometry import (
    adjacent_angles,
    random_overlap_moments,
    random_unit_vectors,
    squared_overlap_stats,
    squared_overlaps,
    tight_frame,
    welch_bound,
)
from studies.superposition.ideal import (
    ideal_losses,
    ideal_weak_exponent,
    unlearned_feature_loss,
)
from studies.superposition.side_by_side import SideBySide
from studies.superposition.tight import tight_rows
from studies.superposition.toys import (
    PARTS,
    ToyRuns,
    distance_from_ideal,
    measure_rows,
    measure_toys,
)

FRAMES = {
    ("simplex", 2): (3, 2, 1 / 2),
    ("simplex", 9): (10, 9, 1 / 9),
    ("icosahedron", 3): (6, 3, 1 / 5**0.5),
    ("7x28", 7): (28, 7, 1 / 3),
    ("paley", 7): (14, 7, 1 / 13**0.5),
}
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(("frame", "known"), FRAMES.items())
def test_tight_frames_meet_welch_at_every_pair(frame, known):
    W = tight_frame(*frame)
    nu, m, cosine = known
    assert W.shape == (nu, m)
    assert np.linalg.norm(W, axis=1) == pytest.approx(np.ones(nu), abs=1e-12)
    assert welch_bound(nu, m) == pytest.approx(cosine, abs=1e-12)
    assert np.abs(np.sqrt(squared_overlaps(W)) / cosine - 1).max() < 1e-12
    assert np.allclose(W.T @ W, nu / m * np.eye(m))  # tight


@given(nu=st.integers(2, 40), m=st.integers(1, 12), seed=seeds)
def test_no_set_of_lines_beats_welch(nu, m, seed):
    W = random_unit_vectors(nu, m, rng=np.random.default_rng(seed))
    assert np.sqrt(squared_overlaps(W).max()) >= welch_bound(nu, m) - 1e-9


@pytest.mark.parametrize("m", [2, 5, 40])
def test_random_moments(m):
    W = random_unit_vectors(1500, m, rng=np.random.default_rng(m))
    mean, variance = squared_overlap_stats(W)
    assert mean == pytest.approx(random_overlap_moments(m)[0], rel=0.01)
    assert variance == pytest.approx(random_overlap_moments(m)[1], rel=0.03)


def test_overlaps_ignore_norms_and_masked_rows():
    W = np.array([[2.0, 0.0], [0.0, 0.0], [3.0, 3.0]])
    assert squared_overlaps(W, [True, False, True]) == pytest.approx([0.5])
    with pytest.raises(ValueError, match="zero"):
        squared_overlaps(W)
    with pytest.raises(ValueError, match="two rows"):
        squared_overlaps(W, [True, False, False])


@pytest.mark.parametrize("mask", [[1, 1, 0], [True, True], [[True, True, False]]])
def test_masks_are_booleans_of_every_row(mask):
    """As indices [1, 1, 0] would give the overlap of row 1 with itself."""
    with pytest.raises(ValueError, match="3 booleans"):
        squared_overlap_stats(np.eye(3), mask)


def test_stacks_have_no_overlaps():
    for measure in (squared_overlaps, squared_overlap_stats):
        with pytest.raises(ValueError, match="one matrix"):
            measure(np.ones((3, 2, 2)))


def test_overlap_stats_by_blocks_equal_those_of_all_pairs(monkeypatch):
    monkeypatch.setattr(geometry, "BLOCK_ROWS", 7)
    W = np.random.default_rng(0).standard_normal((40, 5))
    mask = np.arange(40) % 3 > 0
    overlaps = squared_overlaps(W, mask)
    expected = overlaps.mean(), overlaps.var()
    assert squared_overlap_stats(W, mask) == pytest.approx(expected, rel=1e-12)
    frame = tight_frame("7x28")
    assert squared_overlap_stats(frame) == pytest.approx((1 / 9, 0), abs=1e-12)


# Exact sums over the named widths, found independently with a spreadsheet-style loop.
EXACT = [
    (256, (6, 10, 16, 26, 40), [0.075, 0.173, 0.359, 0.653, 1.037]),
    (1000, (10, 15, 25, 39, 63, 100), [0.039, 0.116, 0.294, 0.606, 1.020]),
    (10240, tuple(2**k for k in range(3, 11)), [0.018, 0.067, 0.226, 0.561, 1.007]),
]


@pytest.mark.parametrize(("n", "ms", "expected"), EXACT)
def test_finite_n_exponents(n, ms, expected):
    ours = [ideal_weak_exponent(n, ms, alpha) for alpha in (0, 0.5, 1, 1.5, 2)]
    assert ours == pytest.approx(expected, abs=0.0006)


def test_exponent_tends_to_alpha_minus_one():
    assert ideal_weak_exponent(10**6, (10, 30, 100), 2.0) == pytest.approx(1, abs=0.03)
    assert ideal_weak_exponent(10**6, (10, 30, 100), 1.5) == pytest.approx(
        0.5, abs=0.03
    )


@settings(deadline=None)
@given(n=st.integers(2, 50), alpha=st.floats(0, 2), k=st.integers(0, 50))
def test_unlearned_loss_falls_to_zero_and_takes_masks(n, alpha, k):
    p, k = feature_frequencies(n, "power", alpha), min(k, n)
    loss = unlearned_feature_loss(p, k)
    assert loss == pytest.approx(unlearned_feature_loss(p, np.arange(n) < k))
    assert 0 <= loss <= unlearned_feature_loss(p, max(k - 1, 0)) + 1e-12
    assert unlearned_feature_loss(p, n) == 0


def test_unlearned_loss_is_what_a_constant_prediction_costs():
    rng = np.random.default_rng(0)
    p = np.array([0.3, 0.2])
    x = (rng.random((400_000, 2)) < p) * rng.uniform(0, 2, (400_000, 2))
    assert unlearned_feature_loss(p, 1) == pytest.approx(x[:, 1].var(), rel=0.01)
    assert ideal_losses(2, [1], 0.0)[0] == pytest.approx(4 / 6 - 1 / 4)


def test_a_power_law_is_straight_and_its_chord_its_exponent():
    ms = np.array([3, 7, 20, 61])
    straight = 2.0 * ms**-0.8
    curved = straight * np.exp(-0.3 * np.log(ms) ** 2)
    assert bend(ms, [straight, curved]) == pytest.approx([0, -0.3], abs=1e-9)
    assert local_exponents(ms, straight) == pytest.approx(np.full(3, 0.8))
    rising = local_exponents(ms, curved)
    assert (np.diff(rising) > 0).all()


def test_angles_of_a_pentagon():
    turn = 2 * np.pi * np.arange(5) / 5
    W = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    assert adjacent_angles(W[[3, 0, 4, 1, 2]]) == pytest.approx(np.full(5, 72.0))
    with pytest.raises(ValueError, match="plane"):
        adjacent_angles(np.ones((3, 3)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: welch_bound(1, 2),
        lambda: random_overlap_moments(0),
        lambda: tight_frame("cube"),
        lambda: bend([1, 2], [[1.0, 2.0]]),
        lambda: bend([1, 2, 4], [1.0, 2.0, 3.0]),
        lambda: feature_frequencies(0, "power", 1.0),
        lambda: unlearned_feature_loss([1.5, 0.2], 0),
        lambda: unlearned_feature_loss([0.5, np.nan], 0),
    ],
)
def test_bad_input(call):
    with pytest.raises(ValueError):
        call()


# Exact sums for the three laws of the large toys, found independently.
LARGE = {
    ("exponential", 400.0): [1.3057, 1.2799, 0.9675, 0.1031],
    ("power", 1.2): [0.6841, 0.5727, 0.3066, 0.1280],
    ("linear", 0.0): [1.3311, 1.3290, 1.3001, 1.0799],
}


@pytest.mark.parametrize(("law", "expected"), LARGE.items())
def test_exact_sums_of_other_laws(law, expected):
    losses = ideal_losses(10240, (8, 16, 128, 1024), law[1], law=law[0])
    assert losses == pytest.approx(expected, abs=0.00006)


def test_rows_without_superposition_are_measured_exactly():
    W = np.zeros((6, 3))
    W[0, 0] = W[1, 1] = W[2, 2] = 1.01
    p = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.1])
    rows = measure_rows(W, p)
    assert rows["represented"] == rows["strong"] == 0.5
    assert rows["ignored"] == rows["ignored_top"] == pytest.approx(0.4 - 0.03)
    assert (rows["overlap_all"], rows["overlap_variance_all"]) == (0.0, 0.0)
    assert rows["overlap_strong"] == 0.0
    assert rows["norm_counts"].sum() == 6 and rows["norm_counts"][0] == 3
    assert np.isnan(measure_rows(W / 2, p)["overlap_strong"])  # no long row
    W[2], W[5, 0] = 0, 0.9  # a rare feature represented instead of a frequent one
    rows = measure_rows(W, p)
    assert rows["ignored"] == pytest.approx(4 / 3 * 0.4 - 0.06)
    assert rows["ignored_top"] == pytest.approx(0.37)


def test_rows_of_a_tight_frame():
    rows = measure_rows(1.52 * tight_frame("7x28"), np.full(28, 1 / 28))
    assert rows["overlap_strong"] == pytest.approx(1 / 9)
    assert rows["overlap_variance_strong"] == pytest.approx(0, abs=1e-12)
    assert rows["norm_counts"].tolist()[30] == 28


TOYS = dict(
    n=16,
    alphas=[0.0, 0.5],
    gammas=[-1.0, 0.5],
    seeds=[0, 1, 2],
    batch=32,
    test_samples=2000,
    steps=1000,
)


def test_toys_at_every_width(tmp_path):
    family = dict(TOYS, ms=[2, 4, 8])
    frame = run_sweep(measure_toys, [family], store=tmp_path / "toys.sqlite")
    assert (frame.status == "done").all(), frame.error.tolist()
    toys = ToyRuns.from_row(frame.iloc[0])
    assert toys.values["loss"].shape == (2, 3, 2, 3)
    assert toys.get("norm_counts", 0.5, -1.0).shape == (3, 3, 40)
    slopes = toys.slopes(0.5, -1.0)
    assert slopes.runs.shape == (3,) and (slopes.runs < 0).all()
    assert (toys.get("represented", 0.0, -1.0)[:, -1] > 0.9).all()
    assert (toys.get("represented", 0.0, 0.5)[:, 0] < 0.9).all()
    rows = toys.get("represented_rows", 0.0, 0.5)
    assert rows.mean(-1) == pytest.approx(toys.get("represented", 0.0, 0.5))
    untrained = measure_toys(**(family | dict(steps=0)))
    assert (np.array(untrained["loss"]) > toys.values["loss"]).all()
    with pytest.raises(ValueError, match="there are alphas"):
        toys.get("loss", 1.0, -1.0)


@pytest.mark.parametrize("frozen", [None, "random"])
def test_widths_side_by_side_are_what_each_is_alone(frozen):
    config = dict(TOYS, gammas=[-1.0], steps=40, frozen=frozen)
    together = np.array(measure_toys(**config, ms=[2, 5])["loss"])
    for i, m in enumerate((2, 5)):
        alone = np.array(measure_toys(**config, ms=[m])["loss"])
        assert together[..., [i]] == pytest.approx(alone, rel=1e-5)


def test_side_by_side_wants_the_same_batches():
    toys = [ToyEnsemble(ToyConfig(9, 2, seeds=(s,)), batch=4) for s in (0, 1)]
    with pytest.raises(ValueError, match="do not share their data"):
        SideBySide(toys)


def test_untrained_rows_overlap_like_random_directions():
    result = measure_toys(
        n=1000,
        ms=[25],
        alphas=[1.0],
        gammas=[-1.0],
        seeds=[0],
        batch=8,
        steps=0,
        test_samples=8,
        keep_weights=True,
    )
    mean, variance = random_overlap_moments(25)
    assert np.ravel(result["overlap_all"]) == pytest.approx(mean, rel=0.02)
    variances = np.ravel(result["overlap_variance_all"])
    assert variances == pytest.approx(variance, rel=0.05)
    assert np.shape(result["weights"]) == (1, 1, 1, 1, 1000, 25)


def test_no_test_samples_fails_before_training(monkeypatch):
    monkeypatch.setattr("studies.superposition.toys.train_ensemble", None)
    with pytest.raises(ValueError, match="test_samples >= 1"):
        measure_toys(**(TOYS | dict(ms=[2], test_samples=0)))
    with pytest.raises(ValueError, match="weights are kept of one width"):
        measure_toys(**TOYS, ms=[2, 4], keep_weights=True)


@pytest.mark.parametrize("frozen", [None, "random"])
def test_toys_on_the_device_path_give_the_results_of_the_other(frozen):
    """All models as batched products, as on a GPU."""
    config = dict(n=64, ms=[8], seeds=[0, 1], batch=64, steps=60, test_samples=640)
    gammas = [0.0] if frozen else [-1.0, 0.5]
    config |= dict(alphas=[0.5, 1.5], gammas=gammas, frozen=frozen)
    sliced = measure_toys(**config, batched=False)
    batched = measure_toys(**config, batched=True)
    assert np.shape(batched["loss"]) == (2, 2, len(gammas), 1)
    for name in ("loss", "parts", "represented", "off_ideal"):
        assert np.array(batched[name]) == pytest.approx(
            np.array(sliced[name]), rel=1e-3, abs=1e-6
        )


def test_frozen_rows_keep_their_directions_and_learn_all_else():
    config = dict(TOYS, ms=[4], keep_weights=True, frozen="random", gammas=[0.0])
    untrained = measure_toys(**config | dict(steps=0))
    start = np.array(untrained["weights"])
    end = measure_toys(**config | dict(steps=400))
    W = np.array(end["weights"])
    gains = np.linalg.norm(W, axis=-1)
    assert gains == pytest.approx(gains[..., :1].repeat(16, -1), rel=1e-5)
    directions = start / np.linalg.norm(start, axis=-1, keepdims=True)
    assert W / gains[..., None] == pytest.approx(directions, abs=1e-5)
    assert (np.array(end["loss"]) < np.array(untrained["loss"]) / 2).all()


def test_frozen_gradient_equals_autograd():
    config = ToyConfig(n=9, m=3, alphas=(0.5, 1.0), gammas=(0.0,), seeds=(0,))
    toys = ToyEnsemble(config, batch=20, dtype=torch.float64)
    rows = toys.W / toys.W.norm(dim=-1, keepdim=True)
    model = FrozenDirections(toys)
    model.parameters[:, 0] = torch.tensor([0.7, 1.3])
    cells = model.data.batch_at(3)
    P = model.parameters.clone().requires_grad_()
    W, x = rows * P[:, :1, None], model.data.dense(cells)
    y = torch.relu(x @ W @ W.mT + P[:, None, 1:])
    (y - x).square().mean((1, 2)).sum().backward()
    before = model.parameters.clone()
    assert torch.allclose(model.gradient(cells), P.grad, rtol=1e-10)
    model.decay_(0.5)  # rows that do not learn do not decay
    assert torch.equal(model.parameters, before)
    model.write_back()
    assert torch.allclose(toys.W, rows * model.parameters[:, :1, None])
    with pytest.raises(ValueError, match="one gamma"):
        FrozenDirections(ToyEnsemble(ToyConfig(9, 2, gammas=(0.0, 1.0)), batch=4))


@settings(deadline=None, max_examples=20)
@given(n=st.integers(2, 12), m=st.integers(1, 5), seed=seeds)
def test_distance_from_ideal_is_a_matrix_norm(n, m, seed):
    m = min(n, m)
    W = np.random.default_rng(seed).standard_normal((n, m))
    ideal = np.diag(np.arange(n) < m)
    expected = np.linalg.norm(W @ W.T - ideal, 2)
    assert distance_from_ideal(W) == pytest.approx(expected, rel=1e-9)
    assert distance_from_ideal(np.eye(n, m)) == pytest.approx(0, abs=1e-12)


def test_survivors_are_counted_by_the_start_of_their_bias():
    config = dict(TOYS, ms=[4], steps=0)
    untrained = measure_toys(**config)
    started, kept = (np.array(untrained[k]) for k in ("started", "kept"))
    assert (started.sum(-1) == 16).all() and (kept <= started).all()
    assert kept.sum(-1) / 16 == pytest.approx(np.array(untrained["represented"]))
    zero = measure_toys(**config | dict(bias_std=0.0))
    assert np.array(zero["started"])[..., 2].min() == 16  # from 0 up to 0.5
    assert len(PARTS) == np.shape(zero["parts"])[-1]


@pytest.mark.parametrize("law", ["exponential", "linear", "power"])
def test_frequency_laws_fall_and_sum_to_the_density(law):
    p = feature_frequencies(50, law, 2.0, 1.5)
    assert p.sum() == pytest.approx(1.5) and (np.diff(p) < 0).all()
    ratio = {"exponential": np.exp(-1 / 2), "linear": 49 / 50, "power": 1 / 4}
    assert p[1] / p[0] == pytest.approx(ratio[law])


def test_unknown_law():
    with pytest.raises(ValueError, match="allowed: power, exponential, linear"):
        feature_frequencies(5, "cubic", 1.0)


def test_tight_rows_reach_the_least_mean_overlap():
    rng = np.random.default_rng(0)
    start = rng.standard_normal((60, 7))
    W = tight_rows(start)
    assert np.allclose(W.T @ W, 60 / 7 * np.eye(7), atol=1e-6)
    assert np.linalg.norm(W, axis=1) == pytest.approx(np.ones(60), abs=1e-12)
    mean, variance = squared_overlap_stats(W)
    assert mean == pytest.approx(welch_bound(60, 7) ** 2, rel=1e-6)
    assert variance > 0  # tight, not equiangular
    with pytest.raises(ValueError, match="as many rows as dimensions"):
        tight_rows(start[:5])


def test_frozen_frames_learn_biases_only_and_beat_random_rows():
    config = dict(n=64, ms=[8], seeds=[0, 1], batch=64, test_samples=4096)
    config |= dict(alphas=[0.5], gammas=[0.0], bias_std=0.0, lr=0.1, steps=600)
    tight, random = (
        measure_toys(**config, frozen=rows)["loss"] for rows in ("tight", "random")
    )
    assert (np.array(tight) < np.array(random)).all()


def test_gain_is_what_perfect_features_would_save():
    n, m, alpha = 12, 3, 1.0
    p = feature_frequencies(n, "power", alpha)
    nothing, top = unlearned_feature_loss(p, 0), unlearned_feature_loss(p, m)

    def runs(loss, kept, ignored):
        values = dict(loss=loss, represented=kept / n, ignored_top=ignored)
        cells = {k: np.full((1, 1, 1, 1), x) for k, x in values.items()}
        return ToyRuns((alpha,), (0.5,), (m,), cells)

    def gain(measure, *cell):
        return measure(runs(*cell), n, alpha, 0.5)[0]

    assert gain(readings.attainable_gain, top, m, top) == pytest.approx(1)
    assert gain(readings.attainable_gain, nothing, m, top) == pytest.approx(0)
    expected = m / n * nothing / (nothing - top)
    assert gain(readings.random_gain, top, m, top) == pytest.approx(expected)


def test_chances_bends_and_gaps():
    assert chance_above([1, 1], [1]) == 0.5
    assert np.isnan(chance_above([], [1]))
    assert readings.chance_to_tell([[1, 2]], [[True, True]]) == 0.5
    ms = np.array([2.0, 4, 8, 16])
    losses = np.array([ms**-1.0, ms**-0.5])
    assert bends_left_out(ms, losses) == pytest.approx(np.zeros((4, 2)), abs=1e-9)
    assert exponent_gap(ms, losses[:1], losses[1:]) == pytest.approx([0.5])
    assert exponent_gap(ms, losses[:1, :3], losses[1:]) == pytest.approx([0.5])
    with pytest.raises(ValueError, match="four widths"):
        bend_error(ms[:3], losses[0, :3])
    rng = np.random.default_rng(0)
    drawn = losses[0] * np.exp(0.1 * rng.standard_normal((4000, 4)))
    errors = [bend_error(ms, row) ** 2 for row in drawn]
    assert np.mean(errors) == pytest.approx(bend(ms, drawn).var(), rel=0.1)
