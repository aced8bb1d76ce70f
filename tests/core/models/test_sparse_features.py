"""The sampler: exact frequencies, independence, and batches as pure functions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling_core.models.sparse_features import (
    CHUNK,
    SparseFeatures,
    feature_frequencies,
    stream_seed,
)


def dense_rows(data: SparseFeatures, steps: int) -> torch.Tensor:
    """Stack dense batches along the samples: (D, steps·B, n)."""
    return torch.cat([data.dense(data.batch_at(s)) for s in range(steps)], dim=1)


@given(
    n=st.integers(1, 200),
    alpha=st.floats(0, 3),
    density=st.floats(1e-3, 1.0),
)
def test_frequencies_sum_to_the_density_and_fall(n, alpha, density):
    p = feature_frequencies(n, "power", alpha, density)
    assert p.sum() == pytest.approx(density)
    assert (np.diff(p) <= 0).all() and p.min() > 0


def test_frequency_above_one_is_refused():
    with pytest.raises(ValueError, match="largest possible density is 1.5"):
        feature_frequencies(2, "power", 1.0, 1.6)


def test_activation_frequency_matches_p():
    p = np.array([0.9, 0.5, 0.1, 0.01])
    data = SparseFeatures(p[None], batch=500, seeds=[1])
    active = (dense_rows(data, 64) > 0).float()
    rows = active.shape[1]
    error = (active.mean(1)[0].numpy() - p) / np.sqrt(p * (1 - p) / rows)
    assert np.abs(error).max() < 4


def test_features_are_independent():
    p = np.full((1, 4), 0.3)
    data = SparseFeatures(p, batch=500, seeds=[2])
    active = (dense_rows(data, 64)[0] > 0).numpy()
    correlation = np.corrcoef(active.T)[np.triu_indices(4, 1)]
    assert np.abs(correlation).max() < 4 / np.sqrt(len(active))
    counts = np.bincount(active.sum(1), minlength=5) / len(active)
    binomial = np.array([0.2401, 0.4116, 0.2646, 0.0756, 0.0081])
    assert np.abs(counts - binomial).max() < 4 * np.sqrt(0.25 / len(active))


def test_values_are_uniform_on_0_2():
    data = SparseFeatures(np.full((1, 5), 0.5), batch=400, seeds=[3])
    x = dense_rows(data, 16).flatten()
    x = x[x > 0]
    assert x.min() > 0 and x.max() < 2
    assert x.mean() == pytest.approx(1.0, abs=0.02)
    assert x.square().mean() == pytest.approx(4 / 3, abs=0.04)


def test_certain_and_impossible_features():
    data = SparseFeatures([[1.0, 0.0, 0.5]], batch=50, seeds=[4])
    x = dense_rows(data, 8)[0]
    assert (x[:, 0] > 0).all() and (x[:, 1] == 0).all()


def test_batch_is_a_pure_function_of_step_and_seed():
    p = np.tile(feature_frequencies(20, "power", 1.0), (2, 1))
    data = SparseFeatures(p, batch=30, seeds=[5, 6])
    late = data.dense(data.batch_at(3 * CHUNK + 1))
    again = SparseFeatures(p, batch=30, seeds=[5, 6])
    assert torch.equal(again.dense(again.batch_at(3 * CHUNK + 1)), late)
    assert not torch.equal(again.dense(again.batch_at(0)), late)
    test = again.dense(again.batch_at(0, split="test"))
    assert not torch.equal(again.dense(again.batch_at(0)), test)


def test_a_stream_does_not_depend_on_its_neighbours():
    p = feature_frequencies(20, "power", 0.5)
    both = SparseFeatures([p, p], batch=30, seeds=[7, 8])
    alone = SparseFeatures([p], batch=30, seeds=[8])
    x = both.dense(both.batch_at(2))
    assert torch.equal(x[1], alone.dense(alone.batch_at(2))[0])
    assert not torch.equal(x[0], x[1])


@settings(deadline=None, max_examples=25)
@given(
    n=st.integers(1, 12),
    batch=st.integers(1, 20),
    slice_rows=st.integers(1, 20),
    streams=st.integers(1, 3),
    p=st.floats(0, 1),
)
def test_both_orders_and_the_slices_hold_the_same_cells(
    n, batch, slice_rows, streams, p
):
    data = SparseFeatures(
        np.full((streams, n), p), batch, range(streams), slice_rows=slice_rows
    )
    for step in (0, CHUNK - 1):
        cells = data.batch_at(step)
        x = data.dense(cells).view(streams * batch, n)
        assert x.count_nonzero() == (cells.value_C > 0).sum()
        by_feature = torch.zeros(streams * n, streams * batch)
        lengths = torch.diff(
            torch.cat((cells.feature_start, torch.tensor([len(cells.value_C)])))
        )
        feature = torch.arange(streams * n).repeat_interleave(lengths)
        by_feature[feature, cells.sample_by_feature_C] = cells.value_by_feature_C
        by_stream = by_feature.view(streams, n, streams, batch)
        same = [by_stream[d, :, d].T for d in range(streams)]
        assert torch.equal(torch.cat(same), x)
        assert by_feature.count_nonzero() == x.count_nonzero()
        slices = -(-batch // slice_rows)
        assert len(cells.start) == streams * slices + 1
        flat = torch.cat(
            [
                torch.zeros(slice_rows * n).index_put(
                    (cells.flat_C[a:b],), cells.value_C[a:b]
                )
                for a, b in zip(cells.start, cells.start[1:], strict=False)
            ]
        ).view(streams, slices * slice_rows, n)
        assert torch.equal(flat[:, :batch].reshape(-1, n), x)


def test_stream_seed_separates_its_keys():
    keys = [(0, "data", 0.5), (0, "data", 0.25), (1, "data", 0.5), (0, "init", 0.5)]
    assert len({stream_seed(*key) for key in keys}) == len(keys)


@pytest.mark.parametrize("p", [[[1.5]], [[-0.1]], [[float("nan")]]])
def test_bad_probabilities_are_refused(p):
    with pytest.raises(ValueError, match="probabilities"):
        SparseFeatures(p, batch=2, seeds=[0])


def test_bad_shapes_are_refused():
    with pytest.raises(ValueError, match="one seed per stream"):
        SparseFeatures([[0.5]], batch=2, seeds=[0, 1])


@pytest.mark.parametrize(
    ("law", "alpha"), [("power", -0.5), ("power", np.nan), ("exponential", 0.0)]
)
def test_growing_frequencies_are_refused(law, alpha):
    with pytest.raises(ValueError, match="would rise"):
        feature_frequencies(9, law, alpha)
