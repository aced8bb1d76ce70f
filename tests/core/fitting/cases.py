"""Known truths: one noise-free data set per law, with what changes under new units.

``CASES[name] = (law, inputs, params, rescaled)``; ``rescaled`` groups the inputs
that may be multiplied by one common factor. ``INVARIANT`` parameters have no unit.
"""

from itertools import product

import numpy as np

from scaling_core import fitting as sf
from scaling_core.fitting.law import unit_scale
from scaling_core.fitting.problem import build_problem


def mesh(*axes):
    """All combinations of the axes, one flat column each."""
    return [
        np.array(column, dtype=float) for column in zip(*product(*axes), strict=True)
    ]


def _repeated():
    N, D, U = mesh(
        np.geomspace(1e7, 1e10, 5), np.geomspace(1e9, 1e12, 6), [3e9, 3e10, 2e11]
    )
    return {"N": N, "U_N": np.minimum(N, U / 20), "D": D, "U_D": np.minimum(D, U)}


X = np.geomspace(1, 1e4, 20)
WIDE = np.geomspace(1, 1e6, 60)
GRID = dict(
    zip("ND", mesh(np.geomspace(1e7, 1e10, 7), np.geomspace(1e9, 1e12, 7)), strict=True)
)
LADDER = dict(
    zip(
        "NX",
        mesh([5e8, 1.5e9, 3e9, 7e9, 1.4e10, 7e10], np.geomspace(1e16, 1e21, 8)),
        strict=True,
    )
)
SATURATING = sf.SaturatingK().resolved(LADDER)

CASES = {
    "power": (sf.PowerLaw(), {"x": X}, dict(E=1.3, A=4.0, alpha=0.37), [("x",)]),
    "pure-power": (
        sf.PowerLaw(floor=False),
        {"x": X},
        dict(A=4.0, alpha=0.37),
        [("x",)],
    ),
    "chinchilla": (
        sf.Chinchilla(),
        GRID,
        dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28),
        [("N",), ("D",)],
    ),
    "kaplan": (
        sf.Kaplan(),
        GRID,
        dict(N_c=8.8e13, alpha_N=0.076, D_c=5.4e13, alpha_D=0.095),
        [("N",), ("D",)],
    ),
    "data-constrained": (
        sf.DataConstrained(),
        _repeated(),
        dict(E=1.87, A=521.0, B=1488.0, alpha=0.3527, beta=0.36, R_N=5.31, R_D=15.39),
        [("N", "U_N"), ("D", "U_D")],
    ),
    "sigmoid": (
        sf.SigmoidLog(),
        {"x": X},
        dict(R_0=0.1, A=0.6, C_mid=200.0, B=1.7),
        [("x",)],
    ),
    "saturating-k": (
        SATURATING,
        LADDER,
        {
            **{name: 3 + 0.1 * i for i, name in enumerate(SATURATING.coupled)},
            "K_max": 0.13,
            "N_0": 13e9,
        },
        [],
    ),
    "bnsl-1": (
        sf.BNSL(),
        {"x": WIDE},
        dict(a=0.5, b=3.0, c0=0.2, c1=0.5, d1=3e3, f1=0.4),
        [("x",)],
    ),
    "bnsl-2": (
        sf.BNSL(2),
        {"x": WIDE},
        dict(a=0.3, b=3.0, c0=0.1, c1=0.5, d1=3e2, f1=0.3, c2=-0.4, d2=3e4, f2=0.2),
        [("x",)],
    ),
}
SEPARABLE = [name for name in CASES if not name.startswith("bnsl")]
FIXED_TARGET = ("kaplan", "saturating-k")  # laws without a factor in front
INVARIANT = {
    "alpha",
    "beta",
    "R_N",
    "R_D",
    "delta",
    "nu",
    "k",
    "c0",
    "c1",
    "f1",
    "c2",
    "f2",
    "alpha_N",
    "alpha_D",
    "K_max",
}
ALSO = {"sigmoid": {"B"}}


def invariant(name):
    """The parameters of a case that no change of units touches."""
    return (INVARIANT | ALSO.get(name, set())) & set(CASES[name][2])


def rescaled(case, rng, *, unit=True):
    """Return the case's data in random units (factors over twelve decades)."""
    law, inputs, params, groups = case
    loss = law.predict(params, inputs)
    inputs = dict(inputs)
    for group in groups:
        factor = 10 ** rng.uniform(-6, 6)
        inputs.update({column: inputs[column] * factor for column in group})
    factor = 10 ** rng.uniform(-3, 3) if unit else 1.0
    return {**inputs, law.target: loss * factor}


def check_recovery(case, same, count, seed, tolerance, *, unit=True):
    """Fit the case in random units: parameters without a unit, and the curve, come back."""
    rng = np.random.default_rng(seed)
    law, _, params, _ = case
    for _ in range(count):
        data = rescaled(case, rng, unit=unit)
        result = sf.fit(law, data)
        assert result.status == "converged", result.message
        worst = max(abs(result.params[p] / params[p] - 1) for p in same)
        assert worst <= tolerance
        np.testing.assert_allclose(result.predict(), data[law.target], rtol=tolerance)


def internal(case):
    """A problem of the case and points a little off its truth, in internal coordinates."""
    law, inputs, params, _ = case
    data = {**inputs, "L": law.predict(params, inputs)}
    problem = build_problem(law, data, "mse", 1.0, None, None)
    raw = np.array([[params[p] for p in problem.law.parameters]])
    off = 1 + 0.02 * np.random.default_rng(0).normal(size=raw.shape)
    z = problem.law.from_raw(raw, problem.scale) * off
    return problem, np.concatenate([z, z * 1.05])


def check_gradient(case):
    """The Jacobian is that of finite differences."""
    problem, z = internal(case)
    law, prep = problem.law, problem.prep
    _, jac = law.evaluate(z, prep)
    for m, h in enumerate(6e-6 * np.maximum(np.abs(z[0]), 0.1)):
        move = np.zeros_like(z)
        move[:, m] = h
        up, down = (law.evaluate(z + s * move, prep)[0] for s in (1, -1))
        atol = 2e-8 * (np.abs(jac[:, m]).max() + 1e-12)
        np.testing.assert_allclose((up - down) / (2 * h), jac[:, m], 1e-6, atol)


def check_units(case):
    """Raw parameters survive the way to internal coordinates and back."""
    law, inputs, params, _ = case
    law = law.resolved(inputs)
    raw = np.array([[params[p] for p in law.parameters]])
    scale = {key: 3.7 * (i + 1) for i, key in enumerate(unit_scale(law))}
    scale["target"] = scale["target"] if law.scale_target else 1.0
    there = law.from_raw(raw.copy(), scale)
    np.testing.assert_allclose(law.to_raw(there, scale), raw, rtol=1e-12)
