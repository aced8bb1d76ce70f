"""Refits of published numbers that need no training.

Tan et al. (arXiv 2509.25300): ln L = E(N) - k(N) ln C with k(N) = K_max/(1 + N_0/N), for
L the test loss 1 - pass@1, C the FLOPs of reinforcement learning, N parameters. ScaleRL
(arXiv 2510.13786): R = R_0 + (A - R_0)/(1 + (C_mid/C)^B), C in GPU-hours; and the power
law A - D/C^B of its appendix.

Shapes: n points, A ceilings, M half-way points of a grid.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import fminbound

from scaling_core.data.published import load_published
from scaling_core.fitting import PowerLaw, SaturatingK, SigmoidLog, fit

Columns = dict[str, np.ndarray]
# Of L, not of ln L, as its repository's code.
SQUARES = dict(loss="mse")  # type: dict
OBJECTIVES = {
    "squares of L": SQUARES,
    "squares of ln L": dict(loss="log-huber", delta=10.0),  # never in the tails
    "log-Huber": {},
}
EARLY = 4  # points of each size left out as its first steps
CEILINGS = np.linspace(0.45, 1.0, 111)  # steps of 0.005, up to the bound
MIDDLES = np.linspace(100, 40_000, 100)  # GPU-hours
RATES = (0.1, 0.2, 0.3)  # R_0 is not published
STEEPNESS = (0.02, 8.0)


def tan_points() -> Columns:
    """Return the digitised points N, X (FLOPs) and L, 622 of them."""
    table = load_published("rl_tan_points")
    columns = dict(
        N=table.model_params_B * 1e9, X=table.cumulative_flops, L=table.test_loss
    )
    return {name: column.to_numpy(float) for name, column in columns.items()}


def pick(data: Columns, rows: np.ndarray) -> Columns:
    """Return some of the points."""
    return {name: column[rows] for name, column in data.items()}


def joint_fit(data: Columns, objective: dict | None = None, **options):
    """Return the fit of the law to all sizes at once, least squares of L by default."""
    how = SQUARES if objective is None else objective
    return fit(SaturatingK(), data, **how, **options)


def joint_fit_alike(data: Columns):
    """Return the same with each size of equal weight, as its repository's code has it."""
    _, where, count = np.unique(data["N"], return_inverse=True, return_counts=True)
    return joint_fit(data, weights=1 / count[where])


def k_max_by_objective(data: Columns) -> dict[str, float]:
    """Return K_max under five reasonable choices of what to minimise over what."""
    out = {
        name: joint_fit(data, how).params["K_max"] for name, how in OBJECTIVES.items()
    }
    sizes = np.unique(data["N"])
    alike = joint_fit_alike(data)
    late = np.concatenate(
        [np.flatnonzero(data["N"] == N)[np.argsort(_X(data, N))][EARLY:] for N in sizes]
    )
    out["each size alike"] = alike.params["K_max"]
    out["early steps dropped"] = joint_fit(pick(data, late)).params["K_max"]
    return out


def _X(data: Columns, N: float) -> np.ndarray:
    return data["X"][data["N"] == N]


def k_max_without_each_size(data: Columns) -> dict[float, float]:
    """Return K_max with each size left out."""
    return {
        float(N): joint_fit(pick(data, data["N"] != N)).params["K_max"]
        for N in np.unique(data["N"])
    }


def free_slopes(data: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Return sizes and the slope k of each on its own, least squares of L = a C^-k."""
    sizes = np.unique(data["N"])
    slopes = []
    for N in sizes:
        own = pick(data, data["N"] == N)
        points = {"x": own["X"], "L": own["L"]}
        found = fit(PowerLaw(), points, bounds={"E": (0, 0)}, **SQUARES)
        slopes.append(found.params["alpha"])
    return sizes, np.array(slopes)


@dataclass(frozen=True)
class Forecast:
    """The largest model's slope: its own, and three forecasts from the smaller ones.

    Attributes
    ----------
    free
        Fitted to the largest model's points alone.
    law
        k(N) of the joint fit without them.
    line, line_without_smallest
        A straight line in ln N through the smaller sizes' free slopes; without the first.
    power
        A power law of N through them, that is no ceiling.
    last
        No growth: the free slope of the largest of the smaller sizes.
    """

    free: float
    law: float
    line: float
    line_without_smallest: float
    power: float
    last: float


def forecast(data: Columns, objective: dict | None = None) -> Forecast:
    """Return the `Forecast` of k at the largest size; the objective is the law's."""
    sizes, slopes = free_slopes(data)
    smaller = joint_fit(pick(data, data["N"] < sizes[-1]), objective)
    u = np.log(sizes)
    line, shorter = (
        float(np.polyval(np.polyfit(u[i:-1], slopes[i:-1], 1), u[-1])) for i in (0, 1)
    )
    law = float(SaturatingK().k(smaller.params, sizes[-1]))
    shares = sizes / sizes[-1]
    rising = {"x": shares[:-1], "L": slopes[:-1]}
    power = fit(PowerLaw(floor=False), rising, **SQUARES).params["A"]
    last = float(slopes[-2])
    return Forecast(float(slopes[-1]), law, line, shorter, power, last)


def rival_ratio(found: Forecast) -> float:
    """Return how far the line's forecast is off, over how far the law's is."""
    return abs(found.line - found.free) / abs(found.law - found.free)


def explained(data: Columns) -> dict[str, float]:
    """Return R² of the joint fit: of all points, within all sizes, and within each.

    Within: against the mean of each size, so that the intercepts explain nothing.
    """
    N, L = data["N"], data["L"]
    error = (joint_fit(data).predict(data) - L) ** 2
    rows = {f"{size / 1e9:g}B": size == N for size in np.unique(N)}
    around = np.sum([row * (L - L[row].mean()) ** 2 for row in rows.values()], axis=0)
    return {
        "all points": float(1 - error.sum() / np.sum((L - L.mean()) ** 2)),
        "within sizes": float(1 - error.sum() / around.sum()),
        **{k: float(1 - error[r].sum() / around[r].sum()) for k, r in rows.items()},
    }


def explained_by_slopes(data: Columns, *, shared: bool) -> dict[str, float]:
    """Return R² of L = a_N X^-k, of all points and within sizes, as `explained`.

    ``shared``: one slope k for all sizes, what the offsets explain without the law of
    k(N); else one for each size, the most that any law of k(N) could explain.
    """
    N, L, u = data["N"], data["L"], np.log(data["X"] / data["X"].max())
    rows = [size == N for size in np.unique(N)]

    def error(k: float, *rows: np.ndarray) -> float:
        falls = ((np.exp(-k * u[row]), L[row]) for row in rows)
        return sum(np.sum((y - (y @ x) / (x @ x) * x) ** 2) for x, y in falls)

    groups = [rows] if shared else [[row] for row in rows]
    found = (fminbound(error, 0, 1, args=(*g,), full_output=True) for g in groups)
    least = sum(best for _, best, *_ in found)
    within = sum(np.sum((L[row] - L[row].mean()) ** 2) for row in rows)
    return {
        "all points": float(1 - least / np.sum((L - L.mean()) ** 2)),
        "within sizes": float(1 - least / within),
    }


def explained_by_offsets(data: Columns) -> float:
    """Return R² of all points with a constant for each size: no learning at all."""
    N, L = data["N"], data["L"]
    of_sizes = [L[size == N] for size in np.unique(N)]
    around = sum(np.sum((own - own.mean()) ** 2) for own in of_sizes)
    return float(1 - around / np.sum((L - L.mean()) ** 2))


def sigmoid(C, **params: float) -> np.ndarray:
    """Return the pass rate R_0 + (A - R_0)/(1 + (C_mid/C)^B), see `SigmoidLog`.

    >>> sigmoid([10.0], R_0=0.2, A=0.6, C_mid=10.0, B=2.0).round(9).tolist()
    [0.4]
    """
    return SigmoidLog().predict(params, {"x": C})


def printed_curve(
    run: str, first: float, last: float, *, R_0: float, n: int = 75, space=np.linspace
) -> tuple[np.ndarray, np.ndarray]:
    """Return n points of a printed sigmoid, by default even in GPU-hours.

    ``space`` is numpy's linspace or geomspace (even in their logarithm).
    """
    row = load_published("rl_scalerl_fits").set_index("run").loc[run]
    C = space(first, last, n)
    return C, sigmoid(C, R_0=R_0, A=row.A, C_mid=row.C_mid, B=row.B)


def power_ceiling(C: np.ndarray, R: np.ndarray, ceilings=CEILINGS) -> float:
    """Return A of R = A - D/C^B by the paper's way: a grid of ceilings, B and D inside.

    The least sum of squares wins; D >= 0 in closed form, B by a bounded search.
    """
    log_C = np.log(C / C[-1])

    def error(B: float, A: float) -> float:
        basis = np.exp(-B * log_C)
        D = max(0.0, (A - R) @ basis / (basis @ basis))
        return float(np.sum((A - D * basis - R) ** 2))

    found = [
        fminbound(error, *STEEPNESS, args=(A,), full_output=True)[1] for A in ceilings
    ]
    return float(ceilings[int(np.argmin(found))])


def promised_ceilings(
    first: float, last: float, *, rates=RATES, run: str = "batch 2048", **points
) -> np.ndarray:
    """Return the power law's ceiling fitted to a printed sigmoid, one per start rate.

    ``points``: n and space of `printed_curve`.
    """
    curves = (printed_curve(run, first, last, R_0=R_0, **points) for R_0 in rates)
    return np.array([power_ceiling(*curve) for curve in curves])


def sigmoid_grid(
    C: np.ndarray,
    R: np.ndarray,
    *,
    R_0: float,
    ceilings=CEILINGS,
    middles=MIDDLES,
) -> dict[str, float]:
    """Return A, C_mid and B by the paper's grid (appendix on fitting), B inside.

    B by a golden-section search on its logarithm in all cells at once: its error has one
    minimum there. The least sum of squares wins.
    """
    A = np.asarray(ceilings)[:, None, None]
    u = np.log(np.asarray(middles)[None, :, None] / C)  # (1, M, n)

    def error(log_B: np.ndarray) -> np.ndarray:
        share = 1 / (1 + np.exp(np.exp(log_B)[:, :, None] * u))
        return np.sum((R_0 + (A - R_0) * share - R) ** 2, axis=2)

    ratio = (5**0.5 - 1) / 2
    low, high = (np.full((len(A), u.shape[1]), np.log(end)) for end in STEEPNESS)
    for _ in range(28):  # to a millionth of the range
        width = ratio * (high - low)
        left, right = high - width, low + width
        lower = error(left) < error(right)
        low, high = np.where(lower, low, left), np.where(lower, right, high)
    found = error((low + high) / 2)
    a, m = np.unravel_index(np.argmin(found), found.shape)
    B = np.exp((low + high)[a, m] / 2)
    return dict(A=float(A[a, 0, 0]), C_mid=float(middles[m]), B=float(B))
