"""Known truths: one noise-free data set per law, with what changes under new units.

``CASES[name] = (law, inputs, params, rescaled)``; ``rescaled`` groups the inputs
that may be multiplied by one common factor. ``INVARIANT`` parameters have no unit.
"""

from itertools import product

import numpy as np

from scaling_core import fitting as sf


def mesh(*axes):
    """All combinations of the axes, one flat column each."""
    return [np.array(column, dtype=float) for column in zip(*product(*axes))]


def _schedules():
    steps = np.arange(4000)
    parts = [
        sf.schedule_areas(3e-4 * (0.55 + 0.45 * np.cos(np.pi * steps / 4000))),
        sf.schedule_areas(np.where(steps < 3000, 3e-4, 3e-5)),
    ]
    return {
        name: np.concatenate([part[i][50::100] for part in parts])
        for i, name in enumerate(("S1", "S2"))
    }


def _formats():
    N, D, kind, B = mesh(
        np.geomspace(4e7, 7e8, 4), np.geomspace(1e10, 1e11, 4), range(6), [32, 128, 512]
    )
    bits = np.array([[2, 1], [4, 3], [5, 2], [1, 2], [3, 4], [5, 7]], dtype=float)[
        kind.astype(int)
    ]
    return {"N": N, "D": D, "E": bits[:, 0], "M": bits[:, 1], "B": B}


def _repeated():
    N, D, U = mesh(
        np.geomspace(1e7, 1e10, 5), np.geomspace(1e9, 1e12, 6), [3e9, 3e10, 2e11]
    )
    return {"N": N, "U_N": np.minimum(N, U / 20), "D": D, "U_D": np.minimum(D, U)}


X = np.geomspace(1, 1e4, 20)
WIDE = np.geomspace(1, 1e6, 60)
GRID = dict(zip("ND", mesh(np.geomspace(1e7, 1e10, 7), np.geomspace(1e9, 1e12, 7))))
LADDER = dict(
    zip("NX", mesh([5e8, 1.5e9, 3e9, 7e9, 1.4e10, 7e10], np.geomspace(1e16, 1e21, 8)))
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
    "lr-annealing": (
        sf.LRAnnealing(),
        _schedules(),
        dict(L_0=2.628, A=0.429, C=0.411, alpha=0.55),
        [("S1",), ("S2",)],
    ),
    "float-quantisation": (
        sf.FloatQuantisation(),
        _formats(),
        dict(
            epsilon=1.9061,
            n=69.2343,
            d=68973.0621,
            gamma=11334.5197,
            alpha=0.2368,
            beta=0.5162,
            delta=3.1926,
            nu=2.9543,
        ),
        [("N",), ("D",)],
    ),
    "parscale": (
        sf.ParScale(),
        dict(zip("NP", mesh(np.geomspace(5e8, 4e9, 6), [1, 2, 4, 8]))),
        dict(E=0.69, A=0.0113, alpha=0.19, k=0.39),
        [("N",)],
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
FIXED_TARGET = ("kaplan", "parscale", "saturating-k")  # laws without a factor in front
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


def rescaled(name, rng):
    """Return the case's data in random units (factors over twelve decades)."""
    law, inputs, params, groups = CASES[name]
    loss = law.predict(params, inputs)
    inputs = dict(inputs)
    for group in groups:
        factor = 10 ** rng.uniform(-6, 6)
        inputs.update({column: inputs[column] * factor for column in group})
    unit = 1.0 if name in FIXED_TARGET else 10 ** rng.uniform(-3, 3)
    return {**inputs, law.target: loss * unit}
