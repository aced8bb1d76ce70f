"""Compute-optimal allocation three ways, and the closed-form bias of the second.

Approach 1: lower envelope of training curves. Approach 2: a parabola per
compute budget. Approach 3: fit the surface (``fit(Chinchilla(), ...)``) and use
``Chinchilla.optimum``. Sources: arXiv 2203.15556, section 3; arXiv 2603.22339.
Chapter: fitting. Units: C in FLOPs, N in parameters, D in tokens, C = 6 N D.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .columns import as_column, check_positive
from .law import Array
from .laws import Chinchilla
from .result import FitResult

FLOPS = 6.0


@dataclass(frozen=True)
class Allocation:
    """A power law of the optimum in compute, ``log10 x* = slope log10 C + intercept``.

    ``budgets`` and ``vertices`` are the per-budget optima it went through,
    ``warnings`` what makes them doubtful.
    """

    on: str
    slope: float
    intercept: float
    budgets: Array
    vertices: Array
    warnings: tuple[str, ...] = ()

    def predict(self, C: Any) -> Array:
        """Return the optimal ``on`` at budgets C."""
        return 10.0 ** (
            self.slope * np.log10(np.asarray(C, dtype=float)) + self.intercept
        )


def _line(budgets: Array, vertices: Array) -> tuple[float, float]:
    if len(budgets) < 2:
        raise ValueError(
            f"a power law in compute needs at least two budgets, got {len(budgets)}"
        )
    slope, intercept = np.polyfit(np.log10(budgets), np.log10(vertices), 1)
    return float(slope), float(intercept)


def _positive(data: Any, names: tuple[str, ...]) -> list[Array]:
    columns = [as_column(data[name], name) for name in names]
    for name, column in zip(names, columns):
        check_positive(column, name, "its logarithm is taken")
    return columns


def envelope(data: Any, *, run: str = "run", points: int = 1500) -> Allocation:
    """Approach 1: at each compute the model size whose training curve is lowest.

    ``data`` has columns ``run``, N, C and L, one row per logged step; curves are
    interpolated in log C, each over its own range. The envelope counts only
    between the smallest and the largest C at which the best model is an interior
    size, so that the ends of the ladder do not bend it.

    Examples
    --------
    >>> C = np.geomspace(1e18, 1e21, 40)
    >>> N, C = (g.ravel() for g in np.meshgrid(np.geomspace(1e7, 1e10, 25), C, indexing="ij"))
    >>> L = 1.7 + 400 * N**-0.34 + 400 * (C / (6 * N)) ** -0.34
    >>> a = envelope({"run": N, "N": N, "C": C, "L": L})
    >>> abs(a.slope - 0.5) < 0.02
    True
    """
    labels = as_column(data[run], run, labels=True)
    N, C, L = _positive(data, ("N", "C", "L"))
    runs = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    grid = np.linspace(np.log(C.min()), np.log(C.max()), points)
    curves = np.full((len(runs), points), np.inf)
    for i, rows in enumerate(runs):
        rows = rows[np.argsort(C[rows])]
        x = np.log(C[rows])
        inside = (grid >= x[0]) & (grid <= x[-1])
        curves[i, inside] = np.interp(grid[inside], x, L[rows])
    best, sizes = curves.argmin(axis=0), np.array([N[rows[0]] for rows in runs])
    interior = (
        (sizes[best] > sizes.min())
        & (sizes[best] < sizes.max())
        & np.isfinite(curves.min(axis=0))
    )
    if interior.sum() < 2:
        raise ValueError(
            "no budget has its best model inside the ladder of sizes; widen the ladder"
        )
    budgets, vertices = np.exp(grid[interior]), sizes[best[interior]]
    return Allocation("N", *_line(budgets, vertices), budgets, vertices)


def _short(warnings: list[str], most: int = 5) -> str:
    """Join what is wrong with each budget; the first few where there are many."""
    more = [f"{len(warnings) - most} more"] if len(warnings) > most else []
    return "; ".join([*warnings[:most], *more]) or "nothing else measured"


def isoflop(data: Any, *, on: str = "N", budget: str = "C") -> Allocation:
    """Approach 2: a parabola in log10 x per budget, then a line through the vertices.

    ``data`` has columns L, ``on`` (N or D) and the budget. Biased where alpha
    and beta differ (``approach2_bias``); warnings name budgets with fewer than
    four points, an upside-down parabola (left out) or a vertex outside the data.
    Raises ValueError, with the same words, where fewer than two budgets remain.

    Examples
    --------
    >>> data = simulate_isoflop(dict(E=1.69, A=400, B=400, alpha=0.31, beta=0.31))
    >>> abs(isoflop(data).slope - 0.5) < 1e-9
    True
    """
    x, C, L = _positive(data, (on, budget, "L"))
    budgets, vertices, warnings = [], [], []
    for level in np.unique(C):
        rows = level == C
        if len(np.unique(x[rows])) < 3:
            warnings.append(f"{level:.3g}: fewer than three sizes, left out")
            continue
        u = np.log10(x[rows])
        centre = u.mean()
        a, b, _ = np.polyfit(u - centre, L[rows], 2)
        if not a > 0:
            warnings.append(f"{level:.3g}: parabola opens downwards, left out")
            continue
        vertex = centre - b / (2 * a)
        if not u.min() <= vertex <= u.max():
            warnings.append(f"{level:.3g}: vertex outside the sizes measured")
        if rows.sum() < 4:
            warnings.append(f"{level:.3g}: three points only, no check of the parabola")
        budgets.append(level)
        vertices.append(10.0**vertex)
    if len(budgets) < 2:
        raise ValueError(
            f"a power law in compute needs at least two budgets with a parabola that "
            f"opens upwards, got {len(budgets)} ({_short(warnings)}); give every run of "
            f"a budget the same {budget} and sizes {on} on both sides of its least loss"
        )
    budgets, vertices = np.array(budgets), np.array(vertices)
    return Allocation(on, *_line(budgets, vertices), budgets, vertices, tuple(warnings))


def surface_allocation(result: FitResult, C: Any) -> Mapping[str, Array]:
    """Approach 3: N*, D*, D/N and the loss from a fitted Chinchilla surface.

    Examples
    --------
    >>> from scaling_core.fitting import fit
    >>> data = simulate_isoflop(dict(E=1.69, A=400, B=400, alpha=0.31, beta=0.31))
    >>> round(float(surface_allocation(fit(Chinchilla(), data), 6e20)["D/N"]), 6)
    1.0
    """
    return result.law.optimum(result.params, C, FLOPS)


def approach2_bias(alpha: float, beta: float, w: Any) -> float:
    """Return log10 of Approach 2's N* over the true N*, without noise.

    ``w`` are log10 offsets of the sizes from the true optimum, symmetric about
    zero. With l = ln 10, S(x) = sum w sinh(x l w) and
    K(x) = sum (w^2 - mean w^2) cosh(x l w),

    ``(beta S(alpha) - alpha S(beta)) / (beta K(alpha) + alpha K(beta))
    * sum (w^2 - mean w^2)^2 / (2 sum w^2)``;

    D* is off by the negative. Zero for alpha = beta and the same at every budget,
    so that the exponent is right and the constant wrong.

    Examples
    --------
    >>> w = np.linspace(-1, 1, 15) * np.log10(16)
    >>> round(100 * (10 ** -approach2_bias(0.34, 0.28, w) - 1), 2)
    -5.1
    """
    w = as_column(w, "w")
    if np.abs(np.sort(w) + np.sort(w)[::-1]).max() > 1e-9 * np.abs(w).max():
        raise ValueError(
            "w must be symmetric about zero; simulate an off-centre grid instead"
        )
    spread = w**2 - np.mean(w**2)
    arm = np.log(10) * w
    S = lambda x: np.sum(w * np.sinh(x * arm))
    K = lambda x: np.sum(spread * np.cosh(x * arm))
    shift = (beta * S(alpha) - alpha * S(beta)) / (beta * K(alpha) + alpha * K(beta))
    return float(shift * np.sum(spread**2) / (2 * np.sum(w**2)))


def simulate_isoflop(
    params: Mapping[str, float],
    *,
    budgets: Any = None,
    width: float = 4.0,
    n: int = 15,
    offset: float = 1.0,
    drift: float = 1.0,
    noise: float = 0.0,
    rng: np.random.Generator | None = None,
) -> dict[str, Array]:
    """Return losses of a Chinchilla surface on log-spaced sizes around each budget's optimum.

    Parameters
    ----------
    width : sizes run from centre / width to centre * width
    offset : centre of D over the optimal D, the same at every budget
    drift : further factor on D that grows log-linearly from 1 (lowest budget) to this
    noise : standard deviation of additive noise on L

    Examples
    --------
    >>> data = simulate_isoflop(dict(E=1.69, A=400, B=400, alpha=0.31, beta=0.31), n=3)
    >>> len(data["L"]), sorted(data)
    (15, ['C', 'D', 'L', 'N'])
    """
    budgets = (
        np.logspace(17, 21, 5) if budgets is None else as_column(budgets, "budgets")
    )
    law = Chinchilla()
    place = np.linspace(0, 1, len(budgets)) if len(budgets) > 1 else np.zeros(1)
    centre = law.optimum(params, budgets, FLOPS)["D"] * offset * drift**place
    D = centre[:, None] * np.geomspace(1 / width, width, n)
    C = np.broadcast_to(budgets[:, None], D.shape)
    data = {"N": (C / (FLOPS * D)).ravel(), "D": D.ravel(), "C": C.ravel().copy()}
    data["L"] = law.predict(params, data)
    if noise:
        data["L"] = data["L"] + noise * (rng or np.random.default_rng(0)).normal(
            size=D.size
        )
    return data


def deadweight_loss(
    params: Mapping[str, float],
    C: float,
    *,
    N: float | None = None,
    D: float | None = None,
) -> float:
    """Return the share of compute C wasted by training with this N or D instead of the best.

    ``1 - C_eq / C`` where C_eq would reach the same loss if split well:
    ``C_eq = 6 ((L - E) / K)^(-(alpha + beta)/(alpha beta))``, ``K = A G^-alpha + B G^beta``.
    Source: arXiv 2603.22339.

    Examples
    --------
    >>> p = dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    >>> best = Chinchilla().optimum(p, 1e21)
    >>> bool(abs(deadweight_loss(p, 1e21, N=best["N"])) < 1e-12)
    True
    """
    if (N is None) == (D is None):
        raise ValueError("give exactly one of N and D")
    N, D = (N, C / (FLOPS * N)) if N is not None else (C / (FLOPS * D), D)
    alpha, beta, G = params["alpha"], params["beta"], Chinchilla().derived(params)["G"]
    reached = params["A"] * N**-alpha + params["B"] * D**-beta
    K = params["A"] * G**-alpha + params["B"] * G**beta
    return float(1 - FLOPS * (reached / K) ** (-(alpha + beta) / (alpha * beta)) / C)
