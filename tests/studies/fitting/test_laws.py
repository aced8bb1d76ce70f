"""Laws of this chapter: printed formulas, gradients, units, recovery, published fits."""

import numpy as np
import pytest

from scaling_core.data.published import load_published
from scaling_core.fitting import fit
from studies.fitting import laws
from tests.core.fitting.cases import check_gradient, check_recovery, check_units, mesh


def _schedules():
    steps = np.arange(4000)
    cosine = 3e-4 * (0.55 + 0.45 * np.cos(np.pi * steps / 4000))
    drop = np.where(steps < 3000, 3e-4, 3e-5)
    parts = [laws.schedule_areas(lr) for lr in (cosine, drop)]
    both = [np.concatenate([part[i][50::100] for part in parts]) for i in (0, 1)]
    return dict(zip(("S1", "S2"), both, strict=True))


def _formats():
    axes = np.geomspace(4e7, 7e8, 4), np.geomspace(1e10, 1e11, 4)
    N, D, kind, B = mesh(*axes, range(6), [32, 128, 512])
    bits = np.array([[2, 1], [4, 3], [5, 2], [1, 2], [3, 4], [5, 7]], dtype=float)
    E, M = bits[kind.astype(int)].T
    return {"N": N, "D": D, "E": E, "M": M, "B": B}


PRECISION = dict(
    epsilon=1.9061,
    n=69.2343,
    d=68973.0621,
    gamma=11334.5197,
    alpha=0.2368,
    beta=0.5162,
    delta=3.1926,
    nu=2.9543,
)
STREAMS = dict(zip("NP", mesh(np.geomspace(5e8, 4e9, 6), [1, 2, 4, 8]), strict=True))
CASES = {  # as in tests/core/fitting/cases.py
    "lr-annealing": (
        laws.LRAnnealing(),
        _schedules(),
        dict(L_0=2.628, A=0.429, C=0.411, alpha=0.55),
        [("S1",), ("S2",)],
    ),
    "float-quantisation": (
        laws.FloatQuantisation(),
        _formats(),
        PRECISION,
        [("N",), ("D",)],
    ),
    "parscale": (
        laws.ParScale(),
        STREAMS,
        dict(E=0.69, A=0.0113, alpha=0.19, k=0.39),
        [("N",)],
    ),
    "streams": (
        laws.PowerStreams(),
        STREAMS,
        dict(E=1.2, A=40.0, alpha=0.2, kappa=0.06),
        [("N",), ("P",)],
    ),
}
SAME = {"alpha", "beta", "delta", "nu", "k", "kappa"}  # without a unit


def direct(name, p, d):
    """The printed formula, written out."""
    if name == "lr-annealing":
        return p["L_0"] + p["A"] * d["S1"] ** -p["alpha"] - p["C"] * d["S2"]
    if name == "parscale":
        streams = d["N"] * (p["k"] * np.log(d["P"]) + 1)
        return p["E"] + (p["A"] * 1e9 / streams) ** p["alpha"]
    if name == "streams":
        return p["E"] + p["A"] * d["N"] ** -p["alpha"] * d["P"] ** -p["kappa"]
    noise = p["gamma"] * (d["E"] + 0.5) ** p["delta"] * (d["M"] + 0.5) ** p["nu"]
    return (
        p["n"] / d["N"] ** p["alpha"]
        + p["d"] / d["D"] ** p["beta"]
        + p["epsilon"]
        + d["D"] ** p["beta"] / d["N"] ** p["alpha"] * np.log2(d["B"]) / noise
    )


@pytest.mark.parametrize("name", CASES)
def test_prediction_is_the_printed_formula(name):
    law, inputs, params, _ = CASES[name]
    expected = direct(name, params, inputs)
    np.testing.assert_allclose(law.predict(params, inputs), expected, rtol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_gradient_agrees_with_finite_differences(name):
    check_gradient(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_units_there_and_back(name):
    check_units(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_noise_free_recovery_in_random_units(name):
    same, unit = SAME & set(CASES[name][2]), name != "parscale"
    check_recovery(CASES[name], same, 5, seed=0, tolerance=1e-9, unit=unit)


def test_best_layouts_of_the_precision_law():
    # arXiv 2501.02423: FP4 E2M1, FP8 E4M3, FP16 E8M7
    law, p = laws.FloatQuantisation(), dict(delta=3.1926, nu=2.9543)
    best = [round(float(law.best_mantissa(p, bits))) for bits in (4, 8, 16)]
    assert best == [1, 3, 7]


def test_schedule_areas_by_the_double_sum():
    lr, decay = np.random.default_rng(0).uniform(size=30), 0.9
    s1, s2 = laws.schedule_areas(lr, decay)
    falls = np.concatenate([[0.0], lr[:-1] - lr[1:]])
    momentum = [
        sum(falls[k] * decay ** (i - k) for k in range(i + 1)) for i in range(30)
    ]
    np.testing.assert_allclose(s2, np.cumsum(momentum), rtol=1e-12)
    np.testing.assert_allclose(s1, np.cumsum(lr), rtol=1e-15)


@pytest.mark.parametrize(
    "column, k, objective",
    [("loss_stack_v2_python", 0.3934, 3.677e-5), ("loss_pile", 0.3344, 1.814e-5)],
)
def test_parscale_table_gives_the_known_fit(column, k, objective):
    table = load_published("parscale_losses")
    data = {"N": table["N_non_embedding"], "P": table["P"], "L": table[column]}
    result = fit(laws.ParScale(), data)
    assert result.status == "converged"
    assert result.params["k"] == pytest.approx(k, abs=1e-3)
    assert result.objective == pytest.approx(objective, rel=1e-3)
