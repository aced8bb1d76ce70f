"""Laws: formulas against direct arithmetic, derivatives against differences, units there and back."""

from typing import ClassVar

import numpy as np
import pytest

from scaling_core import fitting as sf
from scaling_core.fitting.law import Law
from scaling_core.fitting.problem import build_problem

from .cases import CASES, LADDER, SATURATING, check_gradient, check_units, internal


def direct(name, p, d):
    """The printed formula, written out."""
    if name == "power":
        return p["E"] + p["A"] * d["x"] ** -p["alpha"]
    if name == "pure-power":
        return p["A"] * d["x"] ** -p["alpha"]
    if name == "chinchilla":
        return p["E"] + p["A"] / d["N"] ** p["alpha"] + p["B"] / d["D"] ** p["beta"]
    if name == "kaplan":
        return (
            (p["N_c"] / d["N"]) ** (p["alpha_N"] / p["alpha_D"]) + p["D_c"] / d["D"]
        ) ** p["alpha_D"]
    if name == "data-constrained":

        def worth(total, unique, r):
            return unique * (
                1 + r * (1 - np.exp(-np.maximum(total / unique - 1, 0) / r))
            )

        N, D = worth(d["N"], d["U_N"], p["R_N"]), worth(d["D"], d["U_D"], p["R_D"])
        return p["E"] + p["A"] * N ** -p["alpha"] + p["B"] * D ** -p["beta"]
    if name == "sigmoid":
        return p["R_0"] + (p["A"] - p["R_0"]) / (1 + (p["C_mid"] / d["x"]) ** p["B"])
    if name == "saturating-k":
        own = np.array([p[f"E[{n:g}]"] for n in d["N"]])
        return np.exp(own - p["K_max"] / (1 + p["N_0"] / d["N"]) * np.log(d["X"]))
    out = p["b"] * d["x"] ** -p["c0"]
    for i in range(1, 1 + int(name[-1])):
        out = out * (1 + (d["x"] / p[f"d{i}"]) ** (1 / p[f"f{i}"])) ** (
            -p[f"c{i}"] * p[f"f{i}"]
        )
    return p["a"] + out


@pytest.mark.parametrize("name", CASES)
def test_prediction_is_the_printed_formula(name):
    law, inputs, params, _ = CASES[name]
    np.testing.assert_allclose(
        law.predict(params, inputs), direct(name, params, inputs), rtol=1e-12
    )


@pytest.mark.parametrize("name", CASES)
def test_gradient_agrees_with_finite_differences(name):
    check_gradient(CASES[name])


@pytest.mark.parametrize("name", ["power", "pure-power", "chinchilla"])
def test_closed_form_curvature_agrees_with_differences_of_the_jacobian(name):
    problem, z = internal(CASES[name])
    q = np.random.default_rng(1).normal(size=(2, len(problem.y)))
    exact, numeric = (
        problem.law.curvature(z, problem.prep, q),
        Law.curvature(problem.law, z, problem.prep, q),
    )
    np.testing.assert_allclose(exact, numeric, atol=1e-8 * np.abs(exact).max())


def family(share=()):
    N, D = (np.tile(CASES["chinchilla"][1][c], 2) for c in "ND")
    group = np.repeat(["adam", "muon"], len(N) // 2)
    data = {"N": N, "D": D, "opt": group}
    own = {"adam": dict(E=1.7, A=400.0, B=410.0), "muon": dict(E=1.7, A=300.0, B=350.0)}
    loss = np.concatenate(
        [
            sf.Chinchilla().predict(
                {**own[g], "alpha": 0.34, "beta": 0.28}, CASES["chinchilla"][1]
            )
            for g in own
        ]
    )
    return sf.Chinchilla(group="opt", share=share), {**data, "L": loss}, own


def test_family_curvature_agrees_with_differences():
    law, data, _ = family(share=("E",))
    problem = build_problem(law, data, "mse", 1.0, None, None)
    z = problem.starts()[:2]
    q = np.random.default_rng(1).normal(size=(2, len(problem.y)))
    exact, numeric = (
        problem.law.curvature(z, problem.prep, q),
        Law.curvature(problem.law, z, problem.prep, q),
    )
    np.testing.assert_allclose(exact, numeric, atol=1e-8 * np.abs(exact).max())


@pytest.mark.parametrize("share", [(), ("E",)])
def test_family_shares_exponents_and_keeps_own_factors(share):
    law, data, own = family(share)
    result = sf.fit(law, data)
    assert result.status == "converged"
    assert (
        abs(result.params["alpha"] / 0.34 - 1) < 1e-9
        and abs(result.params["beta"] / 0.28 - 1) < 1e-9
    )
    assert abs(result.params["A[muon]"] / own["muon"]["A"] - 1) < 1e-8
    assert ("E" in result.params) == bool(share)
    assert set(result.derived) == {"a", "b"}
    np.testing.assert_allclose(
        result.predict({c: data[c] for c in ("N", "D", "opt")}), data["L"], rtol=1e-10
    )
    with pytest.raises(ValueError, match="sophia"):
        result.predict({"N": 1e9, "D": 1e10, "opt": "sophia"})


def test_unknown_share_is_refused():
    with pytest.raises(ValueError, match="share may name"):
        sf.Chinchilla(group="opt", share=("alpha",))


@pytest.mark.parametrize("name", CASES)
def test_units_there_and_back(name):
    check_units(CASES[name])


def test_chinchilla_optimum_minimises_the_loss_on_the_budget():
    p = CASES["chinchilla"][2]
    best = sf.Chinchilla().optimum(p, 1e21)
    around = best["N"] * np.geomspace(0.9, 1.1, 201)
    loss = sf.Chinchilla().predict(p, {"N": around, "D": 1e21 / (6 * around)})
    assert abs(around[loss.argmin()] / best["N"] - 1) < 2e-3
    assert (
        abs(loss.min() - best["L"]) < 1e-9
        and abs(best["N"] * best["D"] * 6 / 1e21 - 1) < 1e-12
    )


def test_saturating_slope_and_its_levels():
    assert SATURATING.levels == tuple(np.unique(LADDER["N"]))
    p = CASES["saturating-k"][2]
    assert abs(float(SATURATING.k(p, 13e9)) - 0.065) < 1e-15
    with pytest.raises(ValueError, match="not in the fitted data"):
        SATURATING.predict(p, {"N": [2e9], "X": [1e18]})


def test_breaks_are_reported_by_rising_place():
    law, inputs, params, _ = CASES["bnsl-2"]
    result = sf.fit(law, {**inputs, "L": law.predict(params, inputs)})
    assert result.params["d1"] < result.params["d2"]
    assert all(abs(result.params[k] / v - 1) < 1e-6 for k, v in params.items())


def test_custom_finds_its_linear_parameters():
    def curve(N, D, E, A, B, alpha, beta):
        return E + A * N**-alpha + B * D**-beta

    law = sf.Custom(
        curve,
        inputs=("N", "D"),
        output="L",
        start=dict(A=100, B=100, alpha=0.5, beta=0.5),
    )
    _, inputs, params, _ = CASES["chinchilla"]
    result = sf.fit(law, {**inputs, "L": curve(**inputs, **params)})
    assert result.law.linear == ("E", "A", "B") and result.law.formula.startswith(
        "L = curve(N, D, E"
    )
    assert max(abs(result.params[k] / v - 1) for k, v in params.items()) < 1e-7


def test_custom_does_not_mistake_products_or_offsets_for_linear():
    x = np.linspace(1, 5, 12)
    law = sf.Custom(lambda x, a, b, c: a * b * x + np.exp(-c * x))
    assert law.resolved({"x": x}).linear == ()
    with pytest.raises(ValueError, match="start names"):
        sf.Custom(lambda x, a: a * x, start={"b": 1.0})


def test_a_stated_sum_writes_its_formula_and_units():
    class Decay(sf.PowerSum):
        terms: ClassVar = {"E": {}, "A": {"N": "alpha", "D": "-beta"}, "C": {"t": -2}}
        minus = ("C",)

    law = Decay()
    assert law.formula == "L = E + A N^-alpha D^beta - C t^2"
    assert law.parameters == ("E", "A", "C", "alpha", "beta")
    assert law.units["A"] == "of L N^alpha D^-beta" and law.units["C"] == "of L t^-2"
    data = {"N": [4.0], "D": [9.0], "t": [0.0]}
    p = dict(E=1.0, A=2.0, C=3.0, alpha=0.5, beta=0.5)
    assert law.predict(p, data)[0] == pytest.approx(4.0)
    assert law.predict(p, {**data, "t": [0.5]})[0] == pytest.approx(3.25)
