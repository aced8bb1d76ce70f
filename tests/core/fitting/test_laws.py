"""Laws: formulas against direct arithmetic, derivatives against differences, units there and back."""

import numpy as np
import pytest

from scaling_core import fitting as sf
from scaling_core.fitting.law import Law, unit_scale
from scaling_core.fitting.problem import build_problem

from .cases import CASES, LADDER, SATURATING


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
    if name == "lr-annealing":
        return p["L_0"] + p["A"] * d["S1"] ** -p["alpha"] - p["C"] * d["S2"]
    if name == "float-quantisation":
        noise = p["gamma"] * (d["E"] + 0.5) ** p["delta"] * (d["M"] + 0.5) ** p["nu"]
        return (
            p["n"] / d["N"] ** p["alpha"]
            + p["d"] / d["D"] ** p["beta"]
            + p["epsilon"]
            + d["D"] ** p["beta"] / d["N"] ** p["alpha"] * np.log2(d["B"]) / noise
        )
    if name == "parscale":
        return (
            p["E"]
            + (p["A"] * 1e9 / (d["N"] * (p["k"] * np.log(d["P"]) + 1))) ** p["alpha"]
        )
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


def internal(name):
    """A problem of the case and a point a little off its truth, in internal coordinates."""
    law, inputs, params, _ = CASES[name]
    problem = build_problem(
        law, {**inputs, "L": law.predict(params, inputs)}, "mse", 1.0, None, None
    )
    raw = np.array([[params[p] for p in problem.law.parameters]])
    z = problem.law.from_raw(raw, problem.scale) * (
        1 + 0.02 * np.random.default_rng(0).normal(size=raw.shape)
    )
    return problem, np.concatenate([z, z * 1.05])


@pytest.mark.parametrize("name", CASES)
def test_gradient_agrees_with_finite_differences(name):
    problem, z = internal(name)
    _, jac = problem.law.evaluate(z, problem.prep)
    step = 6e-6 * np.maximum(np.abs(z[0]), 0.1)
    for m, h in enumerate(step):
        move = np.zeros_like(z)
        move[:, m] = h
        up, down = (
            problem.law.evaluate(z + s * move, problem.prep)[0] for s in (1, -1)
        )
        scale = np.abs(jac[:, m]).max() + 1e-12
        np.testing.assert_allclose(
            (up - down) / (2 * h), jac[:, m], atol=2e-8 * scale, rtol=1e-6
        )


@pytest.mark.parametrize("name", ["power", "pure-power", "chinchilla"])
def test_closed_form_curvature_agrees_with_differences_of_the_jacobian(name):
    problem, z = internal(name)
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
    law, inputs, params, _ = CASES[name]
    law = law.resolved(inputs)
    raw = np.array([[params[p] for p in law.parameters]])
    scale = {key: 3.7 * (i + 1) for i, key in enumerate(unit_scale(law))}
    if not law.scale_target:
        scale["target"] = 1.0
    np.testing.assert_allclose(
        law.to_raw(law.from_raw(raw.copy(), scale), scale), raw, rtol=1e-12
    )


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


def test_best_layouts_of_the_precision_law():
    # arXiv 2501.02423: FP4 E2M1, FP8 E4M3, FP16 E8M7
    law, p = sf.FloatQuantisation(), dict(delta=3.1926, nu=2.9543)
    assert [round(float(law.best_mantissa(p, bits))) for bits in (4, 8, 16)] == [
        1,
        3,
        7,
    ]


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


def test_schedule_areas_by_the_double_sum():
    lr, decay = np.random.default_rng(0).uniform(size=30), 0.9
    s1, s2 = sf.schedule_areas(lr, decay)
    falls = np.concatenate([[0.0], lr[:-1] - lr[1:]])
    momentum = [
        sum(falls[k] * decay ** (i - k) for k in range(i + 1)) for i in range(30)
    ]
    np.testing.assert_allclose(s2, np.cumsum(momentum), rtol=1e-12)
    np.testing.assert_allclose(s1, np.cumsum(lr), rtol=1e-15)


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
