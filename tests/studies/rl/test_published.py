"""Refits of published numbers: what the digitised points and printed tables give."""

import numpy as np
import pytest

from scaling_core.data.published import load_published
from studies.rl import published


@pytest.fixture(scope="module")
def points():
    return published.tan_points()


def test_the_joint_fit_by_squares_of_the_loss(points):
    assert len(points["L"]) == 622
    found = published.joint_fit(points)
    assert found.status == "converged"
    assert found.params["K_max"] == pytest.approx(0.1386, abs=2e-4)
    assert found.params["N_0"] == pytest.approx(14.3e9, rel=0.01)


def test_the_largest_model_is_forecast(points):
    found = published.forecast(points)
    assert found.law == pytest.approx(0.1234, abs=2e-4)
    assert found.line == pytest.approx(0.106, abs=5e-4)
    assert found.line_without_smallest == pytest.approx(0.1135, abs=5e-4)
    assert found.last == pytest.approx(0.1006, abs=5e-4)
    # of the squares of the loss; of those of its logarithm .1127
    assert found.free == pytest.approx(0.1120, abs=5e-4)
    assert published.rival_ratio(found) == pytest.approx(0.53, abs=0.03)
    robust = published.forecast(points, published.OBJECTIVES["log-Huber"])
    assert robust.law == pytest.approx(0.1352, abs=5e-4)


def test_the_answer_hangs_on_the_objective(points):
    found = published.k_max_by_objective(points)
    assert len(found) == 5
    assert found["squares of L"] == pytest.approx(0.1386, abs=2e-4)
    assert found["log-Huber"] == pytest.approx(0.1530, abs=3e-4)
    assert min(found.values()) == pytest.approx(0.1369, abs=5e-4)


def test_offsets_explain_most(points):
    found = published.explained(points)
    assert found["all points"] == pytest.approx(0.9953, abs=3e-4)
    assert found["within sizes"] < 0.96
    assert found["0.5B"] < 0.65 and found["1.5B"] < 0.65 and found["72B"] > 0.95


def test_explained_of_exact_data_is_one():
    N, X = (g.ravel() for g in np.meshgrid([1e9, 7e10], np.geomspace(1e16, 1e20, 9)))
    L = np.exp(3 - 0.13 / (1 + 13e9 / N) * np.log(X))
    found = published.explained(dict(N=N, X=X, L=L))
    assert list(found) == ["all points", "within sizes", "1B", "70B"]
    assert min(found.values()) > 1 - 1e-9


def test_the_forecast_of_exact_data_is_the_truth():
    sizes = np.array([1, 3, 7, 14, 32, 72]) * 1e9
    N, X = (g.ravel() for g in np.meshgrid(sizes, np.geomspace(1e16, 1e20, 9)))
    L = np.exp(3 - 0.13 / (1 + 13e9 / N) * np.log(X))
    found = published.forecast(dict(N=N, X=X, L=L))
    truth = 0.13 / (1 + 13 / 72)
    assert found.law == pytest.approx(truth) and found.free == pytest.approx(truth)
    assert published.k_max_without_each_size(dict(N=N, X=X, L=L)) == {
        size: pytest.approx(0.13) for size in sizes
    }


def test_a_power_law_from_the_start_promises_everything():
    assert published.promised_ceilings(1_500, 50_000).tolist() == [1, 1, 1]


def test_a_power_law_from_later_on_promises_less():
    found = published.promised_ceilings(5_000, 50_000)
    assert found == pytest.approx([0.85, 0.83, 0.77], abs=0.02)
    late = published.promised_ceilings(30_000, 60_000)
    assert late == pytest.approx([0.65] * 3, abs=0.011)


def test_a_power_law_finds_its_own_ceiling():
    C = np.linspace(1e3, 5e4, 40)
    assert published.power_ceiling(C, 0.7 - 2.0 * C**-0.4) == pytest.approx(0.7)


@pytest.mark.parametrize("run", ["ScaleRL", "batch 2048"])
def test_the_grid_recovers_the_printed_sigmoid(run):
    truth = load_published("rl_scalerl_fits").set_index("run").loc[run]
    found = published.sigmoid_grid(
        *published.printed_curve(run, 1_500, 50_000, R_0=0.2), R_0=0.2
    )
    assert found["A"] == pytest.approx(truth.A, abs=0.005)
    assert found["B"] == pytest.approx(truth.B, abs=0.1)
    # the published grid has steps of 403 GPU-hours
    assert found["C_mid"] == pytest.approx(truth.C_mid, abs=403)


def test_the_printed_forecast_is_the_two_fits_value():
    table = load_published("rl_tan_fits")
    row = table.query("models == 'base' and variable == 'compute'")
    within, between = row.to_dict("records")
    assert within["K_max"] == 0.1349
    k = between["K_max"] / (1 + between["N_0_billions"] / 72)
    assert k == pytest.approx(0.1223, abs=1e-4)


def test_offsets_and_one_slope_explain_most_too(points):
    offsets = published.explained_by_offsets(points)
    one, free = (
        published.explained_by_slopes(points, shared=shared) for shared in (True, False)
    )
    law = published.explained(points)
    assert 0.85 < offsets < one["all points"] < law["all points"] < free["all points"]
    within = [found["within sizes"] for found in (one, law, free)]
    assert within == pytest.approx([0.548, 0.953, 0.965], abs=2e-3)


def test_the_forecast_one_size_down(points):
    found = published.forecast(published.pick(points, points["N"] < 72e9))
    assert [found.free, found.law, found.line] == pytest.approx(
        [0.1008, 0.0924, 0.0745], abs=5e-4
    )


def test_equal_weights_give_their_forecast(points):
    smaller = published.pick(points, points["N"] < 72e9)
    params = published.joint_fit_alike(smaller).params
    k = params["K_max"] / (1 + params["N_0"] / 72e9)
    assert k == pytest.approx(0.1218, abs=3e-4)


def test_one_slope_explains_data_of_one_slope():
    N, X = (g.ravel() for g in np.meshgrid([1e9, 7e10], np.geomspace(1e16, 1e20, 9)))
    L = (N / 1e9) ** -0.2 * X**-0.05
    data = dict(N=N, X=X, L=L)
    for shared in (True, False):
        found = published.explained_by_slopes(data, shared=shared)
        assert min(found.values()) > 1 - 1e-9
    assert published.explained_by_offsets(data) < 0.99


def test_the_late_ceiling_hangs_on_spacing_and_start():
    even, log = (
        published.promised_ceilings(5_000, 50_000, space=space)
        for space in (np.linspace, np.geomspace)
    )
    assert np.all(log > even + 0.05)
    late = published.promised_ceilings(5_000, 50_000, rates=(0.4,))
    assert late == pytest.approx([0.74], abs=0.011)
